//! What completing freezes, what the record shows of it, and what a person can do to an action from there.

mod not_fired;
mod too_large;

use crate::support::app::{App, code, endpoint, id, pages, set, text};
use compass_core::Error;
use compass_core::model::*;
use compass_core::testing::rules::IndexedWorkflow;
use compass_core::testing::{ScriptedTransport, answer};

const REASON: fn(&Action) -> &str = |action| action.reason.as_deref().unwrap_or("none");

fn statuses(app: &App, session: SessionKey) -> Vec<(String, ActionStatus, String)> {
    let actions = app.record(session).actions;
    actions.iter().map(|action| (action.key.clone(), action.status, REASON(action).to_owned())).collect()
}

fn body(app: &App, id: &DeliveryId) -> String {
    app.compass.delivery_body(id).expect("a message").expect("its body")
}

/// Shorter pages: small enough to be sent.
fn shortened(word: &str) -> Vec<FieldChange> {
    (1..=5).map(|page| set(&format!("page{page}"), text(word))).collect()
}

/// The office refuses the report for good.
fn refused(app: &App, session: SessionKey) {
    while app.action(session, "report").status == ActionStatus::Pending {
        app.deliver();
        app.clock.advance(std::time::Duration::from_secs(25 * 3600));
    }
    assert_eq!(REASON(&app.action(session, "report")), "rejected");
}

// Freezing ----------------------------------------------------------------------------------------------------------------------------

#[test]
fn completing_freezes_a_message_for_each_action_on_the_path_once() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    app.answer(session, "again");
    app.answer(session, "again");
    app.answer(session, "on");
    app.answer(session, "broken");
    app.set(session, "tag", "T-1");
    app.answer(session, "fixed");
    let view = app.answer(session, "broken");
    app.compass.back(session, view.visit, view.path[3].visit).unwrap();
    app.answer(session, "fine");
    assert_eq!(app.record(session).actions, [], "nothing fires before the end");
    assert_eq!(app.count("SELECT count(*) FROM outbox"), 0);
    app.finish(session);

    let actions = app.record(session).actions;
    assert_eq!(actions.iter().map(|action| action.key.as_str()).collect::<Vec<_>>(), ["announce", "measured", "report"]);
    for action in &actions {
        assert_eq!((action.status, action.deliveries.len()), (ActionStatus::Pending, 1));
        let delivery = &action.deliveries[0];
        assert_eq!((delivery.state, delivery.revision, delivery.attempts), (DeliveryState::Pending, 1, 0));
        assert_eq!(delivery.next_attempt_at, Some(delivery.frozen_at));
        assert!(action.can_abandon && !action.can_send && !action.can_send_corrected && !action.locked);
    }
    let ids: std::collections::BTreeSet<_> = actions.iter().map(|action| action.deliveries[0].id.clone()).collect();
    assert_eq!(ids.len(), 3, "each message has an id of its own");
    assert_eq!(app.count("SELECT count(*) FROM outbox"), 3);
}

#[test]
fn a_section_that_was_left_by_going_back_fires_nothing_and_sends_no_field() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    app.answer(session, "on");
    app.set(session, "page1", "a wet pump");
    let view = app.view(session);
    app.compass.back(session, view.visit, 1).unwrap();
    app.answer(session, "leave");
    app.finish(session);
    assert_eq!(statuses(&app, session), [("announce".into(), ActionStatus::Pending, "none".into())]);
    let frozen = body(&app, &app.action(session, "announce").deliveries[0].id);
    assert!(frozen.contains("Mill Lane") && !frozen.contains("a wet pump"));
    let record = app.record(session);
    let left = record.fields.iter().find(|field| field.definition.key == "page1").expect("kept in the record");
    assert_eq!((left.section.clone(), left.state.clone()), (None, FieldState::Provided(text("a wet pump"))));
}

