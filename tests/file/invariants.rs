//! What the database refuses by itself, no matter what the code above it does.

use crate::support::app::{App, id};
use compass_core::model::*;

struct Refusals<'a> {
    sql: rusqlite::Connection,
    app: &'a App,
}

impl<'a> Refusals<'a> {
    fn of(app: &'a App) -> Self {
        Self { sql: app.sql(), app }
    }

    /// The statement is refused in these words, and changes nothing.
    #[track_caller]
    fn refuses(&self, statement: &str, words: &str) {
        let before = self.picture();
        let error = self.sql.execute(statement, []).expect_err(statement).to_string();
        assert!(error.contains(words), "{statement}\n  was refused in other words: {error}");
        assert_eq!(self.picture(), before, "{statement}");
        assert_eq!(self.app.faults(), [""; 0]);
    }

    #[track_caller]
    fn takes(&self, statement: &str) {
        let changed = self.sql.execute(statement, []).unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert!(changed > 0, "{statement}");
    }

    fn picture(&self) -> Vec<String> {
        let tables =
            ["session", "session_totals", "event", "action", "body", "outbox", "attempt", "tombstone", "workflow", "last_number", "meta"];
        let row = |table: &str| {
            let mut statement = self.sql.prepare(&format!("SELECT * FROM {table}")).expect("a table");
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                (0..columns).map(|at| row.get_ref(at).map(|value| format!("{value:?}"))).collect::<Result<Vec<_>, _>>()
            });
            rows.expect("rows").map(|row| row.expect("a row").join(",")).collect::<Vec<_>>()
        };
        tables.iter().flat_map(|table| row(table)).collect()
    }
}

#[test]
fn an_undelivered_message_is_never_deleted() {
    let app = App::new();
    app.completed();
    let large = app.too_large();
    let db = Refusals::of(&app);
    for state in ["queued", "failed"] {
        db.refuses(&format!("DELETE FROM outbox WHERE state = '{state}'"), "an undelivered entry is never deleted");
    }
    db.takes("UPDATE outbox SET state = 'leased', lease_owner = 'x', lease_until = 1, attempts = 1, unknown_outcomes = 1 WHERE id = 1");
    db.refuses("DELETE FROM outbox WHERE id = 1", "an undelivered entry is never deleted");
    db.refuses("DELETE FROM outbox", "an undelivered entry is never deleted");
    db.refuses("DELETE FROM action", "actions are deleted with their session alone");
    db.refuses("INSERT OR REPLACE INTO outbox SELECT * FROM outbox WHERE id = 2", "an entry");
    app.compass.abandon(large, "report", "Mia", "told them", &id()).unwrap();
    db.refuses("UPDATE outbox SET detail = NULL WHERE reason = 'abandoned'", "CHECK");
    db.refuses("UPDATE outbox SET detail = 'forgotten' WHERE reason = 'abandoned'", "CHECK");
    db.refuses("UPDATE outbox SET detail = 'abandoned' WHERE id = 1", "CHECK");
    db.takes("DELETE FROM outbox WHERE reason = 'abandoned'");
}

#[test]
fn a_frozen_message_does_not_change() {
    let app = App::new();
    app.completed();
    let db = Refusals::of(&app);
    for column in [
        "action_id = 2",
        "session_id = 2",
        "revision = 2",
        "delivery_id = 'msg_aaaaaaaaaaaaaaaaaaaaaaaaaa'",
        "endpoint = 'elsewhere'",
        "body_sha256 = zeroblob(32)",
        "body_size = 1",
        "workflow_version = '2'",
        "session_state = 'ended'",
        "frozen_at = 1",
        "id = 99",
    ] {
        db.refuses(&format!("UPDATE outbox SET {column} WHERE id = 1"), "an entry is frozen");
    }
}

