//! What must agree whenever somebody looks: the lists, the totals, the next due time, endpoints and records of a process.

use compass_core::model::{Connectivity, DeliveryState, OutboxFilter};

use super::coverage;
use super::perform::fine;
use super::world::{Cause, Check, World};

impl World {
    /// What one process shows is what the file says, in all places alike.
    pub fn agrees(&mut self, place: usize) -> Check {
        let compass = self.compass(place);
        let Some(page) = fine(compass.outbox(&OutboxFilter::default(), None, 500), &[])? else { return Ok(()) };
        let Some(totals) = fine(compass.outbox_totals(), &[])? else { return Ok(()) };
        let Some(next) = fine(compass.next_due(), &[])? else { return Ok(()) };
        let Some(endpoints) = fine(compass.endpoints(), &[])? else { return Ok(()) };
        let count = |is: &dyn Fn(&&compass_core::model::OutboxItem) -> bool| page.items.iter().filter(is).count() as u64;
        let pending = count(&|item| item.delivery.state == DeliveryState::Pending);
        let failed = count(&|item| item.delivery.state == DeliveryState::Failed && item.delivery.reason.as_deref() != Some("abandoned"));
        let persons = count(&|item| item.needs_person);
        if (pending, failed, persons) != (totals.pending, totals.failed, totals.needs_person) {
            return Err(format!(
                "process {place} lists {pending} pending, {failed} failed and {persons} for a person, and its totals are {totals:?}"
            ));
        }
        if next.needs_person != (totals.needs_person > 0) {
            return Err(format!("next_due says {next:?} and the totals are {totals:?}"));
        }
        let connectivity = self.processes[place].connectivity;
        for item in &page.items {
            let delivery = &item.delivery;
            let found = self.rows.entries.values().find(|entry| (&entry.id, entry.replay) == (&delivery.id.0, delivery.replay));
            let Some(entry) = found else {
                if self.tampered.is_empty() {
                    return Err(format!("the list shows {}, which is not in the file", delivery.id));
                }
                continue;
            };
            let shows = match entry.state.as_str() {
                "queued" | "leased" => DeliveryState::Pending,
                "failed" => DeliveryState::Failed,
                _ => return Err(format!("entry {} is {} and listed as unsent", entry.row, entry.state)),
            };
            if delivery.state != shows || delivery.attempts != entry.attempts {
                return Err(format!("entry {} is {} and listed as {:?}", entry.row, entry.state, delivery.state));
            }
            let reason = delivery.reason.clone().unwrap_or_default();
            self.coverage.count("reason", reason.clone());
            if delivery.state == DeliveryState::Pending {
                let status = endpoints.iter().find(|status| status.endpoint.key == entry.endpoint);
                let wall_ms = self.clock.wall_ms();
                let is_paused = status
                    .and_then(|status| {
                        status.paused_until.filter(|_| status.pause_reason.as_deref().unwrap_or("endpoint_paused") == reason)
                    })
                    .is_some_and(|until| until.timestamp_millis() > wall_ms);
                let blocker = coverage::blocker(item, is_paused, wall_ms);
                self.coverage.count("blocker", blocker);
                let failing = status.and_then(|status| status.failing_reason.as_deref());
                if blocker == "unreachable" && failing != Some(&reason) {
                    return Err(format!("entry {} needs a person for {reason}, and its endpoint fails with {failing:?}", entry.row));
                }
            }
            if entry.state != "queued" || self.tampered.contains_key(&entry.row) {
                continue;
            }
            // Somebody else ended its lease, or it was abandoned and is sent again.
            let runs = |row: i64| self.attempts.runs(row, place, self.processes[place].life);
            if reason == "in_flight" && runs(entry.row) {
                continue;
            }
            // An earlier revision is in flight here, and the clock was set.
            if reason == "earlier_revision" && self.earlier(entry).iter().any(|old| runs(old.row)) {
                continue;
            }
            let endpoint = self.rows.endpoints.get(&entry.endpoint);
            let expected = if !self.rows.integration {
                Some("integration_off")
            } else if endpoint.is_none() {
                Some("endpoint_unknown")
            } else if self.tampered_endpoints.contains_key(&entry.endpoint) {
                Some("endpoint_corrupt")
            } else if endpoint.is_some_and(|endpoint| endpoint.archived) {
                Some("endpoint_archived")
            } else if endpoint.is_some_and(|endpoint| !endpoint.enabled) {
                Some("endpoint_disabled")
            } else {
                None
            };
            if let Some(expected) = expected {
                if reason != expected || !item.needs_person || delivery.next_attempt_at.is_some() {
                    return Err(format!("entry {} waits for {expected} and shows {delivery:?}, {}", entry.row, item.needs_person));
                }
                continue;
            }
            let waits = reason.starts_with("secret_") || reason == "endpoint_paused" || reason == "rate_limited" || item.needs_person;
            if connectivity == Connectivity::Offline && !waits && reason != "offline" && delivery.next_attempt_at.is_some() {
                return Err(format!("entry {} shows {reason} and a time although there is no network", entry.row));
            }
            // By its own row, or by the other's where it was claimed while the clock was wrong. What a replay waits for may be a newer one.
            let is_beside = entry.replay == 0 && self.is_beside(entry).is_some();
            let is_behind = entry.attempts == 0 && (self.is_in_flight(entry) || is_beside) && !item.needs_person;
            if (reason == "earlier_revision") != is_behind {
                return Err(format!("entry {} shows {reason}, and it waits for an earlier revision: {is_behind}", entry.row));
            }
            if delivery.next_attempt_at.is_some() && next.at.is_none() && next.at_needs_unmetered.is_none() {
                return Err(format!(
                    "entry {} is tried at {:?}, and next_due knows no time: {next:?}",
                    entry.row, delivery.next_attempt_at
                ));
            }
        }
        for status in endpoints {
            let key = &status.endpoint.key;
            let waiting = self.rows.unsent().filter(|entry| entry.endpoint == *key).count() as u64;
            if status.pending != waiting {
                return Err(format!("{waiting} entries wait for {key}, and it says {}", status.pending));
            }
        }
        let sessions: std::collections::BTreeSet<_> = page.items.iter().map(|item| item.session).collect();
        for session in sessions.into_iter().take(2) {
            let Some(record) = fine(compass.record(session), &[])? else { continue };
            for action in &record.actions {
                let newest = action.deliveries.first().map(|delivery| delivery.state);
                let listed = page.items.iter().find(|item| item.session == session && item.action == action.key);
                if let Some(item) = listed
                    && action.deliveries.iter().chain(&action.replays).any(|delivery| {
                        (&delivery.id, delivery.replay) == (&item.delivery.id, item.delivery.replay) && *delivery != item.delivery
                    })
                {
                    return Err(format!("the record and the list differ on {}", item.delivery.id));
                }
                let status = format!("{:?}", action.status);
                if newest.is_some_and(|state| format!("{state:?}") != status) {
                    return Err(format!("action {} is {status} and its entry {newest:?}", action.key));
                }
                self.check_record(session, action)?;
            }
        }
        self.after(Cause::Act("look"))
    }

