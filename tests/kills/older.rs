//! A process of the first schema's build beside the present one, on one file: the present one updates the file while the older has it open, and
//! both go on. The older build is made from the history of the repository, once, in target/older.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use compass_core::Compass;
use compass_core::model::*;
use serde::Deserialize;

use super::known::{Call, Facts};
use super::rng::Rng;
use super::signals::{self, Signal};
use super::support::field::{Process, SECRET, SECRET_NAME, flush};
use super::worker::{Wrong, workflow};
use super::world::{Counts, Known, World};

const COMMIT: &str = "8adce62";
const WORKFLOW: &str = "visit-0";

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Builds the older process. None where the history is not there.
pub fn build() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let git = || {
        let mut git = Command::new("git");
        git.current_dir(root);
        git
    };
    run(git().args(["cat-file", "-e", &format!("{COMMIT}^{{commit}}")])).ok()?;
    let (source, target) = (root.join("target/older/source"), root.join("target/older/target"));
    if !source.join("Cargo.toml").exists() {
        std::fs::create_dir_all(&source).unwrap();
        let mut archive = git().args(["archive", COMMIT]).stdout(Stdio::piped()).spawn().unwrap();
        run(Command::new("tar").arg("-x").arg("-C").arg(&source).stdin(archive.stdout.take().unwrap())).unwrap();
        assert!(archive.wait().unwrap().success());
    }
    for (name, content) in [("beside/main.rs", include_str!("older/beside.rs")), ("clock.rs", include_str!("clock.rs"))] {
        let path = source.join("examples").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if std::fs::read_to_string(&path).ok().as_deref() != Some(content) {
            std::fs::write(path, content).unwrap();
        }
    }
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    // SQLite is built as it was then.
    cargo.current_dir(&source).env("CARGO_TARGET_DIR", &target).env_remove("LIBSQLITE3_FLAGS");
    run(cargo.args(["build", "--locked", "--quiet", "--example", "beside"])).unwrap();
    Some(target.join("debug/examples/beside"))
}

#[derive(Deserialize)]
struct Told {
    session: SessionKey,
    facts: Facts,
}

#[derive(Deserialize)]
struct Unseen {
    session: SessionKey,
    call: String,
}

/// What the older process did and could not do.
#[derive(Debug, Default, Clone, Copy)]
pub struct CallCounts {
    pub made: u64,
    pub refused: u64,
}

struct Older {
    process: Process,
    known: Known,
    /// What it acknowledged and could not see afterwards.
    unseen: Vec<(SessionKey, String)>,
    calls: CallCounts,
}

impl Older {
    fn new(program: &Path, world: &World) -> Self {
        let document = world.folder().join("visit.json");
        std::fs::write(&document, workflow(WORKFLOW)).unwrap();
        let mut settings = world.settings(0);
        settings.push(("DOCUMENT", document.to_str().unwrap().to_owned()));
        settings.extend([("SECRET", SECRET.to_owned()), ("SECRET_NAME", SECRET_NAME.to_owned())]);
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let process = Process::run_by(Command::new(program), "-", &settings);
        Self { process, known: Known::new(), unseen: Vec::new(), calls: CallCounts::default() }
    }

    /// Has it do something. Gives the codes of the errors.
    fn tell(&mut self, line: &str) -> Result<Vec<String>, String> {
        writeln!(self.process.child.stdin.as_mut().unwrap(), "{line}").map_err(|error| format!("{line}: {error}"))?;
        let mut refused = Vec::new();
        loop {
            let said = self.process.line().ok_or_else(|| format!("{line}: it has ended"))?;
            if said == "next" {
                return Ok(refused);
            } else if let Some(told) = said.strip_prefix("did ") {
                let told: Told = serde_json::from_str(told).map_err(|error| format!("{told}: {error}"))?;
                self.known.insert(told.session, told.facts);
                self.calls.made += 1;
            } else if let Some(told) = said.strip_prefix("unseen ") {
                let told: Unseen = serde_json::from_str(told).map_err(|error| format!("{told}: {error}"))?;
                self.unseen.push((told.session, told.call));
                self.calls.made += 1;
            } else if let Some(told) = said.strip_prefix("refused ") {
                refused.push(told.rsplit(' ').next().unwrap_or_default().to_owned());
                self.calls.refused += 1;
            } else {
                self.calls.made += 1;
            }
        }
    }

