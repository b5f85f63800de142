//! Conversion between columns and the model.

use chrono::DateTime;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Result, StoreError};
use crate::crypto::Sha256;
use crate::model::{SessionKey, SessionState, Timestamp};

pub(crate) fn to_ms(at: Timestamp) -> i64 {
    at.timestamp_millis()
}

pub(crate) fn from_ms(ms: i64) -> Result<Timestamp> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| StoreError::Unreadable("a stored time is out of range".to_owned()))
}

pub(crate) fn optional_time(ms: Option<i64>) -> Result<Option<Timestamp>> {
    ms.map(from_ms).transpose()
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Internal("a value cannot be written as JSON".to_owned()))
}

/// `what` names the column in the error; the error never holds the text.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable(format!("{what} cannot be read")))
}

/// A text; invalid bytes are replaced.
pub(crate) fn lossy(row: &Row<'_>, index: usize) -> Result<String> {
    Ok(optional_lossy(row, index)?.unwrap_or_default())
}

/// The same, if there is one.
pub(crate) fn optional_lossy(row: &Row<'_>, index: usize) -> Result<Option<String>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    })
}

/// A list for `IN`, only of the core's own words.
pub(crate) fn one_of(words: impl IntoIterator<Item = &'static str>) -> String {
    words.into_iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ")
}

pub(crate) fn session_key(bytes: &[u8]) -> Result<SessionKey> {
    Uuid::from_slice(bytes).map(SessionKey).map_err(|_| StoreError::Unreadable("a session key cannot be read".to_owned()))
}

pub(crate) fn session_state(text: &str) -> Result<SessionState> {
    [SessionState::InProgress, SessionState::Completed, SessionState::Ended, SessionState::Discarded]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| StoreError::Unreadable("a session state cannot be read".to_owned()))
}

pub(crate) fn sha256(bytes: &[u8]) -> Result<Sha256> {
    bytes.try_into().map(Sha256).map_err(|_| StoreError::Unreadable("a hash cannot be read".to_owned()))
}
