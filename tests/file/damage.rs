//! Damage inside a file that opens: told as damage, and all that can be found is told.

use std::time::Duration;

use compass_core::model::{RedactionTarget, SessionKey};
use compass_core::testing::ScriptedTransport;
use compass_core::{CancelToken, DiscardUndelivered, RestoreOptions};

use super::*;
use crate::support::app::{App, code, id, lose_page, redaction};
use crate::support::past_every_rule;

/// Changes rows as failing flash does, past every rule.
fn damage(app: &App, change: &str) {
    past_every_rule(&app.sql(), |sql| {
        sql.execute_batch(change).unwrap();
        assert!(sql.changes() > 0, "{change}");
    });
}

/// No matter what it finds, the index is up to date afterwards.
fn search(app: &App) {
    let filter = compass_core::model::SessionFilter { text: Some("pump".into()), ..Default::default() };
    assert_eq!(app.compass.sessions(&filter, None, 1).unwrap().not_indexed, 0);
}

#[test]
fn a_row_that_does_not_read_back_is_damage_and_no_fault_of_ours() {
    for change in [
        "UPDATE session SET actor = CAST(x'ff' AS TEXT)",
        "UPDATE session SET started_at = 9000000000000000000",
        "UPDATE value SET json = '{'",
        "UPDATE value SET json = CAST(x'7bff' AS TEXT)",
        "UPDATE note SET text = CAST(x'ff' AS TEXT)",
        "UPDATE visit SET section = CAST(x'ff' AS TEXT)",
        "UPDATE event SET json = '{}' WHERE type = 'noted'",
    ] {
        let app = App::new();
        let session = app.at_the_end().key;
        app.compass.note(session, "loud", "a-note").unwrap();
        damage(&app, change);
        let codes = [code(app.compass.session(session)), code(app.compass.record(session))];
        assert!(codes.contains(&"corrupt") && !codes.contains(&"internal"), "{change}: {codes:?}");
        assert!(!app.faults().is_empty(), "{change}");
    }
}

#[test]
fn a_row_that_is_missing_or_too_much_is_damage_and_no_fault_of_ours() {
    type Call = fn(&App, SessionKey) -> &'static str;
    let calls: [(&str, Call); 3] = [
        ("DELETE FROM visit", |app, session| code(app.compass.record(session))),
        ("DELETE FROM outbox", |app, session| code(app.compass.send(session, "report", None, &id()))),
        // It would open a redaction of this session to everybody.
        ("INSERT INTO redaction (session_id) SELECT id FROM session", |app, session| {
            code(app.compass.redact(session, &redaction(RedactionTarget::Field { key: "site".into() })))
        }),
    ];
    for (change, call) in calls {
        let app = App::with_office(ScriptedTransport::always(422));
        let session = app.completed();
        app.deliver();
        damage(&app, change);
        assert_eq!(call(&app, session), "corrupt", "{change}");
        assert!(!app.faults().is_empty(), "{change}");
    }
}

#[test]
fn a_check_tells_what_it_finds_wherever_the_file_is_damaged() {
    let app = App::new();
    for _ in 0..40 {
        app.completed();
    }
    app.compass.close().unwrap();
    let whole = std::fs::read(app.path()).unwrap();
    let pages = whole.len() / 4096;
    let mut checked = 0;
    for page in (1..pages).step_by(7) {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        std::fs::write(app.path(), &bytes).unwrap();
        // Where the damage is in what is read first, it does not open.
        let Ok(compass) = open(&app.path()) else { continue };
        let report = compass.check().unwrap_or_else(|error| panic!("page {page}: {error}"));
        assert!(!report.faults.is_empty(), "page {page}");
        assert!(report.faults.iter().all(|fault| !fault.contains("Mill Lane")), "page {page}: {:?}", report.faults);
        compass.close().unwrap();
        checked += 1;
    }
    assert!(checked > 3, "{checked} of {pages}");
}

#[test]
fn an_act_that_does_not_read_back_hides_no_file_and_delays_no_other_session() {
    let app = App::with_a_photo();
    let hashes = ["a", "b", "c"].map(|digit| digit.repeat(64));
    let sessions = hashes.each_ref().map(|hash| {
        let session = app.start().key;
        app.take(session, hash);
        app.compass.discard(session).unwrap();
        session
    });
    damage(&app, "UPDATE event SET json = CAST(CAST(json AS BLOB) || x'ff' AS TEXT) WHERE session_id = 1 AND instr(json, 'sha256') > 0");
    assert_eq!(app.compass.files().unwrap(), hashes);
    let redaction = redaction(RedactionTarget::Field { key: "photo".into() });
    assert_eq!(app.compass.redact(sessions[1], &redaction).unwrap().unused_files, hashes[1..2]);
    assert_eq!(app.compass.delete(sessions[2]).unwrap().unused_files, hashes[2..]);
    app.tick();
    assert_eq!(app.compass.purge(Duration::ZERO).unwrap().unused_files, hashes[..1]);
}

