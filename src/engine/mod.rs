//! The rules, without I/O: workflow documents, and the sessions that run through them.

pub mod document;
