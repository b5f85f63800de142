//! The model: what the world saw of every attempt, and what may therefore become of its entry. Knows nothing of how the core decides.

use std::collections::BTreeMap;
use std::time::Duration;

use compass_core::Sha256;
use compass_core::model::Connectivity;
use compass_core::port::{TransportFailure, TransportRequest, TransportResponse};

use super::receiver::header;
use super::rows::{Entry, Rows};
use super::table::{self, Ended};
use super::world::{Cause, Check, World};

/// A pause that ends later than this from now was given by another clock, and is void.
const PAUSE_LIMIT_MS: i64 = 25 * 3_600_000;

/// One request that left.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub place: usize,
    pub life: u64,
    pub endpoint: String,
    pub definition: String,
    pub began: Duration,
    pub began_tick: u64,
    pub validated: Option<bool>,
    pub timeout: Duration,
    pub signed_at: i64,
    /// When its lease ends, by the wall clock.
    pub lease_until: i64,
    pub arrived: bool,
    pub cancelled: Option<u64>,
    pub outcome: Option<Outcome>,
    pub settled: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    pub ended: Ended,
    pub at: Duration,
    pub wall_ms: i64,
    pub tick: u64,
}

/// What the world saw.
#[derive(Debug, Default)]
pub struct Attempts {
    /// By entry and number.
    pub all: BTreeMap<(i64, u32), Attempt>,
    /// The bytes that left under each id first.
    pub bodies: BTreeMap<String, Sha256>,
    /// Entries for which a 2xx was read.
    pub read_2xx: BTreeMap<i64, ()>,
    /// Pauses that receivers asked for, by endpoint: until when, by the wall clock, and which process knows.
    pub pauses: BTreeMap<String, (i64, usize)>,
    /// The last attempt of each endpoint that only an urgent request allowed.
    pub urgent: BTreeMap<String, (Duration, i64)>,
    /// When each entry was claimed last.
    pub claimed_at: BTreeMap<i64, Duration>,
    /// When secrets were last asked for, by place and endpoint, in ticks.
    pub looked_up: BTreeMap<(usize, String), u64>,
    /// The same, by the clock of the world.
    pub looked_up_at: BTreeMap<(usize, String), Duration>,
    /// Entries that have failed and were claimed although one that has not was waiting.
    pub passes_over: BTreeMap<i64, ()>,
    /// How often in a row one that has failed began before one that has not, by endpoint.
    pub failed_first: BTreeMap<String, u32>,
}

impl Attempts {
    pub fn cancelled(&mut self, row: i64, number: u32) {
        if let Some(attempt) = self.all.get_mut(&(row, number)) {
            attempt.cancelled.get_or_insert(attempt.outcome.map_or(0, |outcome| outcome.tick));
        }
    }

    /// Forgets pauses of an endpoint, which was changed.
    pub fn forget_pause(&mut self, endpoint: &str) {
        self.pauses.remove(endpoint);
    }

    /// Whether an attempt of this entry has begun since, or was in flight and has ended.
    pub fn has_begun_since(&self, row: i64, since: Duration) -> bool {
        let mut attempts = self.all.range((row, 0)..=(row, u32::MAX)).map(|(_, attempt)| attempt);
        attempts.any(|attempt| attempt.began >= since || attempt.outcome.is_some_and(|outcome| outcome.at >= since))
    }

    /// Whether an attempt of this entry runs in this process, no matter what its row says; also one that was cancelled without effect.
    pub fn runs(&self, row: i64, place: usize, life: u64) -> bool {
        let mut here = self.all.range((row, 0)..=(row, u32::MAX)).filter(|(_, attempt)| attempt.place == place && attempt.life == life);
        here.any(|(_, attempt)| attempt.outcome.is_none())
    }

