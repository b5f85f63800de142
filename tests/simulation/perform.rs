//! What each act does in the world as it stands.

use std::time::Duration;

use compass_core::model::*;
use compass_core::{CancelToken, Error};
use serde_json::json;

use super::acts::Act;
use super::calls::Event;
use super::confidential::tells_nothing;
use super::keystore::{Kept, SIGNING, TOKEN};
use super::receiver::Mode;
use super::world::{Cause, Check, ENDPOINTS, Flush, Link, World};

/// So many entries wait at most, so that a world stays quick.
pub const MOST_WAITING: usize = 30;

impl World {
    /// The phone as it is after the app was installed and set up.
    pub fn set_up(&mut self) -> Check {
        let compass = self.compass(0);
        compass.import_workflow(&workflow()).map_err(text)?;
        compass.set_integration_enabled(true).map_err(text)?;
        for key in &ENDPOINTS[..3] {
            compass.put_endpoint(&endpoint(key, 0, NetworkPolicy::Any)).map_err(text)?;
        }
        self.after(Cause::Act("set up"))
    }

    pub fn command(&mut self) -> String {
        self.commands += 1;
        format!("command-{}", self.commands)
    }

    pub fn place(&self, at: u64) -> usize {
        at as usize % self.processes.len()
    }

    pub fn key(which: u64) -> &'static str {
        ENDPOINTS[(which % 4) as usize]
    }

    /// One of the entries that a test holds of.
    pub fn one(&self, which: u64, is: impl Fn(&super::rows::Entry) -> bool) -> Option<super::rows::Entry> {
        let found: Vec<_> =
            self.rows.entries.values().filter(|entry| is(entry) && entry.revision == entry.newest && entry.replay == 0).collect();
        if found.is_empty() { None } else { Some(found[which as usize % found.len()].clone()) }
    }

    pub fn session_of(&self, session: i64) -> SessionKey {
        let bytes: Vec<u8> = self.sql.query_row("SELECT key FROM session WHERE id = ?1", [session], |row| row.get(0)).expect("a session");
        let mut key = [0; 16];
        key.copy_from_slice(&bytes);
        SessionKey(uuid::Uuid::from_bytes(key))
    }

    /// Carries an act out.
    pub fn perform(&mut self, act: &Act) -> Check {
        self.note(format!("act {act:?}"));
        let is_taken = self.events.values().any(|event| matches!(event, Event::FileIsFree));
        if is_taken && !act.leaves_the_file_alone() {
            // Calls of an app would wait for the file in real time.
            return Ok(());
        }
        self.coverage.count("act", act.kind());
        match *act {
            Act::Complete { at, answer } => self.complete(at, answer),
            Act::CompleteTooLarge { at } => self.complete_too_large(at),
            Act::EndSession { at } => self.end_session(at),
            Act::Edit { at, which } => self.edit(at, which),
            Act::SendNotFired { at, which } => self.send_not_fired(at, which),
            Act::SendFailed { at, which } => self.send(at, which, "failed"),
            Act::SendPending { at, which } => self.send(at, which, "queued"),
            Act::SendCorrected { at, which } => self.send_corrected(at, which),
            Act::Replay { at, which } => self.replay(at, which),
            Act::SendFailedAgain { at } => {
                let place = self.place(at);
                fine(self.compass(place).send_failed_again(Some("Ada")), &[])?;
                self.after(Cause::Act("send again"))
            }
            Act::Abandon { at, which } => self.abandon(at, which),
            Act::Redact { at, which } => self.redact(at, which),
            Act::Repeat { at, which } => self.repeat(at, which),
            Act::Purge { at, days } => {
                let place = self.place(at);
                fine(self.compass(place).purge(Duration::from_secs(days * 86_400)), &[])?;
                self.after(Cause::Act("purge"))
            }
            Act::Delete { at, which } => {
                let Some(entry) = self.one(which, |_| true) else { return Ok(()) };
                let (place, session) = (self.place(at), self.session_of(entry.session));
                fine(self.compass(place).delete(session), &["undelivered"])?;
                self.after(Cause::Act("delete"))
            }
            Act::Foreground { at } => self.foreground(at),
            Act::Background { at } => self.background(at),
            Act::TakeHold { at } => self.take_hold(at, "resume"),
            Act::DropHold { at } => self.drop_hold(at),
            Act::Quiesce { at } => {
                let place = self.place(at);
                // SQLite closes no descriptor while another connection of this process has a lock on the file.
                let is_alone = self.processes.len() == 1;
                if is_alone {
                    self.close_sql();
                }
                fine(self.compass(place).quiesce(), &[])?;
                self.processes[place].quiesced = true;
                if is_alone {
                    self.coverage.count("check", "no file is open after quiesce");
                    let open = self.open_files();
                    self.open_sql();
                    if open > 0 {
                        return Err(format!("{open} descriptors are open after quiesce"));
                    }
                }
                self.after(Cause::Act("quiesce"))
            }
            Act::StartDelivery { at } => self.start_delivery(at),
            Act::StopDelivery { at } => {
                let place = self.place(at);
                fine(self.compass(place).stop_delivery(), &[])?;
                self.after(Cause::Act("stop delivery"))
            }
            Act::Flush { at, seconds } => self.flush(at, seconds, false),
            Act::FlushUrgent { at, seconds } => self.flush(at, seconds, true),
            Act::CancelFlush { at } => {
                let place = self.place(at);
                if let Some(flush) = self.processes[place].drivers.iter().find_map(|driver| driver.flush.as_ref()) {
                    flush.cancel.cancel();
                }
                self.after(Cause::Act("cancel flush"))
            }
            Act::Offline { at } => self.set_connectivity(self.place(at), Connectivity::Offline),
            Act::Online { at, network, validated, metered } => self.set_connectivity(self.place(at), online(network, validated, metered)),
            Act::Unknown { at } => self.set_connectivity(self.place(at), Connectivity::Unknown),
            Act::Flap { at, times } => {
                for time in 0..times {
                    let connectivity = if time % 2 == 0 { Connectivity::Offline } else { online(1 + time % 3, 1, false) };
                    self.set_connectivity(self.place(at), connectivity)?;
                    self.pass(Duration::from_millis(100))?;
                }
                self.set_connectivity(self.place(at), online(1, 1, false))
            }
            Act::PutSame { at, which } => self.put(at, Self::key(which), false, None),
            Act::Move { at, which } => self.put(at, Self::key(which), true, None),
            Act::ChangePolicy { at, which } => {
                let policy = if which & 64 == 0 { NetworkPolicy::Unmetered } else { NetworkPolicy::Any };
                self.put(at, Self::key(which), false, Some(policy))
            }
            Act::Register { at } => self.put(at, "late", false, None),
            Act::Disable { at, which } => self.enable(at, which, false),
            Act::Enable { at, which } => self.enable(at, which, true),
            Act::Archive { at, which } => {
                let place = self.place(at);
                fine(self.compass(place).archive_endpoint(Self::key(which)), &["unknown_endpoint", "corrupt"])?;
                self.after(Cause::Act("archive"))
            }
            Act::IntegrationOff { at } => self.integration(at, false),
            Act::IntegrationOn { at } => self.integration(at, true),
            Act::SecretsChanged { at } => {
                let place = self.place(at);
                fine(self.compass(place).secrets_changed(), &[])?;
                self.after(Cause::Act("secrets changed"))
            }
            Act::Refresh { at } => {
                fine(self.compass(self.place(at)).refresh(), &[])?;
                self.after(Cause::Act("look"))
            }
            Act::NextDue { at } => {
                fine(self.compass(self.place(at)).next_due(), &[])?;
                self.after(Cause::Act("look"))
            }
            Act::Look { at } => self.agrees(self.place(at)),
            Act::Check { at } => self.check_file(self.place(at)),
            Act::Close { at } => self.close(at),
            Act::Kill { at } => self.kill(self.place(at)),
            Act::Stop { at, seconds } => {
                let (place, now) = (self.place(at), self.now());
                if self.processes.len() > 1 {
                    let until = now + Duration::from_secs(seconds);
                    self.processes[place].stopped_until = Some(until);
                    self.processes[place].was_stopped_until = until;
                }
                Ok(())
            }
            Act::Link { up, app_hears } => self.change_link(up, app_hears),
            Act::Receiver { which, mode } => {
                self.receiver(which).mode = mode;
                Ok(())
            }
            Act::Dates { which, dates, checks_time } => {
                let receiver = self.receiver(which);
                (receiver.dates, receiver.checks_time) = (dates, checks_time);
                Ok(())
            }
            Act::SecretRight { which } => {
                self.keystore.set_right(secret(which));
                Ok(())
            }
            Act::SecretWrong { which } => {
                let wrong = if secret(which) == SIGNING { "whsec_mistyped" } else { "Bearer \u{fc}" };
                self.keystore.set(secret(which), wrong.to_owned());
                Ok(())
            }
            Act::SecretMissing { which } => self.keep(which, Kept::Missing),
            Act::SecretUnavailable { which } => self.keep(which, Kept::Unavailable),
            Act::SecretHangs { which } => self.keep(which, Kept::Hangs),
            Act::SecretRotates { which } => {
                *self.keystore.versions.entry(secret(which).to_owned()).or_default() += 1;
                Ok(())
            }
            Act::Refreshes { yes } => {
                self.keystore.refreshes = yes;
                Ok(())
            }
            Act::ClockSkew { seconds } => self.set_clock(seconds * 1000),
            Act::ClockJump { years } => self.set_clock(years * 365 * 86_400_000),
            Act::Clock1970 => self.set_clock(-self.clock.truth().timestamp_millis() + 5_000),
            Act::ClockRight => self.set_clock(0),
            Act::Deaf { yes } => {
                self.deaf = yes;
                Ok(())
            }
            Act::NoThreads { at, yes } => {
                self.processes[self.place(at)].port_calls.set_no_threads(yes);
                Ok(())
            }
            Act::CorruptEntry { which } => self.corrupt_entry(which),
            Act::CorruptBody { which } => self.corrupt_body(which),
            Act::CorruptEndpoint { which } => self.corrupt_endpoint(Self::key(which)),
            Act::RepairEndpoint { at, which } => {
                if self.tampered_endpoints.remove(Self::key(which)).is_none() {
                    return Ok(());
                }
                self.put(at, Self::key(which), true, None)
            }
            Act::Unstorable { which } => self.make_unstorable(which),
            Act::Storable => self.make_storable(),
            Act::Weeks { which } => self.weeks(which),
            Act::Expired { at } => self.expired(at),
            Act::FileTaken { ms } => self.take_file(ms),
            Act::Steps { count } => {
                for _ in 0..count {
                    if !self.step()? {
                        break;
                    }
                }
                Ok(())
            }
            Act::Pass { ms } => self.pass(Duration::from_millis(ms)),
        }
    }

    fn receiver(&mut self, which: u64) -> &mut super::receiver::Receiver {
        self.receivers.get_mut(Self::key(which)).expect("a receiver")
    }

    fn keep(&mut self, which: u64, kept: Kept) -> Check {
        self.keystore.kept.insert(secret(which).to_owned(), kept);
        Ok(())
    }

    // A technician.

    pub fn foreground(&mut self, at: u64) -> Check {
        if self.processes[self.place(at)].holds.is_empty() {
            self.take_hold(at, "foreground")?;
        }
        self.start_delivery(at)
    }

    fn background(&mut self, at: u64) -> Check {
        let place = self.place(at);
        fine(self.compass(place).stop_delivery(), &[])?;
        self.after(Cause::Act("stop delivery"))?;
        self.run_dry()?;
        self.drop_hold(at)
    }

    fn take_hold(&mut self, at: u64, act: &'static str) -> Check {
        let place = self.place(at);
        // Allowed before the call returns: what it wakes may begin at once.
        self.processes[place].quiesced = false;
        let hold = fine(self.compass(place).resume(), &[])?;
        self.processes[place].holds.extend(hold);
        self.after(Cause::Act(act))
    }

    fn drop_hold(&mut self, at: u64) -> Check {
        let place = self.place(at);
        let Some(hold) = self.processes[place].holds.pop() else { return Ok(()) };
        let is_last = self.processes[place].holds.is_empty();
        drop(hold);
        self.processes[place].quiesced |= is_last;
        self.after(Cause::Act("background"))
    }

    fn start_delivery(&mut self, at: u64) -> Check {
        let place = self.place(at);
        if let Some(Some(steps)) = fine(self.compass(place).delivery_steps(), &[])? {
            self.add_driver(place, steps, None);
        }
        self.after(Cause::Act("start delivery"))
    }

    pub fn flush(&mut self, at: u64, seconds: u64, urgent: bool) -> Check {
        let place = self.place(at);
        if self.processes[place].drivers.len() > 3 {
            return Ok(());
        }
        let (cancel, deadline) = (CancelToken::new(), Duration::from_secs(seconds));
        if let Some(steps) = fine(self.compass(place).flush_steps(deadline, &cancel, urgent), &[])? {
            let deadline = self.now() + deadline;
            self.add_driver(place, steps, Some(Flush { deadline, cancel, urgent }));
        }
        self.after(Cause::Act("flush"))
    }

    pub fn set_connectivity(&mut self, place: usize, connectivity: Connectivity) -> Check {
        self.note(format!("process {place} hears {connectivity:?}"));
        let (now, tick) = (self.now(), self.tick + 1);
        self.tick = tick;
        let process = &mut self.processes[place];
        let before = std::mem::replace(&mut process.connectivity, connectivity);
        process.heard_at.push(now);
        if is_another(before, connectivity) && process.rose_at.is_none_or(|at| now >= at + Duration::from_secs(2)) {
            (process.rose_at, process.answered_at) = (Some(now), process.answered_at);
            process.rose.push(tick);
        } else if connectivity != Connectivity::Offline {
            // One that came too soon rises later.
            process.rose_at = Some(process.rose_at.map_or(now, |at| at.max(now) + Duration::from_secs(2)));
        }
        self.compass(place).set_connectivity(connectivity);
        self.after(Cause::Act("network"))
    }

    fn put(&mut self, at: u64, key: &str, moves: bool, policy: Option<NetworkPolicy>) -> Check {
        let place = self.place(at);
        if self.tampered_endpoints.contains_key(key) && !moves {
            return Ok(());
        }
        let known = self.rows.endpoints.get(key).and_then(|row| serde_json::from_str::<Endpoint>(&row.definition).ok());
        let number = known.as_ref().and_then(|known| known.url.rsplit('/').next()?.parse().ok()).unwrap_or(0);
        let policy = policy.or(known.as_ref().map(|known| known.network)).unwrap_or_default();
        let put = endpoint(key, if moves { number + 1 } else { number }, policy);
        let was_archived = self.rows.endpoints.get(key).is_some_and(|row| row.archived);
        let changes = known.as_ref() != Some(&put) || was_archived;
        self.tampered_endpoints.remove(key);
        fine(self.compass(place).put_endpoint(&put), &[])?;
        if changes {
            self.attempts.forget_pause(key);
        }
        self.after(Cause::Act("put endpoint"))
    }

    fn enable(&mut self, at: u64, which: u64, enabled: bool) -> Check {
        let (place, key) = (self.place(at), Self::key(which));
        let was = self.rows.endpoints.get(key).is_some_and(|row| row.enabled);
        fine(self.compass(place).set_endpoint_enabled(key, enabled), &["unknown_endpoint", "corrupt"])?;
        if enabled && !was {
            self.attempts.forget_pause(key);
        }
        self.after(Cause::Act(if enabled { "enable" } else { "disable" }))
    }

    fn integration(&mut self, at: u64, enabled: bool) -> Check {
        let place = self.place(at);
        fine(self.compass(place).set_integration_enabled(enabled), &[])?;
        self.after(Cause::Act("integration"))
    }

    fn close(&mut self, at: u64) -> Check {
        let place = self.place(at);
        fine(self.compass(place).close(), &[])?;
        self.after(Cause::Act("close"))?;
        self.processes[place].drivers.clear();
        self.processes[place].holds.clear();
        self.open(place);
        self.after(Cause::Act("open"))
    }

    pub fn kill(&mut self, place: usize) -> Check {
        let compass = self.processes[place].compass.take().expect("a process");
        compass.kill();
        self.processes[place].drivers.clear();
        self.processes[place].holds.clear();
        self.after(Cause::Act("kill"))?;
        self.open(place);
        self.after(Cause::Act("open"))
    }

    // The world.

    fn change_link(&mut self, up: u64, app_hears: u64) -> Check {
        self.link = match up {
            0 => Link::Portal,
            1 | 2 => Link::Down,
            _ => Link::Up,
        };
        let connectivity = match self.link {
            Link::Down => Connectivity::Offline,
            Link::Portal => online(7, 2, false),
            Link::Up => online(self.rng.range(1, 3), 1, false),
        };
        // The app hears at once, late, or not at all.
        let after = match app_hears {
            0 => return Ok(()),
            1 => Duration::from_secs(self.rng.range(1, 40)),
            _ => Duration::from_millis(self.rng.range(0, 300)),
        };
        for place in 0..self.processes.len() {
            self.schedule(after, Event::AppHears { place, connectivity });
        }
        Ok(())
    }

    pub fn set_clock(&mut self, error_ms: i64) -> Check {
        if self.clock.error_ms() != error_ms {
            self.clock.set_error(error_ms);
            self.tick += 1;
            self.clock_set = self.tick;
        }
        Ok(())
    }

    fn weeks(&mut self, which: u64) -> Check {
        self.receiver(which).mode = Mode::Status(500);
        self.link = Link::Up;
        for _ in 0..24 {
            fine(self.compass(0).stop_delivery(), &[])?;
            self.after(Cause::Act("stop delivery"))?;
            self.pass(Duration::from_secs(90_000))?;
            self.flush(0, 30, false)?;
            self.pass(Duration::from_secs(31))?;
        }
        Ok(())
    }

    fn expired(&mut self, at: u64) -> Check {
        self.set_clock(7_200_000)?;
        self.link = Link::Up;
        for mode in [Mode::Status(500), Mode::BadCertificate(true)] {
            self.receivers.get_mut("office").expect("a receiver").mode = mode;
            self.complete(at, 0)?;
            self.flush(at, 20, false)?;
            self.pass(Duration::from_secs(4))?;
        }
        Ok(())
    }
}

