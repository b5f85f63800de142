//! Purging and deleting, copies, and the check for damage.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod retention;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::app::{App, code, endpoint, id, text};
use crate::support::past_every_rule;
use chrono::TimeDelta;
use compass_core::model::*;
use compass_core::port::Clock;
use compass_core::testing::ManualClock;
use compass_core::{CancelToken, Compass, Options, Subscription};

const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: TimeDelta = TimeDelta::days(365);

fn sessions(app: &App) -> Vec<SessionKey> {
    let all = [SessionState::InProgress, SessionState::Completed, SessionState::Ended, SessionState::Discarded].to_vec();
    let filter = SessionFilter { states: all, ..Default::default() };
    app.compass.sessions(&filter, None, 500).expect("a list").sessions.into_iter().map(|session| session.key).collect()
}

// Purging and deleting ------------------------------------------------------------------------------------------------------------------

#[test]
fn files_are_unused_after_the_last_session_that_refers_to_them() {
    let app = App::with_a_photo();
    let hash = |digit: &str| digit.repeat(64);
    let take = |session, digit: &str| app.take(session, &hash(digit));
    let (first, second, third) = (app.start().key, app.start().key, app.start().key);
    take(first, "a");
    take(first, "b");
    take(second, "a");
    take(third, "c");
    assert_eq!(app.compass.files().unwrap(), [hash("a"), hash("b"), hash("c")], "one that was taken again stays in the log");
    for session in [first, second] {
        app.compass.end(session, "nobody home", &id()).unwrap();
    }
    assert_eq!(app.compass.delete(first).unwrap().unused_files, [hash("b")], "the other one has the first photo as well");
    assert_eq!(app.compass.files().unwrap(), [hash("a"), hash("c")]);
    app.tick();
    assert_eq!(app.compass.purge(Duration::ZERO).unwrap().unused_files, [hash("a")]);
    assert_eq!(app.compass.files().unwrap(), [hash("c")]);
    assert_eq!(app.compass.purge(Duration::ZERO).unwrap(), PurgeReport::default());
}

/// A phone with a session that was thrown away, which is quiesced by another thread as soon as something of it changes.
fn quiesced_by_the_next_change() -> (App, SessionKey, Subscription) {
    let app = App::with_a_photo();
    let session = app.start().key;
    app.take(session, &"a".repeat(64));
    app.compass.discard(session).unwrap();
    let compass = Mutex::new(Some(app.compass.clone()));
    let observed = app.compass.observe(Arc::new(move |_: &Notice| {
        if let Some(compass) = compass.lock().unwrap().take() {
            std::thread::spawn(move || compass.quiesce().unwrap()).join().unwrap();
        }
    }));
    app.tick();
    (app, session, observed)
}

#[test]
fn nothing_looks_for_files_once_the_handle_is_quiesced() {
    let (app, session, _observed) = quiesced_by_the_next_change();
    let report = app.compass.delete(session).unwrap();
    assert_eq!((report.erased, report.unused_files), (Erased::AtNextClose, vec![]));
    assert_eq!(app.compass.files().unwrap(), [""; 0], "a later call tells");

    let (app, session, _observed) = quiesced_by_the_next_change();
    assert_eq!(code(app.compass.purge_all_before(app.now(), "Mia")), "locked");
    assert_eq!(code(app.compass.session(session)), "deleted_session", "what was purged stays so");
}