    fn in_flight(&self, place: usize, life: u64) -> impl Iterator<Item = &Attempt> {
        self.all.values().filter(move |attempt| {
            attempt.place == place && attempt.life == life && attempt.outcome.is_none() && attempt.cancelled.is_none()
        })
    }
}

impl World {
    /// A request leaves: may it? Gives its entry.
    pub fn check_begun(&mut self, place: usize, endpoint: &str, number: u32, request: &TransportRequest) -> Result<i64, String> {
        let id = header(request, "webhook-id").to_owned();
        let who = format!("attempt {number} of {id} to {endpoint}");
        let Some(entry) = self.rows.by_id.get(&id).and_then(|row| self.rows.entries.get(row)).cloned() else {
            return Err(format!("{who} left under an id that no entry has"));
        };
        let now = self.clock.wall_ms();
        let process = &self.processes[place];
        let (is_urgent, connectivity, life, quiesced) = (process.has_urgent_flush(), process.connectivity, process.life, process.quiesced);
        if quiesced {
            return Err(format!("{who} began after quiesce"));
        }
        if entry.state != "leased" || entry.attempts != number {
            return Err(format!("{who} began without the lease: {} with {} attempts, {}", entry.state, entry.attempts, entry.reason));
        }
        if entry.lease_until - now < request.timeout.as_millis() as i64 + 4_900 {
            return Err(format!("{who} began with {} ms of lease and a timeout of {:?}", entry.lease_until - now, request.timeout));
        }
        if request.timeout > Duration::from_secs(30) || request.timeout < Duration::from_millis(1_900) {
            return Err(format!("{who} began with a timeout of {:?}", request.timeout));
        }
        if !self.rows.integration {
            return Err(format!("{who} began while the integration was off"));
        }
        let Some(row) = self.rows.endpoints.get(endpoint).filter(|row| row.is_open()) else {
            return Err(format!("{who} began at an endpoint that is not there, disabled or archived"));
        };
        if !row.definition.contains(&format!("\"{}\"", request.url)) || entry.endpoint != endpoint {
            return Err(format!("{who} went to {}, not to where its endpoint is: {}", request.url, row.definition));
        }
        let definition = row.definition.clone();
        if definition.contains("\"unmetered\"") && matches!(connectivity, Connectivity::Online { metered: true, .. }) {
            return Err(format!("{who} began on a network that costs money"));
        }
        let hash = Sha256::of(&request.body);
        if hash.to_string() != entry.body_sha256 {
            return Err(format!("{who} left with other bytes than were frozen"));
        }
        if *self.attempts.bodies.entry(id.clone()).or_insert(hash) != hash {
            return Err(format!("{who} left with other bytes than before"));
        }
        if self.attempts.read_2xx.contains_key(&entry.row) && !self.tampered.contains_key(&entry.row) {
            let owner = self.attempts.all.range((entry.row, 0)..(entry.row, u32::MAX)).filter(|(_, attempt)| attempt.place == place);
            if owner.clone().any(|(_, attempt)| attempt.life == life && attempt.has_2xx()) {
                return Err(format!("{who} began although this process had read a 2xx for it"));
            }
        }
        self.check_revision(&entry, request, &who)?;
        self.check_sequence(&entry, request, &who)?;
        self.check_wait(place, entry.row, &who, endpoint, connectivity, is_urgent)?;
        let in_a_row = self.attempts.failed_first.entry(endpoint.to_owned()).or_default();
        *in_a_row = if self.attempts.passes_over.contains_key(&entry.row) && !is_urgent { *in_a_row + 1 } else { 0 };
        if *in_a_row >= 3 {
            return Err(format!("{who} began, the third in a row that has failed before one that has not"));
        }
        let in_flight = self.attempts.in_flight(place, life).count();
        let here = self.attempts.in_flight(place, life).filter(|attempt| attempt.endpoint == endpoint).count();
        if in_flight >= 8 || here >= 4 {
            return Err(format!("{who} began beside {in_flight} others, {here} of them at its endpoint"));
        }
        let attempt = Attempt {
            place,
            life,
            endpoint: endpoint.to_owned(),
            definition,
            began: self.now(),
            began_tick: self.tick,
            validated: if let Connectivity::Online { validated, .. } = connectivity { validated } else { None },
            timeout: request.timeout,
            signed_at: header(request, "webhook-timestamp").parse().unwrap_or(0),
            lease_until: entry.lease_until,
            arrived: false,
            cancelled: None,
            outcome: None,
            settled: false,
        };
        if self.attempts.all.insert((entry.row, number), attempt).is_some() {
            return Err(format!("{who} began twice under one number"));
        }
        Ok(entry.row)
    }

