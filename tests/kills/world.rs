//! One database file, one to three processes that work on it, and a receiver. Each process is killed, its successor goes on; in the end
//! everything is delivered, and all is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{Clock, SystemClock};
use compass_core::{CancelToken, Compass};
use serde::Deserialize;
use tempfile::TempDir;

use super::clock::FastClock;
use super::known::{Call, Facts};
use super::receiver::{Log, MOMENTS, Receiver, Trap};
use super::rng::Rng;
use super::signals::{self, Signal};
use super::support::field::{ALL_STATES, Process, messages};
use super::worker::{ENDPOINTS, Wrong, install, open};

/// Where a process is killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At this place, when it is reached for this time.
    Named(String, u64),
    /// After so many lines that it said, and so many turns of a loop.
    Random { lines: u64, spin: u64 },
}

pub const AT_RANDOM: &str = "at random";

impl Place {
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name, _) => name,
            Self::Random { .. } => AT_RANDOM,
        }
    }
}

/// What a world came to.
#[derive(Debug, Default)]
pub struct Counts {
    /// By the name of the place: how many kills there were while a call was open.
    pub kills: BTreeMap<String, u64>,
    /// Kills between two calls, which do not count.
    pub idle: u64,
    /// Processes that did not come to their place.
    pub missed: u64,
    /// Calls that had happened although they were not acknowledged.
    pub happened: u64,
    pub acknowledged: u64,
    pub sessions: u64,
    pub messages: u64,
    pub copies: u64,
    pub unknown: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        for (name, count) in other.kills {
            *self.kills.entry(name).or_default() += count;
        }
        self.idle += other.idle;
        self.missed += other.missed;
        self.happened += other.happened;
        self.acknowledged += other.acknowledged;
        self.sessions += other.sessions;
        self.messages += other.messages;
        self.copies += other.copies;
        self.unknown += other.unknown;
    }
}

/// What was acknowledged of each session.
pub type Known = BTreeMap<SessionKey, Facts>;

pub struct World {
    folder: TempDir,
    origin: Timestamp,
    pub receiver: Receiver,
    pub wrong: Wrong,
}

/// In memory: a kill loses nothing that was written, synced or not.
pub fn folder() -> TempDir {
    let base = Path::new("/dev/shm");
    if base.is_dir() { tempfile::tempdir_in(base) } else { tempfile::tempdir() }.expect("a folder")
}

fn workflow_of(slot: usize) -> String {
    format!("visit-{slot}")
}

impl World {
    /// Without a file yet.
    pub fn empty(slots: usize, seed: u64, wrong: Wrong) -> Self {
        let world = Self { folder: folder(), origin: SystemClock::default().now(), receiver: Receiver::new(slots, seed), wrong };
        std::fs::write(world.authority(), world.receiver.ca.pem()).expect("an authority");
        world
    }

    pub fn new(slots: usize, seed: u64, wrong: Wrong) -> Self {
        let world = Self::empty(slots, seed, wrong);
        let compass = world.open(0, Arc::new(world.clock()));
        install(&compass, &(0..slots).map(workflow_of).collect::<Vec<_>>());
        compass.close().expect("closes");
        world
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("compass.db")
    }

    fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    pub fn clock(&self) -> FastClock {
        FastClock::new(self.origin)
    }

    pub fn open(&self, slot: usize, clock: Arc<FastClock>) -> Compass {
        let port = self.receiver.ports[slot].server.port().to_string();
        open(&self.path(), &port, self.receiver.ca.pem().as_bytes(), clock, Wrong::Nothing).expect("opens")
    }