#[test]
fn a_purge_takes_finished_sessions_of_age_whose_messages_are_settled() {
    let app = App::new();
    let sent = app.completed();
    app.deliver();
    let abandoned = app.too_large();
    for action in ["announce", "measured", "report"] {
        app.compass.abandon(abandoned, action, "Mia", "told them", &id()).unwrap();
    }
    let ended = app.ended();
    let discarded = app.start().key;
    app.compass.discard(discarded).unwrap();
    let (waiting, failed, running) = (app.completed(), app.too_large(), app.start().key);
    app.days(31);
    let young = app.ended();

    let report = app.compass.purge(30 * DAY).unwrap();
    assert_eq!(report, PurgeReport { purged: 4, kept_undelivered: 2, ..Default::default() });
    let mut left = sessions(&app);
    left.sort();
    let mut expected = [waiting, failed, running, young];
    expected.sort();
    assert_eq!(left, expected);
    for gone in [sent, abandoned, ended, discarded] {
        assert_eq!(code(app.compass.session(gone)), "deleted_session");
        assert_eq!(code(app.compass.record(gone)), "deleted_session");
        assert_eq!(code(app.compass.note(gone, "hello", &id())), "deleted_session");
        assert_eq!(code(app.compass.send(gone, "report", None, &id())), "deleted_session");
        assert_eq!(code(app.compass.delete(gone)), "deleted_session");
    }
    assert_eq!(app.view(running).state, SessionState::InProgress);
    assert_eq!(app.count("SELECT count(*) FROM tombstone"), 4);
    assert_eq!(app.compass.purge(30 * DAY).unwrap(), PurgeReport { kept_undelivered: 2, ..Default::default() });
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_purge_lets_others_write_before_they_notice_it() {
    let app = App::new();
    for _ in 0..3 {
        app.ended();
    }
    app.days(31);
    // What takes longer than a transaction goes on.
    let slow = "CREATE TRIGGER slow BEFORE DELETE ON session
                BEGIN SELECT (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000) SELECT max(i) FROM n); END";
    app.sql().execute_batch(slow).unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&told);
    let _subscription = app.compass.observe(Arc::new(move |_: &Notice| {
        counts.fetch_add(1, Ordering::SeqCst);
    }));
    assert_eq!((app.compass.purge(30 * DAY).unwrap().purged, told.load(Ordering::SeqCst)), (3, 3), "one session in each transaction");
}

/// A clock that looks whether somebody writes while it is asked.
struct Looking {
    clock: Arc<ManualClock>,
    path: PathBuf,
    asked: Arc<AtomicUsize>,
}

impl Looking {
    fn clock(&self) -> &ManualClock {
        let sql = rusqlite::Connection::open(&self.path).unwrap();
        sql.busy_timeout(Duration::ZERO).unwrap();
        if sql.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err() {
            self.asked.fetch_add(1, Ordering::SeqCst);
        }
        &self.clock
    }
}

impl Clock for Looking {
    fn now(&self) -> Timestamp {
        self.clock().now()
    }

    fn monotonic(&self) -> Duration {
        self.clock().monotonic()
    }

    fn utc_offset(&self, at: Timestamp) -> i32 {
        self.clock().utc_offset(at)
    }
}