    /// No attempt in a pause that a receiver asked for, nor while the app says that there is no network; a person may have one a minute
    /// and one a pause.
    fn check_wait(&mut self, place: usize, row: i64, who: &str, endpoint: &str, connectivity: Connectivity, is_urgent: bool) -> Check {
        let now = self.clock.wall_ms();
        let pause = self.attempts.pauses.get(endpoint).copied();
        let pause = pause.filter(|(until, knows)| *knows == place && *until > now && until - now <= PAUSE_LIMIT_MS).map(|(until, _)| until);
        let is_offline = connectivity == Connectivity::Offline;
        if pause.is_none() && !is_offline {
            return Ok(());
        }
        let what = if is_offline { "while there was no network" } else { "in a pause that its receiver asked for" };
        let known_pause = pause.unwrap_or(now);
        if !is_urgent {
            return Err(format!("{who} began {what}, {} ms before its end", known_pause - now));
        }
        let known_pause = pause.unwrap_or(0);
        let claimed = self.attempts.claimed_at.get(&row).copied().unwrap_or(self.now());
        if let Some((at, before)) = self.attempts.urgent.insert(endpoint.to_owned(), (claimed, known_pause)) {
            let was_set = self.clock_set > 0;
            if claimed - at < Duration::from_secs(60) && !was_set {
                return Err(format!("{who} began {what}, the second in a minute"));
            }
            if known_pause != 0 && before == known_pause {
                return Err(format!("{who} began {what}, the second in this pause"));
            }
        }
        self.coverage.count("check", format!("urgent {what}"));
        Ok(())
    }

    /// The core is told how a request ended.
    pub fn note_outcome(&mut self, place: usize, row: i64, number: u32, answer: Result<&TransportResponse, &TransportFailure>) {
        let (at, wall_ms, tick) = (self.now(), self.clock.wall_ms(), self.tick);
        let ended = match answer {
            Ok(response) => {
                let date = response.header("date").and_then(seconds_of);
                let after = response.header("retry-after").and_then(|text| {
                    // A date is measured against the answer's own, else against the phone's clock, which has milliseconds.
                    let until = || Some((seconds_of(text)? * 1000 - date.map_or(wall_ms, |date| date * 1000)).max(0) as u64);
                    text.parse().ok().map(Duration::from_secs).or_else(|| until().map(Duration::from_millis))
                });
                Ended::Answer { status: response.status, retry_after: after, date }
            }
            Err(failure) => Ended::Failure { kind: failure.kind, phase: failure.phase, sent: failure.request_sent },
        };
        if matches!(ended, Ended::Answer { status: 200..=299, .. }) {
            self.attempts.read_2xx.insert(row, ());
        }
        // What is void by the clock there is may be written over by what comes now.
        self.attempts.pauses.retain(|_, (until, _)| *until > wall_ms && *until - wall_ms <= PAUSE_LIMIT_MS);
        let is_leased = self.rows.entries.get(&row).is_some_and(|entry| entry.state == "leased" && entry.attempts == number);
        let Some(attempt) = self.attempts.all.get_mut(&(row, number)) else { return };
        attempt.outcome = Some(Outcome { ended, at, wall_ms, tick });
        let attempt = attempt.clone();
        let pause = table::pause(&ended);
        let same = self.rows.endpoints.get(&attempt.endpoint).is_some_and(|row| row.definition == attempt.definition);
        if !pause.is_zero() && is_leased && attempt.cancelled.is_none() && same && !self.clock.is_frozen() {
            let until = wall_ms + pause.as_millis() as i64;
            let known = self.attempts.pauses.entry(attempt.endpoint.clone()).or_insert((until, place));
            if known.0 <= until {
                *known = (until, place);
            }
        }
        if matches!(ended, Ended::Answer { .. }) {
            self.processes[place].answered_at = Some(at);
        }
    }

