//! The world: processes with the core in them, one device with its clocks, a network, receivers, and time that passes only when nothing is
//! left to do at this moment. All on one thread; the seed decides what comes next.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use compass_core::model::Connectivity;
use compass_core::testing::{BlockingAnswer, DeliverySteps, Reply, StepOutcome};
use compass_core::{CancelToken, Compass, Hold, Options};
use tempfile::TempDir;

use super::attempts::Attempts;
use super::calls::{Call, Event};
use super::clock::SimClock;
use super::corrections::Corrections;
use super::coverage::Coverage;
use super::keystore::Keystore;
use super::numbers::Numbers;
use super::port_calls::PortCalls;
use super::random::{CoreRandom, Rng};
use super::receiver::Receiver;
use super::rows::Rows;
use super::trace::Trace;

/// Nothing, or what is wrong.
pub type Check = Result<(), String>;

/// Endpoints, by key. `late` is registered by an act, if at all.
pub const ENDPOINTS: [&str; 4] = ["office", "lab", "depot", "late"];

/// Steps without time passing after which delivery runs in circles.
const CIRCLE: u32 = 3_000;

/// What the link of the device really is, no matter what the app says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Up,
    Down,
    /// Something in between answers.
    Portal,
}

/// A process with the core in it.
pub struct Process {
    pub compass: Option<Compass>,
    pub port_calls: Arc<PortCalls>,
    pub holds: Vec<Hold>,
    pub drivers: Vec<Driver>,
    pub quiesced: bool,
    pub connectivity: Connectivity,
    /// When the generation of the network surely rose, by ticks, and when the app said anything of it.
    pub rose: Vec<u64>,
    pub heard_at: Vec<Duration>,
    pub rose_at: Option<Duration>,
    /// When an HTTP answer came.
    pub answered_at: Option<Duration>,
    /// Stopped, as by SIGSTOP, until then.
    pub stopped_until: Option<Duration>,
    pub was_stopped_until: Duration,
    /// When there was last a reason to try again what waits for a network.
    pub woken_at: Duration,
    /// Counts processes of this place.
    pub life: u64,
}

/// A flush or a worker on its way.
pub struct Driver {
    pub steps: DeliverySteps,
    pub flush: Option<Flush>,
    wait: Option<Option<Duration>>,
    number: u64,
}

pub struct Flush {
    pub deadline: Duration,
    pub cancel: CancelToken,
    pub urgent: bool,
}

/// What makes a change of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A step of delivery in this process.
    Step(usize),
    /// Somebody's act, by this name.
    Act(&'static str),
}

pub struct World {
    pub rng: Rng,
    pub trace: Trace,
    pub coverage: Coverage,
    pub clock: Arc<SimClock>,
    pub sql: rusqlite::Connection,
    pub processes: Vec<Process>,
    pub events: BTreeMap<(Duration, u64), Event>,
    pub calls: BTreeMap<u64, Call>,
    pub receivers: BTreeMap<String, Receiver>,
    pub keystore: Keystore,
    pub link: Link,
    /// A transport that does not hear `cancel`.
    pub deaf: bool,
    /// Nothing is slow without a reason any more.
    pub calm: bool,
    /// When somebody last changed what claimed entries must obey.
    pub configured_at: Duration,
    /// When the app last said that secrets have changed, by ticks.
    pub secrets_changed: u64,
    pub rows: Rows,
    pub attempts: Attempts,
    pub corrections: Corrections,
    pub numbers_given: Numbers,
    /// Entries and endpoints that were changed from outside, and results that cannot be stored.
    pub tampered: BTreeMap<i64, &'static str>,
    pub tampered_endpoints: BTreeMap<String, ()>,
    /// Counts everything that happens.
    pub tick: u64,
    /// When the wall clock was set last.
    pub clock_set: u64,
    pub commands: u64,
    pub steps: u64,
    /// Nothing ends in this step that would call requests off.
    pub goes_on: bool,
    shows_steps: bool,
    /// Steps since anything changed or was begun, and since when.
    idle_steps: u32,
    idle_since: Duration,
    numbers: u64,
    random: Arc<CoreRandom>,
    folder: TempDir,
}

