//! Calls that are made again, because their answer was lost or a finger was fast.

use std::time::Duration;

use compass_core::testing::ScriptedTransport;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn site(value: &str) -> Command {
    Command::SetFields { changes: vec![set("site", text(value))] }
}

fn shown(view: &SessionView) -> FieldState {
    view.fields[0].state.clone()
}

#[test]
fn a_call_that_was_stale_stays_so_when_it_is_made_again() {
    let app = App::with_office(ScriptedTransport::always(400));
    let session = app.completed();
    let tap = id();
    assert_eq!(app.compass.send(session, "report", None, &tap).unwrap().applied, Applied::Stale, "it is pending");
    assert_eq!(code(app.compass.send_corrected(session, "report", None, &tap)), "command_id_reused");
    app.deliver();
    assert_eq!(app.action(session, "report").status, ActionStatus::Failed);
    assert_eq!(app.compass.send(session, "report", None, &tap).unwrap().applied, Applied::Repeated);
    assert_eq!(app.action(session, "report").status, ActionStatus::Failed, "it is no second send");
    assert_eq!(app.compass.send(session, "report", None, &id()).unwrap().applied, Applied::Yes);
}

#[test]
fn a_call_that_changed_nothing_is_remembered() {
    let mut app = App::new();
    let session = app.completed();
    let same = vec![set("site", text("Mill Lane"))];
    let tap = id();
    let edit = |app: &App, fields: &[FieldChange]| app.compass.edit(session, Some("Max"), None, fields.to_vec(), vec![], &tap);
    assert_eq!(edit(&app, &same).unwrap().applied, Applied::Yes);
    let events = app.record(session).timeline.len();
    app.compass.edit(session, None, None, vec![set("site", text("Mill Road"))], vec![], &id()).unwrap();
    app.reopen();
    assert_eq!(edit(&app, &same).unwrap().applied, Applied::Repeated, "what came later stays");
    assert_eq!(app.record(session).timeline.len(), events + 1);
    assert_eq!(code(edit(&app, &[set("site", text("Quay"))])), "command_id_reused");
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_refused_call_leaves_its_id_free() {
    let app = App::new();
    let session = app.start().key;
    let tap = id();
    assert_eq!(code(app.compass.note(session, " ", &tap)), "blank");
    assert_eq!(app.compass.note(session, "Dog in the yard", &tap).unwrap().applied, Applied::Yes);
    let whole = id();
    let refused = [site("Mill Lane"), Command::Complete { visit: 1 }];
    assert_eq!(code(app.compass.run(session, None, &refused, Some(&whole))), "not_an_end_section");
    assert_eq!(app.compass.run(session, None, &[site("Mill Lane")], Some(&whole)).unwrap().applied, Applied::Yes);
}

#[test]
fn a_list_of_commands_with_an_id_is_carried_out_once() {
    let mut app = App::new();
    let session = app.start().key;
    let (whole, note) = (id(), Command::Note { command_id: id(), text: "Dog in the yard".into() });
    let commands = [site("first"), note.clone()];
    assert_eq!(app.compass.run(session, None, &commands, Some(&whole)).unwrap().applied, Applied::Yes);
    app.set(session, "site", "second");
    app.reopen();
    let again = app.compass.run(session, None, &commands, Some(&whole)).unwrap();
    assert_eq!((again.applied, shown(&again.view)), (Applied::Repeated, FieldState::Provided(text("second"))));
    assert_eq!(again.view.notes.len(), 1);
    assert_eq!(code(app.compass.run(session, None, &[site("first")], Some(&whole))), "command_id_reused");
    assert_eq!(code(app.compass.note(session, "Dog in the yard", &whole)), "command_id_reused");
    let other = app.start().key;
    assert_eq!(code(app.compass.run(other, None, &commands, Some(&whole))), "command_id_reused", "of another session");
    let twice = id();
    let commands = [Command::Note { command_id: twice.clone(), text: "Cat".into() }];
    assert_eq!(code(app.compass.run(session, None, &commands, Some(&twice))), "command_id_reused");
    assert_eq!(code(app.compass.run(session, None, &[], Some(" "))), "blank");
    // Those that have an id of their own are known by it, too.
    assert_eq!(app.compass.run(session, None, &[note], None).unwrap().applied, Applied::Repeated);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_list_that_moved_on_is_repeated_and_not_stale() {
    let app = App::new();
    let session = app.start().key;
    let whole = id();
    let commands = [site("Mill Lane"), Command::Answer { visit: 1, answer: "on".into() }];
    let done = app.compass.run(session, None, &commands, Some(&whole)).unwrap();
    assert_eq!((done.applied, done.view.visit), (Applied::Yes, 2));
    let again = app.compass.run(session, None, &commands, Some(&whole)).unwrap();
    assert_eq!((again.applied, again.view), (Applied::Repeated, done.view));

    // A stale one stays without effect, also when the session comes to that visit.
    let (whole, end) = (id(), id());
    let late = [Command::Answer { visit: 1, answer: "on".into() }, Command::End { command_id: end.clone(), reason: "rain".into() }];
    assert_eq!(app.compass.run(session, None, &late, Some(&whole)).unwrap().applied, Applied::Stale);
    assert_eq!(app.compass.run(session, None, &late, Some(&whole)).unwrap().applied, Applied::Repeated);
    assert_eq!(app.compass.end(session, "rain", &end).unwrap().applied, Applied::Repeated);
    assert_eq!(app.view(session).state, SessionState::InProgress);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_start_that_is_repeated_after_its_session_was_deleted_starts_no_other() {
    for purged in [false, true] {
        let mut app = App::new();
        let start = Start::new("pump-check", id());
        let session = app.compass.start(&start).unwrap().view.key;
        let note = id();
        app.compass.note(session, "Dog in the yard", &note).unwrap();
        app.compass.discard(session).unwrap();
        if purged {
            app.days(2);
            assert_eq!(app.compass.purge(DAY).unwrap().purged, 1);
        } else {
            app.compass.delete(session).unwrap();
        }
        app.reopen();
        let Err(Error::DeletedSession { key }) = app.compass.start(&start) else { panic!("started") };
        assert_eq!(key, session);
        // What it said is gone, so that its id alone tells.
        let other = Start { actor: Some("Mia".into()), ..start.clone() };
        assert_eq!(code(app.compass.start(&other)), "deleted_session");
        assert_eq!(code(app.compass.note(session, "Dog in the yard", &note)), "deleted_session");
        let another = app.start().key;
        assert_eq!(code(app.compass.note(another, "Dog in the yard", &note)), "command_id_reused");
        assert_eq!(app.count("SELECT count(*) FROM hashed_command"), 2);
        assert_eq!(app.faults(), [""; 0]);

        app.days(399);
        app.compass.purge(DAY).unwrap();
        assert_eq!(code(app.compass.start(&start)), "deleted_session");
        app.days(2);
        app.compass.purge(DAY).unwrap();
        assert_eq!(app.compass.start(&start).unwrap().applied, Applied::Yes, "after 400 days it is forgotten");
        assert_eq!(code(app.compass.session(session)), "unknown_session");
    }
}

#[test]
fn an_app_that_never_purges_forgets_what_went_too() {
    let mut app = App::new();
    let start = Start::new("pump-check", id());
    let session = app.compass.start(&start).unwrap().view.key;
    app.compass.discard(session).unwrap();
    app.compass.delete(session).unwrap();
    app.days(401);
    assert_eq!(code(app.compass.session(session)), "deleted_session");
    app.reopen();
    assert_eq!(code(app.compass.session(session)), "unknown_session");
    assert_eq!(app.count("SELECT count(*) FROM hashed_command"), 0);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_repeated_start_tells_the_same_while_what_is_old_is_forgotten_little_by_little() {
    let mut app = App::new();
    let starts: Vec<Start> = (0..30).map(|_| Start::new("pump-check", id())).collect();
    for start in &starts {
        let session = app.compass.start(start).unwrap().view.key;
        let notes: Vec<_> = (0..20).map(|_| Command::Note { command_id: id(), text: "Dog in the yard".into() }).collect();
        app.compass.run(session, None, &notes, None).unwrap();
        app.compass.discard(session).unwrap();
        app.compass.delete(session).unwrap();
    }
    app.days(402);
    app.reopen();
    let kept = |table: &str| app.count(&format!("SELECT count(*) FROM {table}"));
    assert_eq!((kept("tombstone"), kept("hashed_command")), (30, 130), "opening took a part");
    for start in &starts {
        let told = code(app.compass.start(start));
        assert!(["fine", "deleted_session"].contains(&told), "{told}");
    }
    app.compass.purge(Duration::MAX).unwrap();
    assert_eq!((kept("tombstone"), kept("hashed_command")), (0, 0));
}

#[test]
fn no_id_of_a_deleted_session_can_be_read_from_the_tables() {
    let app = App::new();
    let start = Start::new("pump-check", "tap-of-mia-4711");
    let session = app.compass.start(&start).unwrap().view.key;
    let late = [Command::Answer { visit: 1, answer: "nowhere".into() }, Command::Answer { visit: 1, answer: "nowhere".into() }];
    assert_eq!(code(app.compass.run(session, None, &late, Some("batch-4711"))), "unknown_answer");
    app.compass.run(session, None, &[], Some("nothing-4711")).unwrap();
    app.compass.discard(session).unwrap();
    app.compass.delete(session).unwrap();
    for table in ["event", "command"] {
        assert_eq!(app.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    assert_eq!(app.count("SELECT count(*) FROM hashed_command WHERE typeof(id_hash) = 'blob' AND length(id_hash) = 32"), 2);
}

#[test]
fn a_note_that_comes_with_a_stale_move_is_kept_once() {
    let mut app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    app.answer(session, "on");
    app.compass.save_note_draft(session, "Dog in the yard").unwrap();
    let note = Command::Note { command_id: id(), text: "Dog in the yard".into() };
    let late = [site("Quay"), note, Command::Answer { visit: 1, answer: "again".into() }];
    for (whole, applied) in
        [(Some("a"), Applied::Stale), (Some("a"), Applied::Repeated), (Some("b"), Applied::Stale), (None, Applied::Stale)]
    {
        let outcome = app.compass.run(session, Some("Mia"), &late, whole).unwrap();
        assert_eq!((outcome.applied, outcome.view.visit, outcome.view.notes.len()), (applied, 2, 1));
        assert_eq!(outcome.view.note_draft, None);
        app.reopen();
    }
    assert_eq!(app.record(session).timeline.len(), 4);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_command_id_stands_for_one_command_for_ever() {
    let mut app = App::new();
    let first = Start::new("pump-check", "s1");
    let session = app.compass.start(&first).unwrap().view.key;
    let other = app.start().key;
    app.compass.note(session, "loud", "n1").unwrap();
    assert_eq!(code(app.compass.note(other, "loud", "n1")), "command_id_reused");
    assert_eq!(code(app.compass.note(session, "louder", "n1")), "command_id_reused");
    assert_eq!(code(app.compass.note(session, "loud", "s1")), "command_id_reused");
    assert_eq!(code(app.compass.start(&Start::new("pump-check", "n1"))), "command_id_reused");
    let values = |word: &str| vec![Command::SetFields { changes: vec![set("site", text(word))] }];
    assert_eq!(app.compass.run(session, None, &values("A"), Some("b1")).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.run(session, None, &values("B"), Some("b2")).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.run(session, None, &values("A"), Some("b1")).unwrap().applied, Applied::Repeated);
    assert_eq!(code(app.compass.run(session, None, &values("C"), Some("b1"))), "command_id_reused");
    assert_eq!(code(app.compass.run(other, None, &values("A"), Some("b1"))), "command_id_reused");
    assert_eq!(app.compass.run(session, None, &values("B"), Some("b3")).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.run(session, None, &values("A"), None).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.run(session, None, &values("B"), Some("b3")).unwrap().applied, Applied::Repeated);
    app.answer(session, "again");
    let stale = vec![Command::Answer { visit: 1, answer: "on".into() }, Command::Note { command_id: "n2".into(), text: "wet".into() }];
    assert_eq!(app.compass.run(session, None, &stale, Some("b4")).unwrap().applied, Applied::Stale);
    assert_eq!(app.compass.run(session, None, &stale, Some("b4")).unwrap().applied, Applied::Repeated);
    assert_eq!(app.compass.note(session, "wet", "n2").unwrap().applied, Applied::Repeated);
    app.compass.end(session, "over", "e1").unwrap();
    app.compass.edit(session, None, None, vec![set("site", text("Z"))], vec![], "x1").unwrap();
    assert_eq!(app.compass.edit(session, None, None, vec![set("site", text("Z"))], vec![], "x1").unwrap().applied, Applied::Repeated);
    app.compass.delete(session).unwrap();
    app.reopen();
    assert_eq!(code(app.compass.start(&first)), "deleted_session");
    for id in ["n1", "b1", "n2", "e1", "x1", "b4", "s1"] {
        assert_eq!(code(app.compass.note(other, "wet", id)), "command_id_reused", "{id}");
        assert_eq!(code(app.compass.note(session, "wet", id)), "deleted_session", "{id}");
    }
    assert_eq!(app.faults(), [""; 0]);
}