impl Act {
    /// Whether no call waits for the file.
    fn leaves_the_file_alone(&self) -> bool {
        matches!(
            self,
            Self::Steps { .. }
                | Self::Pass { .. }
                | Self::Offline { .. }
                | Self::Online { .. }
                | Self::Unknown { .. }
                | Self::Flap { .. }
                | Self::Link { .. }
                | Self::Receiver { .. }
                | Self::Flush { .. }
                | Self::FlushUrgent { .. }
                | Self::CancelFlush { .. }
                | Self::StartDelivery { .. }
                | Self::Deaf { .. }
                | Self::NextDue { .. }
                | Self::Look { .. }
        )
    }
}

/// What the core says when the network became another one.
pub fn is_another(before: Connectivity, after: Connectivity) -> bool {
    match (before, after) {
        (_, Connectivity::Offline) => false,
        (Connectivity::Offline, _) => true,
        (
            Connectivity::Online { validated: was, network: Some(old), .. },
            Connectivity::Online { validated: is, network: Some(new), .. },
        ) => old != new || is == Some(true) && was != Some(true),
        _ => false,
    }
}

pub fn online(network: u64, validated: u64, metered: bool) -> Connectivity {
    let validated = [None, Some(true), Some(false)][(validated % 3) as usize];
    Connectivity::Online { validated, metered, network: Some(network) }
}

