//! What is wrong: findings about documents, problems of values.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Import is refused.
    Error,
    /// Imported and listed, but no session can be started.
    Incomplete,
    /// Worth a check.
    Warning,
}

/// One finding about a workflow document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable code, listed in `docs/workflow-format.md`; new ones may appear.
    pub code: String,
    /// JSON pointer (RFC 6901) to the place in the document; `""` is the whole document.
    pub pointer: String,
    /// What is wrong and what to do, in English.
    pub message: String,
}

/// Why a value, or its absence, is not accepted. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Problem {
    /// Key of the field.
    pub field: String,
    /// A stable code, listed in `docs/workflow-format.md`, such as `required` or `pattern`; new ones may appear.
    pub code: String,
    /// What is wrong and what to do, in English, without the value.
    pub message: String,
    /// The bound that the value breaks, for a translated message.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<String>,
    /// Key of the section where the session asks the field: that of the latest such visit on its path. None outside a session: for a prefill,
    /// and for text that is only parsed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub section: Option<String>,
    /// Number of that visit; `back` takes it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub visit: Option<u32>,
}

impl Problem {
    /// The same problem, of a field that this visit asks.
    pub(crate) fn at(self, section: &str, visit: u32) -> Self {
        Self { section: Some(section.to_owned()), visit: Some(visit), ..self }
    }
}
