//! Opening, closing, and the times between in which no connection may be open.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::{Compass, Inner, Options, Result, call_guard, observer, open_files};
use crate::crypto::Sha256;
use crate::delivery::{CancelToken, Delivery, Ports, Settings, is_foreign_call};
use crate::error::Error;
use crate::model::{Connectivity, FlushEnd, FlushReport, NextDue, Notice};
use crate::port::{Clock, Random, Transport, WritableClock};
use crate::store::{STOP_LIMIT, Store, meta};
#[cfg(feature = "built-in-transport")]
use crate::transport::{BuiltIn, BuiltInOptions};

/// How long closing waits for another caller that closes.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// No flush runs longer.
const LONGEST_FLUSH: Duration = Duration::from_secs(365 * 86_400);

#[derive(Default)]
pub(super) struct Lifecycle {
    state: Mutex<Holds>,
}

#[derive(Default)]
struct Holds {
    holds: usize,
    quiesced: bool,
}

impl Lifecycle {
    fn state(&self) -> MutexGuard<'_, Holds> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reason to keep connections open and deliver: the app is in the foreground, or a background job runs. When the last one is dropped,
/// the handle quiesces; dropping it may therefore take up to two seconds.
#[must_use = "dropping the last hold quiesces the handle"]
pub struct Hold {
    inner: Weak<Inner>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let Some(inner) = self.inner.upgrade() else { return };
        let quiesces = {
            let mut state = inner.lifecycle.state();
            state.holds = state.holds.saturating_sub(1);
            (state.holds == 0 && !state.quiesced).then(|| inner.begin_quiesce(&mut state))
        };
        if let Some(epoch) = quiesces {
            inner.finish_quiesce(epoch);
        }
    }
}

impl Compass {
    /// Opens or creates the database, readable only by its owner, and updates its schema. Nothing runs in the background until a call starts
    /// it.
    ///
    /// # Errors
    /// `AlreadyOpen`, `CannotOpen`, `Locked`, `DiskFull`, `Corrupt`, `NotADatabase`, `NewerSchema`, `InvalidOption`. The file is never
    /// replaced or emptied.
    pub fn open(options: Options) -> Result<Self> {
        options.retry.check()?;
        let transport = match &options.transport {
            Some(transport) => Arc::clone(transport),
            None => built_in(&options)?,
        };
        if let Some(problem) = open_files::no_path(&options.path) {
            return Err(Error::InvalidOption { place: "path".to_owned(), problem: problem.to_owned() });
        }
        let path = open_files::canonical(&options.path)?;
        #[cfg(any(test, feature = "testing"))]
        let (blocking, as_other_process) = (options.blocking, options.as_other_process);
        #[cfg(not(any(test, feature = "testing")))]
        let (blocking, as_other_process) = (None, false);
        let registration = if as_other_process { None } else { Some(open_files::Registration::take(&path)?) };
        let (store, meta, file) = Store::open(&path, &|| install_id(&*options.random))?;
        let store = Arc::new(store);
        let clock: Arc<dyn Clock> = Arc::new(WritableClock(options.clock));
        let observers = Arc::new(observer::Observers::starting_at(&meta, file));
        let ports = Ports { clock: Arc::clone(&clock), random: Arc::clone(&options.random), secrets: options.secrets, transport, blocking };
        let settings = Settings {
            policy: options.retry.clone(),
            allow_plain_http_to_loopback: options.allow_plain_http_to_loopback,
            ..Settings::default()
        };
        let notified = Arc::clone(&observers);
        let notify = Arc::new(move |notice: Notice| notified.notify(&notice));
        let delivery = Delivery::new(Arc::clone(&store), ports, settings, notify);
        let compass = Self {
            inner: Arc::new(Inner {
                store,
                delivery,
                clock,
                random: options.random,
                policy: options.retry,
                retention: options.retention,
                body_retention: options.body_retention,
                continues_after: Mutex::default(),
                allow_plain_http_to_loopback: options.allow_plain_http_to_loopback,
                calls: call_guard::CallGuard::default(),
                observers,
                lifecycle: Lifecycle::default(),
                series: AtomicU64::new(0),
                documents: Mutex::default(),
                recent: Default::default(),
                unknown: Mutex::default(),
                registration: Mutex::new(registration),
            }),
        };
        compass.inner.opened_on(options.device.as_deref().unwrap_or_default())?;
        // An error is not fatal: it is attempted again at the next open, and nothing waits for it.
        compass.inner.lint_again().unwrap_or_else(|error| log::info!("documents for a newer core are not linted now: {}", error.code()));
        compass.inner.purge_at_open();
        compass.inner.index_at_open().unwrap_or_else(|error| log::info!("the search index is not updated now: {}", error.code()));
        compass
            .inner
            .compare_at_open()
            .unwrap_or_else(|error| log::info!("edits of before an update are not compared now: {}", error.code()));
        Ok(compass)
    }

