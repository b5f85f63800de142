//! What the seeds have reached, counted.

use std::collections::BTreeMap;

use compass_core::model::OutboxItem;
use compass_core::reason;
use compass_core::testing::rules::waits_for_person;

use super::acts;

/// Counts by kind (`act`, `blocker`, `reason`, `row`, `check`) and name.
#[derive(Debug, Clone, Default)]
pub struct Coverage(BTreeMap<(&'static str, String), u64>);

/// Rows of the outcome table.
pub const ROWS: &[&str] = &[
    "2xx",
    "3xx",
    "400 422",
    "400 422 resync",
    "405 and other refusals of bytes",
    "401 403",
    "401 403 resync",
    "404",
    "407 511",
    "408 425",
    "409",
    "410",
    "413",
    "429",
    "other 4xx",
    "502 503 504",
    "other 5xx",
    "1xx, below 100, above 599",
    "no network",
    "dns, offline",
    "dns",
    "refused, offline",
    "refused",
    "nothing left, offline",
    "nothing left",
    "timeout after bytes left",
    "closed after bytes left",
    "garbage",
    "2xx before the request was written",
    "certificate, offline",
    "certificate",
    "certificate, clock",
    "tls, portal",
    "tls",
    "cancelled by the transport",
    "another failure",
    "cut short",
    "secret missing",
    "secret unavailable",
    "secret invalid",
    "corrupt",
];

/// What an entry can wait for.
pub const BLOCKERS: &[&str] = &[
    "corrupt",
    "in flight",
    "integration_off",
    "endpoint_unknown",
    "endpoint_corrupt",
    "endpoint_archived",
    "endpoint_disabled",
    "secret",
    "unreachable",
    "earlier_revision",
    "paused",
    "offline",
    "needs_unmetered",
    "until",
    "ready",
];

/// What is never reached, and why.
pub const UNREACHED: &[(&str, &str, &str)] = &[(
    "reason",
    "bad_url",
    "an endpoint with such a URL is refused; one comes only from an app that stops allowing plain HTTP, see tests/outcomes/nothing_sent.rs",
)];

/// What a pending entry that is listed like this waits for. `is_paused`: its endpoint shows a pause.
pub fn blocker(item: &OutboxItem, is_paused: bool, wall_ms: i64) -> &'static str {
    let (shown, at) = (item.delivery.reason.as_deref().unwrap_or_default(), item.delivery.next_attempt_at);
    if waits_for_person(shown) {
        return BLOCKERS.iter().find(|name| **name == shown).copied().unwrap_or("secret");
    }
    match shown {
        _ if item.needs_person => "unreachable",
        reason::IN_FLIGHT => "in flight",
        reason::EARLIER_REVISION => "earlier_revision",
        _ if is_paused => "paused",
        reason::OFFLINE if at.is_none() => "offline",
        reason::NEEDS_UNMETERED if at.is_none() => "needs_unmetered",
        _ if at.is_some_and(|at| at.timestamp_millis() > wall_ms) => "until",
        _ => "ready",
    }
}

impl Coverage {
    pub fn count(&mut self, kind: &'static str, name: impl Into<String>) {
        *self.0.entry((kind, name.into())).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(key.clone()).or_default() += count;
        }
    }

    pub fn of(&self, kind: &'static str, name: &str) -> u64 {
        self.0.get(&(kind, name.to_owned())).copied().unwrap_or(0)
    }

    /// What was not reached.
    pub fn missing(&self) -> Vec<String> {
        let fixed = [("row", ROWS), ("reason", &reason::ALL[..]), ("blocker", BLOCKERS)];
        let fixed = fixed.into_iter().flat_map(|(kind, names)| names.iter().map(move |name| (kind, (*name).to_owned())));
        let wanted = fixed.chain(acts::kinds().into_iter().map(|act| ("act", act)));
        let excused = |kind: &str, name: &str| UNREACHED.iter().any(|(of, is, _)| (*of, *is) == (kind, name));
        let left = wanted.filter(|(kind, name)| self.of(kind, name) == 0 && !excused(kind, name));
        left.map(|(kind, name)| format!("{kind} {name}")).collect()
    }

    pub fn print(&self) {
        let mut last = "";
        for ((kind, name), count) in &self.0 {
            if *kind != last {
                println!("\n{kind}:");
                last = kind;
            }
            print!("  {name} {count};");
        }
        println!();
        for (kind, name, why) in UNREACHED {
            println!("not wanted: {kind} {name}: {why}");
        }
    }
}
