//! The list of sessions as a screen pages through it, its filters, and the totals of reports.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use crate::support::app::{App, code, id, pump_check_with};
use chrono::TimeDelta;
use compass_core::model::*;

const TWENTY_YEARS: TimeDelta = TimeDelta::days(20 * 365);

fn list(app: &App, filter: SessionFilter) -> Vec<SessionKey> {
    app.compass.sessions(&filter, None, 100).expect("a list").sessions.into_iter().map(|session| session.key).collect()
}

fn started_by(app: &App, actor: &str) -> SessionKey {
    app.compass.start(&Start { actor: Some(actor.into()), ..Start::new("pump-check", id()) }).expect("starts").view.key
}

#[test]
fn sessions_come_newest_first_with_what_a_line_shows() {
    let app = App::new();
    assert_eq!(list(&app, SessionFilter::default()), []);
    let first = app.completed();
    app.tick();
    let second = app.ended();
    // The same moment: the later one is the newer one.
    let third = started_by(&app, "Mia");
    assert_eq!(list(&app, SessionFilter::default()), [third, second, first]);
    let lines = app.compass.sessions(&SessionFilter::default(), None, 100).unwrap().sessions;
    assert_eq!(
        (lines[0].state, lines[0].section_name.as_str(), lines[0].actor.as_deref()),
        (SessionState::InProgress, "In the yard", Some("Mia"))
    );
    assert_eq!((lines[1].section_name.as_str(), lines[1].actions_not_fired, lines[1].finished_at.is_some()), ("At the pump", 2, true));
    assert_eq!((lines[2].won, lines[2].actions_pending, lines[2].workflow.version), (Some(true), 3, 1));
    app.deliver();
    assert_eq!(app.compass.sessions(&SessionFilter::default(), None, 100).unwrap().sessions[2].actions_sent, 3);
}

#[test]
fn pages_neither_repeat_nor_skip_while_new_sessions_begin() {
    let app = App::new();
    let old: Vec<SessionKey> = (0..10)
        .map(|number| {
            if number % 3 == 0 {
                app.tick();
            }
            app.start().key
        })
        .collect();
    let mut seen = Vec::new();
    let mut page = None;
    loop {
        let next = app.compass.sessions(&SessionFilter::default(), page.as_deref(), 3).unwrap();
        assert!(next.sessions.len() == 3 || next.next.is_none());
        seen.extend(next.sessions.iter().map(|session| session.key));
        if next.next.is_none() {
            break;
        }
        page = next.next;
        // One begins meanwhile.
        app.tick();
        app.start();
    }
    assert_eq!(seen, old.iter().rev().copied().collect::<Vec<_>>());
    for page in ["", "x", "1", "1.x", "2.3.4"] {
        assert_eq!(code(app.compass.sessions(&SessionFilter::default(), Some(page), 3)), "invalid_argument", "{page}");
    }
    assert_eq!(code(app.compass.sessions(&SessionFilter::default(), None, 0)), "invalid_argument");
    assert_eq!(code(app.compass.sessions(&SessionFilter::default(), None, 501)), "invalid_argument");
}

#[test]
fn the_last_page_says_that_it_is_the_last() {
    let app = App::new();
    for _ in 0..4 {
        app.start();
    }
    let first = app.compass.sessions(&SessionFilter::default(), None, 2).unwrap();
    let second = app.compass.sessions(&SessionFilter::default(), first.next.as_deref(), 2).unwrap();
    assert_eq!((first.next.is_some(), second.sessions.len(), second.next), (true, 2, None));
}

#[test]
fn a_clock_that_was_wrong_puts_no_session_before_later_ones() {
    let app = App::new();
    let before = app.start().key;
    app.clock.jump_wall(TWENTY_YEARS);
    let ahead = app.start().key;
    app.clock.jump_wall(-TWENTY_YEARS);
    let after = app.start().key;
    assert_eq!(list(&app, SessionFilter::default()), [after, ahead, before]);
    let first = app.compass.sessions(&SessionFilter::default(), None, 1).unwrap();
    let second = app.compass.sessions(&SessionFilter::default(), first.next.as_deref(), 1).unwrap();
    assert_eq!(second.sessions[0].key, ahead);
}