    /// What every process is told.
    pub fn settings(&self, slot: usize) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE", self.path().to_str().expect("UTF-8").to_owned()),
            ("AUTHORITY", self.authority().to_str().expect("UTF-8").to_owned()),
            ("PORT", self.receiver.ports[slot].server.port().to_string()),
            ("ORIGIN", self.origin.timestamp_millis().to_string()),
        ]
    }

    /// Another process that works in this place of the world.
    pub fn process(&self, slot: usize, seed: u64, point: &str, at: u64, signal: &str) -> Process {
        let mut settings = self.settings(slot);
        settings.extend([
            ("WORKFLOW", workflow_of(slot)),
            ("SEED", seed.to_string()),
            ("POINT", point.to_owned()),
            ("AT", at.to_string()),
            ("SIGNAL", signal.to_owned()),
            ("LONG", if point == MOMENTS[1] { "yes" } else { "no" }.to_owned()),
            ("BESIDE", if point == AT_RANDOM && seed.is_multiple_of(2) { "yes" } else { "no" }.to_owned()),
            ("WRONG", format!("{:?}", self.wrong)),
        ]);
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut process = Process::run("a_process_that_works", &settings);
        assert_eq!(process.line().as_deref(), Some("works"));
        process
    }

    /// How often each place is reached by a process that nobody kills.
    pub fn places(&self, seed: u64) -> BTreeMap<String, u64> {
        let mut process = self.process(0, seed, "counted", 0, "none");
        let said: Vec<String> = std::iter::from_fn(|| process.line()).collect();
        let counted = said.iter().find_map(|line| line.strip_prefix("counted ")).expect("it counts");
        serde_json::from_str(counted).expect("JSON")
    }

    /// Kills a process at each of these places, in each slot one after the other, and compares.
    pub fn run(&self, places: &[Place], seed: u64) -> Result<Counts, String> {
        let (known, mut counts) = self.work(places, seed)?;
        self.compare_all(&known, &mut counts)?;
        Ok(counts)
    }

    /// The same up to the delivery of everything.
    pub fn work(&self, places: &[Place], seed: u64) -> Result<(Known, Counts), String> {
        let queue = Mutex::new(places.iter().cloned().zip(0_u64..).collect::<Vec<_>>());
        let slots = 0..self.receiver.ports.len();
        let results: Vec<Result<(Known, Counts), String>> = std::thread::scope(|scope| {
            let run = |slot: usize| {
                let queue = &queue;
                scope.spawn(move || {
                    let (mut known, mut counts) = (Known::new(), Counts::default());
                    loop {
                        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
                        let Some((place, number)) = next else { return Ok((known, counts)) };
                        let seed = seed.wrapping_mul(1_000).wrapping_add(number);
                        self.kill(slot, &place, seed, &mut known, &mut counts)
                            .map_err(|wrong| format!("{place:?}, seed {seed}: {wrong}"))?;
                    }
                })
            };
            let threads: Vec<_> = slots.map(run).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let (mut known, mut counts) = (Known::new(), Counts::default());
        for result in results {
            let (of_slot, count) = result?;
            known.extend(of_slot);
            counts.add(count);
        }
        self.deliver_all()?;
        Ok((known, counts))
    }

    fn kill(&self, slot: usize, place: &Place, seed: u64, known: &mut Known, counts: &mut Counts) -> Result<(), String> {
        let port = &self.receiver.ports[slot];
        let mut process = match place {
            Place::Named(name, at) => self.process(slot, seed, name, *at, "kill"),
            Place::Random { .. } => self.process(slot, seed, AT_RANDOM, 0, "kill"),
        };
        let id = process.child.id();
        let trap = |trap| *port.trap.lock().unwrap_or_else(PoisonError::into_inner) = trap;
        let (stopped, is_stopped) = std::sync::mpsc::channel();
        match (place, MOMENTS.iter().find(|moment| **moment == place.name())) {
            (Place::Named(_, at), Some(moment)) => trap(Some(Trap { moment, process: id, after: at - 1, stopped })),
            _ => drop(stopped),
        }
        let answered = *port.last_answers.lock().unwrap_or_else(PoisonError::into_inner) + 1;
        let heard = std::thread::scope(|scope| {
            scope.spawn(move || {
                if is_stopped.recv().is_ok() {
                    // The answer is written once the receiver has said goodbye.
                    port.server.wait_for_goodbyes(answered);
                    signals::send(id, Signal::Kill);
                }
            });
            let heard = listen(&mut process, place, known, counts);
            trap(None);
            heard
        })?;
        drop(process);
        // A request may be on its way after the call that began it: then an attempt was open.
        let is_open = heard.under_way.is_some() || place.name().starts_with("send: ");
        match (heard.ended, is_open) {
            (true, _) => counts.missed += 1,
            (false, true) => *counts.kills.entry(place.name().to_owned()).or_default() += 1,
            (false, false) => counts.idle += 1,
        }
        let call = heard.under_way.clone().unwrap_or(Call::Flush);
        counts.happened += u64::from(self.compare(slot, known, &call, &heard)?);
        Ok(())
    }

    /// Compares the sessions of a slot with what was acknowledged, and takes what is there as known. Says whether the call that was under way
    /// had happened without having been acknowledged.
    pub fn compare(&self, slot: usize, known: &mut Known, call: &Call, heard: &Heard) -> Result<bool, String> {
        let compass = self.open(slot, Arc::new(self.clock()));
        let mut happened = false;
        for key in sessions(&compass, &workflow_of(slot)) {
            let is_meant = match call.session() {
                Some(session) => session == key,
                None => !known.contains_key(&key),
            };
            // The others are looked at in the end.
            if !is_meant && !heard.touched.contains(&key) {
                continue;
            }
            let facts = Facts::of(&compass, key).map_err(|error| format!("{key}: {error}"))?;
            facts.check(ENDPOINTS.len())?;
            let before = known.get(&key);
            if before == Some(&facts) {
                continue;
            }
            if !is_meant || !facts.is_made_of(before, call) || heard.returned == Some(false) {
                return Err(format!("{call:?} was under way, {:?} returned: {before:?} has become {facts:?}", heard.returned));
            }
            happened = true;
            known.insert(key, facts);
        }
        if heard.returned == Some(true) && !happened && !call.is_of_none() {
            return Err(format!("{call:?} was acknowledged, and is lost"));
        }
        compass.close().expect("closes");
        Ok(happened && heard.returned.is_none())
    }

    /// The receiver is well again, and time passes.
    pub fn deliver_all(&self) -> Result<(), String> {
        self.receiver.is_well();
        let clock = Arc::new(self.clock());
        let compass = self.open(0, clock.clone());
        for _ in 0..100 {
            compass.flush(Duration::from_secs(60), &CancelToken::new()).map_err(|error| format!("the last flush: {error}"))?;
            if compass.outbox_totals().map_err(|error| error.to_string())?.pending == 0 {
                return compass.close().map_err(|error| error.to_string());
            }
            clock.advance_an_hour();
        }
        Err(format!("never delivered: {:?}", messages(&compass, &[DeliveryState::Pending])))
    }

    /// What is there is what was acknowledged, and what the receiver has.
    pub fn compare_all(&self, known: &Known, counts: &mut Counts) -> Result<(), String> {
        let compass = self.open(0, Arc::new(self.clock()));
        let mut there = BTreeSet::new();
        for slot in 0..self.receiver.ports.len() {
            for key in sessions(&compass, &workflow_of(slot)) {
                let facts = Facts::of(&compass, key).map_err(|error| format!("{key}: {error}"))?;
                facts.check(ENDPOINTS.len())?;
                if known.get(&key) != Some(&facts) {
                    return Err(format!("{key} was {:?} and is {facts:?}", known.get(&key)));
                }
                there.insert(key);
            }
        }
        if let Some(lost) = known.keys().find(|key| !there.contains(key)) {
            return Err(format!("the session {lost} is lost"));
        }
        let log = self.receiver.log.lock().unwrap_or_else(PoisonError::into_inner);
        counts.sessions += known.len() as u64;
        counts.messages += messages(&compass, &ALL_STATES).len() as u64;
        counts.copies += log.copies.values().map(|copies| copies.bodies.len() as u64).sum::<u64>();
        counts.unknown += delivered_right(&compass, &self.path(), &log, &BTreeMap::new())?;
        let faults = compass.check().map_err(|error| error.to_string())?.faults;
        compass.close().expect("closes");
        if faults.is_empty() { Ok(()) } else { Err(format!("the check finds {faults:?}")) }
    }
}

/// What the receiver has is what the file says: every message that is to be sent, under ids that the file knows, byte for byte, and no more
/// accepted copies than attempts whose outcome nobody knows, and replays, account for. Of an earlier file, what it accounts for by id. Gives the
/// number of unknown outcomes.
pub fn delivered_right(compass: &Compass, path: &Path, log: &Log, earlier: &BTreeMap<String, usize>) -> Result<u64, String> {
    if let Some(wrong) = log.wrong.first() {
        return Err(wrong.clone());
    }
    for item in messages(compass, &ALL_STATES) {
        let delivery = &item.delivery;
        let accepted = log.copies.get(&delivery.id.0).map_or(0, |copies| copies.accepted);
        let is_right = match delivery.state {
            DeliveryState::Sent => accepted > 0,
            // A newer one was made before it was sent.
            DeliveryState::Superseded => true,
            DeliveryState::Failed => delivery.reason.as_deref() == Some("abandoned"),
            DeliveryState::Pending => false,
        };
        if !is_right {
            return Err(format!("accepted {accepted} times, and {delivery:?}"));
        }
    }
    let accounted = accounted_for(path);
    for (id, copies) in &log.copies {
        // None where only an earlier file has it.
        let body = compass.delivery_body(&DeliveryId(id.clone())).unwrap_or_default();
        let first = &copies.bodies[0];
        if let Some(body) = &body
            && body.as_bytes() != first
        {
            return Err(format!("{id} came with other bytes than were frozen"));
        }
        if copies.bodies.iter().any(|other| other != first) {
            return Err(format!("{id} came with different bytes"));
        }
        let (known, before) = (accounted.get(id), earlier.get(id));
        if known.is_none() && before.is_none() {
            return Err(format!("{id} came, and nobody knows it"));
        }
        let most = known.map_or(0, |(most, _)| *most) + before.copied().unwrap_or(0);
        if copies.accepted > most {
            return Err(format!("{id} was accepted {} times, and {most} are accounted for", copies.accepted));
        }
    }
    Ok(accounted.values().map(|(_, unknown)| *unknown as u64).sum())
}

/// By id: how many accepted copies there may be, and how many unknown outcomes.
pub fn accounted_for(path: &Path) -> BTreeMap<String, (usize, usize)> {
    let sql = rusqlite::Connection::open(path).expect("opens");
    let mut rows = sql.prepare("SELECT delivery_id, unknown_outcomes FROM outbox").expect("SQL");
    let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)? as usize))).expect("rows");
    let mut accounted: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    // A replay has a row of its own.
    for (id, unknown) in rows.map(|row| row.expect("a row")) {
        let (most, all) = accounted.entry(id).or_default();
        *most += 1 + unknown;
        *all += unknown;
    }
    accounted
}

