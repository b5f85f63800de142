//! A small pool of threads for calls that block and cannot be interrupted.
//!
//! The transport runs look-ups and connects on such threads, delivery runs attempts. Guarantees, each tested below:
//!
//! - No thread exists before the first job, and none after ten seconds without a job or once the pool was dropped.
//! - There are never more threads than the pool was made for; further jobs wait in their order or are refused; the caller chooses.
//! - What a job has captured is dropped before its thread takes the next job or counts as idle.
//! - A job that panics is logged, and the pool continues.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a thread waits for more before it ends. Longer than the gaps within a backlog, short enough to be gone when the app is idle.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// Gives the work to do once its thread counts as idle; that work may give a further job.
type Job = Box<dyn FnOnce() -> Option<AfterIdle> + Send>;
type AfterIdle = Box<dyn FnOnce() -> Option<FollowUp> + Send>;
pub(crate) type FollowUp = Box<dyn FnOnce() + Send>;

/// Runs jobs on at most `max` threads. Dropping it drops the jobs that have not started and lets the running ones end, without waiting.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    max: usize,
}

struct Shared {
    name: &'static str,
    idle_limit: Duration,
    state: Mutex<PoolState>,
    changed: Condvar,
}

#[derive(Default)]
struct PoolState {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that will take a job without being started, including those that are just starting.
    idle: usize,
    closed: bool,
    /// How often the threads were asked to end. One that began before the last time ends when it has nothing to do.
    idle_requests: u64,
}

impl Pool {
    /// A pool without threads. `name` is that of its threads; `max` counts as 1 when it is 0.
    pub(crate) fn new(name: &'static str, max: usize) -> Self {
        Self::with_idle_limit(name, max, IDLE_LIMIT)
    }

    fn with_idle_limit(name: &'static str, max: usize, idle_limit: Duration) -> Self {
        let shared = Shared { name, idle_limit, state: Mutex::default(), changed: Condvar::new() };
        Self { shared: Arc::new(shared), max: max.max(1) }
    }

    /// Queues a job. Fails, and drops the job, only when there is no thread and none can be started.
    #[cfg(any(test, feature = "built-in-transport"))]
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let job: Job = Box::new(move || {
            job();
            None
        });
        self.queue(job, true)
    }

    /// The same for a job that must not wait: fails, and drops the job, when there is no thread for it now. `reply` gets its result while its
    /// thread counts as idle, so that a thread that then queues the next job needs no further thread; the result of `reply` runs as the next
    /// job. A job that panics has no reply.
    pub(crate) fn run_and_reply<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
        reply: impl FnOnce(T) -> Option<FollowUp> + Send + 'static,
    ) -> io::Result<()> {
        let job: Job = Box::new(move || {
            let result = job();
            Some(Box::new(move || reply(result)))
        });
        self.queue(job, false)
    }

    fn queue(&self, job: Job, may_wait: bool) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.jobs.push_back(job);
        if state.jobs.len() > state.idle {
            let (shared, idle_requests) = (Arc::clone(&self.shared), state.idle_requests);
            let started = if state.threads < self.max {
                thread::Builder::new().name(self.shared.name.to_owned()).spawn(move || shared.work(idle_requests)).map(drop)
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            };
            match started {
                Ok(()) => (state.threads, state.idle) = (state.threads + 1, state.idle + 1),
                // An existing thread will take it.
                Err(_) if may_wait && state.threads > 0 => {}
                Err(error) => {
                    let job = state.jobs.pop_back();
                    // Dropping a job may run anything, so never under the lock.
                    drop(state);
                    drop(job);
                    return Err(error);
                }
            }
        }
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// No job is expected for a while: threads end as soon as they have nothing to do. A later job starts new ones.
    pub(crate) fn release_idle(&self) {
        self.shared.lock().idle_requests += 1;
        self.shared.changed.notify_all();
    }

    /// How many threads there are.
    #[cfg(test)]
    pub(crate) fn threads(&self) -> usize {
        self.shared.lock().threads
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let forgotten = std::mem::take(&mut state.jobs);
        drop(state);
        self.shared.changed.notify_all();
        drop(forgotten);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result of `work`, unless it panics.
    fn caught<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(work));
        if result.is_err() {
            // The text of the panic may contain data that must not be logged.
            log::error!("a job on a thread of {} panicked", self.name);
        }
        result.ok()
    }

    /// The life of one thread. `idle_requests` is how often the threads had been asked to end when it was started.
    fn work(&self, idle_requests: u64) {
        let mut state = self.lock();
        state.idle -= 1;
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                let last = self.caught(job).flatten();
                state = self.lock();
                if let Some(last) = last {
                    state.idle += 1;
                    drop(state);
                    let follow_up = self.caught(last).flatten();
                    state = self.lock();
                    state.idle -= 1;
                    if let Some(follow_up) = follow_up.filter(|_| !state.closed) {
                        state.jobs.push_back(Box::new(move || {
                            follow_up();
                            None
                        }));
                    }
                }
                continue;
            }
            if state.closed || state.idle_requests != idle_requests {
                break;
            }
            state.idle += 1;
            let (woken, waited) = self.changed.wait_timeout(state, self.idle_limit).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }
}

