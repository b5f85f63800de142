//! Integers and decimals.

use super::{Fault, entry};
use crate::engine::decimal::{DecimalText, MAX_SIGNIFICANT_DIGITS, NoDecimal};
use crate::model::{Decimal, FieldValue, MAX_INTEGER};

pub(super) fn integer(min: Option<i64>, max: Option<i64>, given: i64) -> Result<FieldValue, Fault> {
    let min = min.unwrap_or(-MAX_INTEGER).max(-MAX_INTEGER);
    let max = max.unwrap_or(MAX_INTEGER).min(MAX_INTEGER);
    if given < min {
        return Err(too_small(min));
    }
    if given > max {
        return Err(too_large(max));
    }
    Ok(FieldValue::Integer(given))
}

pub(super) fn decimal(min: Option<&str>, max: Option<&str>, places: Option<u32>, given: &Decimal) -> Result<FieldValue, Fault> {
    let kept = in_ascii(given);
    let number = bounded(min, max, &kept)?;
    if let Some(places) = places.filter(|places| number.decimal_places() > *places as usize) {
        return Err(Fault::limited("too_many_decimal_places", places, format!("at most {places} digits after the point are accepted")));
    }
    Ok(FieldValue::Decimal(kept))
}

/// The number in the digits that are kept.
pub(super) fn in_ascii(given: &Decimal) -> Decimal {
    Decimal(entry::plain(&given.0))
}

/// A decimal within inclusive bounds.
pub(super) fn bounded<'a>(min: Option<&str>, max: Option<&str>, given: &'a Decimal) -> Result<DecimalText<'a>, Fault> {
    let number = DecimalText::parse(&given.0).map_err(|fault| match fault {
        NoDecimal::BadFormat => bad_decimal(),
        NoDecimal::TooManyDigits => Fault::limited(
            "too_many_digits",
            MAX_SIGNIFICANT_DIGITS,
            format!("at most {MAX_SIGNIFICANT_DIGITS} significant digits are accepted"),
        ),
    })?;
    if let Some(min) = min.filter(|min| DecimalText::parse(min).is_ok_and(|bound| number < bound)) {
        return Err(too_small(min));
    }
    if let Some(max) = max.filter(|max| DecimalText::parse(max).is_ok_and(|bound| number > bound)) {
        return Err(too_large(max));
    }
    Ok(number)
}

pub(super) fn bad_decimal() -> Fault {
    Fault::new("bad_format", "a number such as 182.5 is expected: digits, at most one point between them, no exponent")
}

pub(super) fn too_small(min: impl ToString) -> Fault {
    let min = min.to_string();
    Fault::limited("too_small", &min, format!("at least {min} is expected"))
}

pub(super) fn too_large(max: impl ToString) -> Fault {
    let max = max.to_string();
    Fault::limited("too_large", &max, format!("at most {max} is expected"))
}