pub fn secret(which: u64) -> &'static str {
    if which.is_multiple_of(2) { SIGNING } else { TOKEN }
}

/// The result, or that it was refused for one of these reasons; anything else is a fault.
pub fn fine<T>(result: Result<T, Error>, codes: &[&str]) -> Result<Option<T>, String> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if codes.contains(&error.code()) => tells_nothing(&format!("{error} {error:?}")).map(|()| None),
        Err(error) => Err(format!("a call ended in {}: {error}", error.code())),
    }
}

pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub fn endpoint(key: &str, number: u32, network: NetworkPolicy) -> Endpoint {
    Endpoint {
        key: key.to_owned(),
        url: format!("https://{key}.example/hook/{number}"),
        signing: if key == "lab" { Signing::StandardWebhooks { secret: SIGNING.into() } } else { Signing::None },
        headers: if key == "depot" {
            vec![EndpointHeader { name: "authorization".into(), value: HeaderValue::Secret(TOKEN.into()) }]
        } else {
            Vec::new()
        },
        network,
    }
}

fn workflow() -> Vec<u8> {
    let action = |key: &str, endpoint: &str| json!({ "key": key, "name": key, "integration": "webhooks", "kind": "send_message", "endpoint": endpoint });
    let page = |number: u32| json!({ "key": format!("page{number}"), "name": "Page", "type": "multiline", "max_length": 20_000 });
    let answers = ["office", "all", "many", "lab", "depot", "none", "large"];
    let answer = |key: &&str| json!({ "key": key, "name": key, "next": format!("end-{key}") });
    let mut sections = vec![
        json!({ "key": "home", "name": "Home", "fields": ["site"], "answers": answers.iter().map(answer).collect::<Vec<_>>() }),
        json!({ "key": "end-office", "name": "End", "actions": [action("office-1", "office")] }),
        json!({ "key": "end-lab", "name": "End", "actions": [action("lab-1", "lab")] }),
        json!({ "key": "end-depot", "name": "End", "actions": [action("depot-1", "depot")] }),
        json!({ "key": "end-none", "name": "End" }),
        json!({ "key": "end-large", "name": "End", "fields": ["page1", "page2", "page3", "page4"], "actions": [action("large-1", "office")] }),
    ];
    let all: Vec<_> = ENDPOINTS.iter().map(|key| action(&format!("{key}-2"), key)).collect();
    let many: Vec<_> = (3..8).map(|number| action(&format!("office-{number}"), "office")).collect();
    sections.push(json!({ "key": "end-all", "name": "End", "actions": all }));
    sections.push(json!({ "key": "end-many", "name": "End", "actions": many }));
    let document = json!({
        "format": 1, "key": "visit", "version": 1, "name": "Visit", "start": "home",
        "fields": [{ "key": "site", "name": "Site", "type": "text" }, page(1), page(2), page(3), page(4)],
        "sections": sections,
    });
    serde_json::to_vec(&document).expect("a document")
}
