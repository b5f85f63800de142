//! What somebody sees who looks at everything in a database, to compare it with what calls have acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use compass_core::model::*;
use compass_core::{Compass, Error};

/// Each part by its name.
pub type Facts = BTreeMap<String, String>;

pub fn facts(compass: &Compass) -> Facts {
    try_facts(compass).expect("everything can be read")
}

pub fn try_facts(compass: &Compass) -> Result<Facts, Error> {
    let mut facts = Facts::new();
    let all = [SessionState::InProgress, SessionState::Completed, SessionState::Ended, SessionState::Discarded];
    let filter = SessionFilter { states: all.to_vec(), ..SessionFilter::default() };
    for summary in compass.sessions(&filter, None, 200)?.sessions {
        let key = summary.key;
        let view = compass.session(key)?;
        facts.insert(format!("{key}"), format!("{:?} in {:?}, visit {}", view.state, view.section.key, view.visit));
        for field in &view.fields {
            facts.insert(format!("{key} field {}", field.definition.key), format!("{:?} {:?}", field.state, field.draft));
        }
        for note in &view.notes {
            facts.insert(format!("{key} note {}", note.seq), format!("{:?}", note.text));
        }
        if view.state == SessionState::InProgress || view.state == SessionState::Discarded {
            continue;
        }
        for action in compass.record(key)?.actions {
            facts.insert(format!("{key} action {}", action.key), format!("differs {}", action.differs_from_sent));
            for delivery in action.deliveries {
                facts.insert(format!("{key} action {} message {}", action.key, delivery.id.0), format!("{:?}", delivery.state));
            }
        }
    }
    for endpoint in compass.endpoints()? {
        facts.insert(format!("endpoint {}", endpoint.endpoint.key), format!("{:?} {}", endpoint.endpoint.url, endpoint.enabled));
    }
    facts.insert("integration".into(), compass.integration_enabled()?.to_string());
    Ok(facts)
}

/// Each part is as it was, or as it is after the call.
pub fn mixed(found: &Facts, before: &Facts, after: &Facts) -> bool {
    let parts: BTreeSet<&String> = found.keys().chain(before.keys()).chain(after.keys()).collect();
    parts.into_iter().all(|part| found.get(part) == before.get(part) || found.get(part) == after.get(part))
}

pub fn differences(before: &Facts, found: &Facts) -> String {
    let parts: BTreeSet<&String> = before.keys().chain(found.keys()).collect();
    let different = parts.into_iter().filter(|part| before.get(*part) != found.get(*part));
    different.map(|part| format!("\n  {part}: {:?}, and was {:?}", found.get(part), before.get(part))).collect()
}