#[test]
fn the_preview_before_completing_is_the_body_that_is_frozen() {
    let app = App::new();
    let session = app.at_the_end().key;
    app.tick();
    let preview = app.compass.preview(session, "report").unwrap();
    assert_eq!(app.count("SELECT count(*) FROM outbox"), 0, "a preview sends nothing");
    app.finish(session);
    let delivery = app.action(session, "report").deliveries.remove(0);
    assert_eq!(body(&app, &delivery.id), preview.body);
    assert_eq!(delivery.body_size, preview.body.len() as u64);
    assert_eq!((preview.endpoint.as_str(), preview.workflow_version.as_str(), preview.session_state), ("office", "1", None));
    let json: serde_json::Value = serde_json::from_str(&preview.body).unwrap();
    let view = app.view(session);
    assert_eq!(json["key"], view.key.to_string());
    assert_eq!(json["workflow"]["key"], "pump-check");
    assert_eq!(json["fields"][0]["value"], "Mill Lane");
    assert_eq!(json.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().len(), 5);
    assert_eq!(code(app.compass.preview(session, "order")), "unknown_action");
}

#[test]
fn an_edit_after_completion_changes_the_record_and_no_frozen_message() {
    let app = App::new();
    let session = app.completed();
    let delivery = app.action(session, "report").deliveries.remove(0);
    let before = body(&app, &delivery.id);
    app.compass.note(session, "Gate was open", &id()).unwrap();
    app.tick();
    let note = app.record(session).notes[0].seq;
    let notes = vec![NoteChange { note, text: "Gate was shut".into() }];
    let edit = id();
    let outcome = app.compass.edit(session, Some("Max"), None, vec![set("site", text("Mill Road"))], notes.clone(), &edit).unwrap();
    assert_eq!(outcome.applied, Applied::Yes);
    let record = outcome.record;
    assert_eq!((record.notes[0].text.as_deref(), record.notes[0].edited), (Some("Gate was shut"), true));
    let line = record.timeline.last().unwrap();
    assert_eq!(line.actor.as_deref(), Some("Max"));
    let TimelineEntry::Edited { fields, notes: edited, .. } = &line.entry else { panic!("an edit") };
    assert_eq!((&fields[0].from, &fields[0].to), (&FieldState::Provided(text("Mill Lane")), &FieldState::Provided(text("Mill Road"))));
    assert_eq!((edited[0].from.as_deref(), edited[0].to.as_deref()), (Some("Gate was open"), Some("Gate was shut")));
    let site = record.fields.iter().find(|field| field.definition.key == "site").unwrap();
    assert_eq!(site.completed_at, Some(line.at));

    assert_eq!(
        app.compass.edit(session, Some("Max"), None, vec![set("site", text("Mill Road"))], notes, &edit).unwrap().applied,
        Applied::Repeated
    );
    assert_eq!(body(&app, &delivery.id), before);
    assert!(app.compass.preview(session, "report").unwrap().body.contains("Mill Road"));
    let clear = FieldChange { field: "site".into(), change: Change::Clear };
    assert_eq!(
        code(app.compass.edit(session, None, None, vec![clear], vec![], &id())),
        "field_problems",
        "a completed session stays complete"
    );
    assert_eq!(code(app.compass.edit(session, None, None, vec![], vec![NoteChange { note: 99, text: "x".into() }], &id())), "unknown_note");
    let running = app.start().key;
    assert_eq!(code(app.compass.edit(running, None, None, vec![set("site", text("x"))], vec![], &id())), "not_finished");
}

// Why nothing leaves ----------------------------------------------------------------------------------------------------------------------

#[test]
fn an_ended_session_fires_nothing() {
    let app = App::new();
    let session = app.ended();
    let expected = ["announce", "measured"].map(|key| (key.to_owned(), ActionStatus::NotFired, "session_ended".to_owned()));
    assert_eq!(statuses(&app, session), expected);
    app.compass.set_integration_enabled(false).unwrap();
    assert_eq!(REASON(&app.action(app.ended(), "announce")), "session_ended");
    let discarded = app.start().key;
    app.compass.discard(discarded).unwrap();
    assert_eq!(app.record(discarded).actions, []);
}

