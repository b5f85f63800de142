//! Corrections: what each session says, what each of its messages was frozen with, and what the receivers have of them.

use std::collections::BTreeMap;

use compass_core::Sha256;
use compass_core::model::*;
use compass_core::port::{RequestSent, TransportRequest};

use super::attempts::Attempt;
use super::perform::{MOST_WAITING, fine};
use super::receiver::header;
use super::rows::{Entry, Rows};
use super::table::Ended;
use super::world::{Cause, Check, World};

/// The most ids that a message names.
const MOST_REPLACED: usize = 32;

/// More failed sends than these lock an action.
const MOST_FAILED_SENDS: u32 = 3;

/// What a session says: its site, none where there is none any more, and how often that has changed.
pub type Says = (Option<String>, u32);

#[derive(Debug, Default)]
pub struct Corrections {
    pub says: BTreeMap<SessionKey, Says>,
    /// By entry, what its session said when it was frozen.
    pub frozen: BTreeMap<i64, Says>,
    /// By action, the newest revision that its receiver has taken, and the bytes.
    pub taken: BTreeMap<i64, (u32, Sha256)>,
    /// By entry, the earlier revisions that its receiver might have when it was claimed, by their rows.
    named: BTreeMap<i64, Vec<String>>,
}

impl Corrections {
    /// A session says something else from now on.
    pub fn says(&mut self, session: SessionKey, site: Option<String>) {
        let says = self.says.entry(session).or_default();
        // Without a value there is no time of it either: all of those are the same.
        let count = if site.is_some() { says.1 + 1 } else { 0 };
        *says = (site, count);
    }
}

impl World {
    /// What was sent, waits, failed or is in flight is edited, mostly, and sent corrected, here or in the other process.
    pub fn send_corrected(&mut self, at: u64, which: u64) -> Check {
        let is_wanted = |entry: &Entry| match (which >> 40) % 4 {
            0 => entry.state == "leased" || entry.in_flight_until > 0,
            1 => entry.state == "queued",
            2 => entry.state == "sent",
            _ => entry.state == "failed",
        };
        if (which >> 54) % 8 == 1
            && let Some((session, action)) = self.not_fired(which)?
        {
            return self.correct_not_fired(at, session, &action);
        }
        let found = self.one(which, is_wanted).or_else(|| self.one(which, |_| true));
        let Some(entry) = found.filter(|_| self.rows.unsent().count() < MOST_WAITING) else { return Ok(()) };
        for _ in 0..if (which >> 52) % 8 == 1 { 2 } else { 1 } {
            if (which >> 48) % 4 != 3 {
                self.edit_site(at, entry.session)?;
            }
            self.correct(at + (which >> 50) % 2, &self.rows.entries[&entry.row].clone())?;
        }
        Ok(())
    }

    pub fn edit_site(&mut self, at: u64, session: i64) -> Check {
        let (place, key, id) = (self.place(at), self.session_of(session), self.command());
        let value = format!("New Lane {id}");
        let site = FieldChange { field: "site".into(), change: Change::Set(FieldValue::Text(value.clone())) };
        fine(self.compass(place).edit(key, Some("Ada"), None, vec![site], vec![], &id), &[])?;
        self.corrections.says(key, Some(value));
        self.after(Cause::Act("edit"))
    }

    fn correct(&mut self, at: u64, of: &Entry) -> Check {
        let (place, session, id) = (self.place(at), self.session_of(of.session), self.command());
        let newest = self.newest(of.action_row).clone();
        let expected = if newest.failed_sends > MOST_FAILED_SENDS {
            Some("action_locked")
        } else if of.action == "large-1" {
            Some("payload_too_large")
        } else if !self.differs(session, newest.row) && !newest.is_corrupt() {
            Some("nothing_corrected")
        } else {
            None
        };
        let send_corrected = || self.compass(place).send_corrected(session, &of.action, Some("Ada"), &id);
        let result = send_corrected();
        let repeated = if result.is_ok() && self.commands.is_multiple_of(4) { fine(send_corrected(), &[])? } else { None };
        if repeated.is_some_and(|outcome| outcome.applied != Applied::Repeated) {
            return Err(format!("a repeated correction of entry {} was carried out", newest.row));
        }
        let code = result.as_ref().err().map(|error| error.code());
        self.coverage.count("correction", format!("of one that is {}: {}", newest.state, code.unwrap_or("frozen")));
        self.after(Cause::Act("send corrected"))?;
        if code != expected {
            return Err(format!("entry {} is sent corrected: {code:?}, and not {expected:?}", newest.row));
        }
        let now = self.newest(of.action_row);
        let is_new = now.revision == newest.revision + 1;
        if is_new != expected.is_none() || result.is_ok_and(|outcome| outcome.applied != Applied::Yes) {
            return Err(format!("entry {} is sent corrected, {expected:?}, and the newest is {now:?}", newest.row));
        }
        Ok(())
    }