#[test]
fn a_damaged_id_beside_a_damaged_body_hides_nothing() {
    let app = App::new();
    app.completed();
    damage(&app, "UPDATE outbox SET delivery_id = CAST(x'ff' AS TEXT) WHERE id = 1; UPDATE body SET bytes = x'00'");
    let bodies = app.faults().into_iter().filter(|fault| fault.contains("body")).count();
    assert_eq!(bodies, 3, "{:?}", app.faults());
}

#[test]
fn counts_statuses_names_and_search_are_checked() {
    for (change, told) in [
        ("UPDATE session SET actions_sent = 99", "counts"),
        ("UPDATE session SET actions_differing = 7", "counts"),
        ("UPDATE action SET differs = 1 WHERE key = 'report'", "action `report` says wrongly"),
        ("UPDATE action SET status = 'sent', reason = NULL WHERE key = 'report'", "report"),
        ("UPDATE session SET section_name = 'Elsewhere'", "section"),
        ("DELETE FROM search WHERE rowid = 1", "search"),
        ("UPDATE indexed_text SET sha256 = zeroblob(32) WHERE session_id = 1", "pieces"),
        ("DELETE FROM indexed_text WHERE session_id = 1", "pieces"),
        ("UPDATE session_totals SET won = won + 1", "totals"),
        ("DELETE FROM session_totals", "totals"),
        ("INSERT INTO session_totals (workflow_id, actor) VALUES (1, 'nobody')", "totals"),
        ("DELETE FROM body", "lost"),
        ("UPDATE outbox SET body_kept = 0", "belongs to no message"),
        ("INSERT INTO body VALUES (zeroblob(32), x'00')", "belongs to no message"),
        ("UPDATE outbox SET delivery_id = 'msg_aaaaaaaaaaaaaaaaaaaaaaaaaa' WHERE id = 1", "id"),
    ] {
        let app = App::new();
        let session = app.at_the_end().key;
        app.compass.note(session, "it was loud", "a-note").unwrap();
        app.finish(session);
        app.completed();
        search(&app);
        assert_eq!(app.faults(), [""; 0]);
        damage(&app, change);
        let faults = app.faults();
        assert!(faults.iter().any(|fault| fault.contains(told)), "{change}: {faults:?}");
    }
}

#[test]
fn what_is_known_of_attempts_and_failed_sends_is_checked() {
    for (change, told) in [
        ("DELETE FROM attempt WHERE number = 12", "its attempts"),
        ("DELETE FROM attempt WHERE number = 8", "its attempts"),
        ("UPDATE attempt SET number = 99 WHERE number = 1", "its attempts"),
        ("UPDATE outbox SET attempts = 9", "its attempts"),
        ("UPDATE outbox SET attempts = 11, unknown_outcomes = 0", "its attempts"),
        ("UPDATE attempt SET outcome = 'Mill Lane' WHERE number = 1", "no known outcome"),
        ("UPDATE attempt SET outcome = 'sent' WHERE number = 1", "no known outcome"),
        ("UPDATE action SET failed_sends = 0", "fewer failed sends"),
        ("UPDATE action SET failed_sends = 2", "more failed sends"),
    ] {
        let app = App::with_office(ScriptedTransport::always(503));
        app.completed();
        // Until the budget is spent.
        while app.count("SELECT count(*) FROM outbox WHERE state = 'failed'") < 3 {
            app.clock.advance(Duration::from_secs(86_400));
            app.deliver();
        }
        assert_eq!(app.faults(), [""; 0]);
        damage(&app, change);
        let faults = app.faults();
        assert!(faults.iter().any(|fault| fault.contains(told) && !fault.contains("Mill Lane")), "{change}: {faults:?}");
    }
}

#[test]
fn numbers_that_were_damaged_are_found_and_stop_nothing() {
    for (change, told) in [
        ("UPDATE action SET sequence = 1", "has a number that another one has"),
        ("UPDATE action SET sequence = 99 WHERE sequence = 2", "was not given yet"),
        ("DELETE FROM last_number", "was not given yet"),
        ("UPDATE last_number SET number = 9223372036854775807", "is out of range"),
        ("UPDATE last_number SET number = -9", "is out of range"),
    ] {
        let app = App::new();
        app.completed();
        app.completed();
        assert_eq!(app.faults(), [""; 0]);
        damage(&app, change);
        let faults = app.faults();
        assert!(faults.iter().any(|fault| fault.contains(told)), "{change}: {faults:?}");
        app.completed();
        assert_eq!(app.deliver().sent, 9, "{change}");
    }
}

#[test]
fn an_attempt_of_which_nothing_became_known_is_no_damage() {
    let app = App::new();
    let session = app.completed();
    app.deliver();
    // As it stands where each was abandoned while an attempt was under way, and was sent again by a person.
    damage(&app, "UPDATE outbox SET attempts = 2, unknown_outcomes = 1, revived = 1; UPDATE attempt SET number = 2");
    assert_eq!(app.faults(), [""; 0], "{session}");
}