#[test]
fn a_message_waits_for_its_endpoint_and_says_for_what() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    app.answer(session, "on");
    app.answer(session, "broken");
    app.set(session, "tag", "");
    app.answer(session, "left");
    app.finish(session);
    let of = |key: &str| REASON(&app.action(session, key)).to_owned();
    assert_eq!((of("chase").as_str(), of("announce").as_str()), ("endpoint_unknown", "none"));
    assert_eq!(app.action(session, "chase").deliveries[0].next_attempt_at, None);

    app.compass.put_endpoint(&endpoint("depot")).unwrap();
    assert_eq!(of("chase"), "none", "it leaves by itself once the endpoint is there");
    app.compass.set_endpoint_enabled("depot", false).unwrap();
    assert_eq!(of("chase"), "endpoint_disabled");
    app.compass.archive_endpoint("depot").unwrap();
    assert_eq!(of("chase"), "endpoint_archived");
    app.compass.put_endpoint(&Endpoint { url: "https://depot.example/other".into(), ..endpoint("depot") }).unwrap();
    assert_eq!(of("chase"), "endpoint_disabled", "what the app disabled is enabled by the app alone");
    app.compass.set_endpoint_enabled("depot", true).unwrap();
    assert_eq!(of("chase"), "none");
    app.compass.set_integration_enabled(false).unwrap();
    assert_eq!((of("chase").as_str(), of("announce").as_str()), ("integration_off", "integration_off"));
    app.compass.set_integration_enabled(true).unwrap();
    app.compass.set_connectivity(Connectivity::Offline);
    assert_eq!(of("chase"), "offline");
    app.compass.put_endpoint(&Endpoint { network: NetworkPolicy::Unmetered, ..endpoint("depot") }).unwrap();
    app.compass.set_connectivity(Connectivity::Online { validated: None, metered: true, network: None });
    assert_eq!((of("chase").as_str(), of("announce").as_str()), ("needs_unmetered", "none"));

    assert_eq!(code(app.compass.archive_endpoint("nobody")), "unknown_endpoint");
    assert_eq!(code(app.compass.set_endpoint_enabled("nobody", true)), "unknown_endpoint");
    assert_eq!(code(app.compass.put_endpoint(&Endpoint { url: "http://depot.example/".into(), ..endpoint("depot") })), "invalid_endpoint");
    assert_eq!(app.count("SELECT count(*) FROM outbox WHERE counted > 0 OR attempts > 0"), 0, "waiting uses up nothing");
}

// What a person does ----------------------------------------------------------------------------------------------------------------------

#[test]
fn what_is_sent_from_an_ended_session_says_so() {
    let app = App::new();
    let session = app.ended();
    assert_eq!(app.compass.preview(session, "announce").unwrap().session_state, Some(SessionState::Ended));
    let preview = app.compass.preview(session, "announce").unwrap();
    app.tick();
    app.compass.send(session, "announce", None, &id()).unwrap();
    let delivery = app.action(session, "announce").deliveries.remove(0);
    assert_eq!(body(&app, &delivery.id), preview.body);
    let json: serde_json::Value = serde_json::from_str(&preview.body).unwrap();
    let ended_at = app.record(session).finished_at.unwrap().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    assert_eq!(json["completed_at"], ended_at.as_str());
    app.deliver();
    let request = &app.office.requests()[0];
    let header = |name: &str| request.headers.iter().find(|header| header.name == name).map(|header| header.value.clone());
    assert_eq!(header("compass-session-state").as_deref(), Some("ended"));
    assert_eq!(header("webhook-id"), Some(delivery.id.0));
}

#[test]
fn a_message_is_abandoned_by_name_and_with_a_reason_alone() {
    let app = App::new();
    let session = app.completed();
    assert_eq!(code(app.compass.abandon(session, "report", " ", "duplicate job", &id())), "blank");
    assert_eq!(code(app.compass.abandon(session, "report", "Mia", "", &id())), "blank");
    let command = id();
    let outcome = app.compass.abandon(session, "report", "Mia", "duplicate job", &command).unwrap();
    assert_eq!(outcome.applied, Applied::Yes);
    let action = app.action(session, "report");
    assert_eq!((action.status, REASON(&action), action.failed_sends), (ActionStatus::Failed, "abandoned", 0));
    assert!(!action.can_abandon && action.can_send);
    let line = outcome.record.timeline.last().unwrap();
    assert_eq!(line.actor.as_deref(), Some("Mia"));
    assert!(
        matches!(&line.entry, TimelineEntry::Abandoned { action_name, reason, .. } if action_name == "Message report" && reason == "duplicate job")
    );
    assert_eq!(app.compass.abandon(session, "report", "Mia", "duplicate job", &command).unwrap().applied, Applied::Repeated);
    assert_eq!(app.compass.abandon(session, "report", "Mia", "again", &id()).unwrap().applied, Applied::Stale);

    app.compass.set_integration_enabled(false).unwrap();
    let other = app.completed();
    assert_eq!(code(app.compass.abandon(other, "report", "Mia", "why not", &id())), "action_status", "there is nothing to abandon");
    app.compass.set_integration_enabled(true).unwrap();

    let before = action.deliveries[0].clone();
    app.compass.send(session, "report", None, &id()).unwrap();
    let again = app.action(session, "report");
    assert_eq!((again.status, &again.deliveries[0].id, again.deliveries.len()), (ActionStatus::Pending, &before.id, 1));
}

