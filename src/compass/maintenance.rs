//! Deleting and copying.

use std::path::{Path, PathBuf};

use super::{Changed, Compass, Inner, Result, open_files};
use crate::error::Error;
use crate::model::{DeleteReport, Erased, SessionKey, SessionState};
use crate::sorted::SortedSet;
use crate::store;

impl Compass {
    /// Deletes one finished session, under the conditions of [`Compass::purge`], and leaves a tombstone. Reports whether it is gone from the file.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `NotDeletable` while in progress, `Undelivered` when a message is neither delivered nor abandoned.
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
                store::of_session::find_all(tx, loaded.id)?;
                let undelivered = store::purge::undelivered(tx, loaded.id)?;
                if undelivered > 0 {
                    return Err(Error::Undelivered { count: Some(undelivered) });
                }
                let files = store::referred::by_session(tx, loaded.id)?;
                store::purge::delete(tx, loaded.id, "deleted", None, now)?;
                store::cleaning::shrink(tx)?;
                Ok((files, Changed { outbox: true, ..Changed::session(session) }))
            })
        })?;
        let erased = inner.erased(stops);
        Ok(DeleteReport { unused_files: inner.unused_files(stops, files).unwrap_or_default(), erased })
    }

    /// The files of attachments and signatures that sessions on this phone refer to, by the hash of their bytes, in order. Files that an edit
    /// removed from a record are included, because the record keeps them; so are those of a message that a redaction kept, until it is
    /// delivered or abandoned. The app may remove every other file that it kept for this database.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn files(&self) -> Result<Vec<String>> {
        self.inner.read_long(|connection| Ok(store::referred::by_all(connection)?.into_iter().collect()))
    }

    /// Copies the database, as it is at one moment, to a new file that only its owner may read. When this returns, the copy is complete in
    /// that one file, and on the disk; otherwise there is none. A copy that is opened elsewhere sends its messages with the same ids.
    ///
    /// # Errors
    /// `InvalidArgument` when its folder does not exist, the file already exists, the WAL of another database is beside the name, the name is
    /// one of the database's own files, or the path is not valid; errors of either file.
    pub fn backup(&self, to: &Path) -> Result<()> {
        let to = new_file(to, self.inner.store.path())?;
        let stops = self.inner.store.stops();
        self.inner.read_long(|connection| Ok(store::backup::copy(connection, &to, || self.inner.store.stops() == stops)?))
    }
}

/// The canonical path of a file to be created. Refused where the file already exists, where it is one of the files of the database, whose
/// path is canonical, or where files of another database are beside it.
pub(super) fn new_file(to: &Path, database: &Path) -> Result<PathBuf> {
    let refuse = |problem| Err(Error::InvalidArgument { place: "to", problem });
    if let Some(problem) = open_files::no_path(to) {
        return refuse(problem);
    }
    let to = match open_files::canonical(to) {
        // A phone that was not unlocked yet says that it may not look, not that there is nothing.
        Err(Error::CannotOpen { .. }) if !has_folder(to) => return refuse("its folder does not exist"),
        found => found?,
    };
    if to.exists() {
        Err(store::StoreError::NameTaken.into())
    } else if store::files::would_touch(&to, database) {
        refuse("this name is for a file of the database itself")
    } else if store::files::has_parts(&to) {
        refuse("the WAL of another database is beside this name")
    } else {
        Ok(to)
    }
}

/// Whether the folder of this path is there, or cannot be looked at now.
fn has_folder(path: &Path) -> bool {
    path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.try_exists().unwrap_or(true))
}

impl Inner {
    /// Those of these files that no session refers to any more. Not while others wait for the writer: every act on the phone is read. An error
    /// here does not undo the call: `files` gives the same answer later.
    pub(super) fn unused_files(&self, stops: u64, mut files: SortedSet<String>) -> Result<Vec<String>> {
        let referred =
            |connection: &store::Connection| Ok(if files.is_empty() { SortedSet::new() } else { store::referred::by_all(connection)? });
        let referred = self.read_part(stops, referred)?;
        files.retain(|file| !referred.contains(file));
        Ok(files.into_iter().collect())
    }

    /// After a call that deleted something; `stops` is [`Store::stops`](store::Store::stops) before the call.
    pub(super) fn erased(&self, stops: u64) -> Erased {
        match self.calls.enter() {
            Ok(_call) if self.store.erase(stops) => Erased::Now,
            _ => Erased::AtNextClose,
        }
    }
}
