//! How long the texts of a call may be. Lengths count Unicode scalar values.

use super::validate::{is_blank, is_control};
use super::{Refusal, TextFault};

/// The longest note: some pages. Notes are read on a phone and indexed for search.
pub(super) const MAX_NOTE: usize = 10_000;
/// The longest reason for ending a session or abandoning a message: a paragraph.
pub(super) const MAX_REASON: usize = 1_000;
/// The longest `command_id`: a UUID and a prefix of the caller fit.
pub(super) const MAX_COMMAND_ID: usize = 128;
/// The longest actor: any name, e-mail address or id.
pub(super) const MAX_ACTOR: usize = 200;
/// The longest name of the source of a prefill.
pub(super) const MAX_PREFILL_SOURCE: usize = 200;

/// Who acts: not blank, at most [`MAX_ACTOR`] characters, no control characters, line separators or directional overrides.
///
/// # Errors
/// [`Refusal::Text`] with the place `actor`.
pub(crate) fn check_actor(actor: &str) -> Result<(), Refusal> {
    check("actor", actor, MAX_ACTOR, Lines::One)
}

/// The caller's id of a command: not blank, at most [`MAX_COMMAND_ID`] characters, no control characters, line separators or directional
/// overrides.
///
/// # Errors
/// [`Refusal::Text`] with the place `command_id`.
pub(crate) fn check_command_id(command_id: &str) -> Result<(), Refusal> {
    check("command_id", command_id, MAX_COMMAND_ID, Lines::One)
}

/// A reason: not blank, at most [`MAX_REASON`] characters, no line separators, directional overrides or control characters other than newline
/// and tab.
///
/// # Errors
/// [`Refusal::Text`] with the place `reason`.
pub(crate) fn check_reason(reason: &str) -> Result<(), Refusal> {
    check("reason", reason, MAX_REASON, Lines::Many)
}

pub(super) fn check_note(text: &str) -> Result<(), Refusal> {
    check("note", text, MAX_NOTE, Lines::Many)
}

pub(super) fn check_prefill_source(source: &str) -> Result<(), Refusal> {
    check("prefill.source", source, MAX_PREFILL_SOURCE, Lines::One)
}

enum Lines {
    One,
    Many,
}

fn check(place: &'static str, text: &str, limit: usize, lines: Lines) -> Result<(), Refusal> {
    let refuse = |fault| Err(Refusal::Text { place, fault });
    if is_blank(text) {
        return refuse(TextFault::Blank);
    }
    if text.chars().count() > limit {
        return refuse(TextFault::TooLong { limit });
    }
    let allowed = |c| matches!(lines, Lines::Many) && matches!(c, '\n' | '\t');
    if text.chars().any(|c| is_control(c) && !allowed(c)) {
        return refuse(TextFault::ControlCharacter);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(result: Result<(), Refusal>) -> &'static str {
        result.map_or_else(|refusal| refusal.code(), |()| "fine")
    }

    #[test]
    fn texts_of_a_call_are_neither_blank_nor_too_long() {
        assert_eq!(code(check_actor("Mia")), "fine");
        assert_eq!(code(check_actor(" \t\u{200b}")), "blank");
        assert_eq!(code(check_actor(&"é".repeat(200))), "fine");
        assert_eq!(code(check_actor(&"é".repeat(201))), "too_long");
        assert_eq!(code(check_actor("Mia\nMax")), "control_character");
        assert_eq!(code(check_actor("Mia\u{202e}xaM")), "control_character", "by the rule of values");
        assert_eq!(code(check_command_id("")), "blank");
        assert_eq!(code(check_command_id(&"x".repeat(128))), "fine");
        assert_eq!(code(check_command_id(&"x".repeat(129))), "too_long");
        assert_eq!(code(check_reason("nobody home\nnext week")), "fine");
        assert_eq!(code(check_reason(&"x".repeat(1_001))), "too_long");
        assert_eq!(code(check_note(&"x".repeat(10_001))), "too_long");
        assert_eq!(code(check_note("a\u{0}b")), "control_character");
        assert_eq!(check_note(" ").unwrap_err().place().as_deref(), Some("note"));
    }
}
