//! A phone that was used for a while, after the update.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use compass_core::model::*;
use compass_core::testing::{ManualClock, ScriptedTransport};
use compass_core::{CancelToken, DiscardUndelivered, RestoreOptions};

use super::*;
use crate::support::app::{endpoint, redaction, set, text};

const DAY: Duration = Duration::from_secs(86_400);

/// A command id that was not used before the update either.
fn id() -> String {
    format!("later-{}", crate::support::app::id())
}

fn words(path: &Path, sql: &str) -> BTreeSet<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(|word| word.unwrap()).collect()
}

#[test]
fn the_file_of_the_first_schema_has_rows_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    old_file(&path, 1);
    let has = |sql: &str, expected: &[&str]| {
        let found = words(&path, sql);
        let missing: Vec<_> = expected.iter().filter(|word| !found.contains(**word)).collect();
        assert!(missing.is_empty(), "{sql}: {missing:?} of {found:?}");
    };
    has("SELECT state FROM session", &["in_progress", "completed", "ended", "discarded"]);
    has(
        "SELECT status || coalesce(' ' || reason, '') FROM action",
        &[
            "not_fired session_ended",
            "not_fired integration_off",
            "pending",
            "pending offline",
            "pending server_error",
            "sent",
            "failed rejected",
            "failed gone",
            "failed abandoned",
        ],
    );
    has(
        "SELECT state || iif(body IS NULL, ' without body', '') FROM outbox",
        &["queued", "leased", "sent", "sent without body", "failed", "superseded"],
    );
    has("SELECT session_state FROM outbox", &["completed", "ended"]);
    has("SELECT cause FROM tombstone", &["purged", "deleted"]);
    has(
        "SELECT type FROM event",
        &[
            "started",
            "fields_set",
            "answered",
            "went_back",
            "noted",
            "response_used",
            "completed",
            "ended",
            "discarded",
            "edited",
            "send_requested",
            "abandoned",
        ],
    );
    let sql = Connection::open(&path).unwrap();
    for what in [
        "event GROUP BY command_id IS NULL HAVING count(*) > 1",
        "visit WHERE superseded = 1",
        "value WHERE source IS NOT NULL",
        "note WHERE edited = 1",
        "draft WHERE field = ''",
        "draft WHERE field <> ''",
        "workflow WHERE retired_at IS NOT NULL",
        "workflow WHERE startable = 0",
        "session s JOIN workflow w ON w.id = s.workflow_id WHERE w.retired_at IS NOT NULL AND s.state = 'in_progress'",
        "endpoint WHERE enabled = 0",
        "endpoint WHERE paused_until > 0",
        "endpoint WHERE archived_at IS NOT NULL",
        "outbox WHERE first_contact_at IS NOT NULL AND slow_counted + counted > 0",
        "outbox WHERE offline_tries > 0",
        "outbox WHERE unknown_outcomes > 0 AND state = 'queued'",
        "outbox WHERE revision > 1",
        "attempt WHERE number = 11",
        "session_text WHERE session_text MATCH 'mill'",
        "(SELECT count(*) AS tables FROM sqlite_sequence) WHERE tables = 2",
        "sqlite_sequence q WHERE q.name = 'session' AND q.seq > (SELECT max(id) FROM session)",
        "sqlite_sequence q WHERE q.name = 'outbox' AND q.seq > (SELECT max(id) FROM outbox)",
    ] {
        let count: i64 = sql.query_row(&format!("SELECT EXISTS (SELECT 1 FROM {what})"), [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1, "{what}");
    }
}

#[test]
fn an_update_keeps_every_row_and_ends_in_the_schema_of_a_new_file() {
    for from in old_schemas() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
        old_file(&old, from);
        let before = picture(&old, from);
        open(&old).unwrap().close().unwrap();
        open(&new).unwrap().close().unwrap();
        assert_eq!(version(&old), version(&new));
        assert_eq!(schema(&old), schema(&new));
        assert_eq!(picture(&old, from), before);
        let abandoned = words(&old, "SELECT reason || ' ' || detail FROM outbox WHERE detail IS NOT NULL");
        assert_eq!(abandoned, BTreeSet::from(["abandoned abandoned".to_owned()]));
    }
}