impl World {
    pub fn new(seed: u64, two: bool, print: bool) -> Self {
        let base = std::path::Path::new("/dev/shm");
        let folder = if base.is_dir() { tempfile::tempdir_in(base) } else { tempfile::tempdir() }.expect("a folder");
        let clock = Arc::new(SimClock::new());
        let path = folder.path().join("compass.db");
        let random = Arc::new(CoreRandom::new(seed ^ 0x5eed));
        let first = Compass::open(options(&path, &clock, &random, &Arc::new(PortCalls::default()))).expect("opens");
        first.close().expect("closes");
        let sql = open_sql(&path);
        let mut world = Self {
            rng: Rng::new(seed),
            trace: Trace::new(print),
            coverage: Coverage::default(),
            clock,
            sql,
            processes: Vec::new(),
            events: BTreeMap::new(),
            calls: BTreeMap::new(),
            receivers: ENDPOINTS.iter().map(|key| ((*key).to_owned(), Receiver::new())).collect(),
            keystore: Keystore::new(),
            link: Link::Up,
            deaf: false,
            calm: false,
            configured_at: Duration::ZERO,
            secrets_changed: 0,
            rows: Rows::default(),
            attempts: Attempts::default(),
            corrections: Corrections::default(),
            numbers_given: Numbers::default(),
            tampered: BTreeMap::new(),
            tampered_endpoints: BTreeMap::new(),
            tick: 0,
            clock_set: 0,
            commands: 0,
            steps: 0,
            goes_on: false,
            shows_steps: print && std::env::var("STEPS").is_ok(),
            idle_steps: 0,
            idle_since: Duration::ZERO,
            numbers: 0,
            random,
            folder,
        };
        for place in 0..if two { 2 } else { 1 } {
            world.processes.push(Process::new());
            world.open(place);
        }
        world
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("compass.db")
    }

    /// The world does not look at the file for a while.
    pub fn close_sql(&mut self) {
        self.sql = rusqlite::Connection::open_in_memory().expect("opens");
    }

    pub fn open_sql(&mut self) {
        self.sql = open_sql(&self.path());
        // Counted by connection.
        self.rows.version = -1;
    }

    pub fn now(&self) -> Duration {
        self.clock.world()
    }

    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub fn note(&mut self, line: impl AsRef<str>) {
        let now = self.now();
        self.trace.line(format!("{:>12.3} {}", now.as_secs_f64(), line.as_ref()));
    }

    /// The core of a process; every process has one between two acts.
    pub fn compass(&self, place: usize) -> Compass {
        self.processes[place].compass.clone().expect("a process with the core in it")
    }

    /// A process begins.
    pub fn open(&mut self, place: usize) {
        let process = &mut self.processes[place];
        let life = process.life + 1;
        *process = Process { life, ..Process::new() };
        let mut options = options(&self.folder.path().join("compass.db"), &self.clock, &self.random, &process.port_calls);
        if place > 0 {
            options = options.as_other_process();
        }
        process.compass = Some(Compass::open(options).expect("opens"));
    }

    /// The core has answered all that it was asked: looks at the file and at what the core asked for in turn.
    pub fn after(&mut self, cause: Cause) -> Check {
        self.tick += 1;
        if cause == Cause::Act("secrets changed") {
            self.secrets_changed = self.tick;
        }
        if let Cause::Act(
            "secrets changed" | "put endpoint" | "enable" | "disable" | "archive" | "integration" | "abandon" | "redact" | "send corrected",
        ) = cause
        {
            self.configured_at = self.now();
        }
        if let Cause::Act("flush" | "network" | "send" | "send again" | "send corrected" | "resume" | "foreground") = cause {
            let now = self.now();
            self.processes.iter_mut().for_each(|process| process.woken_at = now);
        }
        let version = Rows::version(&self.sql);
        if version != self.rows.version || matches!(cause, Cause::Act(_)) {
            self.is_busy();
        }
        if version != self.rows.version {
            let before = std::mem::take(&mut self.rows);
            self.rows = Rows::read(&self.sql);
            self.check_changes(&before, cause)?;
            self.check_numbers()?;
        }
        for place in 0..self.processes.len() {
            let asked = self.processes[place].port_calls.take();
            for (id, reply) in asked.cancels {
                self.cancel_request(place, id)?;
                self.has_done(place, reply);
            }
            for reply in asked.renewals {
                self.note(format!("process {place} renews its transport"));
                self.has_done(place, reply);
                if matches!(cause, Cause::Step(_)) {
                    // A change that had come too soon counts now.
                    self.processes[place].rose_at = Some(self.now());
                }
            }
            for (call, reply) in asked.calls {
                self.is_busy();
                self.begin_call(place, call, reply)?;
            }
        }
        Ok(())
    }

