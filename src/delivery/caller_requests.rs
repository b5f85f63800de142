//! What callers ask for beside the thread that drives: a look at the database, and urgent attempts. Counted, so that the answer to one
//! takes nothing from another. Plain data.

use std::collections::BTreeSet;

/// What callers ask for.
#[derive(Debug, Default)]
pub(super) struct CallerRequests {
    /// Rises when something may be due that was not looked for yet.
    looks: u64,
    /// The last of them that the database was looked at for.
    looked: u64,
    /// Rises when a person asks.
    urgent: u64,
    /// The last of them that was claimed for.
    claimed_for: u64,
    /// Those who asked and wait for it still: one attempt may begin at each endpoint that waits for a time.
    waiting: BTreeSet<u64>,
}

/// What was asked for when a look at the database began. What is asked for while it lasts is not answered by it.
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

    /// Whether something may be due that was not looked for yet.
    pub(super) fn wants_look(&self) -> bool {
        self.looked < self.looks
    }

    /// A person asks: one attempt may begin at each endpoint that waits for a time. Gives the number of the wish, for
    /// [`end_urgent`](Self::end_urgent).
    pub(super) fn begin_urgent(&mut self) -> u64 {
        self.urgent += 1;
        self.waiting.insert(self.urgent);
        self.urgent
    }

    /// Whether somebody has asked for urgent attempts, and nothing was claimed for that yet.
    pub(super) fn is_urgent(&self) -> bool {
        self.waiting.last().is_some_and(|number| *number > self.claimed_for)
    }

    /// Whether a caller waits for urgent attempts, also for those that were claimed.
    pub(super) fn waits_for_urgent(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The caller who had this wish does not wait for urgent attempts any more. True when no other caller does.
    pub(super) fn end_urgent(&mut self, number: u64) -> bool {
        self.waiting.remove(&number);
        !self.waits_for_urgent()
    }

    /// What was claimed for somebody who asked has not begun: those who wait for it still ask again. Endpoints that have had their attempt
    /// are not asked twice, for it is on record when it begins.
    pub(super) fn urgent_again(&mut self) {
        if self.waits_for_urgent() {
            self.claimed_for = 0;
            self.look();
        }
    }

    /// What there is to be answered by a look at the database that begins now, by a caller who serves those who ask for urgent attempts, or
    /// does not.
    pub(super) fn asked(&self, serves_urgent: bool) -> Asked {
        Asked { looks: self.looks, urgent: if serves_urgent { self.urgent } else { 0 } }
    }

    /// The number of the last wish.
    pub(super) fn last_urgent(&self) -> u64 {
        self.urgent
    }

    /// A look at the database has answered this: all of it, or not what a person asks for.
    pub(super) fn answered(&mut self, asked: Asked, also_urgent: bool) {
        self.looked = self.looked.max(asked.looks);
        if also_urgent {
            self.claimed_for = self.claimed_for.max(asked.urgent);
        }
    }
}
