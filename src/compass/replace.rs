//! Putting a copy in the place of the database, and removing it. No handle may be open.

use std::path::{Path, PathBuf};
#[cfg(any(test, feature = "testing"))]
use std::sync::Arc;

use super::maintenance::new_file;
use super::{Compass, Result, open_files};
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::SalvageReport;
use crate::port::{Clock, SystemClock, sayable};
use crate::store::lost::GivesUp;
use crate::store::replace::{self, Replaced, Restore};
use crate::store::{self, salvage};
use crate::webhook;

/// Options of [`Compass::restore`].
#[derive(Clone)]
pub struct RestoreOptions {
    /// The database that the copy takes the place of.
    pub path: PathBuf,
    /// A person gives up the messages that are not delivered and not in the copy. Without it the copy is refused where there are such.
    pub discard_undelivered: Option<DiscardUndelivered>,
    /// Is told of each step. Feature `testing`.
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

    /// A person gives undelivered messages up.
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

/// Who gives undelivered messages up, and why.
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
    /// Puts a copy that [`Compass::backup`] made in the place of a database, which need not open any more, or be there.
    ///
    /// The copy is checked and stays as it is; where it says that it is complete by itself, as that of `backup` does, a log beside it is not
    /// looked at. `from` may be what was kept of the database before. A process that is killed leaves the old database or the new one, each whole; another process
    /// that has the database open sees a change like any other. What the present file knows of messages that were given up or corrected is kept,
    /// and nothing leaves for a session that it has deleted. The file before stays as `<name>.before-restore` until the database has been opened,
    /// also when the call is repeated; what a further restore replaces stays as `<name>.before-later-restore`, of the last one alone. Where this
    /// fails, nothing was changed, and nothing is later.
    ///
    /// # Errors
    /// - `AlreadyOpen` while this process has the database open; `Locked` while another process writes it, or has one open that is damaged.
    /// - `Undelivered` while the present file holds messages that are neither delivered nor given up and that the copy does not hold, or
    ///   cannot be read to count them, unless a person gives them up.
    /// - `Corrupt`, `NotADatabase`, `NewerSchema` where the copy is; the last two also where the present file is. A copy with a trigger that
    ///   is not the schema's, or with an index or a table of somebody that decides what our tables may hold, is `Corrupt`.
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
        let gives_up = options.discard_undelivered.as_ref().map(gives_up).transpose()?;
        let step = |step: &str| options.step(step);
        let has_no_log = open_files::is_closed_and(&from, store::files::has_no_log);
        let restore =
            Restore { from: &from, has_no_log, path: &path, gives_up: gives_up.as_ref(), is_id: webhook::is_delivery_id, step: &step };
        told(restore.run()?)
    }

    /// Writes what can still be read of a database to a new file, which its owner alone may read, as JSON Lines: one row per line, messages
    /// that are neither delivered nor given up first, each under `unsent` with its session, its action and its frozen body; then every
    /// other row of our tables under the name of its table. Works also where the database does not open; its file stays as it is. Where the
    /// definition of a table cannot be read, its rows are missing, and that is a gap. When this returns, the new file is whole and on the disk;
    /// otherwise there is none.
    ///
    /// # Errors
    /// - `InvalidArgument` where there is no database, or a file of the new name already, where the log of another database lies beside that
    ///   name, it is one of the database's own files, or a path is none.
    /// - `NotADatabase` and `Corrupt` where nothing of ours can be read; `Locked` while another process keeps it to itself.
    /// - `CannotOpen`, `DiskFull`, `Io`.
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

    /// Removes a database and everything beside it. What was in it is gone.
    ///
    /// # Errors
    /// `AlreadyOpen` while this process has it open, `Locked` while another one has; `Undelivered` while it holds messages that are neither
    /// delivered nor given up, or cannot be read to count them, unless a person gives them up; `NotADatabase`, `NewerSchema`,
    /// `InvalidArgument`, `Refused`, `CannotOpen`, `Io`.
    pub fn erase(path: impl AsRef<Path>, discard_undelivered: Option<&DiscardUndelivered>) -> Result<()> {
        let (path, _registration) = take(path.as_ref(), "path")?;
        discard_undelivered.map(DiscardUndelivered::check).transpose()?;
        told(replace::erase(&path, discard_undelivered.is_some())?)
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

fn gives_up(discard: &DiscardUndelivered) -> Result<GivesUp<'_>> {
    discard.check()?;
    let clock = SystemClock::default();
    let at = sayable(clock.now());
    Ok(GivesUp { actor: &discard.actor, reason: &discard.reason, at, utc_offset: clock.utc_offset(at) })
}

fn told(replaced: Replaced) -> Result<()> {
    match replaced {
        Replaced::Done => Ok(()),
        Replaced::Undelivered(count) => Err(Error::Undelivered { count }),
    }
}
