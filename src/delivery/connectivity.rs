//! What is known of the network. Nothing of it is stored.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::settings::NET_OK_FOR;
use crate::model::{Connectivity, NetworkPolicy};

/// What the app said, and what answers have shown. All times are of the monotonic clock.
#[derive(Default)]
pub(super) struct Network(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    connectivity: Connectivity,
    last_answer: Option<Duration>,
    /// A network came, and what waited for one has not been made due yet.
    is_back: bool,
    /// The worker waits until then, so that phones do not all come at the same moment.
    hold_until: Option<Duration>,
}

impl Network {
    pub(super) fn connectivity(&self) -> Connectivity {
        self.inner().connectivity
    }

    /// Takes what the app says. `hold_until` applies when a network has come just now.
    pub(super) fn set(&self, connectivity: Connectivity, hold_until: Duration) {
        let mut inner = self.inner();
        let before = std::mem::replace(&mut inner.connectivity, connectivity);
        let (Connectivity::Online { validated, .. }, before) = (connectivity, before) else {
            if connectivity == Connectivity::Offline {
                // Answers of the network that is gone show nothing any more.
                inner.last_answer = None;
            }
            return;
        };
        let was_validated = matches!(before, Connectivity::Online { validated: Some(true), .. });
        if !matches!(before, Connectivity::Online { .. }) {
            (inner.is_back, inner.hold_until) = (true, Some(hold_until));
        } else if validated == Some(true) && !was_validated {
            inner.is_back = true;
        }
    }

    /// Whether a network has come since this was asked last.
    pub(super) fn take_is_back(&self) -> bool {
        std::mem::take(&mut self.inner().is_back)
    }

    /// It could not be made use of; to be asked again.
    pub(super) fn put_is_back(&self) {
        self.inner().is_back = true;
    }

    /// How much longer the worker holds back.
    pub(super) fn held_for(&self, monotonic: Duration) -> Option<Duration> {
        self.inner().hold_until.and_then(|until| until.checked_sub(monotonic)).filter(|left| !left.is_zero())
    }

    /// A receiver answered.
    pub(super) fn answered(&self, monotonic: Duration) {
        self.inner().last_answer = Some(monotonic);
    }

    /// Whether the internet can be reached, as far as can be known.
    pub(super) fn is_ok(&self, monotonic: Duration) -> bool {
        let inner = self.inner();
        matches!(inner.connectivity, Connectivity::Online { validated: Some(true), .. })
            || inner.last_answer.is_some_and(|at| monotonic.saturating_sub(at) <= NET_OK_FOR)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether messages of an endpoint may use the network there is. What nobody has said is tried.
pub(super) fn permits(connectivity: Connectivity, policy: NetworkPolicy) -> bool {
    match connectivity {
        Connectivity::Unknown => true,
        Connectivity::Offline => false,
        Connectivity::Online { metered, .. } => !(metered && policy == NetworkPolicy::Unmetered),
    }
}