    /// What was delivered is sent once more, here or in the other process; or all of its session; or some of what its endpoint has.
    pub fn replay(&mut self, at: u64, which: u64) -> Check {
        let Some(entry) = self.one(which, |entry| entry.state == "sent") else { return Ok(()) };
        if self.rows.unsent().count() >= MOST_WAITING {
            return Ok(());
        }
        let (place, session, id) = (self.place(at), self.session_of(entry.session), self.command());
        let compass = self.compass(place);
        match which >> 40 & 3 {
            0 => drop(fine(compass.replay_session(session, Some("Ada"), &id), &[])?),
            1 if self.rows.entries.len() < MOST_WAITING => {
                let filter = ReplayFilter { endpoint: entry.endpoint.clone(), ..ReplayFilter::default() };
                fine(compass.replay_sent(&filter, Some("Ada"), None), &[])?;
            }
            _ => {
                let replayed = fine(compass.replay(session, &entry.action, Some("Ada"), &id), &["body_dropped"])?;
                let code = replayed.map_or("body_dropped".to_owned(), |outcome| format!("{:?}", outcome.applied));
                self.coverage.count("replay", code);
            }
        }
        self.after(Cause::Act("replay"))
    }

    /// A replay is there that was not there before.
    fn check_replay(&mut self, replay: &Entry, cause: Cause) -> Check {
        let same = |other: &&Entry| (other.action_row, other.revision) == (replay.action_row, replay.revision);
        let is_open = |other: &&Entry| other.state != "sent" && other.reason != "abandoned";
        let of_it = || self.rows.entries.values().filter(same);
        let Some(message) = of_it().find(|other| other.replay == 0) else { return Err(format!("{replay:?} repeats nothing")) };
        let fits = (&message.id, &message.body_sha256, &message.endpoint) == (&replay.id, &replay.body_sha256, &replay.endpoint);
        let is_only = of_it().filter(|other| other.replay > 0).filter(is_open).count() == 1;
        let waits = self.waits_for(replay, |other| other.id == replay.id);
        let is_born = replay.state == "queued" && replay.at_once && waits;
        if cause != Cause::Act("replay") || !fits || !is_only || message.state != "sent" || !is_born {
            return Err(format!("a replay is born wrong after {cause:?}: {replay:?} of {message:?}"));
        }
        let says = self.corrections.frozen.get(&message.row).cloned().unwrap_or_default();
        self.corrections.frozen.insert(replay.row, says);
        Ok(())
    }

    fn correct_not_fired(&mut self, at: u64, session: i64, action: &str) -> Check {
        let (place, session, id) = (self.place(at), self.session_of(session), self.command());
        let result = self.compass(place).send_corrected(session, action, Some("Ada"), &id);
        let code = result.as_ref().err().map_or("frozen", |error| error.code());
        self.coverage.count("correction", format!("of one that is not fired: {code}"));
        self.after(Cause::Act("look"))?;
        if code == "action_status" { Ok(()) } else { Err(format!("{action} has not fired and is sent corrected: {code}")) }
    }

    pub fn newest(&self, action_row: i64) -> &Entry {
        self.rows
            .entries
            .values()
            .find(|entry| entry.action_row == action_row && entry.revision == entry.newest && entry.replay == 0)
            .expect("a newest entry")
    }

    /// Whether a session says something else than this entry.
    pub fn differs(&self, session: SessionKey, row: i64) -> bool {
        self.corrections.says.get(&session).cloned().unwrap_or_default() != self.corrections.frozen.get(&row).cloned().unwrap_or_default()
    }

