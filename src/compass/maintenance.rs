//! Deleting and copying.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Changed, Compass, Inner, Result, open_files};
use crate::error::Error;
use crate::model::{DeleteReport, Erased, SessionKey, SessionState};
use crate::store;

impl Compass {
    /// Deletes one finished session, on the terms of [`Compass::purge`], leaving a tombstone. Says whether it is gone from the file.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `NotDeletable` while in progress, `Undelivered` when a message is neither delivered nor given up.
    pub fn delete(&self, session: SessionKey) -> Result<DeleteReport> {
        let inner = &self.inner;
        let now = inner.now();
        let stops = inner.store.stops();
        let files = inner.freeing(|| {
            inner.write(|tx| {
                let loaded = inner.load_session(tx, session)?;
                if loaded.state.state == SessionState::InProgress {
                    return Err(Error::NotDeletable { state: loaded.state.state });
                }
                let undelivered = store::retention::undelivered(tx, loaded.id)?;
                if undelivered > 0 {
                    return Err(Error::Undelivered { count: Some(undelivered) });
                }
                let files = store::referred::by_session(tx, loaded.id)?;
                store::retention::delete(tx, loaded.id, "deleted", None, now)?;
                store::erasure::shrink(tx)?;
                Ok((files, Changed { outbox: true, ..Changed::session(session) }))
            })
        })?;
        let erased = inner.erased(stops);
        Ok(DeleteReport { files_let_go: inner.let_go(stops, files), erased })
    }

    /// The files that sessions on this phone refer to, by the hash of their bytes: those of attachments and signatures, in order. Also files
    /// that an edit has taken out of a record, which keeps them, and those that a message names that a redaction kept, until it is delivered or
    /// given up. The host may remove every other file that it kept for this database.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn files(&self) -> Result<Vec<String>> {
        self.inner.read_long(|connection| Ok(store::referred::by_all(connection)?.into_iter().collect()))
    }

    /// Copies the database, as it is at one moment, to a new file that its owner alone may read. When this returns, the copy is whole in
    /// that one file, and on the disk; otherwise there is none. A copy that is opened elsewhere sends what it sends with the same ids.
    ///
    /// # Errors
    /// `InvalidArgument` when there is a file already, the log of another database lies beside the name, the name is one of the database's own
    /// files, or the path is none; errors of either file.
    pub fn backup(&self, to: &Path) -> Result<()> {
        let to = new_file(to, self.inner.store.path())?;
        let stops = self.inner.store.stops();
        self.inner.read_long(|connection| Ok(store::backup::copy(connection, &to, || self.inner.store.stops() == stops)?))
    }
}

/// The canonical path of a file that is to be made. Refused where one is already, where it would touch those of the database, whose path is
/// canonical, or where those of another one lie beside it.
pub(super) fn new_file(to: &Path, database: &Path) -> Result<PathBuf> {
    let refuse = |problem| Err(Error::InvalidArgument { place: "to", problem });
    if let Some(problem) = open_files::no_path(to) {
        return refuse(problem);
    }
    let to = open_files::canonical(to)?;
    if to.exists() {
        Err(store::StoreError::NameTaken.into())
    } else if store::files::would_touch(&to, database) {
        refuse("this name is for a file of the database itself")
    } else if store::files::has_parts(&to) {
        refuse("the log of another database lies beside this name")
    } else {
        Ok(to)
    }
}

/// Those of these files that no session refers to.
pub(super) fn without_referred(connection: &store::Connection, mut files: BTreeSet<String>) -> store::Result<Vec<String>> {
    if !files.is_empty() {
        let referred = store::referred::by_all(connection)?;
        files.retain(|file| !referred.contains(file));
    }
    Ok(files.into_iter().collect())
}

impl Inner {
    /// Those of these files that no session refers to any more. Not while others wait for the writer: every act on the phone is looked at. What
    /// was done is done, no matter what comes of this look: `files` says the same later.
    pub(super) fn let_go(&self, stops: u64, files: BTreeSet<String>) -> Vec<String> {
        self.read_part(stops, |connection| Ok(without_referred(connection, files)?)).unwrap_or_default()
    }

    /// After a call that deleted something, and was told this of [`Store::stops`](store::Store::stops) before.
    pub(super) fn erased(&self, stops: u64) -> Erased {
        match self.calls.enter() {
            Ok(_call) if self.store.erase(stops) => Erased::Now,
            _ => Erased::AtNextClose,
        }
    }
}
