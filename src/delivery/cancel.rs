//! Cancelling a `flush`.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ends a `flush` early, from any thread. Clones are the same token; once cancelled it stays so.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Mutex<CancelState>>);

#[derive(Default)]
struct CancelState {
    cancelled: Arc<AtomicBool>,
    next_hook: u64,
    hooks: Vec<(u64, Arc<dyn Fn() + Send + Sync>)>,
}

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels. A `flush` with this token cancels its running attempts and returns within two seconds.
    pub fn cancel(&self) {
        let mut inner = self.inner();
        inner.cancelled.store(true, Ordering::Release);
        let hooks = std::mem::take(&mut inner.hooks);
        drop(inner);
        for (_, hook) in hooks {
            hook();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.inner().cancelled.load(Ordering::Acquire)
    }

    /// Set once it is cancelled, for polling.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.inner().cancelled)
    }

    /// Calls `hook` when cancelled, as long as the guard lives; not at all when it is already cancelled.
    pub(super) fn on_cancel(&self, hook: impl Fn() + Send + Sync + 'static) -> HookGuard {
        let mut inner = self.inner();
        let id = inner.next_hook;
        inner.next_hook += 1;
        inner.hooks.push((id, Arc::new(hook)));
        HookGuard { token: self.clone(), id }
    }

    fn inner(&self) -> MutexGuard<'_, CancelState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CancelToken(cancelled: {})", self.is_cancelled())
    }
}

/// Removes the hook when dropped.
pub(super) struct HookGuard {
    token: CancelToken,
    id: u64,
}

impl Drop for HookGuard {
    fn drop(&mut self) {
        self.token.inner().hooks.retain(|(id, _)| *id != self.id);
    }
}