#[test]
fn all_undelivered_messages_of_a_session_are_abandoned_in_one_call() {
    let app = App::with_office(ScriptedTransport::numbered(|number, _| Ok(answer(if number == 1 { 202 } else { 400 }))));
    let session = app.completed();
    app.deliver();
    let abandon = |reason: &str, command: &str| app.compass.abandon_session(session, "Mia", reason, command);
    assert_eq!(code(app.compass.delete(session)), "undelivered");
    assert_eq!(code(abandon(" ", &id())), "blank");
    assert_eq!(code(app.compass.abandon_session(session, "", "moved away", &id())), "blank");

    let (command, revision) = (id(), app.count("SELECT revision FROM meta"));
    let outcome = abandon("moved away", &command).unwrap();
    assert_eq!((outcome.applied, outcome.in_flight), (Applied::Yes, false));
    assert_eq!(app.count("SELECT revision FROM meta"), revision + 1, "one transaction");
    let mut shown: Vec<_> = statuses(&app, session).into_iter().map(|(_, status, reason)| (status == ActionStatus::Sent, reason)).collect();
    shown.sort();
    assert_eq!(shown, [(false, "abandoned".to_owned()), (false, "abandoned".to_owned()), (true, "none".to_owned())]);
    let lines = outcome
        .record
        .timeline
        .iter()
        .filter(|line| matches!(&line.entry, TimelineEntry::Abandoned { reason, .. } if reason == "moved away"));
    assert!(lines.map(|line| line.actor.as_deref()).eq([Some("Mia"); 2]));

    assert_eq!(abandon("moved away", &command).unwrap().applied, Applied::Repeated);
    assert_eq!(code(abandon("another reason", &command)), "command_id_reused");
    let nothing = id();
    assert_eq!(abandon("moved away", &nothing).unwrap().applied, Applied::Stale, "there is nothing left to abandon");
    // A single one.
    let failed = statuses(&app, session).into_iter().find(|(_, status, _)| *status == ActionStatus::Failed).unwrap().0;
    app.compass.send(session, &failed, None, &id()).unwrap();
    assert_eq!(abandon("moved away", &nothing).unwrap().applied, Applied::Repeated);
    assert_eq!(app.action(session, &failed).status, ActionStatus::Pending);
    let single = id();
    assert_eq!(abandon("moved away", &single).unwrap().applied, Applied::Yes);
    assert_eq!(abandon("moved away", &single).unwrap().applied, Applied::Repeated);
    assert_eq!(app.faults(), [""; 0]);
    app.compass.delete(session).unwrap();
    assert_eq!(code(abandon("moved away", &id())), "deleted_session");

    let running = app.start().key;
    assert_eq!(app.compass.abandon_session(running, "Mia", "moved away", &id()).unwrap().applied, Applied::Stale);
}

