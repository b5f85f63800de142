//! What is redacted is gone from a session for good, and what depends on it goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use crate::support::app::{redaction as of, *};
use crate::support::past_every_rule;
use compass_core::model::*;
use compass_core::testing::ScriptedTransport;
use serde_json::{Value, json};

/// What is to be redacted, in three values of one field, one of them after the end.
const WORDS: [&str; 4] = ["Zwetschgen", "Quarkstrudel", "Jodeldiplom", "quarkstrudel"];

fn field(key: &str) -> RedactionTarget {
    RedactionTarget::Field { key: key.into() }
}

fn redact(app: &App, session: SessionKey, target: RedactionTarget) -> RedactOutcome {
    let outcome = app.compass.redact(session, &of(target)).unwrap();
    assert_eq!(outcome.applied, Applied::Yes);
    assert_eq!(app.faults(), [""; 0]);
    outcome
}

fn holds(app: &App, session: SessionKey, key: &str) -> FieldState {
    app.record(session).fields.into_iter().find(|field| field.definition.key == key).unwrap().state
}

fn found(app: &App, text: &str) -> usize {
    let filter = SessionFilter { text: Some(text.into()), ..Default::default() };
    app.compass.sessions(&filter, None, 10).unwrap().sessions.len()
}

/// A session whose `site` was prefilled, corrected, and typed at once more, and that was found by it.
fn told(app: &App) -> SessionKey {
    let prefill = vec![Prefill { field: "site".into(), value: text("Zwetschgen 7"), source: "work-order".into() }];
    let session = app.compass.start(&Start { prefill, ..Start::new("pump-check", id()) }).unwrap().view.key;
    app.set(session, "site", "Quarkstrudel 9");
    app.compass.save_draft(session, "site", "Zwetschgen 7 b").unwrap();
    assert!(found(app, "quarkstrudel") > 0);
    session
}

fn completed(app: &App) -> SessionKey {
    let session = told(app);
    app.answer(session, "on");
    app.answer(session, "fine");
    app.finish(session);
    session
}

fn edited(app: &App, session: SessionKey) {
    app.compass.edit(session, None, None, vec![set("site", text("Jodeldiplom 8"))], vec![], &id()).unwrap();
    assert_eq!(found(app, "jodeldiplom"), 1);
}

/// The words that are still somewhere in the app's folder, or in a backup of now.
fn left(app: &App) -> Vec<&'static str> {
    let backup = tempfile::tempdir().unwrap();
    app.compass.backup(&backup.path().join("copy.db")).unwrap();
    let files = [app.folder(), backup.path()].into_iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files: Vec<_> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    let has = |word: &str| files.iter().any(|bytes| bytes.windows(word.len()).any(|window| window == word.as_bytes()));
    WORDS.into_iter().filter(|word| has(word)).collect()
}

fn events(path: &Path, session: i64) -> Vec<Value> {
    let sql = open_sql(path);
    let mut statement = sql.prepare("SELECT json FROM event WHERE session_id = ?1 ORDER BY seq").unwrap();
    statement
        .query_map([session], |row| row.get(0))
        .unwrap()
        .map(|row| serde_json::from_str(&row.unwrap_or(String::new())).unwrap())
        .collect()
}

