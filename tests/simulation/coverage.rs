//! What the seeds have reached, counted.

use std::collections::BTreeMap;

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

/// Every reason code but two: the world never lets a URL through that cannot be used, and `endpoint_paused` needs a breaker, which it has.
pub const UNREACHED_REASONS: &[&str] = &["bad_url"];

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
        let reasons = compass_core::reason::ALL.iter().filter(|reason| !UNREACHED_REASONS.contains(reason));
        let wanted = ROWS.iter().map(|row| ("row", *row)).chain(reasons.map(|reason| ("reason", *reason)));
        wanted.filter(|(kind, name)| self.of(kind, name) == 0).map(|(kind, name)| format!("{kind} {name}")).collect()
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
    }
}