#[test]
fn more_than_three_failed_sends_lock_the_action() {
    let app = App::with_office(ScriptedTransport::always(400));
    let session = app.completed();
    for (round, site) in ["Mill Lane", "Mill Road", "Mill Street", "Mill Way"].into_iter().enumerate() {
        assert!(!app.action(session, "report").locked);
        if round > 0 {
            app.compass.edit(session, None, None, vec![set("site", text(site))], vec![], &id()).unwrap();
            app.compass.send_corrected(session, "report", None, &id()).unwrap();
        }
        refused(&app, session);
        assert_eq!(app.action(session, "report").failed_sends, round as u32 + 1);
    }
    let action = app.action(session, "report");
    assert!(action.locked && !action.can_send && !action.can_send_corrected && action.can_abandon);
    assert_eq!(action.deliveries.len(), 4);
    app.compass.edit(session, None, None, vec![set("site", text("Mill End"))], vec![], &id()).unwrap();
    let Err(Error::ActionLocked { failed_sends, .. }) = app.compass.send_corrected(session, "report", None, &id()) else {
        panic!("it was sent")
    };
    assert_eq!(failed_sends, 4);
    assert!(!app.action(session, "announce").locked, "each action counts for itself");
    app.compass.abandon(session, "report", "Mia", "told them by phone", &id()).unwrap();
    assert_eq!(code(app.compass.send(session, "report", None, &id())), "action_locked", "giving up is no way round the lock");
    assert_eq!(app.action(session, "report").failed_sends, 4);
}

#[test]
fn bytes_that_the_newest_revision_has_are_not_frozen_again() {
    let app = App::with_office(ScriptedTransport::always(400));
    let session = app.completed();
    refused(&app, session);
    // The value is the first one again, and so is the field's time: only the bytes count.
    for site in ["Mill Road", "Mill Lane"] {
        app.tick();
        app.compass.edit(session, None, None, vec![set("site", text(site))], vec![], &id()).unwrap();
        app.compass.send_corrected(session, "report", None, &id()).unwrap();
        refused(&app, session);
    }
    assert_eq!(app.action(session, "report").deliveries.len(), 3, "a value's time is part of the bytes");
    assert_eq!(code(app.compass.send_corrected(session, "report", None, &id())), "nothing_corrected");
}

#[test]
fn what_was_sent_is_sent_and_what_was_refused_can_be_sent_again() {
    let app = App::new();
    let session = app.completed();
    let report = app.deliver();
    assert_eq!((report.sent, report.pending), (3, 0));
    let action = app.action(session, "report");
    assert_eq!((action.status, action.deliveries[0].state, action.deliveries[0].attempts), (ActionStatus::Sent, DeliveryState::Sent, 1));
    assert!(!action.can_send && !action.can_abandon && !action.can_send_corrected);
    assert_eq!(code(app.compass.send(session, "report", None, &id())), "action_status");
    assert_eq!(code(app.compass.send_corrected(session, "report", None, &id())), "nothing_corrected");
    assert_eq!(code(app.compass.abandon(session, "report", "Mia", "oops", &id())), "action_status");
}

#[test]
fn everything_that_failed_is_sent_again_in_one_call() {
    let app = App::with_office(ScriptedTransport::always(422));
    let (one, two) = (app.completed(), app.completed());
    // A refused message is looked at again some hours later before it fails.
    for _ in 0..10 {
        app.deliver();
        app.clock.advance(std::time::Duration::from_secs(25 * 3600));
    }
    assert_eq!(app.compass.outbox_totals().unwrap().failed, 6);
    let before = app.action(one, "report");
    assert_eq!((before.status, REASON(&before), before.failed_sends), (ActionStatus::Failed, "rejected", 1));
    assert!(before.can_send && !before.can_send_corrected, "nothing was corrected");
    app.compass.abandon(two, "announce", "Mia", "duplicate", &id()).unwrap();

    assert_eq!(app.compass.send_failed_again(Some("Mia")).unwrap(), 5);
    assert_eq!(app.compass.send_failed_again(Some("Mia")).unwrap(), 0);
    let after = app.action(one, "report");
    assert_eq!((after.status, &after.deliveries[0].id), (ActionStatus::Pending, &before.deliveries[0].id));
    assert_eq!(body(&app, &after.deliveries[0].id).len() as u64, after.deliveries[0].body_size);
    assert_eq!(REASON(&app.action(two, "announce")), "abandoned");
    let line = app.record(one).timeline.pop().unwrap();
    assert!(matches!(line.entry, TimelineEntry::SendRequested { corrected: false, revision: 1, .. }));
    assert_eq!(line.actor.as_deref(), Some("Mia"));
    assert_eq!(app.faults(), [""; 0]);
}

