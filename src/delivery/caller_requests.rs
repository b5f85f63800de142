//! Requests of callers that do not drive: a check of the database, and urgent attempts. Counted, so that the answer to one caller does not
//! end the request of another. Plain data.

use crate::sorted::SortedSet;

/// The requests of callers.
#[derive(Debug, Default)]
pub(super) struct CallerRequests {
    /// Rises when something may be due that was not checked yet.
    looks: u64,
    /// The last of them for which the database was checked.
    looked: u64,
    /// Rises when a person asks.
    urgent: u64,
    /// The last of them for which entries were claimed.
    claimed_for: u64,
    /// Those that still wait: one attempt may begin at each endpoint that waits for a time.
    waiting: SortedSet<u64>,
}

/// The requests when a check of the database began. It does not answer later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    looks: u64,
    urgent: u64,
}

impl CallerRequests {
    /// Something may have become due.
    pub(super) fn look(&mut self) {
        self.looks += 1;
    }

    /// Whether something may be due that was not checked yet.
    pub(super) fn wants_look(&self) -> bool {
        self.looked < self.looks
    }

    /// A person asks: one attempt may begin at each endpoint that waits for a time. Gives the number of the request, for
    /// [`end_urgent`](Self::end_urgent).
    pub(super) fn begin_urgent(&mut self) -> u64 {
        self.urgent += 1;
        self.waiting.insert(self.urgent);
        self.urgent
    }

    /// Whether there is an urgent request for which nothing was claimed yet.
    pub(super) fn is_urgent(&self) -> bool {
        self.waiting.last().is_some_and(|number| *number > self.claimed_for)
    }

    /// Whether a caller waits for urgent attempts, also for claimed ones.
    pub(super) fn waits_for_urgent(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The caller with this request no longer waits for urgent attempts. True when no other caller does.
    pub(super) fn end_urgent(&mut self, number: u64) -> bool {
        self.waiting.remove(&number);
        !self.waits_for_urgent()
    }

    /// Entries claimed for an urgent request have not begun: the callers that still wait ask again. Endpoints that had their attempt do not get
    /// a second one, because it is recorded when it begins.
    pub(super) fn urgent_again(&mut self) {
        if self.waits_for_urgent() {
            self.claimed_for = 0;
            self.look();
        }
    }

    /// The requests that a check of the database that begins now answers, by a run that serves urgent requests or does not.
    pub(super) fn asked(&self, serves_urgent: bool) -> Asked {
        Asked { looks: self.looks, urgent: if serves_urgent { self.urgent } else { 0 } }
    }

    /// The number of the last urgent request.
    pub(super) fn last_urgent(&self) -> u64 {
        self.urgent
    }

    /// A check of the database has answered these requests: all of them, or only the ones that are not urgent.
    pub(super) fn answered(&mut self, asked: Asked, also_urgent: bool) {
        self.looked = self.looked.max(asked.looks);
        if also_urgent {
            self.claimed_for = self.claimed_for.max(asked.urgent);
        }
    }
}
