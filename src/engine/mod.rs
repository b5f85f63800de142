//! The rules of workflows and sessions, without any I/O: the same input gives the same answer, always.

pub mod session;
