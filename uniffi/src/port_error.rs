//! The error of a port or a listener.

/// Foreign code threw. The error goes only to the log.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Error)]
pub enum PortError {
    /// Any failure.
    Failed {
        /// Only for logs; it must contain neither secrets nor payload.
        detail: String,
    },
}

impl std::fmt::Display for PortError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let PortError::Failed { detail } = self;
        f.write_str(detail)
    }
}

impl std::error::Error for PortError {}

impl From<uniffi::UnexpectedUniFFICallbackError> for PortError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // The text of an unknown exception may quote a secret or an answer.
        PortError::Failed { detail: "an exception was thrown".to_owned() }
    }
}