/// The first result that a thread gives to one that waits. A channel of the standard library can do more, and is 7 kB of code for each
/// type (docs/size.md).
#[cfg(any(test, feature = "built-in-transport"))]
pub(crate) struct FirstResult<T>(Arc<(Mutex<Option<T>>, Condvar)>);

#[cfg(any(test, feature = "built-in-transport"))]
impl<T> FirstResult<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Mutex::new(None), Condvar::new())))
    }

    /// A later one is dropped.
    pub(crate) fn set(&self, result: T) {
        let (place, came) = &*self.0;
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            *place = Some(result);
            came.notify_one();
        }
    }

    /// None: nothing came within this time.
    pub(crate) fn wait(&self, time: Duration) -> Option<T> {
        let (place, came) = &*self.0;
        let place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut place, _) = came.wait_timeout_while(place, time, |place| place.is_none()).unwrap_or_else(PoisonError::into_inner);
        place.take()
    }
}

#[cfg(any(test, feature = "built-in-transport"))]
impl<T> Clone for FirstResult<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::time::Instant;

    use super::*;

    const WAIT_LIMIT: Duration = Duration::from_secs(30);

    /// Waits until this holds.
    fn until(what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + WAIT_LIMIT;
        while !holds() {
            assert!(Instant::now() < end, "it does not come to {what}");
            thread::yield_now();
        }
    }

    fn receive<T>(receiver: &Receiver<T>) -> T {
        receiver.recv_timeout(WAIT_LIMIT).expect("it comes in time")
    }

    #[test]
    fn the_first_result_is_the_one_that_was_waited_for() {
        let first = FirstResult::new();
        assert_eq!(first.wait(Duration::from_millis(1)), None);
        let (early, late) = (first.clone(), first.clone());
        thread::spawn(move || early.set(1)).join().expect("it is set");
        late.set(2);
        assert_eq!(first.wait(Duration::ZERO), Some(1));
        thread::scope(|scope| {
            scope.spawn(|| late.set(3));
            assert_eq!(first.wait(WAIT_LIMIT), Some(3));
        });
    }

    /// A job that reports that it runs, and then waits until the returned sender is dropped.
    fn waiting_job(begun: &Sender<()>) -> (impl FnOnce() + Send + 'static, Sender<()>) {
        let (release, wait) = mpsc::channel();
        let begun = begun.clone();
        let job = move || {
            let _ = begun.send(());
            let _ = wait.recv();
        };
        (job, release)
    }

    #[test]
    fn threads_start_when_needed_and_never_more_than_allowed() {
        let pool = Pool::new("test-pool", 2);
        assert_eq!(pool.threads(), 0);
        let (begin, begun) = mpsc::channel();
        let mut releases = Vec::new();
        for running in [1, 2, 2, 2] {
            let (job, release) = waiting_job(&begin);
            pool.run(job).expect("a thread");
            releases.push(release);
            assert_eq!(pool.threads(), running);
        }
        receive(&begun);
        receive(&begun);
        // The others begin only as these end.
        assert_eq!(pool.shared.lock().jobs.len(), 2);
        releases.clear();
        receive(&begun);
        receive(&begun);
    }

    #[test]
    fn a_job_that_must_not_wait_is_refused_while_no_thread_is_free() {
        let pool = Pool::new("test-pool", 1);
        let (begin, begun) = mpsc::channel();
        let (job, release) = waiting_job(&begin);
        pool.run(job).expect("a thread");
        receive(&begun);
        let (never, forgotten) = mpsc::channel::<()>();
        let refused = pool.run_and_reply(move || never.send(()).unwrap_or_default(), |()| None);
        assert_eq!(refused.expect_err("no thread is free").kind(), io::ErrorKind::WouldBlock);
        assert_eq!(forgotten.recv_timeout(WAIT_LIMIT), Err(mpsc::RecvTimeoutError::Disconnected), "it is dropped");
        drop(release);
        until("the thread is free", || pool.shared.lock().idle == 1);
        let then = move || begin.send(()).unwrap_or_default();
        pool.run_and_reply(|| (), move |()| Some(Box::new(then))).expect("a thread");
        receive(&begun);
    }

    #[test]
    fn an_idle_thread_takes_the_next_job() {
        let pool = Pool::new("test-pool", 8);
        let (done, seen) = mpsc::channel();
        for _ in 0..20 {
            let done = done.clone();
            pool.run(move || done.send(thread::current().id()).unwrap_or_default()).expect("a thread");
            receive(&seen);
            until("the thread is idle", || pool.shared.lock().idle == 1);
        }
        assert_eq!(pool.threads(), 1);
    }

    #[test]
    fn a_thread_is_free_when_its_result_is_known() {
        let pool = Arc::new(Pool::new("test-pool", 8));
        let (done, seen) = mpsc::channel();
        fn next(pool: &Arc<Pool>, left: u32, done: Sender<()>) {
            let then = Arc::clone(pool);
            let reply = move |()| {
                if left == 0 {
                    done.send(()).unwrap_or_default();
                } else {
                    next(&then, left - 1, done);
                }
                None
            };
            pool.run_and_reply(|| (), reply).expect("a thread");
        }
        next(&pool, 50, done);
        receive(&seen);
        assert_eq!(pool.threads(), 1);
    }

    #[test]
    fn idle_threads_end_and_new_ones_start_when_needed_again() {
        let pool = Pool::with_idle_limit("test-pool", 4, Duration::from_millis(10));
        let (done, seen) = mpsc::channel();
        for _ in 0..3 {
            let done = done.clone();
            pool.run(move || done.send(()).unwrap_or_default()).expect("a thread");
            receive(&seen);
            until("the idle threads are gone", || pool.threads() == 0);
        }
    }

    #[test]
    fn after_a_job_that_panics_the_pool_has_all_its_threads() {
        let pool = Pool::new("test-pool", 1);
        let (done, seen) = mpsc::channel();
        for _ in 0..3 {
            pool.run(|| panic!("on purpose")).expect("a thread");
            let done = done.clone();
            pool.run(move || done.send(()).unwrap_or_default()).expect("a thread");
            receive(&seen);
        }
        until("the thread is idle", || pool.shared.lock().idle == 1);
        assert_eq!(pool.threads(), 1);
    }

    #[test]
    fn what_a_job_captured_is_gone_before_its_thread_is_idle() {
        struct Captured<'a>(Arc<Shared>, &'a AtomicUsize);
        impl Drop for Captured<'_> {
            fn drop(&mut self) {
                self.1.store(self.0.lock().idle + 1, Ordering::SeqCst);
            }
        }
        static IDLE_PLUS_ONE: AtomicUsize = AtomicUsize::new(0);
        let pool = Pool::new("test-pool", 1);
        for panics in [false, true] {
            IDLE_PLUS_ONE.store(0, Ordering::SeqCst);
            let captured = Captured(Arc::clone(&pool.shared), &IDLE_PLUS_ONE);
            pool.run(move || {
                let _captured = captured;
                assert!(!panics, "on purpose");
            })
            .expect("a thread");
            until("it is dropped", || IDLE_PLUS_ONE.load(Ordering::SeqCst) != 0);
            assert_eq!(IDLE_PLUS_ONE.load(Ordering::SeqCst), 1, "no thread was idle then");
        }
    }

    #[test]
    fn dropping_forgets_what_waits_and_lets_end_what_runs() {
        let pool = Pool::new("test-pool", 1);
        let shared = Arc::clone(&pool.shared);
        let (begin, begun) = mpsc::channel();
        let (running, release) = waiting_job(&begin);
        let (never, forgotten) = mpsc::channel::<()>();
        let (finish, finished) = mpsc::channel();
        pool.run(move || {
            running();
            let _ = finish.send(());
        })
        .expect("a thread");
        receive(&begun);
        pool.run(move || never.send(()).unwrap_or_default()).expect("a thread");
        drop(pool);
        // Its sender was dropped without a message.
        assert_eq!(forgotten.recv_timeout(WAIT_LIMIT), Err(mpsc::RecvTimeoutError::Disconnected));
        assert_eq!(shared.lock().threads, 1);
        drop(release);
        receive(&finished);
        until("the thread is gone", || shared.lock().threads == 0);
    }

    #[test]
    fn a_pool_at_rest_ends_idle_threads_and_starts_new_ones_for_the_next_job() {
        let pool = Pool::with_idle_limit("test", 2, WAIT_LIMIT);
        let (done, ended) = mpsc::channel();
        let sender = done.clone();
        pool.run(move || sender.send(()).unwrap()).unwrap();
        ended.recv_timeout(WAIT_LIMIT).unwrap();
        pool.release_idle();
        until("no thread is left", || pool.threads() == 0);
        pool.run(move || done.send(()).unwrap()).unwrap();
        ended.recv_timeout(WAIT_LIMIT).unwrap();
    }
}
