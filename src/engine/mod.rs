//! The rules of workflow documents and of the sessions that run through them, without any I/O: the same input gives the same answer, always.

pub mod document;
pub mod session;
