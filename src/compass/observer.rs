//! Observers: notified after a commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::delivery::foreign_call;
use crate::model::Notice;
use crate::sorted::SortedSet;
use crate::store::meta::Meta;

type Observer = Arc<dyn Fn(&Notice) + Send + Sync>;

#[derive(Default)]
pub(super) struct Observers {
    state: Mutex<Subscribers>,
}

#[derive(Default)]
struct Subscribers {
    next: u64,
    /// The database that they were notified of: its install id and the generation of its file.
    database: (String, i64),
    observers: Vec<(u64, Observer)>,
    /// Observers were notified of every change up to this revision.
    notified: u64,
    /// Later revisions that are changes of this handle. Those between them are changes of another process.
    own: SortedSet<u64>,
}

/// The subscription of an observer. It is called until this is dropped; a call that already runs may end after that.
#[must_use = "the observer is removed when this is dropped"]
pub struct Subscription {
    id: u64,
    observers: Weak<Observers>,
}

impl Observers {
    pub(super) fn starting_at(meta: &Meta, file: i64) -> Self {
        let database = (meta.install_id.clone(), file);
        Self { state: Mutex::new(Subscribers { database, notified: meta.revision, ..Subscribers::default() }) }
    }

    /// Observers were notified of every change up to this revision.
    pub(super) fn notified(&self) -> u64 {
        self.state().notified
    }

    pub(super) fn add(self: &Arc<Self>, observer: Observer) -> Subscription {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        state.observers.push((id, observer));
        Subscription { id, observers: Arc::downgrade(self) }
    }

    /// Notifies all observers of a change of this handle. Nothing is locked while an observer runs, so it may call the core and unsubscribe.
    pub(super) fn notify(&self, notice: &Notice) {
        let mut state = self.state();
        if notice.revision > state.notified {
            state.own.insert(notice.revision);
            state.catch_up();
        }
        drop(state);
        self.call(notice);
    }

    /// Compares with the stored revision; when another process has changed something, calls `before` and notifies all observers. A committed
    /// change of this handle without a notice yet may count as one: there may be one notice too many, never one too few. Another database in the
    /// place of this one has changed everything, and its revisions begin again, also at an earlier one of the same: then the stored one may be
    /// lower than `known`, which is [`notified`](Self::notified) from before it was read.
    pub(super) fn compare(&self, known: u64, meta: &Meta, file: i64, before: impl FnOnce()) -> bool {
        let stored = meta.revision;
        let database = (meta.install_id.clone(), file);
        let mut state = self.state();
        if state.database != database || stored < known {
            (state.database, state.own) = (database, SortedSet::new());
        } else if stored <= state.notified || state.own.iter().filter(|own| **own <= stored).count() as u64 == stored - state.notified {
            return false;
        }
        state.notified = stored;
        state.own.retain(|own| *own > stored);
        state.catch_up();
        drop(state);
        before();
        let everything = Notice { everything: true, outbox: true, endpoints: true, workflows: true, ..Notice::default() };
        self.call(&Notice { revision: stored, ..everything });
        true
    }

    fn call(&self, notice: &Notice) {
        let observers: Vec<Observer> = self.state().observers.iter().map(|(_, observer)| Arc::clone(observer)).collect();
        for observer in observers {
            // A panic of an observer must not reach the caller: the change is committed.
            if foreign_call(|| observer(notice)).is_none() {
                log::error!("an observer panicked");
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, Subscribers> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscribers {
    /// Forgets own revisions that follow directly on `notified`.
    fn catch_up(&mut self) {
        while self.own.remove(&(self.notified + 1)) {
            self.notified += 1;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(observers) = self.observers.upgrade() {
            let mut state = observers.state();
            let place = state.observers.iter().position(|(id, _)| *id == self.id);
            let observer = place.map(|place| state.observers.remove(place));
            drop(state);
            // With nothing locked: an observer may own another subscription.
            drop(observer);
        }
    }
}
