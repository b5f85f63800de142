//! Numbers: each action with a message that can be sent has the next one of its endpoint, for good, and its requests carry it.

use std::collections::BTreeMap;

use compass_core::port::TransportRequest;

use super::receiver::header;
use super::rows::Entry;
use super::world::{Check, World};

#[derive(Debug, Default)]
pub struct Numbers {
    /// By session and action, also of sessions that were purged.
    of_action: BTreeMap<(i64, String), String>,
    /// The last number of each series and endpoint.
    last: BTreeMap<(String, String), u64>,
}

impl World {
    /// The file has changed: is each new number the next one, and are all others what they were?
    pub fn check_numbers(&mut self) -> Check {
        let mut given: Vec<(&Entry, &str, u64)> = Vec::new();
        for entry in self.rows.entries.values() {
            // Its payload is always too large.
            if entry.sequence.is_empty() != (entry.action == "large-1") {
                return Err(format!("entry {} of {} has the number {:?}", entry.row, entry.action, entry.sequence));
            }
            match self.numbers_given.of_action.get(&(entry.session, entry.action.clone())) {
                Some(known) if *known != entry.sequence => {
                    return Err(format!("{} of session {} had number {known} and has {}", entry.action, entry.session, entry.sequence));
                }
                None if entry.revision == entry.newest && !entry.sequence.is_empty() => {
                    let (series, number) = entry.sequence.split_once('-').ok_or("no series")?;
                    given.push((entry, series, number.parse().map_err(|_| format!("{} is no number", entry.sequence))?));
                }
                _ => {}
            }
        }
        given.sort_by_key(|(_, _, number)| *number);
        for (entry, series, number) in given {
            let last = self.numbers_given.last.entry((series.to_owned(), entry.endpoint.clone())).or_default();
            *last += 1;
            if number != *last {
                return Err(format!("entry {} at {} gets number {number}, and {last} is the next", entry.row, entry.endpoint));
            }
            self.numbers_given.of_action.insert((entry.session, entry.action.clone()), entry.sequence.clone());
        }
        if self.numbers_given.last.len() > self.receivers.len() {
            return Err(format!("nothing ends the series: {:?}", self.numbers_given.last));
        }
        Ok(())
    }

    /// A request leaves: does it carry the number of its action?
    pub fn check_sequence(&self, entry: &Entry, request: &TransportRequest, who: &str) -> Check {
        let (sequence, install) = (header(request, "compass-sequence"), header(request, "compass-install"));
        if sequence != entry.sequence || install.len() != 16 {
            return Err(format!("{who} has the number {} and carries {sequence:?} of {install:?}", entry.sequence));
        }
        Ok(())
    }
}
