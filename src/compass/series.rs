//! The series in which actions are numbered. The schema gives the numbers.

use std::sync::atomic::Ordering;

use super::{Changed, Inner, Result};
use crate::crypto::Sha256;
use crate::fault::fault;
use crate::store::{Transaction, meta};

/// How many base32 characters of the hash a series has.
const CHARACTERS: usize = 8;

impl Inner {
    /// The file was opened on this device; empty: nobody says on which.
    pub(super) fn opened_on(&self, device: &str) -> Result<()> {
        let hash = Sha256::of(device.as_bytes());
        if device.is_empty() || self.read_at_open(|connection| Ok(meta::is_on_device(connection, hash)?))? {
            return Ok(());
        }
        self.freeing(|| self.write(|tx| Ok((meta::set_device(tx, hash)?, Changed::nothing()))))
    }

    /// Makes sure that there is a series, before a message is frozen. No port is called inside a transaction: the random part of a series is
    /// that of the handle, which never makes two of the same.
    pub(super) fn need_series(&self, tx: &Transaction<'_>) -> Result<()> {
        if meta::has_series(tx)? && !fault("seeded: each message begins a series") {
            return Ok(());
        }
        let count = self.series.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::of(format!("{}\n{count}", self.delivery.owner()).as_bytes()).base32();
        Ok(meta::begin_series(tx, &hash[..CHARACTERS])?)
    }
}
