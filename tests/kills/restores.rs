//! A process is killed while it puts a copy in the place of the database: the old file is there or the new one, each whole, and what is then
//! delivered has the ids and bytes that receivers may have already.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::PoisonError;
use std::time::Duration;

use compass_core::model::*;
use compass_core::{CancelToken, Compass, DiscardUndelivered, Error, RestoreOptions};

use super::clock::FastClock;
use super::points::{self, Plan, RESTORE};
use super::receiver::{Log, Receiver};
use super::rng::Rng;
use super::signals::Signal;
use super::support::app::code;
use super::support::facts::{Facts, differences, facts};
use super::support::field::{Process, say, setting};
use super::worker::{Wrong, install, open};
use super::world::{accounted_for, delivered_right, folder};

const WORKFLOW: &str = "visit";

fn options(path: &Path) -> RestoreOptions {
    RestoreOptions::new(path).discard_undelivered(DiscardUndelivered { actor: "Mia".into(), reason: "a new phone".into() })
}

/// The whole of a process.
pub fn restore() {
    let counts = setting("POINT") == "counted";
    points::begin(Some(setting("POINT")).filter(|_| !counts).map(|name| Plan {
        name,
        at: setting("AT").parse().expect("a number"),
        signal: Signal::Kill,
    }));
    if setting("POINT") == IN_PARTS {
        return in_parts(Path::new(&setting("DATABASE")), &std::fs::read(setting("COPY")).expect("a copy"));
    }
    let mut options = options(Path::new(&setting("DATABASE")));
    options.on_step = Some(Arc::new(|step| points::reached(&format!("restore: {step}"))));
    let result = points::during(RESTORE, || Compass::restore(setting("COPY"), &options));
    say(code(result));
    if counts {
        say(serde_json::to_string(&points::counted()).expect("JSON"));
    }
}

/// A restore that must be found: it writes the copy over the file part by part.
pub const IN_PARTS: &str = "restore: a part is written";

fn in_parts(path: &Path, copy: &[u8]) {
    let file = std::fs::OpenOptions::new().write(true).open(path).expect("a file");
    for (number, part) in (0..).zip(copy.chunks(PART)) {
        file.write_all_at(part, number * PART as u64).expect("writes");
        points::reached(IN_PARTS);
    }
    file.set_len(copy.len() as u64).expect("cuts");
    say("fine");
}

const PART: usize = 16 * 1024;

/// What stands in the place that the copy is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    Opens,
    Damaged,
}

/// A phone that was used, closed, with a copy of an earlier state.
pub struct Template {
    present: Present,
    origin: Timestamp,
    receiver: Receiver,
    files: Vec<(String, Vec<u8>)>,
    copy: Vec<u8>,
    /// What receivers have.
    log: BTreeMap<String, super::receiver::Copies>,
    /// What the file before accounts for.
    accounted: BTreeMap<String, usize>,
    /// What is seen in the file before; nothing where it is damaged. What is seen in the new one.
    old: Option<Facts>,
    new: Facts,
    pub places: BTreeMap<String, u64>,
}

impl Template {
    pub fn new(present: Present, seed: u64) -> Self {
        use compass_core::port::Clock;
        let (folder, receiver) = (folder(), Receiver::new(1, seed));
        let path = folder.path().join("compass.db");
        let origin = compass_core::port::SystemClock::default().now();
        let template = Self {
            present,
            origin,
            receiver,
            files: Vec::new(),
            copy: Vec::new(),
            log: BTreeMap::new(),
            accounted: BTreeMap::new(),
            old: None,
            new: Facts::new(),
            places: BTreeMap::new(),
        };
        let compass = template.open(&path, Arc::new(FastClock::new(origin))).expect("opens");
        install(&compass, &[WORKFLOW.to_owned()]);
        let complete = |count: u32, what: &str| {
            for number in 0..count {
                let view = compass.start(&Start::new(WORKFLOW, format!("{what} {number}"))).expect("starts").view;
                compass.set_field(view.key, "reading", FieldValue::Text(what.repeat(60))).expect("sets");
                compass.complete(view.key, view.visit).expect("completes");
            }
        };
        let flush = || compass.flush(Duration::from_secs(60), &CancelToken::new()).expect("flushes");
        complete(8, "delivered");
        flush();
        complete(8, "delivered since");
        let copy = folder.path().join("copy.db");
        compass.backup(&copy).expect("copies");
        complete(8, "made and delivered since");
        flush();
        complete(8, "made since");
        let old = facts(&compass);
        compass.close().expect("closes");
        template.made(&path, &copy, old)
    }