    /// Something changed or was begun.
    pub fn is_busy(&mut self) {
        (self.idle_steps, self.idle_since) = (0, self.now());
    }

    /// While nothing happens, nobody looks more than now and then.
    fn check_idle(&mut self) -> Check {
        self.idle_steps += 1;
        let time = self.now().saturating_sub(self.idle_since).as_secs();
        if self.idle_steps > 300 && !self.clock.is_frozen() && u64::from(self.idle_steps) > time / 4 {
            return Err(format!("{} steps in {time} s, in which nothing was begun or changed", self.idle_steps));
        }
        Ok(())
    }

    pub fn add_driver(&mut self, place: usize, steps: DeliverySteps, flush: Option<Flush>) {
        let number = self.number();
        self.processes[place].drivers.push(Driver { steps, flush, wait: None, number });
    }

    pub fn is_stopped(&self, place: usize) -> bool {
        self.processes[place].stopped_until.is_some_and(|until| until > self.now())
    }

    /// Flushes and workers that have something to do now.
    fn runnable(&self) -> Vec<(usize, usize)> {
        let now = self.now();
        let mut found = Vec::new();
        for (place, process) in self.processes.iter().enumerate() {
            if self.is_stopped(place) {
                continue;
            }
            for (index, driver) in process.drivers.iter().enumerate() {
                let rests = driver.wait.is_some_and(|until| until.is_none_or(|until| until > now) && !driver.steps.is_woken());
                if !rests {
                    found.push((place, index));
                }
            }
        }
        found
    }

    /// One of them takes a step. False when all rest.
    pub fn step(&mut self) -> Result<bool, String> {
        let runnable = self.runnable();
        if runnable.is_empty() {
            return Ok(false);
        }
        let (place, index) = self.rng.pick(&runnable);
        self.steps += 1;
        let was_quiesced = self.processes[place].quiesced;
        let now = self.now();
        let driver = &mut self.processes[place].drivers[index];
        let number = driver.number;
        let mut ended = None;
        let outcome = driver.steps.step();
        if self.shows_steps {
            println!("    driver {number} of process {place}: {outcome:?}");
        }
        match outcome {
            StepOutcome::Again => driver.wait = None,
            StepOutcome::Wait { until } => driver.wait = Some(until),
            StepOutcome::Done(report) => {
                let flush = self.processes[place].drivers.remove(index).flush;
                ended = Some((flush, report));
            }
        }
        let before = self.rows.version;
        self.goes_on = ended.is_none() && !was_quiesced;
        let checked = self.after(Cause::Step(place));
        self.goes_on = false;
        checked?;
        self.check_idle()?;
        if was_quiesced && self.rows.version != before {
            return Err(format!("process {place} wrote after it was quiesced"));
        }
        if let Some((flush, report)) = ended {
            self.note(format!("driver {number} of process {place} ends: {}", report_text(&report)));
            if let Some(Ok(report)) = &report {
                self.coverage.count("flush", format!("{:?}", report.end));
            }
            let was_stopped = |deadline| self.processes[place].was_stopped_until >= deadline;
            if let Some(Flush { deadline, .. }) = flush
                && now > deadline
                && !was_stopped(deadline)
            {
                return Err(format!("a flush ended {:?} after its deadline", now.saturating_sub(deadline)));
            }
        }
        Ok(true)
    }

