//! Observers: who is told after a commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::delivery::foreign_call;
use crate::model::Notice;

type Observer = Arc<dyn Fn(&Notice) + Send + Sync>;

#[derive(Default)]
pub(super) struct Observers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    observers: Vec<(u64, Observer)>,
    /// Persisted revision minus changes of this handle, as last compared: it moves only when another process changes something.
    others: u64,
    own: u64,
}

/// An observer's place. It is called until this is dropped; a call that is under way may still end after that.
#[must_use = "the observer is removed when this is dropped"]
pub struct Subscription {
    id: u64,
    observers: Weak<Observers>,
}

impl Observers {
    pub(super) fn starting_at(revision: u64) -> Self {
        Self { state: Mutex::new(State { others: revision, ..State::default() }) }
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
        self.state().own += 1;
        self.call(notice);
    }

    /// Compares with the persisted revision; tells everybody when another process has changed something.
    pub(super) fn compare(&self, persisted: u64) -> bool {
        let mut state = self.state();
        let others = persisted.saturating_sub(state.own);
        if others == state.others {
            return false;
        }
        state.others = others;
        drop(state);
        self.call(&Notice { revision: persisted, everything: true, outbox: true, endpoints: true, workflows: true, sessions: Vec::new() });
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(observers) = self.observers.upgrade() {
            observers.state().observers.retain(|(id, _)| *id != self.id);
        }
    }
}
