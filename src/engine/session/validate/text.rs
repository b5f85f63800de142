//! Text-like types. A text is kept as it was entered, except for characters that pasting and scanning add.

use super::{Fault, entry};
use crate::engine::pattern::whole_match;
use crate::model::{FieldValue, TextRule};

/// The most characters of a text whose field sets no limit: some pages. A body has room for a few dozen of them below its
/// limit of 256 KiB.
pub const DEFAULT_MAX_LENGTH: u32 = 10_000;

/// The fewest digits of a telephone number, for instance 112.
const MIN_PHONE_DIGITS: usize = 3;

/// The characters of the shortest e-mail address, `a@b`.
pub const MIN_EMAIL: u32 = 3;
/// The characters of the shortest telephone number.
pub const MIN_PHONE: u32 = MIN_PHONE_DIGITS as u32;
/// The characters of the shortest web address, `http://a`.
pub const MIN_URL: u32 = 8;

/// One line.
pub(super) fn line(rule: &TextRule, given: &str) -> Result<FieldValue, Fault> {
    if given.contains(['\n', '\r']) {
        return Err(Fault::new("line_break", "this text has one line"));
    }
    kept(rule, entry::unmarked(given), |_| false)
}

/// Several lines.
pub(super) fn lines(rule: &TextRule, given: &str) -> Result<FieldValue, Fault> {
    kept(rule, entry::line_feeds(&entry::unmarked(given)), |_| false)
}

/// Several lines, since two-dimensional codes carry line breaks, and the separators of fields that GS1 codes have.
pub(super) fn barcode(rule: &TextRule, given: &str) -> Result<FieldValue, Fault> {
    kept(rule, entry::line_feeds(&entry::unmarked(given)), |c| matches!(c, '\u{1c}'..='\u{1f}'))
}

/// The text as it is kept, if the rule accepts it. `also` are control characters that its type allows.
fn kept(rule: &TextRule, text: String, also: fn(char) -> bool) -> Result<FieldValue, Fault> {
    if text.chars().any(|c| entry::is_control(c) && !matches!(c, '\n' | '\t') && !also(c)) {
        return Err(Fault::new("control_character", "characters that cannot be seen and change how text is shown are not accepted"));
    }
    // A text with more characters than u32 can count is too long in any case.
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    if let Some(min) = rule.min_length.filter(|min| length < *min) {
        return Err(Fault::limited("too_short", min, format!("at least {min} characters are needed")));
    }
    let max = rule.max_length.unwrap_or(DEFAULT_MAX_LENGTH);
    if length > max {
        return Err(Fault::limited("too_long", max, format!("at most {max} characters are accepted")));
    }
    if let Some(pattern) = rule.pattern.as_deref().and_then(|pattern| whole_match(pattern).ok())
        && !pattern.is_match(&text)
    {
        return Err(Fault::new("pattern", "the text does not have the required form"));
    }
    Ok(FieldValue::Text(text))
}

/// `local@domain`: only a message can show whether it exists.
pub(super) fn email(rule: &TextRule, given: &str) -> Result<FieldValue, Fault> {
    let text = entry::unmarked(given);
    let shaped = text
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && domain.split('.').all(|label| !label.is_empty()));
    if !shaped || text.chars().any(char::is_whitespace) {
        return Err(Fault::new("bad_format", "an e-mail address such as name@example.com is expected"));
    }
    kept(rule, text, |_| false)
}

/// Digits with what people write between them, extensions included.
pub(super) fn phone(rule: &TextRule, given: &str) -> Result<FieldValue, Fault> {
    let text = entry::plain(given);
    let accepted = |c: char| c.is_ascii_digit() || " +-./()#*,;".contains(c) || "ext".contains(c.to_ascii_lowercase());
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if digits < MIN_PHONE_DIGITS || !text.chars().all(accepted) {
        return Err(Fault::new("bad_format", "a telephone number such as +44 20 7946 0018 is expected"));
    }
    kept(rule, text, |_| false)
}

/// `http://host…` or `https://host…` without white space.
pub(super) fn url(rule: &TextRule, given: &str) -> Result<FieldValue, Fault> {
    let text = entry::unmarked(given);
    let after = |scheme: &str| match text.get(..scheme.len()) {
        Some(start) if start.eq_ignore_ascii_case(scheme) => text.get(scheme.len()..),
        _ => None,
    };
    let hosted = after("https://").or_else(|| after("http://")).is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        !host.is_empty() && !host.starts_with(':')
    });
    if !hosted || text.chars().any(char::is_whitespace) {
        return Err(Fault::new("bad_format", "a web address that begins with https:// or http:// is expected"));
    }
    kept(rule, text, |_| false)
}