    fn begun(&self) -> Option<SessionKey> {
        self.known.iter().find(|(_, facts)| facts.state == SessionState::InProgress).map(|(key, _)| *key)
    }
}

fn fine(refused: Vec<String>) -> Result<(), String> {
    if refused.is_empty() { Ok(()) } else { Err(format!("before the update the older build says {refused:?}")) }
}

/// The present process works: one session from its start to its messages.
fn a_session(compass: &Compass, id: &str, known: &mut Known) -> Result<(), String> {
    let wrong = |error: compass_core::Error| format!("the present build says {error}");
    let view = compass.start(&Start::new(WORKFLOW, id)).map_err(wrong)?.view;
    compass.set_field(view.key, "reading", FieldValue::Text(id.to_owned())).map_err(wrong)?;
    compass.complete(view.key, view.visit).map_err(wrong)?;
    known.insert(view.key, Facts::of(compass, view.key).map_err(wrong)?);
    Ok(())
}

/// One file from the older build to the present one. Gives what the older process did after the update.
pub fn beside(program: &Path, seed: u64) -> Result<(CallCounts, Counts), String> {
    let (mut rng, world) = (Rng::new(seed), World::empty(1, seed, Wrong::Nothing));
    let mut older = Older::new(program, &world);
    for line in ["open", "install", "session a", "session b", "begin c"] {
        fine(older.tell(line)?)?;
    }
    if rng.chance(50) {
        fine(older.tell("flush")?)?;
    }
    if rng.chance(50) {
        fine(older.tell("deliver")?)?;
    }
    let before = older.calls;

    let compass = world.open(0, Arc::new(world.clock()));
    let mut known = Known::new();
    compass.totals().map_err(|error| format!("the update: {error}"))?;
    for (key, facts) in &older.known {
        let now = Facts::of(&compass, *key).map_err(|error| error.to_string())?;
        if now != *facts {
            return Err(format!("the update has made {now:?} of {facts:?}"));
        }
    }
    // Both at the same time.
    let begun = older.begun().ok_or("a session has begun")?;
    let mut lines = [
        "session d".to_owned(),
        "flush".to_owned(),
        "begin e".to_owned(),
        "purge".to_owned(),
        format!("set {} later", serde_json::to_value(begun).unwrap().as_str().unwrap()),
        format!("complete {}", serde_json::to_value(begun).unwrap().as_str().unwrap()),
    ];
    lines.sort_by_cached_key(|_| rng.next());
    std::thread::scope(|scope| {
        let present = scope.spawn(|| {
            for number in 0..6 {
                a_session(&compass, &format!("present {number}"), &mut known)?;
                flush(&compass);
            }
            Ok::<_, String>(())
        });
        let told = lines.iter().try_for_each(|line| older.tell(line).map(drop));
        present.join().expect("no panic").and(told)
    })?;
    if rng.chance(50) {
        let _ = older.tell("close")?;
        let refused = older.tell("open")?;
        if refused != ["newer_schema"] {
            return Err(format!("opened again, the older build says {refused:?}"));
        }
    }
    signals::send(older.process.child.id(), Signal::Kill);

    // What it acknowledged after the update counts, too.
    for (session, call) in &older.unseen {
        let now = Facts::of(&compass, *session).map_err(|error| format!("{call}, acknowledged by the older build: {error}"))?;
        let call = match call.as_str() {
            "start" => Call::Start { workflow: WORKFLOW.into(), id: String::new() },
            "set" => Call::Set { session: *session, value: now.reading.clone().unwrap_or_default() },
            "note" => Call::Note { session: *session, text: "A dog".into() },
            _ => Call::Complete { session: *session },
        };
        if !now.is_made_of(older.known.get(session), &call) {
            return Err(format!("{call:?}, acknowledged by the older build, has made {now:?}"));
        }
        older.known.insert(*session, now);
    }
    known.append(&mut older.known);
    compass.close().map_err(|error| error.to_string())?;
    let mut counts = Counts::default();
    world.deliver_all()?;
    world.compare_all(&known, &mut counts)?;
    let CallCounts { made, refused } = older.calls;
    Ok((CallCounts { made: made - before.made, refused: refused - before.refused }, counts))
}
