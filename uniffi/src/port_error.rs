//! What a port or a listener throws.

/// Foreign code threw. What it threw is told to the log at most.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Error)]
pub enum PortError {
    /// It failed in a way that it does not name.
    Failed {
        /// For logs alone; neither secrets nor payload belong into it.
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
        // The text of an exception we know nothing of may quote a secret or an answer.
        PortError::Failed { detail: "an exception was thrown".to_owned() }
    }
}