#[test]
fn the_clock_of_the_app_is_not_asked_within_a_transaction() {
    let app = App::new();
    for _ in 0..2 {
        app.compass.discard(app.start().key).unwrap();
    }
    app.days(31);
    app.compass.close().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let clock = Looking { clock: Arc::clone(&app.clock), path: app.path(), asked: Arc::clone(&asked) };
    let compass = Compass::open(app.options().clock(Arc::new(clock))).unwrap();
    let session = compass.start(&Start::new("pump-check", id())).unwrap().view.key;
    compass.set_field(session, "site", text("Mill Lane")).unwrap();
    compass.flush(DAY, &CancelToken::new()).unwrap();
    assert_eq!(compass.purge(30 * DAY).unwrap().purged, 2);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn age_counts_from_the_end_of_a_session() {
    let app = App::new();
    let session = app.start().key;
    app.days(40);
    app.compass.end(session, "forgotten", &id()).unwrap();
    assert_eq!(app.compass.purge(30 * DAY).unwrap().purged, 0);
    app.days(31);
    assert_eq!(app.compass.purge(30 * DAY).unwrap().purged, 1);
    let report = app.compass.purge(Duration::MAX).unwrap();
    assert_eq!(report, PurgeReport::default(), "an age beyond all time keeps everything");
}

#[test]
fn a_clock_that_runs_far_ahead_makes_nothing_old() {
    let app = App::new();
    let session = app.completed();
    app.deliver();
    app.clock.jump_wall(YEAR * 20);
    assert_eq!(app.compass.purge(30 * DAY).unwrap().purged, 0, "a fresh session stays");
    app.clock.jump_wall(YEAR * -20);
    for _ in 0..2 {
        app.clock.jump_wall(YEAR * 3);
        assert_eq!(app.compass.purge(30 * DAY).unwrap(), PurgeReport::default(), "nor is a body dropped");
        app.clock.jump_wall(YEAR * -3);
    }
    assert_eq!(app.record(session).state, SessionState::Completed);
}

#[test]
fn what_finished_while_the_clock_was_behind_is_as_young_as_it_is() {
    let app = App::new();
    app.clock.jump_wall(YEAR * -2);
    let session = app.completed();
    app.deliver();
    app.clock.jump_wall(YEAR * 2);
    assert_eq!(app.compass.purge(30 * DAY).unwrap(), PurgeReport::default());
    app.days(10);
    assert_eq!(app.compass.purge(30 * DAY).unwrap(), PurgeReport::default());
    assert_eq!(app.record(session).state, SessionState::Completed);
    app.days(30);
    assert_eq!(app.compass.purge(30 * DAY).unwrap().purged, 1);
}

#[test]
fn what_finished_while_the_clock_was_ahead_goes_all_the_same() {
    let app = App::new();
    app.clock.jump_wall(YEAR * 20);
    app.completed();
    app.deliver();
    app.clock.jump_wall(YEAR * -20);
    app.days(91);
    assert_eq!(app.compass.purge(100 * DAY).unwrap(), PurgeReport { bodies_dropped: 3, ..PurgeReport::default() });
    app.days(10);
    assert_eq!(app.compass.purge(100 * DAY).unwrap().purged, 1);
}

#[test]
fn the_database_ages_once_an_hour_and_by_a_week_at_most() {
    let app = App::new();
    let age = || app.count("SELECT age FROM meta") / 60_000;
    let writes = |minutes: u64| {
        app.clock.advance(Duration::from_secs(60 * minutes));
        app.start();
        age()
    };
    assert_eq!((writes(0), writes(59), writes(1), writes(30), writes(45)), (0, 0, 60, 60, 135));
    assert_eq!(writes(60 * 24 * 7), 135 + 60 * 24 * 7);
    assert_eq!(writes(60 * 24 * 90), 135 + 60 * 24 * 14, "a phone that lay in a drawer");
    let before = age();
    app.clock.jump_wall(-YEAR);
    assert_eq!((writes(0), writes(61)), (before, before + 61), "from where the clock was set back to");
}

#[test]
fn many_sessions_are_purged_in_one_call() {
    let app = App::new();
    for _ in 0..410 {
        app.compass.discard(app.start().key).unwrap();
    }
    app.clock.advance(DAY);
    assert_eq!(app.compass.purge(Duration::from_secs(60)).unwrap().purged, 410);
    assert_eq!(app.count("SELECT count(*) FROM event") + app.count("SELECT count(*) FROM visit"), 0);
}

#[test]
fn a_superseded_message_does_not_keep_its_session() {
    let app = App::new();
    let session = app.too_large();
    let short = (1..=5).map(|page| crate::support::app::set(&format!("page{page}"), crate::support::app::text("short"))).collect();
    app.compass.edit(session, None, None, short, vec![], &id()).unwrap();
    for action in ["announce", "measured", "report"] {
        app.compass.send_corrected(session, action, None, &id()).unwrap();
    }
    let refused = app.compass.delete(session).unwrap_err();
    assert_eq!((refused.code(), refused.undelivered()), ("undelivered", Some(3)));
    app.deliver();
    app.compass.delete(session).unwrap();
    assert_eq!(
        app.count("SELECT count(*) FROM outbox") + app.count("SELECT count(*) FROM action") + app.count("SELECT count(*) FROM attempt"),
        0
    );
}

#[test]
fn one_session_is_deleted_on_the_same_terms() {
    let app = App::new();
    let (running, waiting) = (app.start().key, app.completed());
    assert_eq!(code(app.compass.delete(running)), "not_deletable");
    assert_eq!(code(app.compass.delete(waiting)), "undelivered");
    assert_eq!(app.record(waiting).actions.len(), 3);
    app.deliver();
    app.compass.delete(waiting).unwrap();
    assert_eq!(code(app.compass.session(waiting)), "deleted_session");
    app.compass.discard(running).unwrap();
    app.compass.delete(running).unwrap();
    let never = SessionKey("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().unwrap());
    assert_eq!(code(app.compass.delete(never)), "unknown_session");
    assert_eq!(app.compass.totals().unwrap(), Totals::default());
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn bodies_of_sent_messages_are_dropped_after_their_retention_and_no_others() {
    let app = App::new();
    let session = app.completed();
    app.deliver();
    let waiting = app.completed();
    let (sent, unsent) = (app.action(session, "report").deliveries.remove(0), app.action(waiting, "report").deliveries.remove(0));
    app.days(89);
    assert_eq!(app.compass.purge(3650 * DAY).unwrap().bodies_dropped, 0);
    app.days(2);
    assert_eq!(app.compass.purge(3650 * DAY).unwrap(), PurgeReport { bodies_dropped: 3, ..Default::default() });
    assert_eq!(app.compass.delivery_body(&sent.id).unwrap(), None);
    assert!(app.compass.delivery_body(&unsent.id).unwrap().is_some());
    let after = app.action(session, "report").deliveries.remove(0);
    assert_eq!(
        (&after.id, &after.body_sha256, after.body_size, after.state),
        (&sent.id, &sent.body_sha256, sent.body_size, DeliveryState::Sent)
    );
    assert_eq!(app.faults(), [""; 0]);
}

// Copies ------------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_copy_opens_elsewhere_and_sends_with_the_same_ids() {
    let app = App::new();
    let (done, running) = (app.completed(), app.at_the_end().key);
    app.compass.save_draft(running, "remark", "half").unwrap();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    assert_eq!(code(app.compass.backup(&copy)), "invalid_argument", "nothing is written over");
    let names: Vec<_> = std::fs::read_dir(app.folder())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("copy"))
        .collect();
    assert_eq!(names, ["copy.db"], "one file is the whole copy");

    let mut options = app.options();
    options.path = copy;
    let other = Compass::open(options).unwrap();
    assert_eq!(other.record(done).unwrap(), app.record(done));
    assert_eq!(other.session(running).unwrap(), app.view(running));
    assert_eq!(other.check().unwrap().faults, [""; 0]);
    // What both complete alike is the same message.
    let visit = app.view(running).visit;
    let ids = |compass: &Compass| -> Vec<DeliveryId> {
        compass.complete(running, visit).unwrap();
        compass.record(running).unwrap().actions.into_iter().map(|action| action.deliveries[0].id.clone()).collect()
    };
    assert_eq!(ids(&other), ids(&app.compass));
    // And another install never sends with an id of this one.
    let stranger = App::new();
    assert_ne!(stranger.sql().query_row("SELECT install_id FROM meta", [], |row| row.get::<_, String>(0)).unwrap(), {
        app.sql().query_row("SELECT install_id FROM meta", [], |row| row.get::<_, String>(0)).unwrap()
    });
}

#[test]
fn a_copy_is_one_moment_while_work_goes_on() {
    let app = App::new();
    for _ in 0..30 {
        app.completed();
    }
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            for _ in 0..30 {
                app.completed();
            }
        });
        for number in 0..5 {
            let path = app.folder().join(format!("copy-{number}.db"));
            app.compass.backup(&path).unwrap();
            let mut options = app.options();
            options.path = path;
            let copy = Compass::open(options).unwrap();
            assert_eq!(copy.check().unwrap().faults, [""; 0]);
            assert!(copy.check().unwrap().sessions >= 30);
        }
        work.join().unwrap();
    });
}

