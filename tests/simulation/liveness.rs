//! After the faults: all is repaired for good but for one part that stays broken for good, and everything that can leave begins within the
//! bound of the contract, and is delivered; what is broken is not pressed harder than the schedule allows.

use std::collections::BTreeMap;
use std::time::Duration;

use compass_core::model::{Connectivity, NetworkPolicy};

use super::calls::Event;
use super::keystore::{Kept, SIGNING, TOKEN};
use super::perform::{endpoint, fine, online};
use super::receiver::{Dates, Mode};
use super::rows::Entry;
use super::table;
use super::world::{Cause, Check, ENDPOINTS, Link, World};

/// What stays broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// This endpoint never answers.
    Silent(&'static str),
    /// This endpoint is always busy.
    Busy(&'static str),
    /// A secret never comes.
    Secret(&'static str),
    /// The other process is stopped with what it has in flight.
    Holder,
    /// The wall clock stands still.
    Clock,
}

/// What tells the core that there may be a way again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// The app hears of another network.
    Network,
    /// The app comes to the foreground.
    Foreground,
    /// A person or a job flushes.
    Flush,
    /// A secret is there.
    Secret,
}

/// "What can leave begins within 5 s of signal in the foreground" (promise 7).
const AT_ONCE: Duration = Duration::from_secs(5);

/// The way there and back takes up to six tenths of a second, and messages go one after another at worst.
const EACH: Duration = Duration::from_millis(700);

impl World {
    pub fn file_is_taken(&self) -> bool {
        self.events.values().any(|event| matches!(event, Event::FileIsFree))
    }

    pub fn ends_well(&mut self) -> Check {
        let broken = match self.rng.below(9) {
            0 => Broken::Silent("office"),
            1 => Broken::Silent("depot"),
            2 => Broken::Busy("office"),
            3 => Broken::Secret(SIGNING),
            4 => Broken::Secret(TOKEN),
            5 | 6 if self.processes.len() > 1 => Broken::Holder,
            7 => Broken::Clock,
            _ => Broken::Nothing,
        };
        let signal = match self.rng.below(4) {
            0 | 1 => Signal::Network,
            2 => Signal::Foreground,
            _ if self.rng.chance(50) => Signal::Flush,
            _ => Signal::Secret,
        };
        self.note(format!("repaired but for {broken:?}, to be told by {signal:?}"));
        self.coverage.count("liveness", format!("{broken:?}"));
        self.repair(broken)?;
        if signal == Signal::Secret {
            self.wait_for_secrets()?;
        } else if self.rng.chance(60) {
            self.long_without_network()?;
        }
        self.fresh_messages()?;
        self.fresh_corrections()?;
        self.tell(signal)?;
        self.everything_begins(broken, signal)?;
        self.everything_arrives(broken)?;
        self.receivers_have_the_newest()
    }

    fn repair(&mut self, broken: Broken) -> Check {
        if self.file_is_taken() {
            self.sql.execute_batch("ROLLBACK").map_err(|error| error.to_string())?;
            self.events.retain(|_, event| !matches!(event, Event::FileIsFree));
        }
        self.events.retain(|_, event| !matches!(event, Event::AppHears { .. }));
        self.make_storable()?;
        (self.deaf, self.calm, self.link, self.keystore.refreshes) = (false, true, Link::Up, true);
        self.set_clock(0)?;
        let now = self.now();
        for process in &mut self.processes {
            process.was_stopped_until = process.was_stopped_until.min(now);
            process.stopped_until = None;
            process.port_calls.set_no_threads(false);
        }
        for receiver in self.receivers.values_mut() {
            (receiver.mode, receiver.dates, receiver.checks_time) = (Mode::Works, Dates::Off(0), false);
        }
        for name in [SIGNING, TOKEN] {
            self.keystore.set_right(name);
        }
        match broken {
            Broken::Silent(key) => self.receivers.get_mut(key).expect("a receiver").mode = Mode::Silent,
            Broken::Busy(key) => self.receivers.get_mut(key).expect("a receiver").mode = Mode::Status(503),
            Broken::Secret(name) => {
                self.keystore.kept.insert(name.to_owned(), Kept::Missing);
            }
            Broken::Holder => {
                // It does not go on with what it has in flight.
                for _ in 0..self.rng.below(8) {
                    self.step()?;
                }
                self.processes[1].stopped_until = Some(Duration::MAX);
            }
            Broken::Nothing | Broken::Clock => {}
        }
        if self.processes.len() > 1 && broken != Broken::Holder {
            self.kill(1)?;
        }
        // What came in while it was quiesced may disable an endpoint.
        self.perform(&super::acts::Act::TakeHold { at: 0 })?;
        self.run_dry()?;
        let compass = self.compass(0);
        for key in ENDPOINTS {
            if self.tampered_endpoints.contains_key(key) || !self.rows.endpoints.contains_key(key) {
                self.tampered_endpoints.remove(key);
                fine(compass.put_endpoint(&endpoint(key, 1_000, NetworkPolicy::Any)), &[])?;
                self.attempts.forget_pause(key);
                self.after(Cause::Act("put endpoint"))?;
            }
            if self.rows.endpoints[key].archived {
                fine(compass.put_endpoint(&endpoint(key, 1_001, NetworkPolicy::Any)), &[])?;
                self.attempts.forget_pause(key);
                self.after(Cause::Act("put endpoint"))?;
            }
        }
        self.enable_all()?;
        fine(compass.set_integration_enabled(true), &[])?;
        self.after(Cause::Act("integration"))?;
        fine(compass.secrets_changed(), &[])?;
        self.after(Cause::Act("secrets changed"))?;
        self.start(0)?;
        self.set_connectivity(0, online(50, 1, false))?;
        if broken == Broken::Clock {
            self.clock.freeze();
        }
        self.pass_some_seconds()?;
        // A 410 that was on its way before the receivers were repaired has come by now.
        self.enable_all()
    }

    fn enable_all(&mut self) -> Check {
        for key in ENDPOINTS {
            if !self.rows.endpoints[key].enabled {
                fine(self.compass(0).set_endpoint_enabled(key, true), &[])?;
                self.attempts.forget_pause(key);
                self.after(Cause::Act("enable"))?;
            }
        }
        Ok(())
    }

    /// Longer than the generation of the network rests.
    fn pass_some_seconds(&mut self) -> Check {
        let seconds = self.rng.range(3, 10);
        self.pass(Duration::from_secs(seconds))
    }

    fn start(&mut self, place: usize) -> Check {
        if !self.processes[place].has_worker() {
            fine(self.compass(place).stop_delivery(), &[])?;
            self.after(Cause::Act("stop delivery"))?;
            if let Some(Some(steps)) = fine(self.compass(place).delivery_steps(), &[])? {
                self.add_driver(place, steps, None);
            }
        }
        self.after(Cause::Act("start delivery"))
    }

    /// The link is gone and the app has not noticed, for so long that attempts have become rare.
    fn long_without_network(&mut self) -> Check {
        self.set_connectivity(0, Connectivity::Online { validated: None, metered: false, network: Some(60) })?;
        self.link = Link::Down;
        self.fresh_messages()?;
        let minutes = self.rng.range(20, 50);
        self.pass(Duration::from_secs(60 * minutes))
    }

    /// Messages wait for a secret, and it comes while it is looked for.
    fn wait_for_secrets(&mut self) -> Check {
        self.keystore.kept.insert(SIGNING.to_owned(), Kept::Missing);
        self.fresh_messages()?;
        // Until the next look at it, more or less.
        let seconds = self.rng.pick(&[2, 30, 900, 901]);
        self.pass(Duration::from_secs(seconds))
    }

    fn fresh_messages(&mut self) -> Check {
        for answer in [1, 3] {
            self.perform(&super::acts::Act::Complete { at: 0, answer })?;
        }
        Ok(())
    }

    /// Some of what is in flight or waits is sent corrected, after a few steps.
    fn fresh_corrections(&mut self) -> Check {
        for _ in 0..self.rng.below(4) {
            for _ in 0..self.rng.below(12) {
                self.step()?;
            }
            let which = self.rng.next();
            self.perform(&super::acts::Act::SendCorrected { at: 0, which })?;
        }
        Ok(())
    }

    fn tell(&mut self, signal: Signal) -> Check {
        for _ in 0..self.rng.below(5) {
            self.step()?;
        }
        match signal {
            Signal::Network => {
                self.set_connectivity(0, Connectivity::Offline)?;
                self.pass_some_seconds()?;
                self.link = Link::Up;
                self.set_connectivity(0, online(70, 1, false))?;
            }
            Signal::Foreground => {
                fine(self.compass(0).quiesce(), &[])?;
                self.processes[0].quiesced = true;
                self.after(Cause::Act("quiesce"))?;
                self.pass_some_seconds()?;
                self.link = Link::Up;
                self.foreground(0)?;
                // A hold may have been there before: what quiesced by force is resumed by a new one.
                if self.processes[0].quiesced {
                    self.perform(&super::acts::Act::TakeHold { at: 0 })?;
                }
                self.run_dry()?;
                self.start(0)?;
            }
            Signal::Flush => {
                self.link = Link::Up;
                self.flush(0, 60, false)?;
            }
            Signal::Secret => {
                self.link = Link::Up;
                self.keystore.set_right(SIGNING);
                fine(self.compass(0).secrets_changed(), &[])?;
                self.after(Cause::Act("secrets changed"))?;
            }
        }
        // As apps do after each notice.
        fine(self.compass(0).next_due(), &[])?;
        self.after(Cause::Act("look"))
    }

    /// Endpoints that are paused, and until when.
    fn pauses(&self) -> Result<BTreeMap<String, i64>, String> {
        let endpoints = fine(self.compass(0).endpoints(), &[])?.unwrap_or_default();
        Ok(endpoints.into_iter().filter_map(|status| Some((status.endpoint.key, status.paused_until?.timestamp_millis()))).collect())
    }

    /// Entries that can leave, and from when on.
    fn can_leave(&mut self, broken: Broken, signal: Signal) -> Result<BTreeMap<i64, Duration>, String> {
        let wall = self.clock.wall_ms();
        let pauses = self.pauses()?;
        let is_broken = |endpoint: &str| match broken {
            Broken::Silent(key) | Broken::Busy(key) => key == endpoint,
            Broken::Secret(SIGNING) => endpoint == "lab",
            Broken::Secret(_) => endpoint == "depot",
            _ => false,
        };
        let mut found = BTreeMap::new();
        for entry in self.rows.unsent() {
            if is_broken(&entry.endpoint) || self.tampered.contains_key(&entry.row) {
                continue;
            }
            // A secret that is there is no reason to try again what waits for a network.
            let woken = signal != Signal::Secret && entry.offline > 0 && entry.cut_short < 3;
            let due = if woken || entry.at_once || entry.due_at - wall > 25 * 3_600_000 { wall } else { entry.due_at };
            // An attempt that ends with its process was cut short, and the third in a row is spaced.
            let spaced = table::longest_after_cut_short(entry.cut_short + 1);
            let lease = if entry.state == "leased" { entry.lease_until + spaced } else { wall };
            // What this process has claimed itself ends with its attempt.
            let life = self.processes[0].life;
            let last = |other: &Entry| self.attempts.all.get(&(other.row, other.attempts));
            let is_here = |other: &Entry| last(other).is_some_and(|attempt| (attempt.place, attempt.life) == (0, life));
            let beside = self.is_beside(entry).max(self.is_beside_claimed(entry, |other| !is_here(other))).unwrap_or(wall);
            let from = [due, lease, beside, entry.in_flight_until, pauses.get(&entry.endpoint).copied().unwrap_or(wall), wall]
                .into_iter()
                .max()
                .unwrap_or(wall);
            if broken == Broken::Clock && from > wall {
                continue;
            }
            found.insert(entry.row, self.now() + Duration::from_millis((from - wall) as u64));
        }
        Ok(found)
    }

    /// From when on this endpoint has a place in flight. What was in flight when the way was repaired keeps its place until its time is up:
    /// one that stays broken may take four of the eight there are, so four calls that hang are the others; fewer delay their own alone.
    fn places_are_free(&self, key: &str, broken: Broken) -> Duration {
        let life = self.processes[0].life;
        let hanging: Vec<(&str, Duration)> =
            self.calls.values().filter(|call| (call.place, call.life) == (0, life)).map(super::calls::Call::ends_by).collect();
        let may_take = if matches!(broken, Broken::Silent(_)) { 4 } else { 0 };
        let all_taken = hanging.len() + may_take >= 8;
        hanging.into_iter().filter(|(of, _)| all_taken || *of == key).map(|(_, by)| by).max().unwrap_or_default()
    }

    fn everything_begins(&mut self, broken: Broken, signal: Signal) -> Check {
        let due = self.can_leave(broken, signal)?;
        let start = self.now();
        let free_from: BTreeMap<&str, Duration> = ENDPOINTS.into_iter().map(|key| (key, self.places_are_free(key, broken))).collect();
        let in_flight: Vec<String> = self.calls.values().map(|call| call.ends_by().0.to_owned()).collect();
        let behind = due.keys().filter_map(|row| Some((*row, self.waits_behind(&self.rows.entries[row], 0)?)));
        let behind: Vec<(i64, (i64, u32))> = behind.collect();
        let slack = AT_ONCE + EACH * due.len() as u32;
        let until = self.now() + Duration::from_secs(115) + slack;
        while self.now() < until {
            self.pass(Duration::from_secs(1))?;
            for (row, from) in &due {
                let Some(entry) = self.rows.entries.get(row) else { continue };
                let has_begun = self.has_begun(entry, start);
                let from = *from.max(&free_from[entry.endpoint.as_str()]);
                if !has_begun && self.now() > from + slack {
                    let endpoint = entry.endpoint.clone();
                    // What was in flight then may have failed since, which counts.
                    if in_flight.contains(&endpoint) && self.pauses()?.contains_key(&endpoint) {
                        continue;
                    }
                    let entry = &self.rows.entries[row];
                    return Err(format!(
                        "could leave from {from:?} on and has not begun {slack:?} later, told at {start:?}, {broken:?}: {entry:?}, wall {}",
                        self.clock.wall_ms()
                    ));
                }
            }
            for (row, earlier) in &behind {
                let (Some(entry), Some(outcome)) = (self.rows.entries.get(row), self.attempts.all[earlier].outcome) else { continue };
                let free_from = free_from[entry.endpoint.as_str()].max(outcome.at).max(start);
                if !self.has_begun(entry, start) && self.now() > free_from + slack && !self.pauses()?.contains_key(&entry.endpoint) {
                    return Err(format!(
                        "the earlier revision ended at {:?}, and {slack:?} later this has not begun: {entry:?}",
                        outcome.at
                    ));
                }
            }
        }
        for _ in behind {
            self.coverage.count("check", "a correction begins when the earlier revision has ended");
        }
        Ok(())
    }

    fn has_begun(&self, entry: &Entry, since: Duration) -> bool {
        let has_ended = matches!(entry.state.as_str(), "sent" | "failed" | "superseded");
        has_ended || self.attempts.has_begun_since(entry.row, since)
    }

    /// After all pauses and delays everything is delivered, but what is broken, which was not tried too often. By a clock that stands still no
    /// delay ends: what waits for none is delivered.
    fn everything_arrives(&mut self, broken: Broken) -> Check {
        let began = (self.now(), self.attempts.all.len());
        for _ in 0..6 {
            let due = self.can_leave(broken, Signal::Secret)?;
            let Some(last) = due.values().max() else { break };
            let wait = last.saturating_sub(self.now());
            if wait > Duration::from_secs(120) {
                // Nobody is in the foreground for so long.
                fine(self.compass(0).stop_delivery(), &[])?;
                self.after(Cause::Act("stop delivery"))?;
                self.run_dry()?;
                self.pass(wait)?;
                self.start(0)?;
            }
            self.pass(Duration::from_secs(100))?;
        }
        let left = self.can_leave(broken, Signal::Secret)?;
        if let Some(row) = left.keys().next() {
            return Err(format!("{} entries never left, {broken:?}: {:?}", left.len(), self.rows.entries[row]));
        }
        let (time, attempts) = (self.now() - began.0, self.attempts.all.len() - began.1);
        let waiting = self.rows.unsent().count() as u64;
        let most = 60 + waiting * 6 + time.as_secs() / 60;
        if attempts as u64 > most {
            return Err(format!("{attempts} attempts in {time:?}, {broken:?}"));
        }
        Ok(())
    }
}