#[test]
fn a_body_is_there_once_and_stays_while_a_message_keeps_it() {
    let app = App::new();
    app.completed();
    app.completed();
    assert_eq!(app.count("SELECT count(*) FROM outbox") * 10 + app.count("SELECT count(*) FROM body"), 62);
    let db = Refusals::of(&app);
    let of_first = "WHERE sha256 = (SELECT body_sha256 FROM outbox WHERE id = 1)";
    let frozen = || {
        db.refuses("UPDATE body SET bytes = zeroblob(5)", "a body is frozen");
        db.refuses("UPDATE body SET sha256 = zeroblob(32)", "a body is frozen");
        db.refuses("INSERT OR REPLACE INTO body SELECT sha256, zeroblob(5) FROM body", "a body is frozen");
        db.refuses(&format!("DELETE FROM body {of_first}"), "a body stays while an entry keeps it");
    };
    frozen();
    db.refuses("UPDATE outbox SET body_kept = 0 WHERE id = 1", "a body is dropped only once sent");
    let entry = "INSERT INTO outbox (action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version,
                                     session_state, frozen_at, due_at, body_kept)
                 SELECT 1, 1, 2, 'msg_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'office', HASH, 1, '1', 'completed', 1, 1, KEPT FROM outbox WHERE id = 1";
    for (hash, kept) in [("zeroblob(32)", "1"), ("body_sha256", "0")] {
        db.refuses(&entry.replace("HASH", hash).replace("KEPT", kept), "an entry is born with its body");
    }
    app.deliver();
    frozen();
    db.refuses("UPDATE outbox SET body_kept = 2 WHERE id = 1", "CHECK");
    db.takes("UPDATE outbox SET body_kept = 0 WHERE id = 1 OR id = 2");
    db.refuses("UPDATE outbox SET body_kept = 1 WHERE id = 1", "a body is dropped only once sent, and for good");
    frozen();
    // The last one that keeps it takes it along, and so do deleted ones.
    db.takes("UPDATE outbox SET body_kept = 0 WHERE id = 3");
    assert_eq!(app.count("SELECT count(*) FROM body"), 1);
    db.takes("DELETE FROM outbox WHERE id = 4 OR id = 5");
    assert_eq!(app.count("SELECT count(*) FROM body"), 1);
    db.takes("DELETE FROM outbox WHERE id = 6");
    assert_eq!(app.count("SELECT count(*) FROM body"), 0);
}

#[test]
fn sent_is_proof_and_final() {
    let app = App::new();
    app.completed();
    let db = Refusals::of(&app);
    db.refuses("UPDATE outbox SET state = 'sent', sent_at = 5, sent_age = 5 WHERE id = 1", "nothing is sent without an attempt");
    db.refuses("UPDATE outbox SET attempts = 1, state = 'sent' WHERE id = 1", "CHECK");
    app.deliver();
    db.refuses("UPDATE outbox SET state = 'queued', sent_at = NULL, sent_age = NULL WHERE id = 1", "sent is final");
    db.refuses("UPDATE outbox SET state = 'failed', reason = 'gone', sent_at = NULL, sent_age = NULL WHERE id = 1", "sent is final");
    db.refuses("UPDATE outbox SET sent_at = 5 WHERE id = 1", "sent is final");
    db.refuses("UPDATE outbox SET sent_age = 5 WHERE id = 1", "sent is final");
    db.refuses("UPDATE outbox SET unknown_outcomes = 1 WHERE id = 1", "sent is final");
}

