//! The delivery handle, and the functions that all its parts use.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::blocking::Threads;
use super::foreign;
use super::moment::Moment;
use super::settings::{Ports, Settings};
use super::shared::SharedLock;
use crate::model::Notice;
use crate::port::{Blocking, BlockingCall};
use crate::store::Store;

/// Delivers the outbox of one store.
pub(crate) struct Delivery {
    pub(super) store: Arc<Store>,
    pub(super) ports: Ports,
    pub(super) blocking: Arc<dyn Blocking>,
    pub(super) settings: Settings,
    pub(super) notify: Arc<dyn Fn(Notice) + Send + Sync>,
    /// Distinguishes this handle's leases from those of every other.
    pub(super) owner: String,
    pub(super) shared: Arc<SharedLock>,
    /// The database has failed, and nothing was written since.
    pub(super) is_paused: AtomicBool,
    /// Itself, for threads that may return after it is dropped.
    pub(super) me: Weak<Self>,
}

impl Delivery {
    /// Delivery that does nothing until a call. `notify` is called with changes after their commit, on the thread that made them.
    pub(crate) fn new(store: Arc<Store>, ports: Ports, settings: Settings, notify: Arc<dyn Fn(Notice) + Send + Sync>) -> Arc<Self> {
        let settings = settings.clamped();
        let blocking = ports.blocking.clone().unwrap_or_else(|| {
            Arc::new(Threads::new(Arc::clone(&ports.secrets), Arc::clone(&ports.transport), settings.policy.in_flight_total as usize))
        });
        let shared = Arc::new(SharedLock::default());
        // It is never shown, so it need not come from the port, whose values repeat in tests.
        crate::crypto::fill_random(&mut shared.lock().secrets.key);
        // Only entries that waited for a network in an earlier process; a new process is a wake-up.
        shared.lock().wake();
        let waker: Weak<SharedLock> = Arc::downgrade(&shared);
        ports.clock.on_change(Box::new(move || {
            if let Some(shared) = waker.upgrade() {
                shared.change(|_| ());
            }
        }));
        let owner = uuid::Uuid::from_bytes(ports.random.bytes()).simple().to_string();
        Arc::new_cyclic(|me| Self {
            store,
            ports,
            blocking,
            settings,
            notify,
            owner,
            shared,
            is_paused: AtomicBool::new(false),
            me: Weak::clone(me),
        })
    }

    /// Random text that no other handle has.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    pub(super) fn now(&self) -> Moment {
        Moment { wall: self.ports.clock.now(), monotonic: self.ports.clock.monotonic() }
    }

    /// How long to wait in real time: until a moment of the monotonic clock, but no longer than this.
    pub(super) fn real_wait(&self, until: Option<Duration>, at_most: Option<Duration>) -> Option<Duration> {
        let now = self.ports.clock.monotonic();
        let until = until.map(|until| until.saturating_sub(now).max(Duration::from_millis(1)));
        [until, at_most].into_iter().flatten().min()
    }

    /// Asks the transport to cancel these requests, on threads, because it may take long. Each is asked for once at a time.
    pub(super) fn cancel(&self, requests: &[u64]) {
        for request in requests.iter().copied() {
            if !self.shared.take(|shared| shared.cancelling.insert(request)) {
                continue;
            }
            let shared = Arc::clone(&self.shared);
            let asked = move |_| {
                shared.change(|shared| shared.cancelling.remove(&request));
                None
            };
            if let Err(error) = self.blocking.begin(BlockingCall::Cancel(request), Box::new(asked)) {
                log::warn!("no thread to cancel a request: {error}");
                self.shared.take(|shared| shared.cancelling.remove(&request));
            }
        }
    }

    /// Begins to renew the transport on a thread, if that is due. Nothing begins until it is done, but at most for the time of a renewal.
    /// False when it is not due.
    pub(super) fn renew_if_due(&self, now: Duration) -> bool {
        let renewal = self.shared.take(|shared| shared.must_renew.then(|| shared.begin_renewal(now)));
        let Some(renewal) = renewal else { return false };
        let Some(renewal) = renewal else {
            log::error!("the transport is not renewed: earlier renewals have not ended");
            return true;
        };
        let shared = Arc::clone(&self.shared);
        let renewed = move |_| {
            shared.change(|shared| shared.renewals.retain(|(other, _)| *other != renewal));
            None
        };
        if let Err(error) = self.blocking.begin(BlockingCall::Renew, Box::new(renewed)) {
            log::warn!("no thread to renew the transport: {error}");
            self.shared.change(|shared| shared.renewals.retain(|(other, _)| *other != renewal));
        }
        true
    }

    /// Notifies observers, with no lock held.
    pub(super) fn notify(&self, notice: Notice) {
        if foreign::call(|| (self.notify)(notice)).is_none() {
            log::error!("an observer panicked");
        }
    }
}
