//! Places on Earth.

use chrono::Datelike;

use super::{Fault, moment, number};
use crate::engine::decimal::DecimalText;
use crate::engine::moment::cut_to_millis;
use crate::model::{FieldValue, Location};

/// Latitude, longitude and accuracy within their ranges. A field that requires an accuracy accepts no position without one: it may not be
/// good enough. `captured_at` is kept in milliseconds.
pub(super) fn location(max_accuracy_m: Option<&str>, given: &Location) -> Result<FieldValue, Fault> {
    let kept = Location {
        latitude: number::in_ascii(&given.latitude),
        longitude: number::in_ascii(&given.longitude),
        accuracy_m: given.accuracy_m.as_ref().map(number::in_ascii),
        captured_at: cut_to_millis(given.captured_at),
        mocked: given.mocked,
    };
    number::bounded(Some("-90"), Some("90"), &kept.latitude)?;
    number::bounded(Some("-180"), Some("180"), &kept.longitude)?;
    let accuracy = match &kept.accuracy_m {
        Some(accuracy) => Some(number::bounded(Some("0"), None, accuracy)?),
        None => None,
    };
    if let Some((text, worst)) = max_accuracy_m.and_then(|text| DecimalText::parse(text).ok().map(|worst| (text, worst)))
        && accuracy.is_none_or(|accuracy| accuracy > worst)
    {
        return Err(Fault::limited("too_inaccurate", text, format!("a position known to {text} m or better is expected")));
    }
    moment::in_calendar(given.captured_at.year())?;
    Ok(FieldValue::Location(kept))
}
