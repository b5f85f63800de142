//! Listeners for changes.

use std::sync::{Arc, Mutex, PoisonError};

use compass_core::model::Notice;

use crate::PortError;

/// Is notified after each durable change.
#[uniffi::export(foreign)]
pub trait ChangeListener: Send + Sync {
    /// Something changed. Called on the thread that made the change, with nothing locked: it may call the core, except `close`, `quiesce`,
    /// `flush`, `stop_delivery` and `test_delivery`. If it throws, that is logged and changes nothing.
    fn on_change(&self, notice: Notice) -> Result<(), PortError>;
}

/// The registration of a listener.
#[derive(uniffi::Object)]
pub struct Subscription(Mutex<Option<compass_core::Subscription>>);

impl Subscription {
    pub(crate) fn new(subscription: compass_core::Subscription) -> Self {
        Self(Mutex::new(Some(subscription)))
    }
}

#[uniffi::export]
impl Subscription {
    /// The listener is not called any more; a running call may still end. Cancelling again does nothing.
    pub fn cancel(&self) {
        let subscription = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(subscription);
    }
}

/// The listener as an observer of the core.
pub(crate) fn observer(listener: Arc<dyn ChangeListener>) -> Arc<dyn Fn(&Notice) + Send + Sync> {
    Arc::new(move |notice| {
        if let Err(error) = listener.on_change(notice.clone()) {
            log::error!("a change listener failed: {error}");
        }
    })
}