#[test]
fn equal_bodies_are_one_after_an_update_whatever_damage_has_made_of_some() {
    // Three entries with the same content, of which the first was damaged: the bytes that two agree on are the ones.
    const MORE: &str = "
        INSERT INTO action (id, session_id, key, name, section, endpoint, status, revision)
        VALUES (901, 15, 'a', 'A', 's', 'office', 'pending', 1), (902, 15, 'b', 'B', 's', 'office', 'pending', 1);
        INSERT INTO outbox (id, action_id, session_id, revision, delivery_id, endpoint, body, body_sha256, body_size, workflow_version,
                            session_state, frozen_at, due_at)
        SELECT n, n, session_id, 1, 'msg_' || substr('aaaaaaaaaaaaaaaaaaaaaaaaaa' || n, -26), 'office', body, body_sha256, body_size,
               workflow_version, session_state, frozen_at, due_at
          FROM outbox, (SELECT 901 AS n UNION ALL SELECT 902) WHERE outbox.id = 14;
        UPDATE outbox SET body = x'00' WHERE id = 14;
        UPDATE outbox SET body = x'01' WHERE id = 15;
        UPDATE sqlite_sequence SET seq = 902 WHERE name = 'outbox'";
    for from in old_schemas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compass.db");
        old_file_with(&path, from, MORE);
        let compass = open(&path).unwrap();
        let damaged = compass.check().unwrap().faults.into_iter().filter(|fault| fault.contains("not the one that was frozen")).count();
        assert_eq!(damaged, 1, "the one that nobody else says otherwise of");
        let sql = Connection::open(&path).unwrap();
        let count = |sql_text: &str| sql.query_row(sql_text, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM outbox o JOIN body b ON b.sha256 = o.body_sha256 WHERE o.id IN (14, 901, 902)"), 3);
        assert_eq!(count("SELECT count(*) FROM body"), count("SELECT count(DISTINCT body_sha256) FROM outbox WHERE body_kept = 1"));
    }
}

#[test]
fn a_damaged_value_keeps_no_file_from_its_update() {
    for change in [
        "UPDATE outbox SET state = 'odd' WHERE id = (SELECT max(id) FROM outbox)",
        "UPDATE outbox SET reason = NULL WHERE id = (SELECT max(id) FROM outbox WHERE state = 'failed')",
        "UPDATE outbox SET sent_at = NULL WHERE id = (SELECT max(id) FROM outbox WHERE state = 'sent')",
        "UPDATE outbox SET body_sha256 = x'00' WHERE id = (SELECT max(id) FROM outbox)",
        "UPDATE event SET type = '' WHERE seq = 2",
        "UPDATE session SET state = 'odd' WHERE id = (SELECT max(id) FROM session)",
        "UPDATE tombstone SET cause = 'odd'",
    ] {
        for from in old_schemas() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("compass.db");
            old_file_with(&path, from, &format!("; {change}"));
            let compass = open(&path).unwrap_or_else(|error| panic!("{change}: {error}"));
            assert_ne!(compass.check().unwrap().faults, [""; 0], "{change}");
            assert!(compass.totals().unwrap().sessions.completed > 0, "{change}");
        }
    }
}

