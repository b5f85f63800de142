//! Single and multiple choice.

use std::collections::HashSet;

use super::Fault;
use crate::model::{FieldOption, FieldValue};

pub(super) fn single(options: &[FieldOption], key: &str) -> Result<FieldValue, Fault> {
    if options.iter().all(|option| option.key != key) {
        return Err(not_an_option());
    }
    Ok(FieldValue::Choice(key.to_owned()))
}

/// Kept in the order of the options, not in the order of the taps.
pub(super) fn multiple(options: &[FieldOption], min: Option<u32>, max: Option<u32>, keys: &[String]) -> Result<FieldValue, Fault> {
    let known: HashSet<&str> = options.iter().map(|option| option.key.as_str()).collect();
    let mut chosen = HashSet::new();
    for key in keys {
        if !known.contains(key.as_str()) {
            return Err(not_an_option());
        }
        if !chosen.insert(key.as_str()) {
            return Err(Fault::new("duplicate_option", "an option can be chosen once"));
        }
    }
    if let Some(min) = min.filter(|min| chosen.len() < *min as usize) {
        return Err(Fault::limited("too_few", min, format!("choose at least {min}")));
    }
    if let Some(max) = max.filter(|max| chosen.len() > *max as usize) {
        return Err(Fault::limited("too_many", max, format!("choose at most {max}")));
    }
    let in_order = options.iter().filter(|option| chosen.contains(option.key.as_str()));
    Ok(FieldValue::Choices(in_order.map(|option| option.key.clone()).collect()))
}

pub(super) fn not_an_option() -> Fault {
    Fault::new("not_an_option", "choose one of the options")
}
