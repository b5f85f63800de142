//! Delivery: what waits in the outbox is claimed, sent and settled, by one pipeline with many triggers.
//!
//! Guarantees: no lock is held and no transaction is open while a port or an observer is called. Nothing leaves the phone before its claim
//! is on disk. At most one fsync per 32 results of a backlog, and one for their claim; both fall into the same transaction where they can.
//! One endpoint's trouble takes up half of the places at most and never the turn of another. Everything that waits, waits for a moment
//! that comes or for somebody's act.
//!
//! After a crash, claims end by their leases within a minute, their attempts count as ones that may have been delivered, and the same
//! bytes leave again under the same id.

mod attempt;
mod cancel;
mod claim;
mod connectivity;
mod drive;
mod due;
mod foreign;
mod lane;
mod mailbox;
mod pipeline;
mod pool;
mod seat;
mod settings;
mod settle;
mod trial;
mod worker;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use cancel::CancelToken;
pub(crate) use foreign::{call as foreign_call, is_foreign_call};
pub(crate) use settings::{Ports, Settings};

use connectivity::Network;
use drive::{End, Run, Tally};
use mailbox::Mailbox;
use pipeline::Pipeline;
use seat::Seat;
use settings::{LOOK_UP, QUIESCE_LIMIT, QUIESCE_PATIENCE, STOP_PATIENCE};
use trial::Trials;
use worker::Worker;

use crate::model::{Connectivity, Endpoint, FlushEnd, FlushReport, HeaderValue, NextDue, Notice, Signing, TestDelivery};
use crate::outbox::reason;
use crate::store::endpoint::{self, EndpointRow};
use crate::store::outbox::queue;
use crate::store::{Store, StoreError, Transaction, meta};

/// Delivers what is in the outbox of one store.
pub(crate) struct Delivery {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<Store>,
    ports: Arc<Ports>,
    settings: Settings,
    notify: Arc<dyn Fn(Notice) + Send + Sync>,
    /// Tells this handle's leases from those of every other.
    owner: String,
    mailbox: Arc<Mailbox>,
    seat: Seat,
    network: Network,
    worker: Worker,
    trials: Trials,
    /// Something may have become due.
    look: AtomicBool,
    closed: AtomicBool,
    /// Since when no attempt may begin.
    quiesced: Mutex<Option<Instant>>,
}

impl Delivery {
    /// Delivery that does nothing until it is asked to. `notify` is told of changes after their commit, on whichever thread made them.
    pub(crate) fn new(store: Arc<Store>, ports: Ports, settings: Settings, notify: Arc<dyn Fn(Notice) + Send + Sync>) -> Arc<Self> {
        let ports = Arc::new(ports);
        let mailbox = Arc::new(Mailbox::default());
        let inner = Inner {
            store,
            settings: settings.sound(),
            notify,
            owner: uuid::Uuid::from_bytes(ports.random.bytes()).simple().to_string(),
            seat: Seat::new(Pipeline::new(Arc::clone(&ports), Arc::clone(&mailbox))),
            network: Network::default(),
            worker: Worker::default(),
            trials: Trials::default(),
            look: AtomicBool::new(true),
            closed: AtomicBool::new(false),
            quiesced: Mutex::new(None),
            mailbox,
            ports,
        };
        Arc::new(Self { inner: Arc::new(inner) })
    }

    /// Delivers what is due now and returns before `deadline` has passed. Retries that become due later are left for later.
    ///
    /// While a worker runs it goes on with what this call leaves in the air; otherwise nothing is left but attempts that could not be
    /// interrupted.
    ///
    /// # Errors
    /// When the database fails. Results that could not be stored are kept in memory and stored by the next call that can.
    pub(crate) fn flush(&self, deadline: Duration, cancel: &CancelToken) -> Result<FlushReport, StoreError> {
        self.inner.flush(deadline, cancel)
    }

    /// Starts the worker: from now on everything leaves by itself. Does nothing when it runs.
    pub(crate) fn start(self: &Arc<Self>) {
        self.inner.start_worker();
    }

    /// Stops the worker and what it has in the air, within two seconds. Does nothing when it does not run.
    pub(crate) fn stop(&self) {
        self.inner.stop_worker();
    }

    /// Takes what the app knows of the network. When one has come, what waited for one is due at once, for the worker after a short random
    /// wait, one for everything, so that not all phones come at the same moment.
    pub(crate) fn set_connectivity(&self, connectivity: Connectivity) {
        let spread = self.inner.settings.policy.online_spread.mul_f64(self.inner.ports.random.fraction());
        self.inner.network.set(connectivity, self.inner.ports.clock.monotonic() + spread);
        self.wake();
    }

