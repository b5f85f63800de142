//! What several suites share.

pub mod workflows;
