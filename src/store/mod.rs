//! The SQLite file: the only home of `rusqlite`.
//!
//! One writer connection and at most two readers, opened at first use. Every write is one `IMMEDIATE` transaction and costs one fsync;
//! every read is one snapshot. Functions that write take `&Transaction`, functions that read take `&Connection`, and only [`Store::write`]
//! and [`Store::read`] open them.
//!
//! After a crash or a power cut the file holds exactly the transactions whose calls returned, and perhaps the one that was about to return.

pub(crate) mod action;
pub(crate) mod backup;
mod carried;
pub(crate) mod check;
pub(crate) mod cleaning;
pub(crate) mod command;
mod connect;
mod connection;
mod derived;
mod empty;
pub(crate) mod endpoint;
mod error;
pub(crate) mod files;
pub(crate) mod known;
mod known_tables;
pub(crate) mod list;
pub(crate) mod lost;
pub(crate) mod meta;
mod migrate;
pub(crate) mod of_session;
mod one_row;
pub(crate) mod outbox;
mod pages;
mod pool;
pub(crate) mod purge;
mod rebuild;
pub(crate) mod redaction;
pub(crate) mod referred;
mod reserve;
pub(crate) mod restore;
pub(crate) mod row;
pub(crate) mod salvage;
pub(crate) mod schema;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod set_back;
pub(crate) mod totals;
pub(crate) mod workflow;

pub(crate) use connection::{ChangeMark, Store};
pub(crate) use error::StoreError;
pub(crate) use one_row::{OfOneRow, all_or_none, of_entry, unless_damaged, without_damaged};
pub(crate) use pool::{LockWait, STOP_LIMIT};
pub(crate) use rusqlite::{Connection, Transaction};

pub(crate) type Result<T> = std::result::Result<T, StoreError>;
