//! The rules of workflow documents and of the sessions that run through them, without any I/O: the same input gives the same answer, always.
//!
//! How a decimal, a pattern, a moment or a media type is written stands in one place for both, so that a bound that a document may have
//! is always one that values can meet.

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