#[test]
fn a_copy_that_cannot_be_made_leaves_nothing_behind() {
    let app = App::new();
    let nowhere = app.folder().join("missing").join("copy.db");
    assert!(app.compass.backup(&nowhere).is_err());
    assert!(!nowhere.exists());
    app.completed();
}

#[test]
fn a_copy_is_for_its_owner_alone_and_named_only_when_it_is_whole() {
    use std::os::unix::fs::PermissionsExt;
    let app = App::new();
    app.completed();
    let copy = app.folder().join("copy.db");
    // No matter who made it: it is not for this copy to take it away.
    std::fs::write(app.folder().join("copy.db-part"), "half a copy").unwrap();
    app.compass.backup(&copy).unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(app.folder().join("copy.db-part")).unwrap(), b"half a copy");
    let names = std::fs::read_dir(app.folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("copy.db")).count(), 2, "nothing else is left");
    for name in ["co\0py.db", "no folder/copy.db"] {
        let error = app.compass.backup(&app.folder().join(name)).unwrap_err();
        assert_eq!((error.code(), error.place().as_deref()), ("invalid_argument", Some("to")), "{name}");
    }
}

// The check for damage -------------------------------------------------------------------------------------------------------------------

/// Changes the file from outside, past the rules of its schema.
fn tamper(app: &App, statement: &str) {
    past_every_rule(&app.sql(), |sql| assert!(sql.execute(statement, []).unwrap() > 0, "{statement}"));
}

