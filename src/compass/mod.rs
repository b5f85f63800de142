//! The handle an app holds. Each method is one gesture of a person or one event of the app's life cycle: it blocks, does its work in one
//! transaction, and returns all that the next screen needs. Never call it on a main thread.

mod action_view;
mod call_guard;
mod check;
mod command;
mod compare;
mod endpoint;
mod enqueue;
mod lifecycle;
mod maintenance;
mod observer;
mod open_files;
mod options;
mod outbox;
mod purge;
mod query;
mod recent;
mod redact;
mod replay;
mod restore;
mod search;
mod send;
mod send_many;
mod series;
mod session;
mod sizes;
#[cfg(any(test, feature = "testing"))]
mod steps;
mod workflow;

pub use lifecycle::Hold;
pub use observer::Subscription;
pub use options::Options;
pub use restore::{DiscardUndelivered, RestoreOptions};
#[cfg(any(test, feature = "testing"))]
pub use steps::{DeliverySteps, StepOutcome};

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;

use crate::crypto::Sha256;
use crate::delivery::Delivery;
use crate::engine::document::StoredDocument;
use crate::error::Error;
use crate::model::{Notice, SessionKey, Timestamp};
use crate::port::{Clock, Random};
use crate::sorted::SortedMap;
use crate::store::{Store, Transaction, meta, set_back};

type Result<T> = std::result::Result<T, Error>;

/// An open database. `Send + Sync`; one handle per file and process, shared by all threads; cloning shares it.
///
/// Dropping the last clone closes it as [`Compass::close`] does.
#[derive(Clone)]
pub struct Compass {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<Store>,
    delivery: Arc<Delivery>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    policy: crate::outbox::RetryPolicy,
    retention: Option<Duration>,
    body_retention: Duration,
    /// The session after which retention continues, once sessions that stay took its time. None: from the first.
    continues_after: Mutex<Option<crate::store::purge::Place>>,
    allow_plain_http_to_loopback: bool,
    calls: call_guard::CallGuard,
    observers: Arc<observer::Observers>,
    lifecycle: lifecycle::Lifecycle,
    /// How many series this handle has made.
    series: AtomicU64,
    /// Documents that were read and verified, by their hash.
    documents: Mutex<SortedMap<Sha256, Arc<StoredDocument>>>,
    recent: recent::Recent,
    /// Unknown features that documents require, by their hash: most documents require none.
    unknown: Mutex<SortedMap<Sha256, Vec<String>>>,
    /// Prevents the file from being opened twice; released by closing.
    registration: Mutex<Option<open_files::Registration>>,
}

impl std::fmt::Debug for Compass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compass").field("path", &self.inner.store.path()).finish_non_exhaustive()
    }
}

/// What a transaction changed, for observers and delivery.
#[derive(Default)]
struct Changed {
    sessions: Vec<SessionKey>,
    outbox: bool,
    endpoints: bool,
    workflows: bool,
    everything: bool,
}

impl Changed {
    fn nothing() -> Self {
        Self::default()
    }

    fn session(key: SessionKey) -> Self {
        Self { sessions: vec![key], ..Self::default() }
    }

    fn is_nothing(&self) -> bool {
        self.sessions.is_empty() && !(self.outbox || self.endpoints || self.workflows || self.everything)
    }
}

/// How long a write waits for others.
enum Waits {
    /// Like a call of the app.
    Call,
    /// Like one of several transactions of a call that began when the store had been stopped this often.
    Part(u64),
    /// At most this long, in the background.
    Background(Duration),
}