    /// May everything that changed in the file since `before` change?
    pub fn check_changes(&mut self, before: &Rows, cause: Cause) -> Check {
        // A process that has looked may have written down that what lies far ahead is over.
        let wall_ms = self.clock.wall_ms();
        self.attempts.pauses.retain(|_, (until, _)| *until - wall_ms <= PAUSE_LIMIT_MS);
        for entry in before.entries.values() {
            let Some(next) = self.rows.entries.get(&entry.row).cloned() else {
                let may_go = matches!(entry.state.as_str(), "sent" | "superseded") || entry.reason == "abandoned";
                if matches!(cause, Cause::Act("purge" | "delete")) && may_go {
                    continue;
                }
                return Err(format!("entry {} was {} and is gone after {cause:?}", entry.row, entry.state));
            };
            // What its action shows is checked below.
            let mut same_action = next.clone();
            (same_action.status, same_action.newest) = (entry.status.clone(), entry.newest);
            if entry.revision < next.newest || entry.replay > 0 {
                same_action.failed_sends = entry.failed_sends;
            }
            if *entry != same_action {
                // What its action shows is that of a newer revision, where there is one.
                let next = if entry.revision < next.newest || entry.replay > 0 { same_action } else { next };
                self.check_change(entry, &next, before, cause).map_err(|what| {
                    format!("{what}\n  cause  {cause:?}, wall {}\n  before {entry:?}\n  after  {next:?}", self.clock.wall_ms())
                })?;
                self.trace_change(entry, &next);
            }
        }
        let new: Vec<Entry> = self.rows.entries.values().filter(|entry| !before.entries.contains_key(&entry.row)).cloned().collect();
        for entry in new {
            if matches!(cause, Cause::Step(_)) || entry.attempts != 0 || !matches!(entry.state.as_str(), "queued" | "failed") {
                return Err(format!("an entry is born wrong after {cause:?}: {entry:?}"));
            }
            self.check_frozen(&entry, cause)?;
            self.note(format!(
                "entry {} of action {} to {} is frozen: {} {}",
                entry.row, entry.action, entry.endpoint, entry.state, entry.reason
            ));
        }
        self.check_order(before, cause)?;
        // The message, its replays, and all their attempts of which nobody knows the end.
        let mut most: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        for entry in self.rows.entries.values() {
            *most.entry((&entry.endpoint, &entry.id)).or_default() += 1 + entry.unknown;
        }
        for ((endpoint, id), most) in most {
            let accepted = self.receivers.get(endpoint).and_then(|receiver| receiver.accepted.get(id)).copied().unwrap_or_default();
            if accepted > most {
                return Err(format!("{id} was taken {accepted} times, and may be {most} times"));
            }
        }
        let miscounted: i64 = self
            .sql
            .prepare_cached(
                "SELECT count(*) FROM session s WHERE (actions_not_fired, actions_pending, actions_sent, actions_failed) IS NOT (
                    SELECT count(*) FILTER (WHERE status = 'not_fired'), count(*) FILTER (WHERE status = 'pending'),
                           count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'failed')
                      FROM action WHERE session_id = s.id)",
            )
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|error| error.to_string())?;
        if miscounted > 0 {
            return Err(format!("{miscounted} sessions do not count their actions"));
        }
        for entry in self.rows.entries.values().filter(|entry| entry.revision == entry.newest && entry.replay == 0) {
            let shows = match entry.state.as_str() {
                "queued" | "leased" => "pending",
                state => state,
            };
            if entry.status != shows {
                return Err(format!("the action of entry {} shows {} and it is {}", entry.row, entry.status, entry.state));
            }
        }
        Ok(())
    }

    fn trace_change(&mut self, before: &Entry, after: &Entry) {
        if before.state == after.state && before.reason == after.reason && before.due_at == after.due_at && before.epoch == after.epoch {
            return;
        }
        let due = after.due_at - self.clock.wall_ms();
        let Entry { row, attempts, unknown, counted, slow, offline, cut_short, .. } = after;
        self.note(format!(
            "entry {row}: {} to {} {} due in {due} ms, attempts {attempts} unknown {unknown} counted {counted} slow {slow} offline {offline} cut {cut_short}",
            before.state, after.state, after.reason
        ));
    }

    fn check_change(&mut self, entry: &Entry, next: &Entry, before: &Rows, cause: Cause) -> Check {
        let frozen = |entry: &Entry| {
            (entry.id.clone(), entry.session, entry.action_row, entry.revision, entry.endpoint.clone(), entry.body_sha256.clone())
        };
        if frozen(entry) != frozen(next) && cause != Cause::Act("tamper") {
            return Err("what was frozen has changed".to_owned());
        }
        if cause == Cause::Act("tamper") {
            return Ok(());
        }
        if entry.state == "sent" {
            let visible = |entry: &Entry| (entry.state.clone(), entry.sent_at, entry.unknown, entry.attempts);
            return if visible(entry) == visible(next) { Ok(()) } else { Err("a sent entry changed".to_owned()) };
        }
        if next.failed_sends < entry.failed_sends || next.failed_sends > entry.failed_sends + 1 {
            return Err("failed sends rise by one, and never fall".to_owned());
        }
        if next.state == "sent" && !self.attempts.read_2xx.contains_key(&entry.row) {
            return Err("sent, and no 2xx was read".to_owned());
        }
        if self.was_far_ahead(entry, next) {
            return Ok(());
        }
        self.check_freed(entry, next, before)?;
        let Cause::Step(place) = cause else { return self.check_act(entry, next, cause) };
        // A group is settled and claimed in one transaction.
        let claimed_again = entry.state == "leased" && next.state == "leased" && next.epoch == entry.epoch + 1;
        if claimed_again {
            let mut middle = next.clone();
            (middle.state, middle.owner, middle.lease_until) = ("queued".to_owned(), String::new(), 0);
            (middle.epoch, middle.attempts, middle.unknown) = (entry.epoch, next.attempts - 1, next.unknown - 1);
            self.check_end(entry, &middle, place)?;
            return self.check_claim(&middle, next, before, place);
        }
        match (entry.state.as_str(), next.state.as_str()) {
            ("queued", "leased") => {
                let mut middle = entry.clone();
                (middle.attempts, middle.unknown) = (next.attempts.saturating_sub(1), next.unknown.saturating_sub(1));
                middle.in_flight_until = next.in_flight_until;
                let runs = self.attempts.all.get(&(entry.row, entry.attempts)).is_some_and(|attempt| attempt.outcome.is_none());
                if runs && self.is_in_flight(entry) {
                    return Err("claimed while an attempt from before it was abandoned is in flight".to_owned());
                }
                let from = if has_learned(entry, &middle) { &middle } else { entry };
                // Another message was taken by its endpoint in the same transaction.
                let due = Entry { due_at: self.clock.wall_ms(), at_once: true, ..from.clone() };
                let is_due = next.at_once && next.due_at == due.due_at && self.check_made_due(from, &due).is_ok();
                let from = if is_due { &due } else { from };
                self.check_claim(from, next, before, place)
            }
            ("leased", "failed") if next.reason == "corrupt" && next.epoch > entry.epoch && self.tampered.contains_key(&entry.row) => {
                // Released, claimed once more and looked at in one transaction.
                let mut middle = entry.clone();
                (middle.state, middle.owner, middle.lease_until) = ("queued".to_owned(), String::new(), 0);
                (middle.attempts, middle.unknown) = (next.attempts, next.unknown);
                if next.attempts == entry.attempts {
                    // Or its lease had died.
                    (middle.reason, middle.cut_short) = ("interrupted".to_owned(), entry.cut_short + 1);
                }
                self.coverage.count("row", "corrupt");
                self.check_end(entry, &middle, place)
            }
            ("leased", "queued" | "failed" | "sent") => {
                // The network came in the same transaction.
                let due = Entry { due_at: self.clock.wall_ms(), at_once: true, ..entry.clone() };
                self.check_end(entry, next, place).or_else(|why| {
                    let is_due = self.check_made_due(entry, &due).is_ok() && self.check_end(&due, next, place).is_ok();
                    if is_due { Ok(()) } else { Err(why) }
                })
            }
            ("queued", "failed") if next.reason == "corrupt" && self.tampered.contains_key(&entry.row) => {
                self.coverage.count("row", "corrupt");
                Ok(())
            }
            ("queued" | "failed" | "superseded", "sent") => self.late_2xx(entry, next),
            ("queued", "queued") if has_learned(entry, next) => Ok(()),
            ("queued", "queued") => self.check_made_due(entry, next),
            ("leased" | "failed" | "superseded", same) if same == entry.state => {
                let has_begun = self.attempts.all.contains_key(&(entry.row, entry.attempts));
                let counts_as = next.attempts + u32::from(!has_begun && next.attempts != entry.attempts);
                let late = ended_unknown(entry, next) || entry.unknown == next.unknown + 1 && entry.attempts == counts_as;
                let late = late && (entry.reason == "abandoned" || entry.state == "superseded");
                if late { Ok(()) } else { self.check_made_due(entry, next) }
            }
            _ => Err("such a change does not happen by itself".to_owned()),
        }
    }

    /// What waited for a network is due now, or will be when its claim is released, and nothing else.
    fn check_made_due(&self, entry: &Entry, next: &Entry) -> Check {
        let mut same = next.clone();
        (same.due_at, same.at_once) = (entry.due_at, entry.at_once);
        let is_earlier = next.at_once && next.due_at == self.clock.wall_ms();
        let waits = matches!(entry.state.as_str(), "queued" | "leased") && entry.offline > 0 && entry.cut_short < 3;
        if same == *entry && is_earlier && waits { Ok(()) } else { Err("changed without a reason".to_owned()) }
    }

    /// Nothing has changed but that its times, which a clock far ahead wrote, are over; a process that sees that writes it down.
    fn was_far_ahead(&self, entry: &Entry, next: &Entry) -> bool {
        let mut same = next.clone();
        (same.due_at, same.at_once, same.in_flight_until) = (entry.due_at, entry.at_once, entry.in_flight_until);
        let now = self.clock.wall_ms();
        let due = next.at_once && !entry.at_once && entry.due_at - now > 25 * 3_600_000;
        let in_flight = next.in_flight_until == 0 && entry.in_flight_until - now > 120_000;
        let same_due = (next.due_at, next.at_once) == (entry.due_at, entry.at_once);
        same == *entry && (due || same_due) && (in_flight || next.in_flight_until == entry.in_flight_until)
    }

    fn check_act(&self, entry: &Entry, next: &Entry, cause: Cause) -> Check {
        let Cause::Act(act) = cause else { return Ok(()) };
        let may = match (entry.state.as_str(), next.state.as_str()) {
            ("queued" | "leased" | "failed", "failed") if next.reason == "abandoned" && entry.reason != "abandoned" => {
                act == "abandon" || act == "redact" || act == "replay" && entry.replay > 0 && self.has_newer_delivered(entry)
            }
            ("failed", "queued") if entry.replay > 0 => act == "replay" && entry.reason != "abandoned",
            ("failed", "queued") if entry.reason == "abandoned" => act == "send",
            ("failed", "queued") => match act {
                "send" | "send again" => true,
                "secrets changed" => entry.reason == "auth",
                "put endpoint" => {
                    let revives = ["gone", "auth", "redirect", "not_found", "tls", "protocol", "exhausted"];
                    revives.contains(&entry.reason.as_str())
                }
                "enable" => entry.reason == "gone",
                _ => false,
            },
            ("failed" | "queued" | "leased", "superseded") => act == "send corrected" && self.check_superseded(entry, next),
            ("queued", "queued") if has_learned(entry, next) && STORES.contains(&act) => true,
            // Budgets begin again, and what waited is due.
            ("queued", "queued") => RENEWS.contains(&act) && (next.at_once || next.due_at <= entry.due_at),
            // So do those of what is claimed, and nothing else of it.
            ("leased", "leased") if RENEWS.contains(&act) => {
                let (counted, slow, due_at, at_once) = (0, 0, next.due_at, next.at_once);
                let renewed = Entry { counted, slow, due_at, at_once, reason: String::new(), ..entry.clone() };
                // At another address, so does what spaces its attempts.
                let moved = Entry { offline: 0, cut_short: 0, resynced: 0, refreshed: 0, ..renewed.clone() };
                (renewed == *next || act == "put endpoint" && moved == *next) && (next.at_once || next.due_at <= entry.due_at)
            }
            // What came in while nobody drove is stored when the process resumes, or before it is quiesced, closed or delivers no more.
            _ if STORES.contains(&act) => return Ok(()),
            _ => entry.state == next.state && entry.reason == next.reason && act != "look",
        };
        if may { Ok(()) } else { Err(format!("not what the act `{act}` does")) }
    }

    /// Whether the lease of an attempt from before it was abandoned is not over.
    pub fn is_in_flight(&self, entry: &Entry) -> bool {
        (1..=120_000).contains(&(entry.in_flight_until - self.clock.wall_ms()))
    }

    fn check_claim(&mut self, entry: &Entry, next: &Entry, before: &Rows, place: usize) -> Check {
        let now = self.clock.wall_ms();
        if next.attempts != entry.attempts + 1 || next.unknown != entry.unknown + 1 || next.epoch != entry.epoch + 1 {
            return Err("a claim counts one attempt of unknown outcome".to_owned());
        }
        self.attempts.claimed_at.insert(entry.row, self.now());
        self.note_replaced(next);
        if (next.lease_until - now - 60_000).abs() > 1 {
            return Err("a lease is 60 s".to_owned());
        }
        if self.is_in_flight(entry) || self.is_beside(entry).is_some() || self.is_beside_claimed(entry, |_| true).is_some() {
            return Err("claimed while another attempt of its action may be in flight".to_owned());
        }
        let is_due = entry.at_once || entry.due_at <= now || entry.due_at - now > 25 * 3_600_000;
        let is_urgent = self.processes[place].has_urgent_flush();
        if !is_due && !is_urgent {
            return Err(format!("claimed {} ms before it was due", entry.due_at - now));
        }
        if !self.rows.integration || !before.endpoints.get(&entry.endpoint).is_some_and(super::rows::EndpointRow::is_open) {
            return Err("claimed for an endpoint that takes nothing now".to_owned());
        }
        Ok(())
    }

    /// Of one endpoint, entries that have not failed go before those that have, but for one start in four.
    fn check_order(&mut self, before: &Rows, cause: Cause) -> Check {
        if !matches!(cause, Cause::Step(place) if !self.processes[place].has_urgent_flush()) {
            return Ok(());
        }
        let now = self.clock.wall_ms();
        for endpoint in super::world::ENDPOINTS {
            let claimed =
                |entry: &&Entry| entry.state == "leased" && before.entries.get(&entry.row).is_some_and(|old| old.epoch < entry.epoch);
            let here = || self.rows.entries.values().filter(|entry| entry.endpoint == endpoint);
            // What has waited for a day has the first turn of a flush.
            let has_waited = |entry: &&Entry| now - entry.due_at >= 24 * 3_600_000;
            let failed = here().filter(claimed).filter(|entry| entry.counted + entry.slow > 0 && !has_waited(entry)).count();
            let all = here().filter(claimed).count();
            let fresh_waits = here().any(|entry| {
                entry.state == "queued"
                    && entry.replay == 0
                    && entry.counted + entry.slow == 0
                    && (entry.at_once || entry.due_at <= now)
                    && !self.is_in_flight(entry)
                    && !self.tampered.contains_key(&entry.row)
            });
            if all == 0 {
                continue;
            }
            let first_waits = here().find(|entry| {
                entry.state == "queued"
                    && (entry.replay, entry.revision) == (0, 1)
                    && (entry.at_once || entry.due_at <= now)
                    && !self.is_in_flight(entry)
                    && !self.tampered.contains_key(&entry.row)
            });
            if let (Some(message), Some(replay)) = (first_waits, here().filter(claimed).find(|entry| entry.replay > 0)) {
                return Err(format!("replay {} is claimed before {message:?}, which was never delivered", replay.row));
            }
            let passes_over = failed == all && fresh_waits;
            let rows: Vec<i64> = here().filter(claimed).map(|entry| entry.row).collect();
            for row in rows {
                if passes_over {
                    self.attempts.passes_over.insert(row, ());
                } else {
                    self.attempts.passes_over.remove(&row);
                }
            }
        }
        Ok(())
    }

    pub fn late_2xx(&mut self, entry: &Entry, next: &Entry) -> Check {
        self.coverage.count("check", format!("late 2xx of one that is {}", entry.state));
        if next.attempts == entry.attempts { Ok(()) } else { Err("a late 2xx counts no attempt".to_owned()) }
    }
}