    /// What the app said last.
    pub(crate) fn connectivity(&self) -> Connectivity {
        self.inner.network.connectivity()
    }

    /// Something may have become due.
    pub(crate) fn wake(&self) {
        self.inner.look.store(true, Ordering::Release);
        self.inner.mailbox.nudge();
    }

    /// When there is something to do next. Costs index look-ups, however many entries wait.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn next_due(&self) -> Result<NextDue, StoreError> {
        self.inner.next_due()
    }

    /// Secrets have changed: what waited for one is due, pauses for want of one or after many failures end, and what failed for reasons that
    /// a secret can mend is revived.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub(crate) fn secrets_changed(&self) -> Result<(), StoreError> {
        self.inner.secrets_changed()?;
        self.wake();
        Ok(())
    }

    /// No attempt begins any more; running ones are called off, and given up after a moment. What they bring is kept in memory until
    /// [`take_up`](Self::take_up). The database is not used any more once this returns, which takes a second at most.
    pub(crate) fn quiesce(&self) {
        self.inner.quiesce();
    }

    /// Attempts may begin again. To be followed by [`take_up`](Self::take_up).
    pub(crate) fn allow(&self) {
        self.inner.allow();
    }

    /// Delivery goes on. What came in meanwhile is stored. Calls the transport and observers: not to be called with anything locked.
    pub(crate) fn take_up(&self) {
        self.inner.take_up();
    }

    /// Ends delivery for good, within two seconds. Idempotent.
    pub(crate) fn close(&self) {
        self.inner.close();
    }

    /// One signed delivery of `body`, outside the outbox. Nothing is stored.
    pub(crate) fn test(&self, endpoint: &Endpoint, body: &[u8]) -> TestDelivery {
        self.inner.trial(endpoint, body)
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.inner.close();
    }
}

impl Inner {
    fn flush(&self, deadline: Duration, cancel: &CancelToken) -> Result<FlushReport, StoreError> {
        let deadline = self.ports.clock.monotonic().saturating_add(deadline);
        let run = Run::Flush { deadline, cancel };
        let mut tally = Tally::default();
        if self.is_quiesced() {
            return self.report(FlushEnd::Quiesced, tally);
        }
        let mailbox = Arc::clone(&self.mailbox);
        let _hook = cancel.on_cancel(move || mailbox.nudge());
        let driver = self.seat.take(|| {
            // A worker that drives gives way as soon as it looks up.
            self.mailbox.nudge();
            if self.stop(&run).is_some() { None } else { Some(LOOK_UP) }
        });
        let end = match driver {
            Some(mut driver) => self.drive(driver.pipeline(), &run, &mut tally)?,
            None => self.stop(&run).unwrap_or(End::Deadline),
        };
        let end = match end {
            End::Drained | End::Yield => FlushEnd::Drained,
            End::Offline => FlushEnd::Offline,
            End::Deadline => FlushEnd::Deadline,
            End::Cancelled => FlushEnd::Cancelled,
            End::Quiesced => FlushEnd::Quiesced,
        };
        self.report(end, tally)
    }

    fn report(&self, end: FlushEnd, tally: Tally) -> Result<FlushReport, StoreError> {
        let Tally { attempts, sent, retrying, failed } = tally;
        Ok(FlushReport { end, attempts, sent, retrying, failed, pending: self.store.read(queue::pending)? })
    }

    fn next_due(&self) -> Result<NextDue, StoreError> {
        if self.network.take_is_back() {
            self.network_is_back()?;
        }
        // Whoever drives now is not waited for: its own endpoints are in use, not held.
        let held = match self.seat.take(|| None) {
            Some(mut driver) => self.held(driver.pipeline()),
            None => BTreeMap::new(),
        };
        let (now, connectivity) = (self.ports.clock.now(), self.network.connectivity());
        self.store.read(|connection| due::next_due(connection, now, connectivity, &held))
    }

    /// Endpoints that are left alone for want of a network, and for how much longer.
    fn held(&self, pipeline: &Pipeline) -> BTreeMap<String, Duration> {
        let monotonic = self.ports.clock.monotonic();
        let mut held = BTreeMap::new();
        for (key, lane) in &pipeline.lanes {
            if let Some(left) = lane.held_for(monotonic) {
                held.insert(key.clone(), left);
            }
        }
        held
    }