    /// Waits for running calls, ends delivery and closes the file, within two seconds unless a call takes longer for a reason other than
    /// another process. Later calls get `Closed`; closing twice is allowed. A caller that closes at the same time waits for the first, for two
    /// seconds at most.
    ///
    /// # Errors
    /// `Reentrant` from inside an observer or a port.
    pub fn close(&self) -> Result<()> {
        refuse_reentrance()?;
        self.inner.close();
        Ok(())
    }

    /// Delivers due messages until none is due, `deadline` has passed since the call, or `cancel` is set. Returns before the deadline; then no
    /// transaction and no statement is open. While quiesced it returns at once and reports that. In the time that is left, data older than
    /// its retention is removed ([`Options::retention`], [`Options::body_retention`]).
    ///
    /// # Errors
    /// `Closed`, `Reentrant`, and errors of the file. Nothing is lost: a message whose outcome could not be recorded is sent again.
    pub fn flush(&self, deadline: Duration, cancel: &CancelToken) -> Result<FlushReport> {
        self.flush_as(deadline, cancel, false)
    }

    /// [`Compass::flush`] because a person asks for it. Besides due messages, one attempt may begin at each endpoint that waits for a time or
    /// because the app reported `Offline`: once a minute, and once per pause that a receiver asked for. Waits that need a person are not
    /// skipped.
    ///
    /// # Errors
    /// As [`Compass::flush`].
    pub fn flush_urgent(&self, deadline: Duration, cancel: &CancelToken) -> Result<FlushReport> {
        self.flush_as(deadline, cancel, true)
    }

    fn flush_as(&self, deadline: Duration, cancel: &CancelToken, urgent: bool) -> Result<FlushReport> {
        refuse_reentrance()?;
        let _call = self.inner.calls.enter()?;
        let (until, began) = (self.inner.clock.monotonic().saturating_add(deadline), Instant::now());
        let report = self.inner.delivery.flush(deadline, cancel, urgent)?;
        self.inner.purge_until(until, cancel);
        if report.end != FlushEnd::Quiesced {
            // Nothing is lost by that, and a search reports what is missing.
            let until = began + deadline.min(LONGEST_FLUSH);
            self.index_backlog(until, cancel).unwrap_or_else(|error| log::info!("the search index is not updated now: {}", error.code()));
            let compared = self.inner.compare_backlog(&|| Instant::now() < until && !cancel.is_cancelled());
            compared.unwrap_or_else(|error| log::info!("edits of before an update are not compared now: {}", error.code()));
        }
        Ok(report)
    }

    /// Delivers in the background, on its own thread, until [`Compass::stop_delivery`], `quiesce` or `close`. For the time the app is in the
    /// foreground. Calling it twice is allowed. While quiesced, it begins at the next `resume`.
    ///
    /// # Errors
    /// `Closed`.
    pub fn start_delivery(&self) -> Result<()> {
        let _call = self.inner.calls.enter()?;
        self.inner.delivery.start();
        Ok(())
    }

    /// Ends what [`Compass::start_delivery`] began. Running attempts are cancelled within two seconds and keep their unknown outcome.
    ///
    /// # Errors
    /// `Closed`, `Reentrant`.
    pub fn stop_delivery(&self) -> Result<()> {
        refuse_reentrance()?;
        let _call = self.inner.calls.enter()?;
        self.inner.delivery.stop();
        Ok(())
    }

    /// Reports what the app knows about the network. Going online wakes delivery. Not stored. Observers get a notice with `endpoints`, because
    /// what messages wait for depends on it.
    pub fn set_connectivity(&self, connectivity: Connectivity) {
        if self.inner.delivery.set_connectivity(connectivity) {
            let observers = &self.inner.observers;
            observers.notify(&Notice { revision: observers.notified(), endpoints: true, ..Notice::default() });
        }
    }

