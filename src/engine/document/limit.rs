//! How large a document and its parts may be. Each limit is far above what a person can use in the field and far below what would make
//! a phone slow; a document that needs more is a mistake or an attack.

pub(crate) use crate::engine::decimal::MAX_SIGNIFICANT_DIGITS;
pub(crate) use crate::engine::pattern::MAX_PATTERN_LENGTH;
pub(crate) use crate::engine::session::validate::DEFAULT_MAX_LENGTH;
pub(crate) use crate::model::MAX_INTEGER;

/// The largest document, in bytes. A workflow with 200 sections and long texts stays below 300 KiB; the whole is read into memory.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
/// The deepest nesting of arrays and objects. Format 1 needs 6; the rest is room for unknown members.
pub(super) const MAX_DEPTH: usize = 32;
/// The longest name, in characters: a heading or a button on a phone screen.
pub(super) const MAX_NAME_LENGTH: usize = 200;
/// The longest description of a workflow, in characters: a list shows a line or two of it.
pub(super) const MAX_DESCRIPTION_LENGTH: usize = 2_000;
/// The longest help of a field, in characters: a hint below a question.
pub(super) const MAX_HELP_LENGTH: usize = 1_000;
/// The longest content of a section or a response, in characters: some ten printed pages.
pub(super) const MAX_CONTENT_LENGTH: usize = 20_000;
/// The most names that a document requires: some features, each with a few later additions.
pub(super) const MAX_REQUIRES: usize = 50;
/// The most sections of a document.
pub(super) const MAX_SECTIONS: usize = 1_000;
/// The most fields of a document's library.
pub(super) const MAX_FIELDS: usize = 1_000;
/// The most responses of a document.
pub(super) const MAX_RESPONSES: usize = 500;
/// The most fields of one section: one screen.
pub(super) const MAX_FIELDS_PER_SECTION: usize = 100;
/// The most answers of one section: one screen.
pub(super) const MAX_ANSWERS_PER_SECTION: usize = 100;
/// The most actions of one section: each may become a message of a completed session.
pub(super) const MAX_ACTIONS_PER_SECTION: usize = 20;
/// The most actions of a document: each may become a message of up to 256 KiB when a session is completed, in one transaction.
pub(super) const MAX_ACTIONS: usize = 100;
/// The longest example of a field, in characters. It is matched with the field's pattern at import.
pub(super) const MAX_EXAMPLE_LENGTH: usize = 200;
/// The most characters of examples that are matched with patterns in a document, together. A pattern of the largest size takes some hundred
/// microseconds for each on a slow phone.
pub(super) const MAX_EXAMPLES_LENGTH: usize = 5_000;
/// The most options of a choice field: a searchable list on a phone.
pub(super) const MAX_OPTIONS: usize = 500;
/// The most media types of a file field.
pub(super) const MAX_MEDIA_TYPES: usize = 50;
/// The longest media type, in characters: RFC 6838 section 4.2 allows 127 on each side of the slash, and no known type is as long.
pub(super) const MAX_MEDIA_TYPE_LENGTH: usize = 127;
/// The largest bound of a text's length, in characters: as long as a section's content.
pub(super) const MAX_TEXT_BOUND: u32 = 20_000;
/// The most `decimal_places` of a field: a decimal has no more significant digits.
pub(super) const MAX_DECIMAL_PLACES: u32 = 15;
/// The largest version and local revision: 2^31 − 1, which every language's plain integer holds.
pub(super) const MAX_VERSION: u32 = 2_147_483_647;
/// The most findings that are listed; the last one gives the number of the others.
pub const MAX_FINDINGS: usize = 2_000;
/// The most bytes of all listed findings together: codes, pointers and messages. They cross into other languages as copies.
pub const MAX_FINDINGS_BYTES: usize = 256 * 1024;
/// The longest pointer of a finding, in bytes. The format needs some 60; names of unknown members may have any length.
pub const MAX_POINTER_BYTES: usize = 256;