// The outbox and the timeline -------------------------------------------------------------------------------------------------------------

#[test]
fn the_outbox_lists_what_is_unsent_oldest_first_and_counts_it() {
    let app = App::new();
    let first = app.completed();
    let frozen_at = app.action(first, "report").deliveries[0].frozen_at;
    app.tick();
    let large = app.too_large();
    app.tick();
    let open = app.start().key;
    app.set(open, "site", "Mill Lane");
    app.answer(open, "on");
    app.answer(open, "broken");
    app.set(open, "tag", "T-1");
    app.answer(open, "left");
    app.finish(open);

    let page = app.compass.outbox(&OutboxFilter::default(), None, 7).unwrap();
    assert_eq!(page.items.len(), 7);
    let rest = app.compass.outbox(&OutboxFilter::default(), page.next.as_deref(), 7).unwrap();
    assert_eq!((rest.items.len(), &rest.next), (3, &None));
    let all: Vec<OutboxItem> = page.items.into_iter().chain(rest.items).collect();
    assert!(all.windows(2).all(|pair| pair[0].delivery.frozen_at <= pair[1].delivery.frozen_at));
    assert_eq!(all.iter().map(|item| item.session).collect::<Vec<_>>(), [[first; 3].as_slice(), &[large; 3], &[open; 4]].concat());
    let needing: Vec<&str> = all.iter().filter(|item| item.needs_person).map(|item| item.action.as_str()).collect();
    assert_eq!(needing, ["announce", "measured", "report", "order", "chase"], "three are too large, two have no endpoint");
    assert_eq!((all[0].action_name.as_str(), all[0].workflow.key.as_str()), ("Message announce", "pump-check"));

    let filtered = |filter: OutboxFilter| app.compass.outbox(&filter, None, 100).unwrap().items.len();
    assert_eq!(filtered(OutboxFilter { states: vec![DeliveryState::Failed], ..Default::default() }), 3);
    assert_eq!(filtered(OutboxFilter { endpoint: Some("depot".into()), ..Default::default() }), 2);
    assert_eq!(filtered(OutboxFilter { states: vec![DeliveryState::Sent], ..Default::default() }), 0);

    let totals = app.compass.outbox_totals().unwrap();
    assert_eq!((totals.pending, totals.failed, totals.needs_person), (7, 3, 5));
    assert_eq!(totals.oldest_unsent_at, Some(frozen_at));
    assert_eq!(totals.unsent_bytes, all.iter().map(|item| item.delivery.body_size).sum::<u64>());
    let endpoints = app.compass.endpoints().unwrap();
    assert_eq!((endpoints.len(), endpoints[0].pending, endpoints[0].enabled), (1, 5, true));

    app.compass.abandon(large, "report", "Mia", "told them", &id()).unwrap();
    let totals = app.compass.outbox_totals().unwrap();
    assert_eq!((totals.pending, totals.failed, totals.needs_person), (7, 2, 4));
    app.compass.set_integration_enabled(false).unwrap();
    assert_eq!(app.compass.outbox_totals().unwrap().needs_person, 9);
    assert_eq!(code(app.compass.outbox(&OutboxFilter::default(), Some("page 2"), 10)), "invalid_argument");
    assert_eq!(code(app.compass.outbox(&OutboxFilter::default(), None, 0)), "invalid_argument");
    assert_eq!(code(app.compass.outbox(&OutboxFilter::default(), None, 501)), "invalid_argument");
    assert_eq!(code(app.compass.delivery_body(&DeliveryId("msg_none".into()))), "unknown_delivery");
}

