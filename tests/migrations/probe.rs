//! Probe: what was edited before an update.

use std::sync::Arc;

use compass_core::Compass;
use compass_core::model::*;
use compass_core::testing::{ManualClock, ScriptedTransport};

use super::*;

#[test]
fn p32_an_edit_of_before_an_update_differs_from_what_was_sent() {
    let mut wrong = Vec::new();
    for schema in old_schemas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compass.db");
        old_file(&path, schema);
        let (clock, office) = (Arc::new(ManualClock::default()), ScriptedTransport::always(202));
        clock.set_wall(Timestamp::from_timestamp_millis(1_809_768_000_000).unwrap());
        let compass = Compass::open(history::options(&path, &clock, &office)).unwrap();
        for (number, one) in compass.sessions(&SessionFilter::default(), None, 50).unwrap().sessions.into_iter().enumerate() {
            let record = compass.record(one.key).unwrap();
            for action in record.actions {
                if action.differs_from_sent || action.deliveries.is_empty() {
                    continue;
                }
                let sent = compass.send_corrected(one.key, &action.key, Some("Mia"), &format!("probe-{number}-{}", action.key));
                if sent.is_ok() {
                    wrong.push(format!(
                        "schema {schema}, {} {}: {:?} {:?}, differs {}, can send corrected {}, and it was corrected; the list says {}",
                        one.workflow.key,
                        action.key,
                        action.status,
                        action.reason,
                        action.differs_from_sent,
                        action.can_send_corrected,
                        one.actions_differing
                    ));
                }
            }
        }
        println!("{:?}", compass.check().unwrap().faults);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