#[test]
fn a_failed_message_comes_back_on_purpose_or_not_at_all() {
    let app = App::new();
    app.completed();
    let large = app.too_large();
    let db = Refusals::of(&app);
    db.refuses("UPDATE outbox SET state = 'queued', reason = NULL WHERE state = 'failed'", "revived on purpose");
    let lease = "lease_owner = 'x', lease_until = 1";
    db.refuses(&format!("UPDATE outbox SET state = 'leased', {lease} WHERE state = 'failed'"), "revived on purpose");
    db.refuses("UPDATE outbox SET state = 'superseded' WHERE state = 'failed'", "superseded, by a newer revision");
    db.refuses("UPDATE outbox SET state = 'superseded' WHERE id = 1", "superseded, by a newer revision");
    db.refuses("UPDATE outbox SET state = 'failed' WHERE id = 1", "CHECK");
    db.refuses("UPDATE outbox SET state = 'lost' WHERE id = 1", "CHECK");
    db.refuses("UPDATE outbox SET unknown_outcomes = 1 WHERE id = 1", "CHECK");

    let short = (1..=5).map(|page| crate::support::app::set(&format!("page{page}"), crate::support::app::text("short"))).collect();
    app.compass.edit(large, None, None, short, vec![], &id()).unwrap();
    app.compass.send_corrected(large, "report", None, &id()).unwrap();
    db.refuses(
        "UPDATE outbox SET state = 'queued', revived = revived + 1 WHERE state = 'superseded'",
        "a superseded entry is not sent again",
    );
    db.refuses("UPDATE outbox SET state = 'failed', reason = 'gone' WHERE state = 'superseded'", "a superseded entry is not sent again");
}

#[test]
fn nothing_fires_before_the_end_of_a_session() {
    let app = App::new();
    app.start();
    let db = Refusals::of(&app);
    let action = "INSERT INTO action (session_id, key, name, section, endpoint) SELECT id, 'k', 'n', 's', 'office' FROM session";
    db.refuses(action, "only a completed or ended session has actions");
    let done = app.completed();
    assert_eq!(app.action(done, "report").status, ActionStatus::Pending);
    let born =
        "INSERT INTO action (session_id, key, name, section, endpoint, status, revision) VALUES (2, 'k', 'n', 's', 'office', 'sent', 1)";
    db.refuses(born, "an action is born not fired");
    let entry = |session: u32, revision: u32, state: &str| {
        format!(
            "INSERT INTO outbox (action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state,
                                 frozen_at, state, due_at)
             SELECT 1, {session}, {revision}, 'msg_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'office', sha256, 1, '1', 'completed', 1, '{state}', 1 FROM body WHERE true"
        )
    };
    for (session, revision, state) in [(2, 1, "queued"), (2, 3, "queued"), (1, 2, "queued"), (2, 2, "sent"), (2, 2, "leased")] {
        db.refuses(&entry(session, revision, state), "born queued or failed");
    }
    let twice = format!("{} ON CONFLICT DO NOTHING", entry(2, 1, "queued"));
    db.refuses(&twice, "continues the revisions");
}

#[test]
fn a_finished_session_stays_as_it_ended() {
    let app = App::new();
    app.completed();
    app.ended();
    let db = Refusals::of(&app);
    for change in [
        "state = 'in_progress', won = NULL, finished_at = NULL",
        "state = 'ended', won = NULL, end_reason = 'x'",
        "won = 0",
        "finished_at = 5",
        "finished_age = 5",
    ] {
        db.refuses(&format!("UPDATE session SET {change} WHERE id = 1"), "a finished session stays finished");
    }
    db.refuses("UPDATE session SET end_reason = 'another' WHERE id = 2", "a finished session stays finished");
    for change in ["workflow_id = 2", "key = zeroblob(16)", "started_at = 5"] {
        db.refuses(&format!("UPDATE session SET {change} WHERE id = 1"), "finishes on the workflow version it began with");
    }
    app.start();
    db.refuses("UPDATE session SET state = 'completed' WHERE id = 3", "CHECK");
    db.refuses("UPDATE session SET finished_at = 5 WHERE id = 3", "CHECK");
}