impl Attempt {
    pub fn has_2xx(&self) -> bool {
        self.outcome.is_some_and(|outcome| matches!(outcome.ended, Ended::Answer { status: 200..=299, .. }))
    }
}

pub fn seconds_of(text: &str) -> Option<i64> {
    let date = chrono::NaiveDateTime::parse_from_str(text, "%a, %d %b %Y %H:%M:%S GMT").ok()?;
    Some(date.and_utc().timestamp())
}

/// Acts that store what came in while nobody drove.
const STORES: [&str; 6] = ["resume", "close", "quiesce", "foreground", "background", "stop delivery"];

/// After which the budgets of what an endpoint has begin again.
const RENEWS: [&str; 3] = ["secrets changed", "put endpoint", "enable"];

/// Of an entry that was abandoned and sent again it was learned what its last claim came to: that nothing of it had begun, or what was
/// answered.
fn has_learned(entry: &Entry, next: &Entry) -> bool {
    let was_sent_again = entry.reason.is_empty() && next.reason.is_empty() && next.epoch == entry.epoch;
    let not_begun = next.attempts + 1 == entry.attempts && next.in_flight_until == 0;
    let answered = next.attempts == entry.attempts;
    was_sent_again && ((not_begun || answered) && next.unknown + 1 == entry.unknown || ended_unknown(entry, next))
}

/// Of an entry that was abandoned the last attempt has ended, and nobody knows how: it stands in the way of no other one.
fn ended_unknown(entry: &Entry, next: &Entry) -> bool {
    let same = Entry { in_flight_until: entry.in_flight_until, ..next.clone() };
    same == *entry && next.in_flight_until == 0
}
