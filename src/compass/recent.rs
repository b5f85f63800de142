//! The session of the last tap, kept in memory: the next tap need not read it again.
//!
//! It is used only while the file is exactly as its last transaction left it. [`ChangeMark`] says so: it differs after a commit of any other
//! connection, after any row that this one has written since, and after a transaction that was undone. Tests compare the kept session with
//! the stored one each time that it is used.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::command::LoadedSession;
use crate::model::SessionKey;
use crate::sorted::SortedMap;
use crate::store::ChangeMark;

/// A session with its half-typed texts.
pub(super) struct WithDrafts {
    pub(super) loaded: LoadedSession,
    /// By field; that of a note by the empty key.
    pub(super) drafts: SortedMap<String, String>,
}

/// The session of the last write transaction that had one.
#[derive(Default)]
pub(super) struct Recent(Mutex<Option<Kept>>);

struct Kept {
    session: WithDrafts,
    /// None until its transaction is about to be committed.
    mark: Option<ChangeMark>,
}

impl Recent {
    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A write transaction begins: what one that failed has left is forgotten.
    pub(super) fn begins(&self) {
        let mut kept = self.kept();
        if kept.as_ref().is_some_and(|kept| kept.mark.is_none()) {
            *kept = None;
        }
    }

    /// The session, if it was kept and nothing was written since.
    pub(super) fn take(&self, key: SessionKey, mark: ChangeMark) -> Option<WithDrafts> {
        let kept = self.kept().take()?;
        (kept.session.loaded.state.key == key && kept.mark == Some(mark)).then_some(kept.session)
    }

    /// Keeps a session as the running write transaction leaves it.
    pub(super) fn keep(&self, session: WithDrafts) {
        *self.kept() = Some(Kept { session, mark: None });
    }

    /// The running write transaction has written all that it writes.
    ///
    /// # Errors
    /// That of `mark`; then nothing is kept.
    pub(super) fn written<E>(&self, mark: impl FnOnce() -> Result<ChangeMark, E>) -> Result<(), E> {
        let mut kept = self.kept();
        if kept.as_ref().is_some_and(|kept| kept.mark.is_none()) {
            match mark() {
                Ok(mark) => kept.iter_mut().for_each(|kept| kept.mark = Some(mark)),
                Err(error) => {
                    *kept = None;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Forgets it.
    pub(super) fn forget(&self) {
        *self.kept() = None;
    }
}
