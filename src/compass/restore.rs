//! Replacing the database with a copy, and removing it. No handle may be open.

use std::path::{Path, PathBuf};
#[cfg(any(test, feature = "testing"))]
use std::sync::Arc;

use super::maintenance::new_file;
use super::{Compass, Result, open_files};
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::SalvageReport;
use crate::port::{Clock, SystemClock, writable};
use crate::store::lost::Abandonment;
use crate::store::restore::{self, Replaced, Restore};
use crate::store::{self, salvage};
use crate::webhook;

/// Options of [`Compass::restore`].
#[derive(Clone)]
pub struct RestoreOptions {
    /// The database that the copy replaces.
    pub path: PathBuf,
    /// A person abandons the messages that are neither delivered nor in the copy. Without this the copy is refused where there are any.
    pub discard_undelivered: Option<DiscardUndelivered>,
    /// Called at each step. Feature `testing`.
    #[cfg(any(test, feature = "testing"))]
    pub on_step: Option<OnStep>,
}

#[cfg(any(test, feature = "testing"))]
type OnStep = Arc<dyn Fn(&str) + Send + Sync>;

impl RestoreOptions {
    /// The defaults, for this database.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            discard_undelivered: None,
            #[cfg(any(test, feature = "testing"))]
            on_step: None,
        }
    }

    /// A person abandons undelivered messages.
    #[must_use]
    pub fn discard_undelivered(mut self, discard: DiscardUndelivered) -> Self {
        self.discard_undelivered = Some(discard);
        self
    }

    fn step(&self, step: &str) {
        #[cfg(any(test, feature = "testing"))]
        if let Some(on_step) = &self.on_step {
            on_step(step);
        }
        log::debug!("restore: {step}");
    }
}

impl std::fmt::Debug for RestoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestoreOptions").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Who abandons undelivered messages, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct DiscardUndelivered {
    /// The person.
    pub actor: String,
    /// The reason.
    pub reason: String,
}

impl DiscardUndelivered {
    fn check(&self) -> Result<()> {
        engine::check_actor(&self.actor)?;
        Ok(engine::check_reason(&self.reason)?)
    }
}

impl std::fmt::Debug for DiscardUndelivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiscardUndelivered").finish_non_exhaustive()
    }
}

impl Compass {
    /// Replaces a database with a copy that [`Compass::backup`] made. The database may be missing, or so damaged that it cannot be opened.
    ///
    /// The copy is checked and does not change; where it is marked as complete, as a copy of `backup` is, a WAL beside it is ignored. `from` may
    /// also be the file that an earlier restore kept. If the process is killed, either the old or the new database is there, complete. Another
    /// process that has the database open sees a change like any other. What the present file holds about messages that were abandoned or
    /// corrected is kept, and no message of a session that it has deleted is sent. The replaced file stays as `<name>.before-restore` until the
    /// database has been opened, also when the call is repeated. What a further restore replaces stays as `<name>.before-later-restore`, of the
    /// last one only. If this fails, nothing was changed, and nothing will be.
    ///
    /// # Errors
    /// - `AlreadyOpen` while this process has the database open; `Locked` while another process writes it, or has one open, or has just written
    ///   one, that is damaged.
    /// - `Undelivered` while the present file holds messages that are neither delivered nor abandoned and that the copy does not hold, or
    ///   cannot be read to count them, unless a person abandons them.
    /// - `Corrupt`, `NotADatabase`, `NewerSchema` if the copy is; the last two also if the present file is. A copy with a trigger that is not the core's, or
    ///   with such an index or table that restricts what the core's tables may hold, is `Corrupt`.
    /// - `InvalidOption`, `InvalidArgument`, `Refused`, `CannotOpen`, `DiskFull`, `Io`.
    pub fn restore(from: impl AsRef<Path>, options: &RestoreOptions) -> Result<()> {
        let from = from.as_ref();
        if let Some(problem) = open_files::no_path(from) {
            return Err(Error::InvalidArgument { place: "from", problem });
        }
        let (path, _registration) = take(&options.path, "options.path")?;
        if !from.is_file() {
            return Err(Error::InvalidArgument { place: "from", problem: "there is no such file" });
        }
        let from = open_files::canonical(from)?;
        if store::files::is_of(&from, &path) {
            return Err(Error::InvalidArgument { place: "from", problem: "this is a file of the database itself" });
        }
        let abandonment = options.discard_undelivered.as_ref().map(abandonment).transpose()?;
        let step = |step: &str| options.step(step);
        let has_no_wal = open_files::is_closed_and(&from, store::files::has_no_wal);
        let restore = Restore {
            from: &from,
            has_no_wal,
            path: &path,
            abandonment: abandonment.as_ref(),
            is_id: webhook::is_delivery_id,
            holds: webhook::holds,
            step: &step,
        };
        result_of(restore.run()?)
    }