    /// The whole check finds nothing but what was done from outside: each fault names a message or an endpoint that was changed.
    pub fn check_file(&mut self, place: usize) -> Check {
        let Some(report) = fine(self.compass(place).check(), &["corrupt"])? else { return Ok(()) };
        let was_made = |fault: &&String| {
            let after = |what: &str| fault.split_once(what).and_then(|(_, rest)| rest.split([' ', '`']).next());
            let is_of = |id: &str| self.rows.entries.values().any(|entry| entry.id == id && self.tampered.contains_key(&entry.row));
            after("message ").is_some_and(is_of)
                || after("the endpoint `").is_some_and(|key| self.tampered_endpoints.contains_key(key))
                // Makes a result unstorable.
                || fault.contains("trigger unstorable")
        };
        let others: Vec<_> = report.faults.iter().filter(|fault| !was_made(fault)).collect();
        if !others.is_empty() {
            return Err(format!("the check finds {others:?} besides what was done, {:?} and {:?}", self.tampered, self.tampered_endpoints));
        }
        self.after(Cause::Act("look"))
    }

    /// Prints how everything stands, for a person who looks at a failure.
    pub fn describe(&self) {
        println!("wall {} integration {} link {:?}", self.clock.wall_ms(), self.rows.integration, self.link);
        for entry in self.rows.unsent() {
            println!("  {entry:?}");
        }
        println!("  {:#?}", self.rows.endpoints);
        for (place, process) in self.processes.iter().enumerate() {
            println!("  process {place}: {:?}, {} drivers, quiesced {}", process.connectivity, process.drivers.len(), process.quiesced);
            if let Some(compass) = &process.compass {
                println!("  {:?}\n  {:#?}", compass.next_due(), compass.endpoints());
            }
        }
    }

    /// How many descriptors this process of ours has on the file.
    pub fn open_files(&self) -> usize {
        let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return 0 };
        let path = self.path();
        let name = path.to_string_lossy().into_owned();
        folder
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .filter(|target| target.to_string_lossy().starts_with(&name))
            .count()
    }
}