#[test]
fn what_happened_is_never_changed_nor_forgotten() {
    let app = App::new();
    let done = app.completed();
    app.start();
    let db = Refusals::of(&app);
    for change in ["json = '{}'", "at = 1", "actor = 'Max'", "command_id = NULL, command_hash = NULL", "seq = 99", "type = 'noted'"] {
        db.refuses(&format!("UPDATE event SET {change} WHERE session_id = 1 AND seq = 1"), "events are never changed");
    }
    // Redacting lets what acts of that session say change, and nothing else; and it cannot stay open.
    let opened = "BEGIN; INSERT INTO redaction (session_id) VALUES (1)";
    for (change, words) in [
        ("UPDATE event SET json = '{}' WHERE session_id = 2 AND seq = 1", "events are never changed"),
        ("UPDATE event SET at = 1 WHERE session_id = 1 AND seq = 1", "events are never changed"),
        ("UPDATE event SET wall_at = 1 WHERE session_id = 1 AND seq = 1", "events are never changed"),
        ("UPDATE event SET actor = 'Max' WHERE session_id = 1 AND seq = 1", "events are never changed"),
        ("UPDATE event SET type = 'noted' WHERE session_id = 1 AND seq = 1", "events are never changed"),
        ("UPDATE event SET command_id = 'another' WHERE session_id = 1 AND seq = 1", "events are never changed"),
        ("UPDATE event SET command_hash = zeroblob(32) WHERE session_id = 1 AND seq = 1", "events are never changed"),
        ("UPDATE event SET json = '{}', command_id = NULL, command_hash = NULL WHERE session_id = 1 AND seq = 1; COMMIT", "FOREIGN KEY"),
    ] {
        let before = db.picture();
        let error = db.sql.execute_batch(&format!("{opened}; {change}")).expect_err(change).to_string();
        assert!(error.contains(words), "{change}\n  was refused in other words: {error}");
        db.sql.execute_batch("ROLLBACK").expect("goes back");
        assert_eq!(db.picture(), before, "{change}");
    }
    db.refuses("INSERT INTO redaction (session_id) VALUES (1)", "FOREIGN KEY");
    db.refuses("INSERT INTO redaction (session_id, is_open) VALUES (1, 1)", "CHECK");
    db.refuses("INSERT INTO redaction (session_id, is_open) VALUES (1, NULL)", "NOT NULL");
    db.refuses("DELETE FROM event WHERE session_id = 1", "events are deleted with their session");
    db.refuses("DELETE FROM event WHERE session_id = 2 AND seq = 1", "events are deleted with their session");
    db.refuses("DELETE FROM session WHERE id = 2", "only a finished session is deleted");
    db.refuses("DELETE FROM session WHERE id = 1", "only a finished session is deleted");
    db.refuses("UPDATE workflow SET document = zeroblob(3)", "a workflow version is immutable");
    db.refuses("UPDATE workflow SET hash = zeroblob(32)", "a workflow version is immutable");
    db.refuses("DELETE FROM workflow", "FOREIGN KEY");
    app.deliver();
    app.compass.delete(done).unwrap();
    db.refuses("DELETE FROM tombstone", "a tombstone stays for 400 days");
}