#[test]
fn a_row_that_no_table_takes_is_told_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    old_file(&path, 2);
    let sql = Connection::open(&path).unwrap();
    let made: String = sql.query_row("SELECT sql FROM sqlite_schema WHERE name = 'outbox'", [], |row| row.get(0)).unwrap();
    let make = |made: &str| {
        sql.execute_batch("PRAGMA writable_schema = ON").unwrap();
        sql.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = 'outbox'", [made]).unwrap();
        sql.execute_batch("PRAGMA writable_schema = RESET").unwrap();
    };
    make(&made.replace("TEXT    NOT NULL", "TEXT"));
    past_every_rule(&sql, |sql| sql.execute_batch("UPDATE outbox SET endpoint = NULL").unwrap());
    make(&made);
    drop(sql);
    assert_eq!(open(&path).unwrap_err().code(), "corrupt");
    assert_eq!(version(&path), 2);
}

#[test]
fn work_goes_on_after_an_update() {
    old_schemas().for_each(work_goes_on_after_an_update_from);
}

fn work_goes_on_after_an_update_from(schema: u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    old_file(&path, schema);
    let (clock, office) = (Arc::new(ManualClock::default()), ScriptedTransport::always(202));
    // An hour after what happened last.
    clock.set_wall(Timestamp::from_timestamp_millis(1_809_768_000_000).unwrap());
    let compass = Compass::open(history::options(&path, &clock, &office)).unwrap();
    assert_eq!(compass.check().unwrap().faults, [""; 0]);

    let found =
        |words: &str| compass.sessions(&SessionFilter { text: Some(words.into()), ..Default::default() }, None, 50).unwrap().sessions.len();
    assert_eq!((found("cafe"), found("mill road")), (1, 2), "what was written before is found");
    let session = |filter: SessionFilter| compass.sessions(&filter, None, 50).unwrap().sessions;
    let status = |status| session(SessionFilter { action_status: Some(status), ..Default::default() });

    // What was under way is finished, on the version it began with.
    let under_way = session(SessionFilter { states: vec![SessionState::InProgress], ..Default::default() });
    assert_eq!(under_way.len(), 3);
    for one in under_way {
        let view = compass.session(one.key).unwrap();
        let view = if view.section.key == "yard" {
            compass.set_field(one.key, "site", text("Mill Lane")).unwrap();
            compass.answer(one.key, view.visit, "office").unwrap().view
        } else {
            view
        };
        compass.complete(one.key, view.visit).unwrap();
        assert_eq!(compass.session(one.key).unwrap().workflow.version, one.workflow.version);
    }

    // Everything that waits for something gets it.
    for place in ["nobody", "shop"] {
        compass.put_endpoint(&endpoint(place)).unwrap();
    }
    compass.set_endpoint_enabled("gone", true).unwrap();
    for one in status(ActionStatus::Failed).into_iter().chain(status(ActionStatus::NotFired)) {
        compass.edit(one.key, None, None, vec![set("site", text("Mill Lane 12"))], vec![], &id()).unwrap();
        compass.send(one.key, &compass.record(one.key).unwrap().actions[0].key, Some("Mia"), &id()).unwrap();
    }
    for _ in 0..10 {
        compass.flush(Duration::from_secs(60), &CancelToken::new()).unwrap();
        clock.advance(DAY);
    }
    let totals = compass.totals().unwrap();
    assert_eq!((totals.actions_pending, totals.actions_failed, totals.actions_not_fired), (0, 0, 0), "{totals:?}");
    // What was frozen before has no number, and what was frozen since has.
    let sequences: Vec<bool> =
        office.requests().iter().map(|request| request.headers.iter().any(|header| header.name == "compass-sequence")).collect();
    assert!(sequences.contains(&true) && sequences.contains(&false), "{sequences:?}");
    assert_eq!(compass.check().unwrap().faults, [""; 0]);

    // What should never have been typed goes, wherever it stood.
    let mut said = BTreeSet::new();
    let all = vec![SessionState::InProgress, SessionState::Completed, SessionState::Ended, SessionState::Discarded];
    for one in session(SessionFilter { states: all, ..Default::default() }) {
        let record = compass.record(one.key).unwrap();
        let texts = record
            .fields
            .iter()
            .filter_map(|field| if let FieldState::Provided(FieldValue::Text(text)) = &field.state { Some(text) } else { None });
        said.extend(texts.chain(record.notes.iter().filter_map(|note| note.text.as_ref())).filter(|text| text.len() > 4).cloned());
        let fields = record.fields.iter().map(|field| RedactionTarget::Field { key: field.definition.key.clone() });
        for target in fields.chain(record.notes.iter().map(|note| RedactionTarget::Note { seq: note.seq })) {
            compass.redact(one.key, &Redaction { command_id: id(), ..redaction(target) }).unwrap();
        }
    }
    let kept = words(&path, "SELECT json FROM event UNION SELECT json FROM value UNION SELECT text FROM note UNION SELECT text FROM draft");
    let left = |text: &&String| kept.iter().any(|kept| kept.contains(*text));
    assert!(said.len() > 1 && said.iter().find(left).is_none(), "{said:?}");
    assert_eq!(compass.check().unwrap().faults, [""; 0]);

    // A number that was given once is not given again.
    let numbers = Connection::open(&path).unwrap();
    let number = |sql: &str| numbers.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    compass.start(&Start::new("round", id())).unwrap();
    let highest = (number("SELECT max(id) FROM session"), number("SELECT max(id) FROM outbox"));
    assert!(highest.0 > 23 && highest.1 > 18, "{highest:?}");

    let before = number("SELECT count(*) FROM session");
    clock.advance(500 * DAY);
    assert_eq!(compass.purge(DAY).unwrap().purged as i64, before - 1, "all but the one that was just begun");
    assert_eq!(number("SELECT count(*) FROM outbox") + number("SELECT count(*) FROM attempt"), 0);
    assert_eq!(compass.check().unwrap().faults, [""; 0]);
}