    /// Writes what can still be read of a database to a new file, which only its owner may read, as JSON Lines: one row per line. Messages that
    /// are neither delivered nor abandoned come first, each under `unsent` with its session, its action and the hash of its frozen body; then the
    /// bodies under `body`, and every other row of the core's tables under the name of its table. Works also where the database cannot be
    /// opened; its file does not change. If the definition of a table cannot be read, its rows are missing, and that is a gap; the others are then
    /// read from a copy in memory, for which there must be room twice. When this returns, the new file is complete and on the disk; otherwise
    /// there is none.
    ///
    /// # Errors
    /// - `InvalidArgument` where there is no database, the new file already exists, the WAL of another database is beside its name, its name is
    ///   one of the database's own files, or a path is not valid.
    /// - `NotADatabase` and `Corrupt` where none of the core's tables can be read; `Locked` while another process has it locked.
    /// - `CannotOpen`, `DiskFull`, `OutOfMemory`, `Io`.
    pub fn salvage(path: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<SalvageReport> {
        let (path, to) = (path.as_ref(), to.as_ref());
        if let Some(problem) = open_files::no_path(path) {
            return Err(Error::InvalidArgument { place: "path", problem });
        }
        if !path.is_file() {
            return Err(Error::InvalidArgument { place: "path", problem: "there is no such file" });
        }
        let to = new_file(to, &open_files::canonical(path)?)?;
        Ok(salvage::salvage(path, &to)?)
    }

    /// Removes a database and everything beside it. What was in it is gone. Only messages lead to a refusal: sessions in progress, actions that
    /// did not fire and edits that were not sent are lost.
    ///
    /// # Errors
    /// `AlreadyOpen` while this process has it open, `Locked` while another one has; `Undelivered` while it holds messages that are neither
    /// delivered nor abandoned, or cannot be read to count them, unless a person abandons them; `NotADatabase`, `NewerSchema`,
    /// `InvalidArgument`, `Refused`, `CannotOpen`, `DiskFull`, `Io`.
    pub fn erase(path: impl AsRef<Path>, discard_undelivered: Option<&DiscardUndelivered>) -> Result<()> {
        let (path, _registration) = take(path.as_ref(), "path")?;
        discard_undelivered.map(DiscardUndelivered::check).transpose()?;
        result_of(restore::erase(&path, discard_undelivered.is_some())?)
    }
}

/// No handle of this process opens the file until the registration is dropped.
fn take(path: &Path, place: &'static str) -> Result<(PathBuf, open_files::Registration)> {
    if let Some(problem) = open_files::no_path(path) {
        return Err(Error::InvalidArgument { place, problem });
    }
    let path = open_files::canonical(path)?;
    let registration = open_files::Registration::take(&path)?;
    Ok((path, registration))
}

fn abandonment(discard: &DiscardUndelivered) -> Result<Abandonment<'_>> {
    discard.check()?;
    let clock = SystemClock::default();
    let at = writable(clock.now());
    Ok(Abandonment { actor: &discard.actor, reason: &discard.reason, at, utc_offset: clock.utc_offset(at) })
}

fn result_of(replaced: Replaced) -> Result<()> {
    match replaced {
        Replaced::Done => Ok(()),
        Replaced::Undelivered(count) => Err(Error::Undelivered { count }),
    }
}
