//! A phone that was used, and is the same each time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::Random;
use compass_core::testing::{
    Blocking, BlockingAnswer, BlockingCall, ManualClock, Reply, ScriptedTransport, SequentialRandom, StepOutcome, answer as answered,
};
use compass_core::{CancelToken, Compass, Error, Options};
use tempfile::TempDir;

use super::support::app::{endpoint, pump_check, set, text};
use super::support::facts::{Facts, facts, try_facts};

pub const DATABASE: &str = "compass.db";

/// What is on the phone.
pub struct Used {
    folder: TempDir,
    /// In the first section.
    pub begun: SessionKey,
    /// At its end, and not completed.
    pub at_the_end: SessionKey,
    /// Completed; its messages wait.
    pub waiting: SessionKey,
    /// Completed and delivered, with a note.
    pub sent: SessionKey,
    /// The same, edited since.
    pub edited: SessionKey,
    pub note: u32,
    pub before: Facts,
}

/// Made once. Also has a copy of an earlier state, `copy.db`.
pub static USED: LazyLock<Used> = LazyLock::new(|| {
    let mut phone = Phone::empty();
    phone.open().unwrap();
    let compass = phone.compass().clone();
    compass.import_workflow(&pump_check(1)).unwrap();
    compass.set_integration_enabled(true).unwrap();
    compass.put_endpoint(&endpoint("office")).unwrap();
    let start = |id: &str| compass.start(&Start::new("pump-check", id)).unwrap().view.key;
    let end = |key| {
        // Longer than a page.
        compass.set_field(key, "site", text(&"Mill Lane ".repeat(900))).unwrap();
        for answer in ["on", "fine"] {
            compass.answer(key, compass.session(key).unwrap().visit, answer).unwrap();
        }
    };
    let complete = |id: &str| {
        let key = start(id);
        compass.note(key, "Kept", &format!("{id} note")).unwrap();
        end(key);
        compass.complete(key, compass.session(key).unwrap().visit).unwrap();
        key
    };
    let (sent, edited) = (complete("sent"), complete("edited"));
    phone.flush().unwrap();
    compass.backup(&phone.folder.path().join("copy.db")).unwrap();
    compass.edit(edited, None, None, vec![set("site", text("Mill Road"))], vec![], "edit").unwrap();
    let waiting = complete("waiting");
    let at_the_end = start("at the end");
    end(at_the_end);
    let begun = start("begun");
    compass.save_draft(begun, "remark", "half a wor").unwrap();
    let note = compass.session(sent).unwrap().notes[0].seq;
    let before = facts(&compass);
    compass.close().unwrap();
    Used { folder: phone.folder, begun, at_the_end, waiting, sent, edited, note, before }
});

/// What was not drawn before, each time: a call that is made again makes the same.
#[derive(Debug)]
struct Same;

impl Random for Same {
    fn bytes(&self) -> [u8; 16] {
        [0xab; 16]
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}

/// Requests that wait for their answer.
#[derive(Default)]
struct Office(Mutex<Vec<(BlockingCall, Reply)>>);

impl Blocking for Office {
    fn begin(&self, call: BlockingCall, reply: Reply) -> std::io::Result<()> {
        self.0.lock().unwrap().push((call, reply));
        Ok(())
    }

    fn is_simulated(&self) -> bool {
        true
    }
}

impl Office {
    /// Answers 202. Says whether something was asked.
    fn answers(&self) -> bool {
        let asked = std::mem::take(&mut *self.0.lock().unwrap());
        let is_asked = !asked.is_empty();
        for (call, reply) in asked {
            let answer = match call {
                BlockingCall::Send { send_check, .. } => {
                    assert!(send_check.time_left().is_some(), "it is in time");
                    BlockingAnswer::Sent(Ok(answered(202)))
                }
                BlockingCall::Secrets { .. } => BlockingAnswer::Secrets(Vec::new()),
                BlockingCall::Cancel(_) | BlockingCall::Renew => BlockingAnswer::Done,
            };
            if let Some(follow_up) = reply(answer) {
                follow_up();
            }
        }
        is_asked
    }
}

pub struct Phone {
    pub folder: TempDir,
    clock: Arc<ManualClock>,
    random: Arc<dyn Random>,
    office: Arc<Office>,
    compass: Option<Compass>,
}

impl Phone {
    fn empty() -> Self {
        let random = Arc::new(SequentialRandom::default());
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::default(), random, office: Arc::default(), compass: None }
    }

    /// A phone that was used; the core is not open.
    pub fn used() -> Self {
        let phone = Self::empty();
        copy_files(USED.folder.path(), phone.folder.path());
        phone.clock.advance(Duration::from_secs(86_400));
        Self { random: Arc::new(Same), ..phone }
    }

    /// The same after a kill at this moment.
    pub fn killed(&self) -> Self {
        let phone = Self { clock: self.clock.clone(), random: self.random.clone(), ..Self::empty() };
        copy_files(self.folder.path(), phone.folder.path());
        phone
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join(DATABASE)
    }

    pub fn copy(&self) -> PathBuf {
        self.folder.path().join("copy.db")
    }

    pub fn open(&mut self) -> Result<(), Error> {
        if self.compass.is_none() {
            let options = Options { random: self.random.clone(), ..Options::new(self.path()) };
            let options = options.clock(self.clock.clone()).transport(ScriptedTransport::always(202)).blocking(self.office.clone());
            self.compass = Some(Compass::open(options)?);
        }
        Ok(())
    }

    pub fn close(&mut self) {
        if let Some(compass) = self.compass.take() {
            compass.close().unwrap();
        }
    }

    pub fn compass(&self) -> &Compass {
        self.compass.as_ref().expect("it is open")
    }

    pub fn now(&self) -> Timestamp {
        use compass_core::port::Clock;
        self.clock.now()
    }

    /// What is seen, after opening if need be.
    pub fn seen(&mut self) -> Result<Facts, Error> {
        self.open()?;
        try_facts(self.compass())
    }

    /// Everything that is due leaves, on this thread.
    pub fn flush(&self) -> Result<FlushReport, Error> {
        let mut steps = self.compass().flush_steps(Duration::from_secs(60), &CancelToken::new(), false)?;
        loop {
            match steps.step() {
                StepOutcome::Done(report) => return report.expect("of a flush"),
                StepOutcome::Wait { .. } if !self.office.answers() => self.clock.advance(Duration::from_secs(1)),
                StepOutcome::Wait { .. } | StepOutcome::Again => {}
            }
        }
    }
}

/// Not the index of the WAL, which does not outlive a process.
fn copy_files(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        if !file.file_name().to_str().unwrap().ends_with("-shm") {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}