#[test]
fn a_healthy_file_has_no_faults() {
    let app = App::new();
    app.completed();
    app.ended();
    app.too_large();
    app.at_the_end();
    app.compass.discard(app.start().key).unwrap();
    app.deliver();
    let report = app.compass.check().unwrap();
    assert_eq!(report, CheckReport { sessions: 5, faults: vec![] });

    // What people do later.
    let (open, last) = (app.start().key, app.completed());
    app.compass.save_draft(open, "site", "half").unwrap();
    app.compass.save_note_draft(open, "half").unwrap();
    app.compass.abandon(last, "report", "Mia", "on paper", &id()).unwrap();
    app.compass.send(last, "report", None, &id()).unwrap();
    app.compass.put_endpoint(&Endpoint { url: "https://elsewhere.example/hook".into(), ..endpoint("office") }).unwrap();
    app.compass.set_integration_enabled(false).unwrap();
    app.completed();
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "site".into() },
        actor: "Mia".into(),
        reason: "not ours".into(),
        pending: RedactPending::Abandon,
        bodies: RedactBodies::Forget,
    };
    app.compass.redact(last, &redaction).unwrap();
    assert_eq!(app.faults(), [""; 0]);
    app.days(100);
    app.compass.purge(Duration::ZERO).unwrap();
    app.start();
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn whatever_was_changed_from_outside_is_found() {
    let statements = [
        "UPDATE value SET json = replace(json, 'Mill Lane', 'Mill Road')",
        "UPDATE value SET json = 'not json'",
        "DELETE FROM value WHERE field = 'site'",
        "UPDATE value SET completed_at = completed_at + 1",
        "UPDATE event SET json = replace(json, 'Mill Lane', 'Mill Road') WHERE type = 'fields_set'",
        "UPDATE event SET json = '{}' WHERE type = 'answered'",
        "DELETE FROM event WHERE type = 'fields_set'",
        "UPDATE event SET at = at + 1 WHERE type = 'completed'",
        "UPDATE body SET bytes = CAST(replace(bytes, 'Mill Lane', 'Mill Road') AS BLOB)",
        "UPDATE outbox SET body_sha256 = zeroblob(32) WHERE id = 2",
        "UPDATE session SET won = 0",
        "UPDATE session SET last_visit = 9",
        "UPDATE visit SET section = 'gate' WHERE number = 2",
        "UPDATE visit SET superseded = 1 WHERE number = 1",
        "DELETE FROM action WHERE key = 'measured'",
        "UPDATE note SET text = 'something else'",
        "DELETE FROM session",
    ];
    for statement in statements {
        let app = App::new();
        let session = app.at_the_end().key;
        app.compass.note(session, "loud", &id()).unwrap();
        app.finish(session);
        assert_eq!(app.faults(), [""; 0]);
        tamper(&app, statement);
        let faults = app.faults();
        assert!(!faults.is_empty(), "not found: {statement}");
        assert!(faults.iter().all(|fault| !fault.contains("Mill")), "a fault holds no value: {faults:?}");
    }
}