/// The file of this schema an hour after what happened last, opened.
fn later(path: &Path, schema: u32) -> Compass {
    old_file(path, schema);
    let (clock, office) = (Arc::new(ManualClock::default()), ScriptedTransport::always(202));
    clock.set_wall(Timestamp::from_timestamp_millis(1_809_768_000_000).unwrap());
    Compass::open(history::options(path, &clock, &office)).unwrap()
}

fn listed(compass: &Compass) -> Vec<SessionSummary> {
    compass.sessions(&SessionFilter::default(), None, 50).unwrap().sessions
}

fn differing(compass: &Compass, session: SessionKey) -> u32 {
    compass.record(session).unwrap().actions.iter().filter(|action| action.differs_from_sent).count() as u32
}

#[test]
fn what_was_edited_before_an_update_differs_and_can_be_sent() {
    for schema in old_schemas() {
        let folder = tempfile::tempdir().unwrap();
        let compass = later(&folder.path().join("compass.db"), schema);
        let mut corrected = 0;
        for one in listed(&compass) {
            assert_eq!(one.actions_differing, differing(&compass, one.key), "schema {schema}, {}", one.workflow.key);
            for action in compass.record(one.key).unwrap().actions {
                let sent = compass.send_corrected(one.key, &action.key, Some("Mia"), &id());
                assert_eq!(action.can_send_corrected, sent.is_ok(), "schema {schema}, {} {}: {sent:?}", one.workflow.key, action.key);
                corrected += u32::from(sent.is_ok());
            }
        }
        assert!(corrected > 0, "schema {schema} has an edit of what was sent");
        assert_eq!(compass.check().unwrap().faults, [""; 0]);
    }
}

#[test]
fn what_was_not_compared_differs_in_its_record_at_once_and_in_lists_after_a_flush() {
    for schema in old_schemas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compass.db");
        let compass = later(&path, schema);
        let one = listed(&compass).into_iter().find(|one| one.actions_differing > 0).unwrap();
        // As it is before it is compared; the first session of all cannot be read.
        let sql = Connection::open(&path).unwrap();
        past_every_rule(&sql, |sql| {
            let changes = "UPDATE session SET actions_differing = NULL, state = iif(id = (SELECT min(id) FROM session), 'odd', state);
                           UPDATE action SET differs = NULL";
            sql.execute_batch(changes).unwrap();
        });
        let of_list = || listed(&compass).into_iter().find(|other| other.key == one.key).unwrap().actions_differing;
        assert_eq!((of_list(), differing(&compass, one.key)), (0, one.actions_differing));
        compass.flush(Duration::from_secs(30), &CancelToken::new()).unwrap();
        assert_eq!((of_list(), differing(&compass, one.key)), (one.actions_differing, one.actions_differing));
    }
}

