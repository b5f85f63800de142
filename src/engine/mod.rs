//! The rules of workflow documents and of the sessions that run through them, without any I/O: the same input always gives the same answer.
//!
//! The form of a decimal, a pattern, a moment or a media type is defined in one place for both, so that values can always meet the bounds
//! that a document may have.

mod decimal;
pub(crate) mod document;
mod letters;
mod media_type;
mod moment;
mod pattern;
mod pattern_length;
pub(crate) mod session;
#[cfg(test)]
mod tests;
pub(crate) mod words;
