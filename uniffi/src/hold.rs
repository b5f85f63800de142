//! A reason to deliver and to keep connections open.

use std::sync::{Mutex, PoisonError};

/// The app is in the foreground, or a background job runs. When the last one is released, the handle quiesces.
///
/// Release it explicitly: a garbage collector may release it much later.
#[derive(uniffi::Object)]
pub struct Hold(Mutex<Option<compass_core::Hold>>);

impl Hold {
    pub(crate) fn new(hold: compass_core::Hold) -> Self {
        Self(Mutex::new(Some(hold)))
    }
}

#[uniffi::export]
impl Hold {
    /// Releases it; releasing again does nothing. The last one takes up to two seconds.
    pub fn release(&self) {
        let hold = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // With nothing locked: quiescing notifies listeners, which may release too.
        drop(hold);
    }
}