#[test]
fn the_timeline_tells_everything_in_order_with_the_names_people_know() {
    let app = App::new();
    let session = app.start().key;
    let run = |commands: &[Command]| drop(app.compass.run(session, Some("Mia"), commands, None).unwrap());
    run(&[Command::SetFields { changes: vec![set("site", text("Mill Lane"))] }]);
    run(&[Command::UseResponse { command_id: id(), response: "dear".into() }]);
    run(&[Command::Answer { visit: 1, answer: "on".into() }]);
    run(&[Command::Note { command_id: id(), text: "Loud bearing".into() }]);
    run(&[Command::Back { visit: 2, to_visit: 1 }]);
    run(&[Command::Answer { visit: 3, answer: "on".into() }]);
    run(&[Command::SetFields { changes: pages('🔥') }]);
    run(&[Command::Answer { visit: 4, answer: "fine".into() }]);
    run(&[Command::Complete { visit: 5 }]);
    app.compass.edit(session, Some("Max"), None, shortened("short"), vec![], &id()).unwrap();
    app.compass.send_corrected(session, "report", Some("Max"), &id()).unwrap();
    app.compass.abandon(session, "measured", "Max", "told them", &id()).unwrap();

    let record = app.record(session);
    let lines: Vec<String> = record
        .timeline
        .iter()
        .map(|item| match &item.entry {
            TimelineEntry::Started { section_name, .. } => format!("started in {section_name}"),
            TimelineEntry::FieldsSet { fields } => {
                format!("set {}", fields.iter().map(|one| one.field_name.as_str()).collect::<Vec<_>>().join(", "))
            }
            TimelineEntry::Answered { section_name, answer_name, next_section_name, superseded, .. } => {
                format!("{section_name}: {answer_name} -> {next_section_name}{}", if *superseded { " (superseded)" } else { "" })
            }
            TimelineEntry::WentBack { section_name, .. } => format!("back to {section_name}"),
            TimelineEntry::ResponseUsed { response_name, section_name, .. } => format!("{section_name}: used {response_name}"),
            TimelineEntry::Noted { text } => format!("noted {}", text.as_deref().unwrap_or_default()),
            TimelineEntry::Completed { section_name, won } => format!("completed in {section_name}, won: {won}"),
            TimelineEntry::Edited { fields, .. } => format!("edited {} fields", fields.len()),
            TimelineEntry::SendRequested { action_name, corrected, revision, .. } => {
                format!("send {action_name} {revision} corrected: {corrected}")
            }
            TimelineEntry::Abandoned { action_name, reason, .. } => format!("abandoned {action_name}: {reason}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "started in In the yard",
            "set Site",
            "In the yard: used Too dear.",
            "In the yard: Answer on -> At the pump (superseded)",
            "noted Loud bearing",
            "back to In the yard",
            "In the yard: Answer on -> At the pump",
            "set Page 1, Page 2, Page 3, Page 4, Page 5",
            "At the pump: Answer fine -> Done",
            "completed in Done, won: true",
            "edited 5 fields",
            "send Message report 2 corrected: true",
            "abandoned Message measured: told them",
        ]
    );
    assert_eq!(record.timeline.iter().map(|item| item.seq).collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>());
    assert_eq!(record.timeline[12].actor.as_deref(), Some("Max"));
}

#[test]
fn the_record_is_what_the_events_say() {
    let app = App::new();
    let session = app.too_large();
    app.compass.edit(session, Some("Max"), None, shortened("short"), vec![], &id()).unwrap();
    app.compass.send_corrected(session, "report", Some("Max"), &id()).unwrap();
    let record = app.record(session);
    let sql = app.sql();
    let mut events =
        sql.prepare("SELECT e.seq, e.at, e.actor, e.json FROM event e JOIN session s ON s.id = e.session_id ORDER BY e.seq").unwrap();
    let events: Vec<(u32, i64, Option<String>, String)> =
        events.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(events.len(), record.timeline.len());
    let mut log = Vec::new();
    for ((seq, at, actor, json), item) in events.iter().zip(&record.timeline) {
        assert_eq!((*seq, *at, actor), (item.seq, item.at.timestamp_millis(), &item.actor));
        let act: Act = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_value(&item.entry).unwrap()["entry"], act.type_name());
        log.push(Event {
            seq: *seq,
            v: EVENT_VERSION,
            at: item.at,
            wall_at: None,
            utc_offset: item.utc_offset,
            actor: actor.clone(),
            command_id: None,
            act,
        });
    }
    let workflow = IndexedWorkflow::from(app.compass.workflow("pump-check", None).unwrap());
    let state = compass_core::testing::rules::replay(session, &workflow, &log).unwrap();
    let told = compass_core::testing::rules::record(&workflow, &state, &log, record.actions.clone());
    assert_eq!(told, record);
}