    /// When [`Compass::flush`] will have something to do, for a scheduler of the platform.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn next_due(&self) -> Result<NextDue> {
        let _call = self.inner.calls.enter()?;
        let now = self.inner.now();
        // By the same rule as the totals, so that they never disagree.
        self.inner.delivery.next_due_and(|connection| match self.inner.totals_of_outbox(connection, now) {
            // Even if the file cannot be read to its end, a run is scheduled.
            Err(Error::Corrupt { .. }) => Ok(true),
            totals => Ok(totals?.needs_person > 0),
        })
    }

    /// The app has stored, changed or removed secrets: messages that waited for one are sent, and those refused for one are sent again.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn secrets_changed(&self) -> Result<()> {
        let _call = self.inner.calls.enter()?;
        Ok(self.inner.delivery.secrets_changed()?)
    }

    /// The app is in the foreground again, or a background job begins: delivery is allowed, connections stay open. Undone when the last
    /// hold is dropped.
    ///
    /// # Errors
    /// `Closed`.
    pub fn resume(&self) -> Result<Hold> {
        let call = self.inner.calls.enter()?;
        let resumes = {
            let mut state = self.inner.lifecycle.state();
            state.holds += 1;
            let was_quiesced = std::mem::take(&mut state.quiesced);
            was_quiesced.then(|| {
                self.inner.store.resume();
                self.inner.delivery.begin_resume()
            })
        };
        drop(call);
        let hold = Hold { inner: Arc::downgrade(&self.inner) };
        if let Some(epoch) = resumes {
            // With nothing locked: it calls the transport and notifies observers, which may call `resume` or drop a hold themselves.
            self.inner.delivery.finish_resume(epoch);
        }
        Ok(hold)
    }

    /// The app is about to be suspended: within two seconds no attempt runs and no connection is open, so that no file lock remains,
    /// even while there are holds. Commands and queries still work, each on a connection it closes before it returns.
    ///
    /// # Errors
    /// `Closed`, `Reentrant`.
    pub fn quiesce(&self) -> Result<()> {
        refuse_reentrance()?;
        drop(self.inner.calls.enter()?);
        let epoch = self.inner.begin_quiesce(&mut self.inner.lifecycle.state());
        // A caller that quiesces at the same time also returns only when nothing is open.
        self.inner.finish_quiesce(epoch);
        Ok(())
    }

    /// Checks whether another process has changed the database, and notifies the observers if so. Call it when the app comes to the
    /// foreground.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn refresh(&self) -> Result<bool> {
        let known = self.inner.observers.notified();
        let (meta, file) = self.inner.read(|connection| Ok((meta::load(connection)?, meta::file_generation(connection)?)))?;
        self.inner.delivery.read_file(file);
        self.inner.store.keep_room();
        // Delivery checks before observers are notified: they may take long.
        Ok(self.inner.observers.compare(known, &meta, file, || self.inner.delivery.look()))
    }

    /// Calls `observer` after each change, on the thread that made the change, with nothing locked: it may call the core, except `close`, `quiesce`
    /// and `flush`.
    pub fn observe(&self, observer: Arc<dyn Fn(&Notice) + Send + Sync>) -> observer::Subscription {
        self.inner.observers.add(observer)
    }
}

impl Inner {
    /// From here on nothing begins. Calls no port and no observer, so it may be called with the lifecycle locked, which keeps it in order with
    /// `resume`. Gives the epoch for [`finish_quiesce`](Self::finish_quiesce).
    fn begin_quiesce(&self, state: &mut Holds) -> u64 {
        if std::mem::replace(&mut state.quiesced, true) { self.delivery.epoch() } else { self.delivery.begin_quiesce() }
    }

    /// Waits until nothing is open, with nothing locked: transports are called, and may call `resume`.
    fn finish_quiesce(&self, epoch: u64) {
        let began = Instant::now();
        // While the database may still be used, so that cancelled attempts are settled.
        self.delivery.finish_quiesce(epoch);
        self.recent.forget();
        let stopping = {
            // Locked, so that it keeps its order with a concurrent `resume`.
            let state = self.lifecycle.state();
            state.quiesced.then(|| self.store.begin_quiesce())
        };
        if let Some(stopping) = stopping {
            self.store.finish_quiesce(stopping, STOP_LIMIT.saturating_sub(began.elapsed()));
        }
    }

    fn close(&self) {
        let began = Instant::now();
        if !self.calls.shut() {
            // A caller that closes at the same time returns when closing is done. Its wait is limited: the first one calls
            // transports and observers, which may wait for this call.
            self.calls.wait_for_end(CLOSE_LIMIT);
            return;
        }
        // First, because a flush is a running call: this ends it before its deadline. With nothing locked.
        self.delivery.close();
        self.store.begin_close();
        self.calls.wait_for_calls();
        self.store.close_within(STOP_LIMIT.saturating_sub(began.elapsed()));
        drop(self.registration.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.calls.end();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn refuse_reentrance() -> Result<()> {
    if is_foreign_call() { Err(Error::Reentrant) } else { Ok(()) }
}

#[cfg(feature = "built-in-transport")]
fn built_in(options: &Options) -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(BuiltIn::new(BuiltInOptions {
        parallelism: options.retry.in_flight_total,
        allow_plain_http_to_loopback: options.allow_plain_http_to_loopback,
        ..BuiltInOptions::default()
    })?))
}

#[cfg(not(feature = "built-in-transport"))]
fn built_in(_: &Options) -> Result<Arc<dyn Transport>> {
    Err(Error::InvalidOption { place: "transport".to_owned(), problem: "this build has no transport of its own: set one".to_owned() })
}

/// 32 hexadecimal digits.
fn install_id(random: &dyn Random) -> String {
    Sha256::of(&random.bytes()).to_string().split_off(32)
}