    /// Whether a newer revision of its action was delivered.
    pub fn has_newer_delivered(&self, entry: &Entry) -> bool {
        let is_newer = |other: &Entry| other.action_row == entry.action_row && other.revision > entry.revision && other.replay == 0;
        self.rows.entries.values().any(|other| is_newer(other) && other.state == "sent")
    }

    /// The earlier revisions of an entry's action, newest first.
    pub fn earlier(&self, entry: &Entry) -> Vec<&Entry> {
        let same = self
            .rows
            .entries
            .values()
            .filter(|other| other.action_row == entry.action_row && other.revision < entry.revision && other.replay == 0);
        let mut found: Vec<&Entry> = same.collect();
        found.sort_by_key(|earlier| std::cmp::Reverse(earlier.revision));
        found
    }

    /// Until when an attempt of another entry of its action may be in flight that was abandoned or superseded.
    pub fn is_beside(&self, entry: &Entry) -> Option<i64> {
        let others = self.rows.entries.values().filter(|other| other.row != entry.row && other.action_row == entry.action_row);
        others.filter(|other| self.is_in_flight(other)).map(|other| other.in_flight_until).max()
    }

    /// Until when another entry of its action is claimed.
    pub fn is_beside_claimed(&self, entry: &Entry, by: impl Fn(&Entry) -> bool) -> Option<i64> {
        let others = self.rows.entries.values().filter(|other| other.row != entry.row && other.action_row == entry.action_row);
        let is_claimed = |other: &&Entry| (1..=120_000).contains(&(other.lease_until - self.clock.wall_ms()));
        others.filter(is_claimed).filter(|other| by(other)).map(|other| other.lease_until).max()
    }

    /// A new entry waits for whatever of these others may be in flight, and for nothing else.
    fn waits_for(&self, entry: &Entry, others: impl Fn(&Entry) -> bool) -> bool {
        let until = |other: &Entry| other.lease_until.max(other.in_flight_until);
        let until = self.rows.entries.values().filter(|other| other.row < entry.row && others(other)).map(until).max().unwrap_or(0);
        // A lease that a clock far ahead wrote holds nothing up.
        until == entry.in_flight_until || entry.in_flight_until == 0 && until - self.clock.wall_ms() > 120_000
    }

    /// An entry is there that was not there before.
    pub fn check_frozen(&mut self, entry: &Entry, cause: Cause) -> Check {
        // Equal bodies are stored once, also damaged ones.
        let has_its_body = |other: &Entry| other.row != entry.row && other.body_sha256 == entry.body_sha256;
        let is_damaged = |other: &Entry| self.tampered.get(&other.row) == Some(&"body");
        if self.rows.entries.values().any(|other| has_its_body(other) && is_damaged(other)) {
            self.tampered.insert(entry.row, "body");
        }
        if entry.replay > 0 {
            return self.check_replay(entry, cause);
        }
        let says = self.corrections.says.get(&self.session_of(entry.session)).cloned().unwrap_or_default();
        self.corrections.frozen.insert(entry.row, says);
        if entry.revision == 1 {
            return if entry.in_flight_until == 0 { Ok(()) } else { Err("the first revision waits for none".to_owned()) };
        }
        let earlier = self.earlier(entry);
        let fits = earlier.first().is_some_and(|old| {
            let gave_way = old.state == "superseded" || old.state == "sent";
            gave_way
                && (old.body_sha256 != entry.body_sha256 || self.tampered.contains_key(&old.row))
                && self.waits_for(entry, |other| other.action_row == entry.action_row)
        });
        let is_right = cause == Cause::Act("send corrected") && fits && entry.state == "queued" && entry.at_once;
        if is_right && earlier.len() as u32 + 1 == entry.revision && entry.revision == entry.newest {
            return Ok(());
        }
        Err(format!("a revision is born wrong after {cause:?}: {entry:?} of {earlier:?}"))
    }

    /// A newer revision has taken the place of an entry: nothing else of it has changed but its lease, which holds the newer one up.
    pub fn check_superseded(&self, entry: &Entry, next: &Entry) -> bool {
        let now = self.clock.wall_ms();
        let mut gave_way = Entry { state: "superseded".to_owned(), owner: String::new(), lease_until: 0, ..entry.clone() };
        if entry.lease_until != 0 {
            gave_way.in_flight_until = entry.lease_until;
        }
        // A time that a clock far ahead wrote is over.
        if gave_way.in_flight_until - now > 120_000 && next.in_flight_until == 0 {
            gave_way.in_flight_until = 0;
        }
        if entry.due_at - now > 25 * 3_600_000 && next.at_once {
            (gave_way.due_at, gave_way.at_once) = (next.due_at, true);
        }
        gave_way == *next
    }

