//! What nobody may read: values of fields and secrets in the log, on any level, and secrets in any byte of the phone's files.

use std::sync::{Mutex, Once, PoisonError};

use super::world::{Check, World};

/// Parts of the secrets of [`keystore`](super::keystore), which receivers know.
const SECRETS: [&str; 2] = ["C2FVsBQIhrscChlQIMVb5sSYspob", "Bearer token-"];
/// How the values of the only field that technicians fill begin.
const VALUES: [&str; 2] = ["Mill Lane ", "New Lane "];

/// What was logged of it.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Reader;

impl log::Log for Reader {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = record.args().to_string();
        if let Err(what) = tells_nothing(&line) {
            LOGGED.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        }
    }

    fn flush(&self) {}
}

/// From now on the whole log is read.
pub fn read_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Reader).expect("the only log of this program");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// A line of the log or the text of an error.
pub fn tells_nothing(text: &str) -> Check {
    match SECRETS.iter().chain(&VALUES).find(|word| text.contains(*word)) {
        Some(word) => Err(format!("{word:?} can be read in {text:?}")),
        None => Ok(()),
    }
}

/// So far.
pub fn log_tells_nothing() -> Check {
    match LOGGED.lock().unwrap_or_else(PoisonError::into_inner).first() {
        Some(what) => Err(format!("the log: {what}")),
        None => Ok(()),
    }
}

impl World {
    /// No byte of the phone's files is of a secret.
    pub fn files_tell_nothing(&self) -> Check {
        let folder = self.path().parent().expect("a folder").to_owned();
        for file in std::fs::read_dir(folder).map_err(super::perform::text)? {
            let path = file.map_err(super::perform::text)?.path();
            let bytes = std::fs::read(&path).map_err(super::perform::text)?;
            let holds = |word: &&&str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
            if let Some(word) = SECRETS.iter().find(holds) {
                return Err(format!("{} holds {word:?}", path.display()));
            }
        }
        Ok(())
    }
}