impl Inner {
    /// Now, cut to the milliseconds that are kept.
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }

    /// Runs one write transaction. Observers are notified after the commit, on this thread, with nothing locked.
    fn write<T>(&self, work: impl FnMut(&Transaction<'_>) -> Result<(T, Changed)>) -> Result<T> {
        self.write_any(Waits::Call, work)
    }

    /// The same for one of several transactions of a call that began when the store had been stopped this often: `Locked` once it was stopped
    /// again.
    fn write_part<T>(&self, stops: u64, work: impl FnMut(&Transaction<'_>) -> Result<(T, Changed)>) -> Result<T> {
        self.write_any(Waits::Part(stops), work)
    }

    /// The same for background work: waits no longer than this, and does not touch the file while the store is quiesced.
    fn write_in_background<T>(&self, wait_limit: Duration, work: impl FnMut(&Transaction<'_>) -> Result<(T, Changed)>) -> Result<T> {
        self.write_any(Waits::Background(wait_limit), work)
    }

    fn write_any<T>(&self, waits: Waits, mut work: impl FnMut(&Transaction<'_>) -> Result<(T, Changed)>) -> Result<T> {
        let mut value = None;
        self.write_once(waits, &mut |tx| {
            let (done, changed) = work(tx)?;
            value = Some(done);
            Ok(changed)
        })?;
        Ok(value.expect("work that succeeded has a value"))
    }

    /// Makes a call that deletes something. Where the disk is full, the call is made again with the space that was reserved for it.
    fn freeing<T>(&self, call: impl Fn() -> Result<T>) -> Result<T> {
        match call() {
            Err(Error::DiskFull) if self.store.make_room() => call(),
            made => made,
        }
    }

    /// What every write has in common, compiled once.
    fn write_once(&self, waits: Waits, work: &mut dyn FnMut(&Transaction<'_>) -> Result<Changed>) -> Result<()> {
        let call = self.calls.enter()?;
        let now = self.now();
        let work = |tx: &Transaction<'_>| {
            meta::carry_age(tx, now)?;
            self.recent.begins();
            let changed = work(tx)?;
            let revision = if changed.is_nothing() { None } else { Some(meta::next_revision(tx)?) };
            self.recent.written(|| self.store.mark(tx))?;
            Ok::<_, Error>((changed, revision))
        };
        let (changed, revision) = match waits {
            Waits::Call => self.store.write_part(None, work),
            Waits::Part(stops) => self.store.write_part(Some(stops), work),
            Waits::Background(wait_limit) => self.store.write_for_delivery(wait_limit, work),
        }?;
        drop(call);
        self.delivery.database_works();
        if let Some(revision) = revision {
            // Before observers are notified: they may take long.
            if changed.outbox || changed.endpoints {
                self.delivery.look();
            }
            let Changed { sessions, outbox, endpoints, workflows, everything } = changed;
            self.observers.notify(&Notice { revision, sessions, outbox, endpoints, workflows, everything, attention: Vec::new() });
        }
        Ok(())
    }

    /// Runs `work` on one snapshot.
    fn read<T>(&self, work: impl FnMut(&crate::store::Connection) -> Result<T>) -> Result<T> {
        let _call = self.calls.enter()?;
        self.store.read(work)
    }

    /// The same for a read after a call's write: `Locked` once the store was stopped since the call began.
    fn read_part<T>(&self, stops: u64, work: impl FnMut(&crate::store::Connection) -> Result<T>) -> Result<T> {
        let _call = self.calls.enter()?;
        self.store.read_part(stops, work)
    }

    /// The same for reads that depend on the clock. If the clock was set back, this detects it and records it.
    fn read_now<T>(&self, mut work: impl FnMut(&crate::store::Connection, Timestamp) -> Result<T>) -> Result<T> {
        let now = self.now();
        let (value, is_set_back) = self.read(|connection| Ok((work(connection, now)?, set_back::is_seen(connection, now)?)))?;
        if is_set_back {
            self.delivery.clock_was_set_back(now);
        }
        Ok(value)
    }

    /// The same on the connection that has just been opened: another one would read the whole schema again.
    fn read_at_open<T>(&self, work: impl FnMut(&crate::store::Connection) -> Result<T>) -> Result<T> {
        self.store.read_at_open(work)
    }

    /// The same for a call that reads the whole database: screens do not wait for it.
    fn read_long<T>(&self, work: impl FnMut(&crate::store::Connection) -> Result<T>) -> Result<T> {
        let _call = self.calls.enter()?;
        self.store.read_long(work)
    }
}