#[test]
fn the_visible_status_is_what_the_outbox_says() {
    let app = App::new();
    app.completed();
    let db = Refusals::of(&app);
    for change in [
        "status = 'sent'",
        "status = 'failed', reason = 'gone'",
        "reason = 'offline'",
        "revision = 2",
        "status = 'not_fired', revision = 0",
    ] {
        db.refuses(&format!("UPDATE action SET {change} WHERE id = 1"), "an action shows what its newest entry says");
    }
    // And it follows in the same statement, no matter who writes it.
    db.takes("UPDATE outbox SET state = 'failed', reason = 'rejected', attempts = 1 WHERE id = 1");
    let status: (String, String, i64) = db
        .sql
        .query_row("SELECT status, reason, failed_sends FROM action WHERE id = 1", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(status, ("failed".into(), "rejected".into(), 1));
    assert_eq!(app.count("SELECT actions_failed * 10 + actions_pending FROM session"), 12);
}

const LEASE: &str = "state = 'leased', lease_owner = 'x', lease_until = 1";
const NO_LEASE: &str = "lease_owner = NULL, lease_until = NULL";

#[test]
fn an_attempt_is_taken_back_only_with_its_lease() {
    let app = App::new();
    app.completed();
    let db = Refusals::of(&app);
    // Each was abandoned while it was under way, and sent again.
    db.takes("UPDATE outbox SET attempts = 2, unknown_outcomes = 2, revived = 2 WHERE id = 1");
    db.refuses("UPDATE outbox SET attempts = 1, unknown_outcomes = 1 WHERE id = 1", "taken back only with the lease");
    db.takes(&format!("UPDATE outbox SET {LEASE}, attempts = 3, unknown_outcomes = 3 WHERE id = 1"));
    db.refuses("UPDATE outbox SET attempts = 2, unknown_outcomes = 2 WHERE id = 1", "taken back only with the lease");
    let released = |attempts: u32| {
        format!("UPDATE outbox SET state = 'queued', {NO_LEASE}, attempts = {attempts}, unknown_outcomes = {attempts} WHERE id = 1")
    };
    db.refuses(&released(1), "taken back only with the lease");
    db.takes(&released(2));
    db.refuses(&released(1), "taken back only with the lease");
    // Of one that was abandoned meanwhile, with what is left of its lease, as long as nothing says that it had begun.
    let ended = |attempts: u32, unknown: u32, in_flight_until: &str| {
        format!("UPDATE outbox SET attempts = {attempts}, unknown_outcomes = {unknown}, in_flight_until = {in_flight_until} WHERE id = 1")
    };
    db.takes("UPDATE outbox SET state = 'failed', reason = 'abandoned', detail = 'abandoned' WHERE id = 1");
    db.refuses(&ended(1, 1, "NULL"), "taken back only with the lease");
    db.takes("UPDATE outbox SET in_flight_until = 1 WHERE id = 1");
    for statement in [ended(1, 1, "1"), ended(1, 0, "NULL"), ended(0, 0, "NULL")] {
        db.refuses(&statement, "taken back only with the lease");
    }
    db.takes(&ended(1, 1, "NULL"));
    db.takes("UPDATE outbox SET state = 'queued', reason = NULL, detail = NULL, revived = revived + 1, in_flight_until = 1 WHERE id = 1");
    db.takes(&ended(0, 0, "NULL"));
    db.takes(&ended(1, 1, "1"));
    db.takes("INSERT INTO attempt (outbox_id, number, at, duration_ms, outcome, counted, unknown) VALUES (1, 1, 1, 1, 'timeout', 1, 1)");
    db.refuses(&ended(0, 0, "NULL"), "taken back only with the lease");
}

#[test]
fn nothing_is_in_flight_of_before_once_it_is_claimed() {
    let app = App::new();
    app.completed();
    let db = Refusals::of(&app);
    db.refuses(&format!("UPDATE outbox SET {LEASE}, in_flight_until = 1 WHERE id = 1"), "CHECK");
    db.takes("UPDATE outbox SET in_flight_until = 1 WHERE id = 1");
}

#[test]
fn an_undelivered_message_is_superseded_by_a_newer_revision_from_wherever_it_is() {
    let entry = "INSERT INTO outbox (action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version,
                                     session_state, frozen_at, due_at)
                 SELECT 1, 1, 2, 'msg_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'office', sha256, 1, '1', 'completed', 1, 1 FROM body";
    let failed = "state = 'failed', reason = 'rejected'";
    let leased = format!("{LEASE}, attempts = 1, unknown_outcomes = 1");
    for now in ["state = 'queued'", leased.as_str(), failed] {
        let app = App::new();
        app.completed();
        let sql = app.sql();
        sql.execute(&format!("UPDATE outbox SET {now} WHERE id = 1"), []).unwrap();
        let superseded = format!("UPDATE outbox SET state = 'superseded', {NO_LEASE} WHERE id = 1");
        let early = sql.execute(&superseded, []).unwrap_err().to_string();
        assert!(early.contains("superseded, by a newer revision"), "{early}");
        sql.execute_batch(&format!("{entry}; {superseded};")).unwrap();
        let seen: String = sql.query_row("SELECT status FROM action WHERE id = 1", [], |row| row.get(0)).unwrap();
        assert_eq!(seen, "pending", "the action shows its newest revision");
        let again = sql.execute("UPDATE outbox SET state = 'queued' WHERE id = 1", []).unwrap_err().to_string();
        assert!(again.contains("not sent again"), "{again}");
        // The receiver has it after all.
        sql.execute(
            "UPDATE outbox SET state = 'sent', reason = NULL, sent_at = 5, sent_age = 5, attempts = max(attempts, 1) WHERE id = 1",
            [],
        )
        .unwrap();
    }
}

