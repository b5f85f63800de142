//! Observers: who is told after a commit.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::delivery::foreign_call;
use crate::model::Notice;

type Observer = Arc<dyn Fn(&Notice) + Send + Sync>;

#[derive(Default)]
pub(super) struct Observers {
    state: Mutex<Subscribers>,
}

#[derive(Default)]
struct Subscribers {
    next: u64,
    observers: Vec<(u64, Observer)>,
    /// Every change up to this revision was told of.
    told: u64,
    /// Revisions beyond that which are changes of this handle. What lies between them is another process's.
    own: BTreeSet<u64>,
}

/// An observer's place. It is called until this is dropped; a call that is under way may still end after that.
#[must_use = "the observer is removed when this is dropped"]
pub struct Subscription {
    id: u64,
    observers: Weak<Observers>,
}

impl Observers {
    pub(super) fn starting_at(revision: u64) -> Self {
        Self { state: Mutex::new(Subscribers { told: revision, ..Subscribers::default() }) }
    }

    pub(super) fn add(self: &Arc<Self>, observer: Observer) -> Subscription {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        state.observers.push((id, observer));
        Subscription { id, observers: Arc::downgrade(self) }
    }

    /// Tells everybody of a change of this handle. Nothing is locked while an observer runs, so it may call the core and unsubscribe.
    pub(super) fn tell(&self, notice: &Notice) {
        let mut state = self.state();
        if notice.revision > state.told {
            state.own.insert(notice.revision);
            state.catch_up();
        }
        drop(state);
        self.call(notice);
    }

    /// Compares with the persisted revision; tells everybody when another process has changed something, after this was done. A change of this
    /// handle that was committed and not yet told may be taken for one: a notice too many, never one too few.
    pub(super) fn compare(&self, persisted: u64, before: impl FnOnce()) -> bool {
        let mut state = self.state();
        if persisted <= state.told || state.own.range(..=persisted).count() as u64 == persisted - state.told {
            return false;
        }
        state.told = persisted;
        state.own.retain(|own| *own > persisted);
        state.catch_up();
        drop(state);
        before();
        let everything = Notice { everything: true, outbox: true, endpoints: true, workflows: true, ..Notice::default() };
        self.call(&Notice { revision: persisted, ..everything });
        true
    }

    fn call(&self, notice: &Notice) {
        let observers: Vec<Observer> = self.state().observers.iter().map(|(_, observer)| Arc::clone(observer)).collect();
        for observer in observers {
            // A fault in an observer must not reach the caller: the change is committed.
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
    /// Forgets own revisions that nothing lies before any more.
    fn catch_up(&mut self) {
        while self.own.remove(&(self.told + 1)) {
            self.told += 1;
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
            // With nothing locked: what an observer owns may be another subscription.
            drop(observer);
        }
    }
}