#[test]
fn a_copy_takes_the_place_of_a_file_that_was_not_updated_yet() {
    for schema in old_schemas() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("compass.db"), folder.path().join("copy.db"));
        old_file(&copy, schema);
        open(&copy).unwrap().close().unwrap();
        old_file(&path, schema);
        Compass::restore(&copy, &RestoreOptions::new(&path)).unwrap();
        assert_eq!(version(&folder.path().join("compass.db.before-restore")), schema, "the file before is kept as it was");
        let (restored, there) = (open(&path).unwrap(), open(&copy).unwrap());
        assert_eq!(restored.outbox_totals().unwrap(), there.outbox_totals().unwrap());
        assert_eq!(restored.check().unwrap().faults, [""; 0]);
    }
}

#[test]
fn messages_of_a_file_that_was_not_updated_yet_are_counted_before_they_are_lost() {
    for schema in old_schemas() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("compass.db"), folder.path().join("copy.db"));
        open(&copy).unwrap().close().unwrap();
        old_file(&path, schema);
        let undelivered = "SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'superseded') AND reason IS NOT 'abandoned'";
        let count: u32 = Connection::open(&path).unwrap().query_row(undelivered, [], |row| row.get(0)).unwrap();
        assert!(count > 0);
        let refused = Compass::restore(&copy, &RestoreOptions::new(&path)).unwrap_err();
        assert!(matches!(refused, Error::Undelivered { count: Some(lost) } if lost == u64::from(count)), "schema {schema}: {refused:?}");
        let refused = Compass::erase(&path, None).unwrap_err();
        assert!(matches!(refused, Error::Undelivered { count: Some(lost) } if lost == u64::from(count)), "schema {schema}: {refused:?}");
        let delivered = folder.path().join("delivered.db");
        old_file_with(&delivered, schema, "DELETE FROM attempt; DELETE FROM outbox;");
        Compass::erase(&delivered, None).unwrap();
    }
}

#[test]
fn an_old_file_that_has_delivered_a_correction_lets_no_copy_send_what_it_replaced() {
    for is_updated in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (present, copy) = (folder.path().join("present.db"), folder.path().join("copy.db"));
        let delivered = "UPDATE outbox SET state = 'sent', reason = NULL, sent_at = 1809764040000 WHERE action_id = 4;
                         UPDATE action SET status = 'sent', reason = NULL WHERE id = 4;";
        let waits = "DELETE FROM outbox WHERE action_id = 4 AND revision = 2;
                     UPDATE outbox SET state = 'queued', reason = NULL WHERE action_id = 4;
                     UPDATE action SET status = 'pending', reason = NULL, revision = 1 WHERE id = 4;";
        old_file_with(&present, 2, delivered);
        old_file_with(&copy, 2, waits);
        if is_updated {
            open(&present).unwrap().close().unwrap();
        }
        let discard = DiscardUndelivered { actor: "Mia".into(), reason: "the phone is replaced".into() };
        Compass::restore(&copy, &RestoreOptions::new(&present).discard_undelivered(discard)).unwrap();
        let state = "SELECT o.state || ' ' || o.reason || ' ' || o.unknown_outcomes FROM outbox o WHERE o.action_id = 4";
        let state: String = Connection::open(&present).unwrap().query_row(state, [], |row| row.get(0)).unwrap();
        assert_eq!(state, "failed abandoned 1", "updated: {is_updated}");
    }
}