    /// Everything that can be done now is done.
    pub fn run_dry(&mut self) -> Check {
        for _ in 0..CIRCLE {
            if !self.step()? {
                return Ok(());
            }
        }
        Err(format!("delivery goes round in circles: {CIRCLE} steps and no time has passed"))
    }

    /// Time passes, with all that happens in it.
    pub fn pass(&mut self, time: Duration) -> Check {
        let target = self.now() + time;
        loop {
            self.run_dry()?;
            let next = self.next_moment().filter(|next| *next <= target);
            let Some(next) = next else {
                self.clock.set_world(target);
                return self.run_dry();
            };
            self.clock.set_world(next.max(self.now()));
            while let Some((key, _)) = self.events.first_key_value()
                && key.0 <= self.now()
            {
                let (_, event) = self.events.pop_first().expect("an event");
                self.happens(event)?;
                // Sometimes several things happen before anybody looks.
                if self.rng.chance(60) {
                    self.run_dry()?;
                }
            }
        }
    }

    fn next_moment(&self) -> Option<Duration> {
        let event = self.events.first_key_value().map(|(key, _)| key.0);
        let stops = self.processes.iter().filter_map(|process| process.stopped_until).filter(|until| *until > self.now());
        let running = self.processes.iter().enumerate().filter(|(place, _)| !self.is_stopped(*place));
        let waits = running.flat_map(|(_, process)| &process.drivers).filter_map(|driver| driver.wait.flatten());
        event.into_iter().chain(waits).chain(stops).min()
    }

    pub fn schedule(&mut self, after: Duration, event: Event) {
        let key = (self.now() + after, self.number());
        self.events.insert(key, event);
    }

    /// A transport was asked to cancel, or was renewed. One that is deaf takes much longer than anybody waits for it.
    fn has_done(&mut self, place: usize, reply: Reply) {
        if self.deaf {
            let life = self.processes[place].life;
            self.schedule(Duration::from_secs(90), Event::Done { place, life, reply });
        } else {
            self.reply(Some(reply), BlockingAnswer::Done);
        }
    }

    /// The process gets an answer to a call, unless it has ended.
    pub fn reply(&mut self, reply: Option<Reply>, answer: BlockingAnswer) {
        if let Some(follow_up) = reply.and_then(|reply| reply(answer)) {
            follow_up();
        }
    }
}

impl Process {
    fn new() -> Self {
        Self {
            compass: None,
            port_calls: Arc::new(PortCalls::default()),
            holds: Vec::new(),
            drivers: Vec::new(),
            quiesced: false,
            connectivity: Connectivity::Unknown,
            rose: Vec::new(),
            heard_at: Vec::new(),
            rose_at: None,
            answered_at: None,
            stopped_until: None,
            was_stopped_until: Duration::ZERO,
            woken_at: Duration::ZERO,
            life: 0,
        }
    }

    pub fn has_urgent_flush(&self) -> bool {
        self.drivers.iter().any(|driver| driver.flush.as_ref().is_some_and(|flush| flush.urgent))
    }

    pub fn has_worker(&self) -> bool {
        self.drivers.iter().any(|driver| driver.flush.is_none())
    }
}

fn open_sql(path: &std::path::Path) -> rusqlite::Connection {
    let sql = rusqlite::Connection::open(path).expect("opens");
    sql.busy_timeout(Duration::ZERO).expect("does not wait");
    sql
}

fn options(path: &std::path::Path, clock: &Arc<SimClock>, random: &Arc<CoreRandom>, port_calls: &Arc<PortCalls>) -> Options {
    let mut options =
        Options::new(path).clock(Arc::clone(clock) as _).transport(Arc::clone(port_calls) as _).blocking(Arc::clone(port_calls) as _);
    options.random = Arc::clone(random) as _;
    options.secrets = Arc::clone(port_calls) as _;
    options
}

fn report_text(report: &Option<Result<compass_core::model::FlushReport, compass_core::Error>>) -> String {
    match report {
        None => "stopped".to_owned(),
        Some(Ok(report)) => format!("{report:?}"),
        Some(Err(error)) => format!("error {}", error.code()),
    }
}