    /// What has not begun and waited for an earlier entry of its action does so no more: has that one ended?
    pub fn check_freed(&self, entry: &Entry, next: &Entry, before: &Rows) -> Check {
        let waits = (1..=120_000).contains(&(entry.in_flight_until - self.clock.wall_ms()));
        if !waits || entry.attempts > 0 || next.in_flight_until == entry.in_flight_until {
            return Ok(());
        }
        let has_ended = |old: &Entry| {
            let was = before.entries.get(&old.row);
            let waited_for = |was: &Entry| was.lease_until.max(was.in_flight_until) == entry.in_flight_until;
            // It may be claimed again in the same transaction.
            old.lease_until.max(old.in_flight_until) != entry.in_flight_until && was.is_some_and(waited_for)
        };
        let ended = self.rows.entries.values().any(|old| old.action_row == entry.action_row && old.row < entry.row && has_ended(old));
        if ended { Ok(()) } else { Err("waits for an earlier entry no more, of which nothing has ended".to_owned()) }
    }

    /// A request leaves: is it the newest revision, does it say what its session said then, does it leave alone, and does it name what the
    /// receiver may have?
    pub fn check_revision(&mut self, entry: &Entry, request: &TransportRequest, who: &str) -> Check {
        if entry.revision != entry.newest && entry.replay == 0 {
            return Err(format!("{who} is revision {} and leaves, and there is {}", entry.revision, entry.newest));
        }
        if request.body.len() > 256 * 1024 {
            return Err(format!("{who} leaves with {} bytes", request.body.len()));
        }
        if header(request, "compass-revision") != entry.revision.to_string() {
            return Err(format!("{who} is revision {} and says {}", entry.revision, header(request, "compass-revision")));
        }
        let (says, frozen) = (site_of(&request.body), &self.corrections.frozen[&entry.row].0);
        if says != *frozen {
            return Err(format!("{who} says {says:?}, and its session said {frozen:?}"));
        }
        let earlier = self.earlier(entry);
        // Another revision, or a replay.
        for old in self.rows.entries.values().filter(|old| old.action_row == entry.action_row && old.row != entry.row) {
            if let Some((_, attempt)) = self.attempts_of(old.row).find(|(_, attempt)| self.is_in_flight_now(attempt)) {
                return Err(format!("{who} began beside one of revision {}, entry {}: {attempt:?}", old.revision, old.row));
            }
        }
        let named: Vec<&str> = header(request, "compass-replaces").split(", ").filter(|id| !id.is_empty()).collect();
        let by_rows = self.corrections.named.get(&entry.row).map(Vec::as_slice).unwrap_or_default();
        let must: Vec<&Entry> = earlier.iter().copied().filter(|old| self.may_be_there(old)).take(MOST_REPLACED).collect();
        let missing = must.iter().find(|old| !named.contains(&old.id.as_str()) && !self.tampered.contains_key(&old.row));
        if missing.is_some() || named != by_rows {
            return Err(format!("{who} replaces {named:?}; by the rows {by_rows:?}, and earlier ones are {earlier:?}"));
        }
        if entry.revision > 1 {
            let count = must.len().min(3);
            self.coverage.count("check", format!("a correction names {count}"));
        }
        Ok(())
    }

    /// An entry is claimed.
    pub fn note_replaced(&mut self, entry: &Entry) {
        let may_be_there = |old: &&&Entry| old.state == "sent" || old.unknown > 0;
        let earlier = self.earlier(entry);
        let named = earlier.iter().filter(may_be_there).take(MOST_REPLACED).map(|old| old.id.clone()).collect();
        self.corrections.named.insert(entry.row, named);
    }

    fn attempts_of(&self, row: i64) -> impl Iterator<Item = (&(i64, u32), &Attempt)> {
        self.attempts.all.range((row, 0)..=(row, u32::MAX))
    }