// The session ---------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_redacted_value_is_gone_from_a_running_session_which_goes_on_without_it() {
    let app = App::new();
    let session = told(&app);
    assert_eq!(left(&app).len(), 3, "the look is not blind");
    let outcome = redact(&app, session, field("site"));
    assert_eq!((outcome.erased, outcome.in_flight, outcome.bodies.len()), (Erased::Now, false, 0));
    assert_eq!(left(&app), [""; 0]);
    let view = app.view(session);
    assert_eq!((&view.fields[0].state, &view.fields[0].draft, view.problems.len()), (&FieldState::Redacted, &None, 0), "it satisfies");
    assert_eq!(found(&app, "quarkstrudel"), 0);

    app.answer(session, "on");
    app.answer(session, "fine");
    assert!(app.view(session).can_complete);
    app.finish(session);
    let body: Value = serde_json::from_str(&app.compass.preview(session, "report").unwrap().body).unwrap();
    assert_eq!(body["fields"], json!([]), "no message says of it");
    let frozen = app.compass.delivery_body(&app.action(session, "report").deliveries[0].id).unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&frozen).unwrap()["fields"], json!([]));
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn every_act_that_held_it_says_so_and_so_does_the_one_that_took_it() {
    let mut app = App::new();
    let session = completed(&app);
    app.deliver();
    edited(&app, session);
    app.tick();
    redact(&app, session, field("site"));
    let gone = json!({ "redacted": true });
    let events = events(&app.path(), 1);
    assert_eq!(events[0]["prefill"][0]["to"], gone);
    assert_eq!(events[0]["prefill"][0]["source"]["name"], "work-order");
    assert_eq!(events[1]["values"][0]["to"], gone);
    let edit = events.iter().find(|event| event["act"] == "edited").unwrap();
    assert_eq!((&edit["fields"][0]["from"], &edit["fields"][0]["to"]), (&gone, &gone));
    let act = json!({ "act": "redacted", "target": { "field": { "key": "site" } }, "reason": "not ours to know" });
    assert_eq!(events.last(), Some(&act));

    app.reopen();
    let record = app.record(session);
    let line = record.timeline.last().unwrap();
    assert_eq!((line.actor.as_deref(), line.at), (Some("Mia"), app.now()));
    let entry = TimelineEntry::Redacted { target: field("site"), field_name: Some("Site".into()), reason: "not ours to know".into() };
    assert_eq!(line.entry, entry);
    let TimelineEntry::Started { prefilled, .. } = &record.timeline[0].entry else { panic!("a start") };
    assert_eq!(prefilled[0].state, FieldState::Redacted);
    assert_eq!(left(&app), [""; 0]);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn what_is_answered_after_a_redaction_starts_again() {
    let app = App::new();
    let session = told(&app);
    redact(&app, session, field("site"));
    app.set(session, "site", "Mill Lane");
    assert_eq!(holds(&app, session, "site"), FieldState::Provided(text("Mill Lane")));
    assert_eq!((found(&app, "mill"), app.faults()), (1, vec![]));
    app.answer(session, "leave");
    app.finish(session);
    assert!(app.compass.preview(session, "announce").unwrap().body.contains("Mill Lane"));
    redact(&app, session, field("site"));
    assert_eq!((holds(&app, session, "site"), found(&app, "mill")), (FieldState::Redacted, 0));
    let clear = vec![FieldChange { field: "site".into(), change: Change::Clear }];
    let refused = app.compass.edit(session, None, None, clear, vec![], &id()).unwrap_err();
    assert_eq!(refused.problems()[0].code, "required", "a completed session stays complete");
    app.compass.edit(session, None, None, vec![set("site", text("Mill Road"))], vec![], &id()).unwrap();
    assert_eq!(holds(&app, session, "site"), FieldState::Provided(text("Mill Road")));
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_value_off_the_path_and_one_that_was_cleared_are_redacted_too() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    app.answer(session, "on");
    app.compass.set_field(session, "page1", text("Zwetschgen")).unwrap();
    let view = app.view(session);
    app.compass.back(session, view.visit, view.path[0].visit).unwrap();
    redact(&app, session, field("page1"));
    assert_eq!(holds(&app, session, "page1"), FieldState::Redacted);

    app.compass.set_field(session, "remark", text("Quarkstrudel")).unwrap();
    let clear = vec![FieldChange { field: "remark".into(), change: Change::Clear }];
    app.compass.set_fields(session, clear).unwrap();
    redact(&app, session, field("remark"));
    assert_eq!(holds(&app, session, "remark"), FieldState::NotProvided, "nothing stood there any more");
    assert_eq!(left(&app), [""; 0]);
    assert_eq!(holds(&app, session, "site"), FieldState::Provided(text("Mill Lane")), "nothing else is touched");
}

#[test]
fn half_typed_text_goes_also_where_the_field_holds_no_value() {
    let app = App::new();
    let session = app.completed();
    redact(&app, session, field("site"));
    for key in ["site", "remark"] {
        app.compass.save_draft(session, key, "Zwetschgen 7 b").unwrap();
        assert_eq!(left(&app), ["Zwetschgen"]);
        let outcome = redact(&app, session, field(key));
        let draft = &outcome.record.fields.iter().find(|field| field.definition.key == key).unwrap().draft;
        assert_eq!((draft, outcome.erased), (&None, Erased::Now));
        assert_eq!(left(&app), [""; 0]);
    }
    assert_eq!(holds(&app, session, "remark"), FieldState::NotProvided, "it held nothing");
    let note = app.compass.note(session, "Zwetschgen", &id()).unwrap().view.notes[0].seq;
    app.compass.save_note_draft(session, "Zwetschgen 7").unwrap();
    let outcome = redact(&app, session, RedactionTarget::Note { seq: note });
    assert_eq!((outcome.record.note_draft, outcome.erased), (None, Erased::Now));
    assert_eq!(left(&app), [""; 0], "what is half typed may be this note, changed");
}

#[test]
fn a_note_is_redacted_with_what_it_said_before_it_was_edited() {
    let mut app = App::new();
    let session = app.completed();
    let note = app.compass.note(session, "Zwetschgen", &id()).unwrap().view.notes[0].seq;
    app.compass.note(session, "Gate was open", &id()).unwrap();
    let change = NoteChange { note, text: "Quarkstrudel".into() };
    app.compass.edit(session, None, None, vec![], vec![change], &id()).unwrap();
    assert_eq!(found(&app, "quarkstrudel"), 1);
    let outcome = redact(&app, session, RedactionTarget::Note { seq: note });
    assert_eq!((outcome.erased, outcome.bodies.len()), (Erased::Now, 0), "no message says anything of notes");
    assert_eq!(app.compass.outbox_totals().unwrap().pending, 3);
    assert_eq!(left(&app), [""; 0]);
    app.reopen();
    let record = app.record(session);
    let texts: Vec<_> = record.notes.iter().map(|note| (note.text.as_deref(), note.edited)).collect();
    assert_eq!(texts, [(None, true), (Some("Gate was open"), false)]);
    let said = |seq| record.timeline.iter().find(|line| line.seq == seq).unwrap().entry.clone();
    assert_eq!(said(note), TimelineEntry::Noted { text: None });
    let entry =
        TimelineEntry::Redacted { target: RedactionTarget::Note { seq: note }, field_name: None, reason: "not ours to know".into() };
    assert_eq!(record.timeline.last().unwrap().entry, entry);
    assert_eq!((found(&app, "quarkstrudel"), found(&app, "gate")), (0, 1));

    let change = NoteChange { note, text: "Gate was shut".into() };
    app.compass.edit(session, None, None, vec![], vec![change], &id()).unwrap();
    assert_eq!(app.record(session).notes[0].text.as_deref(), Some("Gate was shut"), "what it says then starts again");
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_file_that_no_session_refers_to_any_more_is_unused() {
    let app = App::with_a_photo();
    let (first, second) = (app.start().key, app.start().key);
    let hash = |digit: &str| digit.repeat(64);
    for (session, digit) in [(first, "a"), (first, "b"), (second, "a")] {
        app.take(session, &hash(digit));
    }
    assert_eq!(redact(&app, first, field("photo")).unused_files, [hash("b")], "the other session has the first photo as well");
    assert_eq!(app.compass.files().unwrap(), [hash("a")]);
    // An act of another session that does not read back decides nothing.
    let change = "UPDATE event SET json = CAST(x'ff' || '\"sha256\":\"' AS TEXT) WHERE session_id = 1";
    crate::support::past_every_rule(&app.sql(), |sql| sql.execute_batch(change).unwrap());
    let outcome = app.compass.redact(second, &of(field("photo"))).unwrap();
    assert_eq!((outcome.applied, outcome.unused_files), (Applied::Yes, vec![hash("a")]));
    assert_eq!(holds(&app, second, "photo"), FieldState::Redacted);
}

#[test]
fn a_redaction_that_leaves_the_files_of_its_session_looks_for_them_nowhere() {
    let app = App::with_a_photo();
    let session = app.start().key;
    app.take(session, &"a".repeat(64));
    app.set(session, "site", "Mill Lane");
    // One who looked for the photo after the commit would not find it.
    let path = app.path();
    let hides = move |_: &Notice| {
        past_every_rule(&open_sql(&path), |sql| {
            sql.execute_batch("UPDATE event SET json = replace(json, 'sha256', 'sha999')").unwrap();
        });
    };
    let subscription = app.compass.observe(std::sync::Arc::new(hides));
    assert_eq!(app.compass.redact(session, &of(field("site"))).unwrap().unused_files, [""; 0]);
    assert_eq!(app.compass.files().unwrap(), [""; 0], "it is hidden");
    drop(subscription);
}

#[test]
fn a_file_that_a_message_still_names_is_unused_once_that_is_settled() {
    for pending in [RedactPending::Keep, RedactPending::Abandon] {
        let app = App::with_a_photo();
        let session = app.start().key;
        app.take(session, &"a".repeat(64));
        app.set(session, "site", "Mill Lane");
        app.answer(session, "leave");
        app.finish(session);
        let keep = Redaction { pending: RedactPending::Keep, ..of(field("photo")) };
        let outcome = app.compass.redact(session, &keep).unwrap();
        assert_eq!((outcome.bodies.len(), outcome.unused_files), (1, vec![]), "the message that is kept names it");
        assert_eq!(app.compass.files().unwrap(), ["a".repeat(64)]);
        if pending == RedactPending::Keep {
            app.deliver();
            assert!(String::from_utf8(app.office.requests()[0].body.to_vec()).unwrap().contains(&"a".repeat(64)));
            assert_eq!(app.compass.delete(session).unwrap().unused_files, ["a".repeat(64)]);
        } else {
            assert_eq!(redact(&app, session, field("photo")).unused_files, ["a".repeat(64)]);
        }
        assert_eq!(app.compass.files().unwrap(), [""; 0]);
    }
}

#[test]
fn sessions_of_every_state_are_redacted_but_for_those_that_are_gone() {
    let app = App::new();
    let (ended, discarded) = (told(&app), told(&app));
    app.compass.end(ended, "nobody home", &id()).unwrap();
    app.compass.discard(discarded).unwrap();
    for session in [ended, discarded] {
        redact(&app, session, field("site"));
        assert_eq!(holds(&app, session, "site"), FieldState::Redacted);
    }
    assert_eq!(left(&app), [""; 0]);
    let deleted = app.start().key;
    app.compass.discard(deleted).unwrap();
    app.compass.delete(deleted).unwrap();
    assert_eq!(code(app.compass.redact(deleted, &of(field("site")))), "deleted_session");
    assert_eq!(code(app.compass.redact(SessionKey(Default::default()), &of(field("site")))), "unknown_session");
}

#[test]
fn what_is_redacted_before_it_was_ever_looked_for_hides_no_other_session() {
    let app = App::new();
    app.set(app.start().key, "site", "Mill Lane");
    let second = app.start().key;
    app.set(second, "site", "Zwetschgen");
    redact(&app, second, field("site"));
    assert_eq!((found(&app, "mill"), found(&app, "zwetschgen")), (1, 0));
    assert_eq!(left(&app), [""; 0]);
}

// Messages ------------------------------------------------------------------------------------------------------------------------------

fn bodies(record: &SessionRecord) -> Vec<(String, Vec<String>)> {
    let deliveries = record.actions.iter().map(|action| (action.key.clone(), action.deliveries[0].holds_redacted.clone()));
    deliveries.collect()
}

#[test]
fn undelivered_messages_that_hold_it_are_abandoned_at_once() {
    let app = App::new();
    let session = completed(&app);
    let configuration = app.count("SELECT configuration FROM meta");
    let outcome = redact(&app, session, field("site"));
    assert!(app.count("SELECT configuration FROM meta") > configuration, "what is claimed is looked at again");
    assert_eq!((outcome.bodies.len(), outcome.in_flight), (3, false), "bodies of abandoned messages stay");
    assert!(outcome.record.actions.iter().all(|action| action.status == ActionStatus::Failed && REASON(action) == "abandoned"));
    assert_eq!(app.count("SELECT count(*) FROM outbox WHERE state = 'failed' AND reason = 'abandoned' AND detail = 'redacted'"), 3);
    let abandoned = outcome.record.timeline.iter().rev().take(3);
    for line in abandoned {
        let TimelineEntry::Abandoned { reason, .. } = &line.entry else { panic!("abandoned") };
        assert_eq!((line.actor.as_deref(), reason.as_str()), (Some("Mia"), "not ours to know"));
    }
    assert_eq!((app.deliver().attempts, app.office.requests().len()), (0, 0));
    assert_eq!(left(&app), ["Quarkstrudel"], "but for the bodies that are named");

    let refused = app.compass.send(session, "report", None, &id()).unwrap_err();
    assert_eq!(refused.to_string(), "action `report` is failed: it holds a redacted value; send corrected");
    assert_eq!((refused.code(), app.compass.send_failed_again(None).unwrap()), ("action_status", 0));
    assert!(outcome.record.actions.iter().all(|action| !action.can_send && action.can_send_corrected));
    app.compass.send_corrected(session, "report", None, &id()).unwrap();
    assert_eq!(app.deliver().sent, 1);
    let body = String::from_utf8(app.office.requests()[0].body.to_vec()).unwrap();
    assert!(!body.contains("Quarkstrudel"), "{body}");
    assert_eq!(app.action(session, "report").deliveries[0].holds_redacted, [""; 0]);
    app.compass.delete(session).unwrap();
    assert_eq!(left(&app), [""; 0]);
}

const REASON: fn(&Action) -> &str = |action| action.reason.as_deref().unwrap_or("none");

#[test]
fn undelivered_messages_that_are_kept_leave_as_they_are_and_are_named_until_their_bodies_go() {
    let app = App::new();
    let session = completed(&app);
    let keep = Redaction { pending: RedactPending::Keep, ..of(field("site")) };
    let outcome = app.compass.redact(session, &keep).unwrap();
    assert_eq!((outcome.applied, outcome.bodies.len(), outcome.in_flight), (Applied::Yes, 3, false));
    assert_eq!(app.deliver().sent, 3);
    assert!(String::from_utf8(app.office.requests()[0].body.to_vec()).unwrap().contains("Quarkstrudel"));
    let named = |key: &str| (key.to_owned(), vec!["site".to_owned()]);
    assert_eq!(bodies(&app.record(session)), [named("announce"), named("measured"), named("report")]);
    assert_eq!(app.faults(), [""; 0]);

    // Once more, now that they are delivered.
    let outcome = redact(&app, session, field("site"));
    assert_eq!((outcome.bodies.len(), outcome.erased), (0, Erased::Now));
    assert!(bodies(&outcome.record).iter().all(|(_, fields)| fields.is_empty()));
    assert_eq!(left(&app), [""; 0]);
    let id = &outcome.record.actions[0].deliveries[0].id;
    assert_eq!(app.compass.delivery_body(id).unwrap(), None);
    assert_eq!(app.compass.redact(session, &of(field("site"))).unwrap().applied, Applied::Stale, "nothing is left of it");
}

#[test]
fn a_mark_that_does_not_read_back_is_told_by_a_check_and_made_again() {
    for mark in ["'x'", "'{}'", "''", "CAST(x'5bff' AS TEXT)"] {
        let app = App::new();
        let session = completed(&app);
        let keep = Redaction { pending: RedactPending::Keep, ..of(field("site")) };
        app.compass.redact(session, &keep).unwrap();
        past_every_rule(&app.sql(), |sql| sql.execute_batch(&format!("UPDATE outbox SET holds_redacted = {mark} WHERE id = 2")).unwrap());
        let faults = app.faults();
        assert!(
            faults.len() == 1 && faults[0].ends_with("has an unreadable list of the redacted fields that it holds"),
            "{mark}: {faults:?}"
        );
        assert_eq!(redact(&app, session, field("site")).bodies.len(), 3, "{mark}");
    }
}

#[test]
fn bodies_of_delivered_messages_stay_or_go_as_it_says() {
    let mut app = App::new();
    let session = completed(&app);
    app.deliver();
    let keep = Redaction { bodies: RedactBodies::Keep, ..of(field("site")) };
    assert_eq!(app.compass.redact(session, &keep).unwrap().bodies.len(), 3);
    assert_eq!(left(&app), ["Quarkstrudel"]);
    app.reopen();
    assert_eq!(app.record(session).actions[0].deliveries[0].holds_redacted, ["site"]);
    app.days(100);
    app.compass.purge(std::time::Duration::MAX).unwrap();
    assert!(bodies(&app.record(session)).iter().all(|(_, fields)| fields.is_empty()), "they are gone");
    assert_eq!(left(&app), [""; 0]);

    let session = completed(&app);
    app.deliver();
    assert_eq!(redact(&app, session, field("site")).bodies, []);
    assert_eq!(left(&app), [""; 0]);
    assert_eq!(app.action(session, "report").status, ActionStatus::Sent, "it stays sent");
}

#[test]
fn messages_that_do_not_hold_it_are_left_alone() {
    let app = App::new();
    let session = completed(&app);
    app.compass.edit(session, None, None, vec![set("remark", text("Zwetschgen"))], vec![], &id()).unwrap();
    let outcome = redact(&app, session, field("remark"));
    assert_eq!((outcome.bodies.len(), app.compass.outbox_totals().unwrap().pending), (0, 3));
    assert_eq!(app.deliver().sent, 3);
}

#[test]
fn a_failed_message_is_abandoned_and_one_abandoned_before_stays_so() {
    let app = App::with_office(ScriptedTransport::always(400));
    let session = completed(&app);
    app.compass.abandon(session, "announce", "Max", "on paper", &id()).unwrap();
    app.deliver();
    redact(&app, session, field("site"));
    let abandoned = |detail: &str| app.count(&format!("SELECT count(*) FROM outbox WHERE detail = '{detail}'"));
    assert_eq!((abandoned("abandoned"), abandoned("redacted")), (1, 2));
    let can_send = |app: &App, session| app.record(session).actions.iter().map(|action| action.can_send).collect::<Vec<_>>();
    assert_eq!(can_send(&app, session), [false; 3], "whoever gave it up: it holds what was redacted");
    assert_eq!(code(app.compass.send(session, "announce", None, &id())), "action_status");

    let session = completed(&app);
    app.compass.abandon(session, "announce", "Max", "on paper", &id()).unwrap();
    app.deliver();
    app.compass.redact(session, &Redaction { pending: RedactPending::Keep, ..of(field("site")) }).unwrap();
    assert_eq!(can_send(&app, session), [false, true, true], "what failed and is kept may go on");
    app.compass.send(session, "report", None, &id()).unwrap();
}

// Calls ---------------------------------------------------------------------------------------------------------------------------------

#[test]
fn what_a_redaction_abandoned_stays_so_when_a_replay_is_abandoned_later() {
    let app = App::new();
    let session = app.completed();
    app.deliver();
    app.compass.edit(session, None, None, vec![set("remark", text("Zwetschgen"))], vec![], &id()).unwrap();
    app.compass.send_corrected(session, "report", None, &id()).unwrap();
    redact(&app, session, field("remark"));
    app.compass.replay(session, "report", None, &id()).unwrap();
    app.compass.abandon(session, "report", "Mia", "they have it", &id()).unwrap();
    let details = ["redacted", "abandoned"].map(|detail| app.count(&format!("SELECT count(*) FROM outbox WHERE detail = '{detail}'")));
    assert_eq!(details, [1, 1]);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_repeated_redaction_changes_nothing_and_tells_the_same() {
    let mut app = App::new();
    let session = completed(&app);
    let first = of(field("site"));
    let before = app.compass.redact(session, &first).unwrap();
    let revision = app.count("SELECT revision FROM meta");
    app.reopen();
    let again = app.compass.redact(session, &first).unwrap();
    assert_eq!(again, RedactOutcome { applied: Applied::Repeated, ..before });
    assert_eq!(app.count("SELECT revision FROM meta"), revision);
    let other = Redaction { reason: "another".into(), ..first.clone() };
    assert_eq!(code(app.compass.redact(session, &other)), "command_id_reused");

    let nothing = of(field("remark"));
    assert_eq!(app.compass.redact(session, &nothing).unwrap().applied, Applied::Stale, "it never held anything");
    app.compass.edit(session, None, None, vec![set("remark", text("late"))], vec![], &id()).unwrap();
    assert_eq!(app.compass.redact(session, &nothing).unwrap().applied, Applied::Repeated);
    assert_eq!(holds(&app, session, "remark"), FieldState::Provided(text("late")));
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn what_commands_said_is_forgotten_and_they_are_told_by_their_ids() {
    let app = App::new();
    let prefill = vec![Prefill { field: "site".into(), value: text("Zwetschgen"), source: "work-order".into() }];
    let start = Start { prefill, ..Start::new("pump-check", "id-Quarkstrudel") };
    let session = app.compass.start(&start).unwrap().view.key;
    let values = |value: &str| vec![Command::SetFields { changes: vec![set("site", text(value))] }];
    app.compass.run(session, None, &values("Jodeldiplom"), Some("whole-1")).unwrap();
    app.compass.note(session, "Gate", "note-1").unwrap();
    redact(&app, session, field("site"));
    assert_eq!(left(&app), [""; 0], "nor is an id left");
    assert_eq!(app.count("SELECT count(*) FROM event WHERE command_hash IS NOT NULL"), 1, "that of the redaction");
    assert_eq!(app.count("SELECT count(*) FROM command"), 0);

    let again = app.compass.start(&start).unwrap();
    assert_eq!((again.applied, again.view.key), (Applied::Repeated, session));
    assert_eq!(app.compass.run(session, None, &values("Jodeldiplom"), Some("whole-1")).unwrap().applied, Applied::Repeated);
    assert_eq!(app.compass.note(session, "Gate", "note-1").unwrap().applied, Applied::Repeated);
    assert_eq!(code(app.compass.note(app.start().key, "Gate", "note-1")), "command_id_reused");
    assert_eq!(holds(&app, session, "site"), FieldState::Redacted);

    // A list that was stale has changed nothing, and said it all the same.
    let visit = app.view(session).visit;
    app.answer(session, "on");
    let stale = [values("Jodeldiplom"), vec![Command::Answer { visit, answer: "on".into() }]].concat();
    assert_eq!(app.compass.run(session, None, &stale, Some("whole-2")).unwrap().applied, Applied::Stale);
    let nothing = of(field("site"));
    assert_eq!(app.compass.redact(session, &nothing).unwrap().applied, Applied::Stale);
    let only = format!("SELECT count(*) FROM command WHERE command_id = '{}'", nothing.command_id);
    assert_eq!((app.count("SELECT count(*) FROM command"), app.count(&only)), (1, 1));
    assert_eq!(app.compass.run(session, None, &stale, Some("whole-2")).unwrap().applied, Applied::Repeated);
    assert_eq!(app.compass.redact(session, &nothing).unwrap().applied, Applied::Repeated);
}

#[test]
fn a_redaction_that_is_not_acceptable_changes_nothing() {
    let app = App::new();
    let session = completed(&app);
    let call = |change: &dyn Fn(&mut Redaction)| {
        let mut redaction = of(field("site"));
        change(&mut redaction);
        let error = app.compass.redact(session, &redaction).unwrap_err();
        (error.code(), error.place().unwrap_or_default())
    };
    let at = |code, place: &str| (code, place.to_owned());
    assert_eq!(call(&|redaction| redaction.reason = " ".into()), at("blank", "reason"));
    assert_eq!(call(&|redaction| redaction.actor = String::new()), at("blank", "actor"));
    assert_eq!(call(&|redaction| redaction.command_id = String::new()), at("blank", "command_id"));
    assert_eq!(call(&|redaction| redaction.target = field("colour")), at("unknown_fields", "colour"));
    assert_eq!(call(&|redaction| redaction.target = RedactionTarget::Note { seq: 2 }), at("unknown_note", "2"));
    assert_eq!(holds(&app, session, "site"), FieldState::Provided(text("Quarkstrudel 9")));
    assert_eq!(app.compass.outbox_totals().unwrap().pending, 3);
}

#[test]
fn what_somebody_reads_meanwhile_is_gone_with_the_next_write() {
    let app = App::new();
    let session = told(&app);
    let reader = app.sql();
    reader.execute_batch("BEGIN; SELECT count(*) FROM meta").unwrap();
    reader.query_row("SELECT count(*) FROM session", [], |_| Ok(())).unwrap();
    let redaction = of(field("site"));
    assert_eq!(app.compass.redact(session, &redaction).unwrap().erased, Erased::AtNextClose);
    assert!(!left(&app).is_empty());
    reader.execute_batch("COMMIT").unwrap();
    let again = app.compass.redact(session, &redaction).unwrap();
    assert_eq!((again.applied, again.erased), (Applied::Repeated, Erased::Now), "a repeated call tells how it is now");
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn undelivered_messages_are_corrected_where_that_is_asked() {
    let app = App::new();
    let session = completed(&app);
    let redaction = Redaction { pending: RedactPending::Correct, ..of(field("site")) };
    let outcome = app.compass.redact(session, &redaction).unwrap();
    for action in &outcome.record.actions {
        let states: Vec<_> = action.deliveries.iter().map(|delivery| (delivery.revision, delivery.state)).collect();
        assert_eq!(states, [(2, DeliveryState::Pending), (1, DeliveryState::Superseded)]);
        assert!(!action.differs_from_sent);
    }
    assert_eq!(app.compass.redact(session, &redaction).unwrap().applied, Applied::Repeated);
    assert_eq!(app.deliver().sent, 3);
    for request in app.office.requests() {
        assert!(!String::from_utf8_lossy(&request.body).contains("Quarkstrudel"));
    }
    assert_eq!(app.faults(), [""; 0]);
}