    fn made(mut self, path: &Path, copy: &Path, old: Facts) -> Self {
        self.accounted = accounted_for(path).into_iter().map(|(id, (most, _))| (id, most)).collect();
        self.files = match self.present {
            Present::Opens => vec![("compass.db".into(), std::fs::read(path).expect("a file"))],
            // A file that was cut off, beside a WAL that was not.
            Present::Damaged => {
                vec![("compass.db".into(), Vec::new()), ("compass.db-wal".into(), b"of which the file was cut off".to_vec())]
            }
        };
        self.copy = std::fs::read(copy).expect("a copy");
        self.log = self.receiver.log.lock().unwrap_or_else(PoisonError::into_inner).copies.clone();
        self.old = (self.present == Present::Opens).then_some(old);
        let folder = self.folder();
        let mut process = self.process(folder.path(), "counted", 0);
        assert_eq!(process.line().as_deref(), Some("fine"));
        self.places = serde_json::from_str(&process.line().expect("it counts")).expect("JSON");
        process.finish();
        let compass = self.open(&folder.path().join("compass.db"), Arc::new(FastClock::new(self.origin))).expect("opens");
        self.new = facts(&compass);
        compass.close().expect("closes");
        assert_ne!(self.old.as_ref(), Some(&self.new));
        self
    }

    fn open(&self, path: &Path, clock: Arc<FastClock>) -> Result<Compass, Error> {
        let port = self.receiver.ports[0].server.port().to_string();
        open(path, &port, self.receiver.ca.pem().as_bytes(), clock, Wrong::Nothing)
    }

    fn folder(&self) -> tempfile::TempDir {
        let folder = folder();
        for (name, content) in &self.files {
            std::fs::write(folder.path().join(name), content).expect("writes");
        }
        std::fs::write(folder.path().join("copy.db"), &self.copy).expect("writes");
        folder
    }

    fn process(&self, folder: &Path, point: &str, at: u64) -> Process {
        let at = at.to_string();
        let paths: [PathBuf; 2] = [folder.join("compass.db"), folder.join("copy.db")];
        let [path, copy] = paths.each_ref().map(|path| path.to_str().expect("UTF-8"));
        Process::run("a_process_that_restores", &[("DATABASE", path), ("COPY", copy), ("POINT", point), ("AT", &at)])
    }

    /// Kills the process when it has come to this place so often. Says whether the new file was there; none where it was not killed.
    pub fn kill(&self, place: &str, at: u64, rng: &mut Rng) -> Result<Option<bool>, String> {
        let folder = self.folder();
        let mut process = self.process(folder.path(), place, at);
        let said = process.line();
        if said.is_some() {
            return Ok(None);
        }
        drop(process);
        let path = folder.path().join("compass.db");
        // Another attempt, made at once; the file may be looked at before.
        let again = rng.chance(50);
        if again && rng.chance(50) {
            let _ = self.seen(&path)?;
        }
        if again {
            let told = code(Compass::restore(folder.path().join("copy.db"), &options(&path)));
            if told != "fine" {
                return Err(format!("made again, it says {told}"));
            }
        }
        let Some(seen) = self.seen(&path)? else {
            return if again { Err("made again, the file is damaged".into()) } else { Ok(Some(false)) };
        };
        let is_new = seen == self.new;
        if !is_new && (again || self.old.as_ref() != Some(&seen)) {
            let was = self.old.as_ref().unwrap_or(&self.new);
            return Err(format!("it is neither the old file nor the new one: {}", differences(was, &seen)));
        }
        self.deliver(&path, is_new)?;
        Ok(Some(is_new))
    }

    /// What is in the file. None where it is as damaged as it was.
    fn seen(&self, path: &Path) -> Result<Option<Facts>, String> {
        let compass = match self.open(path, Arc::new(FastClock::new(self.origin))) {
            Ok(compass) => compass,
            Err(error) if error.code() == "corrupt" && self.present == Present::Damaged => return Ok(None),
            Err(error) => return Err(format!("it does not open: {error}")),
        };
        let faults = compass.check().map_err(|error| error.to_string())?.faults;
        if !faults.is_empty() {
            return Err(format!("the check finds {faults:?}"));
        }
        let seen = facts(&compass);
        compass.close().map_err(|error| error.to_string())?;
        Ok(Some(seen))
    }

    fn deliver(&self, path: &Path, is_new: bool) -> Result<(), String> {
        {
            let mut log = self.receiver.log.lock().unwrap_or_else(PoisonError::into_inner);
            *log = Log { copies: self.log.clone(), wrong: Vec::new() };
        }
        self.receiver.is_well();
        let clock = Arc::new(FastClock::new(self.origin));
        let compass = self.open(path, clock.clone()).map_err(|error| error.to_string())?;
        for _ in 0..100 {
            compass.flush(Duration::from_secs(60), &CancelToken::new()).map_err(|error| format!("the flush: {error}"))?;
            if compass.outbox_totals().map_err(|error| error.to_string())?.pending == 0 {
                break;
            }
            clock.advance_an_hour();
        }
        let log = self.receiver.log.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = if is_new { self.accounted.clone() } else { BTreeMap::new() };
        delivered_right(&compass, path, &log, &earlier)?;
        compass.close().map_err(|error| error.to_string())
    }
}