    /// Whether an attempt is in flight and its lease alive, no matter where. By a clock that was set since, nobody can say.
    fn is_in_flight_now(&self, attempt: &Attempt) -> bool {
        let is_alive = (1..=120_000).contains(&(attempt.lease_until - self.clock.wall_ms())) && self.clock_set <= attempt.began_tick;
        attempt.outcome.is_none() && attempt.cancelled.is_none() && is_alive
    }

    /// Whether the receiver may have this entry: by its row, by what the receiver took, and by what arrived of which nobody knows the end.
    fn may_be_there(&self, entry: &Entry) -> bool {
        let is_known = |attempt: &Attempt| {
            attempt.outcome.is_some_and(|outcome| !matches!(outcome.ended, Ended::Failure { sent: RequestSent::Maybe, .. }))
        };
        let accepted = self.receivers.get(&entry.endpoint).is_some_and(|receiver| receiver.accepted.contains_key(&entry.id));
        let arrived = || self.attempts_of(entry.row).any(|(_, attempt)| attempt.arrived && !is_known(attempt));
        entry.state == "sent" || entry.unknown > 0 || accepted || arrived()
    }

    /// A request has reached its receiver, which has taken it or not.
    pub fn has_arrived(&mut self, row: i64, number: u32, request: &TransportRequest, taken: bool) {
        if let Some(attempt) = self.attempts.all.get_mut(&(row, number)) {
            attempt.arrived = true;
        }
        let Some(entry) = self.rows.entries.get(&row).filter(|_| taken) else { return };
        // As a receiver does that keeps the highest revision, in whatever order they come.
        let revision = header(request, "compass-revision").parse().unwrap_or(0);
        let newest = self.corrections.taken.entry(entry.action_row).or_insert((0, Sha256([0; 32])));
        if newest.0 <= revision {
            *newest = (revision, Sha256::of(&request.body));
        }
    }

    /// The attempt of an earlier revision, in this process, that an entry waits for.
    pub fn waits_behind(&self, entry: &Entry, place: usize) -> Option<(i64, u32)> {
        let life = self.processes[place].life;
        let is_it = |attempt: &Attempt| (attempt.place, attempt.life, attempt.lease_until) == (place, life, entry.in_flight_until);
        let earlier = self.earlier(entry);
        earlier.iter().flat_map(|old| self.attempts_of(old.row)).find(|(_, attempt)| is_it(attempt)).map(|(key, _)| *key)
    }

    /// Of what is delivered, each receiver has the newest revision.
    pub fn receivers_have_the_newest(&mut self) -> Check {
        let sent = self.rows.entries.values().filter(|entry| entry.revision == entry.newest && entry.replay == 0 && entry.state == "sent");
        let sent: Vec<&Entry> = sent.filter(|entry| !self.tampered.contains_key(&entry.row)).collect();
        for entry in &sent {
            let taken = self.corrections.taken.get(&entry.action_row).map(|(revision, bytes)| (*revision, bytes.to_string()));
            if taken != Some((entry.revision, entry.body_sha256.clone())) {
                return Err(format!("the receiver has {taken:?} as the newest of {entry:?}"));
            }
        }
        let corrected = sent.iter().filter(|entry| entry.revision > 1).count();
        for _ in 0..corrected {
            self.coverage.count("check", "the receiver has the newest revision");
        }
        Ok(())
    }

    /// What a record shows of corrections.
    pub fn check_record(&self, session: SessionKey, action: &Action) -> Check {
        let Some(row) = action.deliveries.first().and_then(|delivery| self.rows.by_id.get(&delivery.id.0)) else { return Ok(()) };
        let differs = self.differs(session, *row);
        let sent =
            action.deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Sent).map(|delivery| delivery.revision).max();
        let can = (differs || self.rows.entries[row].is_corrupt()) && action.failed_sends <= MOST_FAILED_SENDS;
        if (action.differs_from_sent, action.can_send_corrected, action.delivered_revision) != (differs, can, sent) {
            return Err(format!("the values of {} differ: {differs}, delivered is {sent:?}, and its record says {action:?}", action.key));
        }
        Ok(())
    }
}

/// The site that a body says.
fn site_of(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let site = body["fields"].as_array()?.iter().find(|field| field["key"] == "site")?;
    site["value"].as_str().map(str::to_owned)
}