#[test]
fn the_first_the_newest_ten_and_every_delivery_of_the_attempts_stay() {
    let app = App::new();
    let done = app.completed();
    app.deliver();
    let db = Refusals::of(&app);
    let delivered = "SELECT count(*) FROM attempt WHERE outbox_id = 1 AND status BETWEEN 200 AND 299";
    assert_eq!(app.count(delivered), 1, "the delivery is the first attempt");
    for change in ["status = 500", "status = NULL", "outcome = 'timeout'", "at = 1", "status = 204"] {
        db.refuses(&format!("UPDATE attempt SET {change} WHERE outbox_id = 1"), "an attempt that delivered is never rewritten");
    }
    let again = |verb: &str| format!("{verb} INTO attempt VALUES (1, 1, 1, 1, 500, 'server_error', 1, 0)");
    db.refuses(&again("INSERT OR REPLACE"), "an attempt that delivered is never rewritten");
    db.refuses(&format!("{} ON CONFLICT DO UPDATE SET status = 500", again("INSERT")), "an attempt that delivered is never rewritten");
    db.takes(
        "WITH RECURSIVE n (number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM n WHERE number < 15)
         INSERT INTO attempt SELECT 1, number, 1, 1, iif(number = 3, 202, 500), iif(number = 3, 'sent', 'server_error'), 1, 0 FROM n",
    );
    db.takes("UPDATE outbox SET attempts = 15 WHERE id = 1");
    for kept in ["number = 1", "number = 3", "number = 6", "number = 15", "number BETWEEN 2 AND 15"] {
        db.refuses(&format!("DELETE FROM attempt WHERE outbox_id = 1 AND {kept}"), "the first attempt, the newest ten and every delivery");
    }
    db.refuses("UPDATE attempt SET number = 99 WHERE outbox_id = 1 AND number = 2", "an attempt stays where it is");
    db.refuses("UPDATE attempt SET outbox_id = 2 WHERE outbox_id = 1 AND number = 2", "an attempt stays where it is");
    db.takes("DELETE FROM attempt WHERE outbox_id = 1 AND number IN (2, 4, 5)");
    db.takes("UPDATE attempt SET status = 201 WHERE outbox_id = 1 AND number = 15");
    app.compass.delete(done).unwrap();
    assert_eq!(app.count("SELECT count(*) FROM attempt"), 0, "they go with their session");
}

#[test]
fn failed_sends_never_fall_and_rise_with_a_failure_alone() {
    let app = App::new();
    app.completed();
    let db = Refusals::of(&app);
    db.refuses("UPDATE action SET failed_sends = 1 WHERE id = 1", "failed sends rise by one, with an entry that failed");
    db.takes("UPDATE outbox SET state = 'failed', reason = 'rejected', attempts = 1 WHERE id = 1");
    db.takes("INSERT INTO attempt VALUES (1, 1, 1, 1, 422, 'rejected', 1, 0)");
    for wrong in [0, -1, 3] {
        db.refuses(
            &format!("UPDATE action SET failed_sends = {wrong} WHERE id = 1"),
            "failed sends rise by one, with an entry that failed",
        );
    }
    assert_eq!(app.count("SELECT failed_sends FROM action WHERE id = 1"), 1);
}

