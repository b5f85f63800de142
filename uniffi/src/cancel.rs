//! Cancelling a `flush`.

use compass_core::CancelToken;

/// Ends a `flush` early, from any thread. Once cancelled it stays so.
#[derive(uniffi::Object)]
pub struct Cancel(pub(crate) CancelToken);

#[uniffi::export]
impl Cancel {
    /// Not cancelled yet.
    #[uniffi::constructor]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(CancelToken::new())
    }

    /// Cancels. A `flush` with this object cancels its running attempts and returns within two seconds.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether `cancel` was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