    /// There is a network: what waited for one is due. Said again later when the database fails.
    fn network_is_back(&self) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        let result = self
            .store
            .read(queue::waits_for_network)
            .and_then(|waiting| if waiting.is_empty() { Ok(()) } else { self.store.write(|tx| queue::network_is_back(tx, now)) });
        if result.is_err() {
            self.network.put_is_back();
        }
        result
    }

    fn secrets_changed(&self) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        let notice = self.store.write::<_, StoreError>(|tx| {
            let mut notice = Notice { outbox: true, endpoints: true, ..Notice::default() };
            for row in endpoint::all(tx)?.into_iter().filter(|row| row.enabled && row.archived_at.is_none() && uses_secrets(&row.endpoint))
            {
                end_secret_pause(tx, &row)?;
                notice.sessions.extend(queue::revive_endpoint(tx, &row.endpoint.key, now)?);
            }
            notice.revision = meta::next_revision(tx)?;
            Ok(notice)
        })?;
        self.notify(notice);
        Ok(())
    }

    fn quiesce(&self) {
        self.set_quiesced(Some(Instant::now()));
        self.mailbox.nudge();
        self.seat.nudge();
        self.cancel_trials();
        // Taking the seat means that whoever drove has come to rest. If it does not, its writes are refused by the time.
        let began = Instant::now();
        let left = || Some(QUIESCE_LIMIT.saturating_sub(began.elapsed()));
        if let Some(mut driver) = self.seat.take(left) {
            // A worker that yielded may have left something in the air.
            self.let_go(driver.pipeline(), QUIESCE_PATIENCE.min(QUIESCE_LIMIT.saturating_sub(began.elapsed())));
        }
    }

    fn let_go(&self, pipeline: &mut Pipeline, patience: Duration) {
        pipeline.release_ready();
        self.stop_attempts(pipeline, patience);
        pipeline.detach();
    }

    fn allow(&self) {
        if !self.is_closed() {
            self.set_quiesced(None);
        }
    }

    fn take_up(&self) {
        if self.is_closed() {
            return;
        }
        foreign::call(|| self.ports.transport.renew());
        if let Some(mut driver) = self.seat.take(|| None) {
            self.settle_late(driver.pipeline());
        }
        self.look.store(true, Ordering::Release);
        self.mailbox.nudge();
    }

    /// Stores what came in after whoever had asked for it was gone.
    fn settle_late(&self, pipeline: &mut Pipeline) {
        self.collect(pipeline);
        if !(pipeline.unsettled.is_empty() && pipeline.releases.is_empty())
            && let Err(error) = self.write_round(pipeline, false, &mut Tally::default())
        {
            log::warn!("delivery results are kept in memory: {error}");
        }
    }

    fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.mailbox.nudge();
        self.seat.nudge();
        self.cancel_trials();
        self.stop_worker();
        if foreign::is_foreign_call() {
            return;
        }
        let began = Instant::now();
        let left = || Some(STOP_PATIENCE.saturating_sub(began.elapsed()));
        if let Some(mut driver) = self.seat.take(left) {
            self.let_go(driver.pipeline(), left().unwrap_or_default());
            // The last moment: what is not stored now is sent a second time.
            self.settle_late(driver.pipeline());
        }
    }

    /// Whether no attempt may begin: quiesced, or closed.
    fn is_quiesced(&self) -> bool {
        self.is_closed() || self.quiesced.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether the connections may be closed by now, so that nothing is written any more.
    fn is_quiesced_for_long(&self) -> bool {
        let since = *self.quiesced.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() >= QUIESCE_LIMIT)
    }

    fn set_quiesced(&self, since: Option<Instant>) {
        let mut quiesced = self.quiesced.lock().unwrap_or_else(PoisonError::into_inner);
        // Quiescing again does not start the time anew.
        *quiesced = since.and(quiesced.or(since));
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

fn uses_secrets(endpoint: &Endpoint) -> bool {
    matches!(endpoint.signing, Signing::StandardWebhooks { .. })
        || endpoint.headers.iter().any(|header| matches!(header.value, HeaderValue::Secret(_)))
}

/// Ends a pause that a new secret makes pointless. One that the receiver asked for stays.
fn end_secret_pause(tx: &Transaction<'_>, row: &EndpointRow) -> Result<(), StoreError> {
    let mut delivery = row.delivery.clone();
    let ends = [reason::SECRET_MISSING, reason::SECRET_UNAVAILABLE, reason::SECRET_INVALID, reason::ENDPOINT_PAUSED];
    if delivery.pause_reason.as_deref().is_some_and(|why| ends.contains(&why)) {
        (delivery.paused_until, delivery.pause_reason) = (0, None);
    }
    delivery.consecutive_failures = 0;
    if delivery != row.delivery {
        endpoint::save_delivery(tx, &row.endpoint.key, &delivery)?;
    }
    Ok(())
}