#[test]
fn a_number_is_given_once_and_stays() {
    let app = App::new();
    app.completed();
    let large = app.too_large();
    let db = Refusals::of(&app);
    for change in ["sequence = sequence + 1", "sequence = NULL", "series = 'aaaaaaaa'", "series = NULL", "series = NULL, sequence = NULL"] {
        db.refuses(&format!("UPDATE action SET {change} WHERE sequence IS NOT NULL"), "an action keeps its number");
    }
    let unnumbered = "WHERE sequence IS NULL AND endpoint = 'office'";
    // What receivers know of another action gives none.
    db.takes(
        "INSERT INTO known_action SELECT s.key, 'more', 1, 0, 0, 0, 0, NULL, 'aaaaaaaa', 1, NULL, 0 FROM action a JOIN session s ON s.id = a.session_id
          WHERE a.sequence IS NULL LIMIT 1",
    );
    for taken in [
        "(series, sequence) = (SELECT series, sequence FROM action WHERE sequence IS NOT NULL AND endpoint = 'office' ORDER BY sequence DESC)",
        "(series, sequence) = (SELECT series, 99 FROM meta)",
        "series = 'aaaaaaaa', sequence = 1",
        "sequence = 1",
    ] {
        db.refuses(&format!("UPDATE action SET {taken} {unnumbered}"), "an action keeps its number");
    }
    db.refuses(
        "INSERT INTO action (session_id, key, name, section, endpoint, series, sequence) VALUES (1, 'more', 'More', 's', 'office', 'aaaaaaaa', 1)",
        "an action gets its number with its first message",
    );
    for change in ["number = number", "number = number - 1", "number = number + 2", "endpoint = 'elsewhere', number = number + 1"] {
        db.refuses(&format!("UPDATE last_number SET {change} WHERE endpoint = 'office'"), "numbers rise by one");
    }
    db.refuses("INSERT OR REPLACE INTO last_number VALUES ('office', 0, 0)", "numbers begin with 1");
    db.refuses("INSERT INTO last_number VALUES ('elsewhere', 7, 0)", "numbers begin with 1");
    db.refuses("DELETE FROM last_number", "numbers end with their series");
    db.refuses("UPDATE meta SET series = 'aaaaaaaa'", "a series ends before another begins");
    db.takes("UPDATE meta SET series = NULL");
    assert_eq!(app.count("SELECT count(*) FROM last_number"), 0);
    db.refuses("UPDATE meta SET series = 'office 1'", "CHECK");
    assert_eq!(app.view(large).state, SessionState::Completed);
}

#[test]
fn a_session_counts_its_actions_and_keeps_them() {
    let app = App::new();
    app.completed();
    app.ended();
    let db = Refusals::of(&app);
    for column in ["actions_not_fired", "actions_pending", "actions_sent", "actions_failed"] {
        for change in ["+ 1", "- 1"] {
            db.refuses(&format!("UPDATE session SET {column} = {column} {change} WHERE id = 1"), "a session counts its actions");
        }
    }
    db.refuses("UPDATE session SET actions_pending = actions_pending - 1, actions_sent = actions_sent + 1", "a session counts its actions");
    let born = "INSERT INTO session (key, workflow_id, state, started_at, section_name, last_visit, last_seq, actions_sent)
                VALUES (randomblob(16), 1, 'in_progress', 1, 's', 1, 1, 1)";
    db.refuses(born, "a session is born without actions");
    db.refuses("DELETE FROM action WHERE session_id = 2", "actions are deleted with their session alone");
    db.refuses("INSERT OR REPLACE INTO action SELECT * FROM action WHERE session_id = 2", "an action is never replaced");
    for change in ["session_id = 2, key = 'other'", "key = 'other'", "name = 'Other'", "section = 'other'", "endpoint = 'other'", "id = 99"]
    {
        db.refuses(&format!("UPDATE action SET {change} WHERE id = 1"), "an action stays what its session made it");
    }
}

#[test]
fn what_a_command_came_to_is_never_changed() {
    let app = App::new();
    let kept = app.start().key;
    app.compass.run(kept, None, &[], Some(&id())).unwrap();
    let gone = app.start().key;
    app.compass.discard(gone).unwrap();
    app.compass.delete(gone).unwrap();
    let db = Refusals::of(&app);
    db.refuses("UPDATE command SET command_hash = zeroblob(32)", "never changed");
    db.refuses("UPDATE command SET outcome = 'stale'", "never changed");
    db.refuses("UPDATE hashed_command SET session_key = zeroblob(16)", "never changed");
}