/// Changes one row from outside and looks.
fn unseen(change: &str) -> bool {
    let app = App::new();
    let session = app.at_the_end().key;
    app.compass.note(session, "loud", &id()).unwrap();
    app.finish(session);
    app.deliver();
    app.ended();
    app.completed();
    past_every_rule(&app.sql(), |sql| {
        sql.execute_batch(change).unwrap();
        assert!(sql.changes() > 0, "{change}");
    });
    app.faults().is_empty()
}

#[test]
fn a_check_sees_what_breaks_a_promise_at_rest() {
    let changes = [
        // Sent is proof.
        "DELETE FROM attempt",
        "UPDATE attempt SET status = 500, outcome = 'http_500'",
        "UPDATE outbox SET attempts = 0, unknown_outcomes = 0 WHERE state = 'sent'",
        // Superseded by a newer revision alone, no matter what counts it.
        "UPDATE outbox SET state = 'superseded' WHERE state = 'queued';
         UPDATE action SET status = 'failed' WHERE status = 'pending';
         UPDATE session SET actions_failed = actions_failed + actions_pending, actions_pending = 0;
         UPDATE session_totals SET actions_failed = actions_failed + actions_pending, actions_pending = 0",
        // Frozen.
        "UPDATE outbox SET endpoint = 'elsewhere'",
        "UPDATE outbox SET body_size = 1",
        "UPDATE outbox SET workflow_version = '9'",
        "UPDATE outbox SET session_state = 'ended'",
        "UPDATE action SET endpoint = 'elsewhere'",
        "UPDATE action SET name = 'Else'",
        "UPDATE action SET section = 'gate'",
        "UPDATE action SET reason = 'integration_off' WHERE status = 'not_fired'",
        "UPDATE workflow SET startable = 0",
        "INSERT INTO draft VALUES (1, 'no field', 'words')",
        // What cannot be read is told.
        "UPDATE endpoint SET definition = '7'",
        "UPDATE workflow SET findings = '7'",
        "UPDATE attempt SET outcome = CAST(x'ff' AS TEXT)",
        // Counters.
        "UPDATE action SET failed_sends = 9",
        "UPDATE meta SET revision = 9223372036854775807",
        "UPDATE meta SET configuration = -1",
        "UPDATE meta SET integration_was_enabled = 0",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'session'",
        "UPDATE sqlite_sequence SET seq = 0 WHERE name = 'outbox'",
        // The search.
        "INSERT INTO search (rowid, text) VALUES (999, 'of nobody')",
        "UPDATE search_config SET v = 0 WHERE k = 'secure-delete'",
        // The log.
        "UPDATE event SET type = 'noted'",
        "UPDATE session SET finished_age = 9223372036854775807",
        "UPDATE meta SET age = -1",
        "UPDATE meta SET age = 4611686018427387904",
        "INSERT INTO tombstone (key, workflow_key, state, finished_at, deleted_at, cause) SELECT key, 'pump-check', state, 1, 1, 'deleted' FROM session",
        "INSERT INTO tombstone (key, workflow_key, state, finished_at, deleted_at, cause, deleted_age)
         VALUES (zeroblob(16), 'pump-check', 'completed', 1, 1, 'deleted', 9223372036854775807)",
    ];
    let unseen: Vec<&str> = changes.into_iter().filter(|change| unseen(change)).collect();
    assert_eq!(unseen, [""; 0]);
}