#[test]
fn words_of_every_kind_are_found_as_they_were_written() {
    let app = App::new();
    for note in ["#", "cafe\u{301}s \"zu\" 12", "مُحَمَّد", "東京都新宿区 🔥", "a-b_c/d's", "\u{64b}!"] {
        let session = app.at_the_end().key;
        app.compass.note(session, note, &id()).unwrap();
        app.finish(session);
    }
    app.start();
    search(&app);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn what_search_finds_is_what_a_session_says() {
    let app = App::new();
    let session = app.completed();
    search(&app);
    damage(&app, "DELETE FROM search; INSERT INTO search (rowid, text) VALUES (1, '  something  else')");
    let faults = app.faults();
    assert!(faults.len() == 1 && faults[0].contains(&session.to_string()) && faults[0].contains("search"), "{faults:?}");
}

#[test]
fn totals_that_damage_made_absurd_refuse_no_change() {
    let app = App::new();
    let session = app.at_the_end().key;
    damage(
        &app,
        "UPDATE session_totals SET (in_progress, completed, won, ended, actions_not_fired, actions_pending, actions_sent)
                                 = (-9, 9223372036854775807, 9223372036854775807, -1, 9223372036854775807, 9223372036854775807, -7)",
    );
    app.finish(session);
    app.ended();
    assert_eq!(app.deliver().sent, 3);
    app.compass.delete(session).unwrap();
    app.compass.totals().unwrap();
    assert!(app.faults().iter().any(|fault| fault.contains("totals")), "{:?}", app.faults());
}

#[test]
fn a_body_that_is_lost_or_damaged_is_made_again_also_where_it_is_frozen_again() {
    for change in ["DELETE FROM body", "UPDATE body SET bytes = x'00'"] {
        let app = App::new();
        app.compass.set_integration_enabled(false).unwrap();
        let session = app.completed();
        app.compass.set_integration_enabled(true).unwrap();
        app.compass.send(session, "announce", None, &id()).unwrap();
        damage(&app, change);
        app.compass.send(session, "report", None, &id()).unwrap();
        damage(&app, change);
        assert_eq!(app.deliver().sent, 2, "{change}");
        let sent = app.office.requests();
        assert!(sent.iter().all(|request| String::from_utf8_lossy(&request.body).contains("Mill Lane")), "{change}");
    }
}

#[test]
fn a_file_that_is_damaged_anywhere_stops_nothing_and_is_replaced_by_a_copy() {
    let app = App::new();
    for _ in 0..6 {
        app.completed();
        app.ended();
    }
    search(&app);
    let good = app.folder().join("good.db");
    app.compass.backup(&good).unwrap();
    app.compass.close().unwrap();
    let bytes = std::fs::read(app.path()).unwrap();
    let pages = bytes.len() / 4096 - 1;
    let mut state = 7_u64;
    let mut roll = |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % sides
    };
    let discard = DiscardUndelivered { actor: "Mia".to_owned(), reason: "damaged".to_owned() };
    for round in 0..9 {
        let mut damaged = bytes.clone();
        let page = 4096 * (1 + roll(pages));
        match round % 3 {
            0 => (0..1 + roll(40)).for_each(|_| damaged[4096 + roll(bytes.len() - 4096)] ^= 1 << roll(8)),
            1 => damaged[page..page + 4096].fill(0),
            _ => damaged.truncate(page),
        }
        std::fs::write(app.path(), &damaged).unwrap();
        let is_told = |what: &str, code: &str| {
            assert!(["fine", "corrupt", "not_a_database"].contains(&code), "{round} {what}: {code}");
        };
        let lines = app.folder().join(format!("lines-{round}"));
        is_told("salvage", code(Compass::salvage(app.path(), &lines)));
        assert_eq!(std::fs::read(app.path()).unwrap(), damaged, "{round}: it stays as it is");
        let opened = Compass::open(app.options());
        if let Ok(compass) = &opened {
            compass.check().unwrap();
            is_told("flush", code(compass.flush(Duration::from_secs(5), &CancelToken::new())));
            is_told("purge", code(compass.purge(Duration::ZERO)));
            compass.close().unwrap();
        }
        is_told("open", code(opened));
        let options = RestoreOptions::new(app.path()).discard_undelivered(discard.clone());
        assert_eq!(code(Compass::restore(&good, &options)), "fine", "{round}");
        let compass = Compass::open(app.options()).unwrap();
        assert_eq!(compass.check().unwrap().faults, [""; 0], "{round}");
        compass.close().unwrap();
    }
}

#[test]
fn a_purge_goes_on_behind_a_session_of_which_a_page_is_lost() {
    for table in ["event", "action", "outbox"] {
        let mut app = App::new();
        for _ in 0..60 {
            app.completed();
        }
        app.deliver();
        app.compass.close().unwrap();
        lose_page(&app.path(), table);
        app.compass = Compass::open(app.options()).unwrap();
        app.tick();
        let purged = app.compass.purge(Duration::ZERO).unwrap().purged;
        // A page holds some of them.
        assert!(purged > 0 && purged < 60, "{table}: {purged}");
        assert_eq!(app.count("SELECT count(*) FROM session WHERE finished_at IS NOT NULL"), 60 - purged as i64, "{table}");
        assert!(!app.faults().is_empty(), "{table}");
    }
}