pub fn sessions(compass: &Compass, workflow: &str) -> Vec<SessionKey> {
    use SessionState::{Completed, Discarded, Ended, InProgress};
    let states = vec![InProgress, Completed, Ended, Discarded];
    let filter = SessionFilter { states, workflow: Some(workflow.to_owned()), ..SessionFilter::default() };
    let (mut found, mut page) = (Vec::new(), None);
    loop {
        let next = compass.sessions(&filter, page.as_deref(), 500).expect("a list");
        found.extend(next.sessions.iter().map(|session| session.key));
        page = next.next;
        if page.is_none() {
            return found;
        }
    }
}

/// What a process had said when it ended.
#[derive(Debug, Default)]
pub struct Heard {
    /// It came to its end.
    pub ended: bool,
    pub under_way: Option<Call>,
    /// Whether the call under way had returned; then, whether it did something.
    pub returned: Option<bool>,
    pub touched: BTreeSet<SessionKey>,
}

#[derive(Deserialize)]
struct Told {
    session: Option<SessionKey>,
    facts: Option<Facts>,
}

/// Hears a process to its end, and kills it where it is to be killed at random.
pub fn listen(process: &mut Process, place: &Place, known: &mut Known, counts: &mut Counts) -> Result<Heard, String> {
    let (mut heard, mut lines) = (Heard::default(), 0);
    while let Some(line) = process.line() {
        lines += 1;
        if let Some(call) = line.strip_prefix("calls ") {
            // What was cut off when it died was not said.
            let Ok(call) = serde_json::from_str(call) else { break };
            (heard.under_way, heard.returned) = (Some(call), None);
        } else if line == "done" || line == "nothing" {
            heard.returned = Some(line == "done");
        } else if let Some(told) = line.strip_prefix("is ") {
            let Ok(Told { session, facts }) = serde_json::from_str(told) else { break };
            counts.acknowledged += 1;
            if let (Some(session), Some(facts)) = (session, facts) {
                let call = heard.under_way.take().ok_or("what it said has no order")?;
                let before = known.get(&session);
                let is_right = if heard.returned == Some(true) { facts.is_made_of(before, &call) } else { before == Some(&facts) };
                if !is_right {
                    return Err(format!("{call:?} has made {facts:?} of {before:?}"));
                }
                heard.touched.insert(session);
                known.insert(session, facts);
            }
            (heard.under_way, heard.returned) = (None, None);
        } else if line == "ended" {
            heard.ended = true;
        }
        if let Place::Random { lines: after, spin } = place
            && lines == *after
        {
            (0..*spin).for_each(|_| std::hint::spin_loop());
            signals::send(process.child.id(), Signal::Kill);
        }
    }
    let status = process.child.wait().expect("it ends");
    if !heard.ended && status.code().is_some() {
        return Err(format!("it failed by itself: {status}, {heard:?}"));
    }
    Ok(heard)
}

/// Where to kill next.
pub fn at_random(rng: &mut Rng) -> Place {
    Place::Random { lines: rng.range(4, 90), spin: rng.below(200_000) }
}