#[test]
fn each_filter_keeps_what_it_names() {
    let app = App::new();
    let other = pump_check_with(1, |document| document["key"] = "other".into());
    app.compass.import_workflow(&other).unwrap();
    let now = |app: &App| app.start().started_at;
    let won = app.completed();
    app.clock.advance(Duration::from_secs(3600));
    let boundary = now(&app);
    let lost = app.start().key;
    app.set(lost, "site", "Mill Lane");
    app.answer(lost, "leave");
    app.finish(lost);
    let ended = app.ended();
    let discarded = app.start().key;
    app.compass.discard(discarded).unwrap();
    let mia = started_by(&app, "Mia");
    let elsewhere = app.compass.start(&Start::new("other", id())).unwrap().view.key;

    let states = |states: &[SessionState]| list(&app, SessionFilter { states: states.to_vec(), ..Default::default() });
    assert_eq!(states(&[SessionState::Completed]), [lost, won]);
    assert_eq!(states(&[SessionState::Ended, SessionState::Discarded]), [discarded, ended]);
    assert!(!states(&[]).contains(&discarded), "what was thrown away is listed only when asked for");
    assert_eq!(list(&app, SessionFilter { workflow: Some("other".into()), ..Default::default() }), [elsewhere]);
    assert_eq!(list(&app, SessionFilter { actor: Some("Mia".into()), ..Default::default() }), [mia]);
    assert_eq!(list(&app, SessionFilter { won: Some(true), ..Default::default() }), [won]);
    assert_eq!(list(&app, SessionFilter { won: Some(false), ..Default::default() }), [lost]);
    assert_eq!(list(&app, SessionFilter { started_before: Some(boundary), ..Default::default() }), [won]);
    let from = SessionFilter { started_from: Some(boundary), states: vec![SessionState::Completed], ..Default::default() };
    assert_eq!(list(&app, from.clone()), [lost]);
    assert_eq!(list(&app, SessionFilter { won: Some(true), ..from }), [], "all filters hold together");
    let nowhere = SessionFilter { workflow: Some("'; DROP TABLE session; --".into()), ..Default::default() };
    assert_eq!(list(&app, nowhere), []);
}

#[test]
fn sessions_are_found_by_what_became_of_their_actions() {
    let app = App::new();
    let sent = app.completed();
    app.deliver();
    let pending = app.completed();
    let failed = app.too_large();
    let not_fired = app.ended();
    let with = |status| list(&app, SessionFilter { action_status: Some(status), ..Default::default() });
    assert_eq!(with(ActionStatus::Sent), [sent]);
    assert_eq!(with(ActionStatus::Pending), [pending]);
    assert_eq!(with(ActionStatus::Failed), [failed]);
    assert_eq!(with(ActionStatus::NotFired), [not_fired]);
    app.compass.send(not_fired, "announce", None, &id()).unwrap();
    assert_eq!(with(ActionStatus::Pending), [not_fired, pending]);
    assert_eq!(with(ActionStatus::NotFired), [not_fired], "the other action of it did not fire");
}

// Totals ------------------------------------------------------------------------------------------------------------------------------

#[test]
fn totals_count_sessions_by_workflow_and_by_person_and_actions_by_status() {
    let app = App::new();
    let other = pump_check_with(7, |document| document["key"] = "other".into());
    app.compass.import_workflow(&other).unwrap();
    assert_eq!(app.compass.totals().unwrap(), Totals::default());
    app.completed();
    app.completed();
    app.deliver();
    let lost = started_by(&app, "Mia");
    app.set(lost, "site", "Mill Lane");
    app.answer(lost, "leave");
    app.finish(lost);
    app.ended();
    app.too_large();
    started_by(&app, "Max");
    app.compass.discard(started_by(&app, "Max")).unwrap();
    app.compass.start(&Start::new("other", id())).unwrap();

    let totals = app.compass.totals().unwrap();
    assert_eq!(totals.sessions, SessionTotals { in_progress: 2, completed: 4, won: 3, ended: 1, discarded: 1 });
    assert_eq!(totals.by_workflow.iter().map(|group| group.key.as_str()).collect::<Vec<_>>(), ["other", "pump-check"]);
    assert_eq!(totals.by_workflow[0].sessions, SessionTotals { in_progress: 1, ..Default::default() });
    let by_actor = [
        ("Max", SessionTotals { in_progress: 1, discarded: 1, ..Default::default() }),
        ("Mia", SessionTotals { completed: 1, ..Default::default() }),
    ];
    assert_eq!(totals.by_actor.iter().map(|group| (group.key.as_str(), group.sessions)).collect::<Vec<_>>(), by_actor);
    // The lost one met `announce` alone; the ended one `announce` and `measured`.
    let actions = (totals.actions_sent, totals.actions_pending, totals.actions_failed, totals.actions_not_fired);
    assert_eq!(actions, (6, 1, 3, 2));
}
