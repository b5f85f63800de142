//! Probes: corrections.

use compass_core::{DiscardUndelivered, RestoreOptions};

use super::*;

fn edit(compass: &Compass, session: SessionKey, reading: &str) {
    let change = support::app::set("reading", FieldValue::Text(reading.into()));
    compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
}

fn correct(compass: &Compass, session: SessionKey, reading: &str) {
    edit(compass, session, reading);
    compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
}

fn came(field: &Field) -> Vec<(String, String)> {
    let reading =
        |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap()["fields"][0]["value"].as_str().unwrap_or("-").to_owned();
    field.transport.requests().iter().map(|request| (header(request, "compass-revision"), reading(&request.body))).collect()
}

fn sends_edits(field: &Field) {
    let mut document: serde_json::Value = serde_json::from_slice(&workflow("sends-edits", &[OFFICE])).unwrap();
    document["sections"][0]["actions"][0]["on_edit"] = "send".into();
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
}

fn complete_and_edit(field: &Field, workflow: &str) -> SessionKey {
    let view = field.compass.start(&Start::new(workflow, id())).unwrap().view;
    field.compass.set_field(view.key, "reading", FieldValue::Text("17.5".into())).unwrap();
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    let edit = Command::Edit { command_id: id(), fields: vec![change], notes: vec![], reason: None };
    let commands = [Command::Complete { visit: view.visit }, edit];
    field.compass.run(view.key, Some("anna"), &commands, Some(&id())).unwrap();
    view.key
}

#[test]
fn p01_an_edit_in_the_call_that_completes_differs() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = complete_and_edit(&field, "visit");
    field.flush();
    let action = field.action(session);
    let listed = field.compass.sessions(&SessionFilter::default(), None, 10).unwrap().sessions[0].actions_differing;
    println!("check: {:?}", field.compass.check().unwrap().faults);
    let value = field.compass.record(session).unwrap().fields[0].state.clone();
    assert_eq!(
        (action.differs_from_sent, action.can_send_corrected, listed),
        (true, true, 1),
        "came {:?}, the record says {value:?}",
        came(&field)
    );
}

#[test]
fn p02_an_edit_in_the_call_that_completes_is_sent_where_the_document_says_so() {
    let (field, _) = phone(|_| Ok(answer(202)));
    sends_edits(&field);
    let session = complete_and_edit(&field, "sends-edits");
    field.flush();
    let action = field.action(session);
    assert_eq!(
        came(&field).last().map(|(_, reading)| reading.as_str()),
        Some("18.5"),
        "{:?}; why: {:?}",
        came(&field),
        action.edit_not_sent
    );
}

/// Whether the correction leaves while the first attempt of the same process is in flight and the clock is set by this.
fn beside(by: TimeDelta) -> usize {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let never = CancelToken::new();
    let mut steps = field.compass.flush_steps(2 * MINUTE, &never, false).unwrap();
    eventually("the first leaves", || {
        steps_until_wait(&mut steps);
        field.transport.requests().len() == 1
    });
    correct(&field.compass, session, "18.5");
    field.clock.jump_wall(by);
    // Another few moments of the same process.
    for _ in 0..20 {
        steps_until_wait(&mut steps);
        field.compass.refresh().unwrap();
        field.clock.advance_monotonic(SECOND / 4);
        std::thread::yield_now();
    }
    let has_come = || field.transport.requests().len() > 1;
    let began = Instant::now();
    while !has_come() && began.elapsed() < SECOND {
        steps_until_wait(&mut steps);
    }
    let count = field.transport.requests().len();
    println!("by {by}: requests in flight at once {}, came {:?}", field.transport.most_running(), came(&field));
    field.transport.release();
    eventually("it ends", || steps_until_wait(&mut steps).is_none());
    count
}

#[test]
fn p03_a_correction_waits_for_an_attempt_of_this_process_when_the_clock_is_set_ahead() {
    assert_eq!(beside(TimeDelta::seconds(61)), 1);
}

#[test]
fn p04_a_correction_waits_for_an_attempt_of_this_process_when_the_clock_is_set_back() {
    assert_eq!(beside(TimeDelta::hours(-1)), 1);
}

#[test]
fn p05_control_the_clock_stays() {
    assert_eq!(beside(TimeDelta::zero()), 1);
}

#[test]
fn p06_a_correction_after_a_restore_has_a_higher_revision_and_names_what_arrived() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    let copy = field.folder.path().join("copy.db");
    field.compass.backup(&copy).unwrap();
    for reading in ["18.5", "19.5"] {
        correct(&field.compass, session, reading);
        field.flush();
    }
    field.compass.close().unwrap();
    Compass::restore(&copy, &RestoreOptions::new(field.path())).unwrap();
    field.compass = Compass::open(field.options.clone()).unwrap();
    correct(&field.compass, session, "20.5");
    field.flush();
    let requests = field.transport.requests();
    let ids: Vec<String> = requests.iter().map(|request| header(request, "webhook-id")).collect();
    let replaces: Vec<String> = requests.iter().map(|request| header(request, "compass-replaces")).collect();
    println!("ids {ids:#?}\nreplaces {replaces:#?}");
    // A receiver that keeps the highest revision, as docs/delivery.md section 4 says.
    let mut kept = (0, String::new());
    for (revision, reading) in came(&field) {
        let revision: u32 = revision.parse().unwrap();
        if revision > kept.0 {
            kept = (revision, reading);
        }
    }
    assert_eq!(kept.1, "20.5", "came {:?}", came(&field));
}

#[test]
fn p07_a_redaction_of_what_was_sent_is_not_said_to_be_too_large() {
    let (field, _) = phone(|_| Ok(answer(202)));
    sends_edits(&field);
    let session = complete(&field.compass, "sends-edits");
    field.flush();
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Correct,
        bodies: RedactBodies::Keep,
    };
    field.compass.redact(session, &redaction).unwrap();
    let action = field.action(session);
    assert_eq!(action.edit_not_sent, None, "differs {}, status {:?}", action.differs_from_sent, action.status);
}

#[test]
fn p08_an_unlocked_action_is_not_said_to_be_too_large() {
    let (mut field, receivers) = phone_with(|_| Ok(answer(202)), |options| options.retry.max_failed_sends = 0);
    sends_edits(&field);
    let session = complete(&field.compass, "sends-edits");
    receivers.now(|_| Ok(answer(400)));
    field.flush();
    edit(&field.compass, session, "18.5");
    assert_eq!(field.action(session).edit_not_sent.as_deref(), Some("action_locked"));
    field.options.retry.max_failed_sends = 3;
    field.reopen();
    let why = field.action(session).edit_not_sent;
    assert_ne!(why.as_deref(), Some("payload_too_large"));
}

#[test]
fn p09_abandoning_a_correction_of_a_claim_that_had_not_begun_is_not_in_flight() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = secrets_store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    secrets_store.gate.close();
    let running = flushing(&field.compass);
    secrets_store.gate.wait_for(1);
    correct(&field.compass, session, "18.5");
    let outcome = abandon_first(&field, session);
    secrets_store.gate.open();
    joined("the flush", running);
    let requests = field.transport.requests().len();
    assert_eq!((outcome.in_flight, requests), (false, 0));
}

#[test]
fn p10_abandoning_a_correction_while_the_first_is_in_flight() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    correct(&field.compass, session, "18.5");
    let outcome = abandon_first(&field, session);
    field.transport.release();
    joined("the flush", running);
    field.flush();
    let action = field.action(session);
    let states: Vec<_> = action.deliveries.iter().map(|d| (d.revision, d.state, d.reason.clone())).collect();
    println!("in flight {}, {states:?}, {:?}", outcome.in_flight, action.status);
    assert!(outcome.in_flight);
    assert_eq!(field.transport.requests().len(), 1);
    send_first(&field, session);
    field.flush();
    assert_eq!(came(&field).len(), 2);
    assert_eq!(header(&field.transport.requests()[1], "compass-replaces"), header(&field.transport.requests()[0], "webhook-id"));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn p11_a_message_with_a_damaged_id_can_be_sent_corrected_as_the_docs_say() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let row = entry(&field, session);
    damage(&field, &format!("UPDATE outbox SET delivery_id = 'msg_' || substr('a', 1) || substr(delivery_id, 6) WHERE id = {row}"));
    field.flush();
    let action = field.action(session);
    assert_eq!(action.reason.as_deref(), Some("corrupt"));
    let send = field.compass.send(session, "tell-0", Some("anna"), &id()).map(drop);
    let corrected = field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).map(drop);
    field.flush();
    assert!(
        !field.transport.requests().is_empty(),
        "send: {send:?}; send corrected: {corrected:?}; can_send {}, can_send_corrected {}",
        action.can_send,
        action.can_send_corrected
    );
}

#[test]
fn p12_a_damaged_message_refuses_no_edit() {
    for damages in ["body_kept = 0", "sent_at = 1", "state = 'queuee'", "unknown_outcomes = 5", "revision = 7", "cut_short = -1"] {
        for edits in [false, true] {
            let (field, _) = phone(|_| Ok(answer(202)));
            sends_edits(&field);
            let session = complete(&field.compass, if edits { "sends-edits" } else { "visit" });
            let row = entry(&field, session);
            let sql = sql(&field);
            sql.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = OFF;").unwrap();
            drop(sql);
            damage(&field, &format!("UPDATE OR IGNORE outbox SET {damages} WHERE id = {row}"));
            let change = support::app::set("reading", FieldValue::Text("18.5".into()));
            let edited = field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).map(drop);
            let abandoned = field.compass.abandon(session, "tell-0", "anna", "paper", &id()).map(drop);
            println!("{damages}, on_edit send {edits}: edit {edited:?}; abandon {abandoned:?}");
        }
    }
}

#[test]
fn p13_failed_sends_over_all_revisions_lock() {
    let (field, _) = phone(|_| Ok(answer(400)));
    let session = field.complete();
    field.flush();
    for reading in ["1", "2", "3"] {
        correct(&field.compass, session, reading);
        field.flush();
    }
    let action = field.action(session);
    assert_eq!((action.failed_sends, action.locked), (4, true));
    edit(&field.compass, session, "4");
    assert_eq!(field.compass.send_corrected(session, "tell-0", None, &id()).unwrap_err().code(), "action_locked");
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn p14_410_413_401_of_a_superseded_attempt_say_nothing_about_the_correction() {
    for status in [410, 413, 401, 400, 429, 503] {
        let (field, receivers) = phone(move |request| Ok(answer(if header(request, "compass-revision") == "1" { status } else { 202 })));
        let session = field.complete();
        field.transport.hold("");
        let running = flushing(&field.compass);
        field.transport.wait_for_requests(1);
        correct(&field.compass, session, "18.5");
        field.transport.release();
        joined("the flush", running);
        let newest = field.delivery(session);
        receivers.take();
        let old = field.action(session).deliveries[1].clone();
        println!(
            "{status}: {:?} {:?}; old {:?} {:?} {:?}; failed sends {}",
            newest.state,
            newest.reason,
            old.state,
            old.reason,
            old.last_attempts,
            field.action(session).failed_sends
        );
        assert_ne!(newest.state, DeliveryState::Failed, "{status}");
        if status == 410 {
            assert_eq!(newest.reason.as_deref(), Some("endpoint_disabled"));
            field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
        }
        field.clock.advance(HOUR);
        field.flush();
        assert_eq!(field.action(session).status, ActionStatus::Sent, "{status}");
        assert_eq!(
            header(field.transport.requests().last().unwrap(), "compass-replaces"),
            "",
            "{status}: it is known that it was not taken"
        );
        assert_eq!(field.compass.check().unwrap().faults, [""; 0], "{status}");
    }
}

#[test]
fn p15_a_worker_begins_a_correction_when_the_first_has_ended_without_another_wake_up() {
    let (field, _) = phone(|_| Ok(answer(202)));
    sends_edits(&field);
    let session = complete(&field.compass, "sends-edits");
    field.transport.hold("");
    field.compass.start_delivery().unwrap();
    field.transport.wait_for_requests(1);
    edit(&field.compass, session, "18.5");
    field.transport.release();
    eventually("the correction came", || field.transport.requests().len() == 2);
    eventually("the correction is sent", || is_sent(&field.compass, session));
    // Idle: an edit alone wakes the worker.
    edit(&field.compass, session, "19.5");
    eventually("the third came", || field.transport.requests().len() == 3);
    field.compass.stop_delivery().unwrap();
}

#[test]
fn p16_a_worker_begins_a_correction_when_the_lease_of_another_process_is_over() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let transport = ScriptedTransport::always(202);
    transport.hold("");
    let other = Compass::open(field.options.clone().as_other_process().transport(transport.clone())).unwrap();
    let running = flushing(&other);
    transport.wait_for_requests(1);
    field.compass.start_delivery().unwrap();
    correct(&field.compass, session, "18.5");
    assert_eq!(field.delivery(session).reason.as_deref(), Some("earlier_revision"));
    field.clock.advance(61 * SECOND);
    eventually("the correction came", || field.transport.requests().len() == 1);
    transport.release();
    joined("the other", running);
    field.compass.stop_delivery().unwrap();
    other.close().unwrap();
}

#[test]
fn p17_a_restore_while_another_process_has_a_correction_in_flight() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    let copy = field.folder.path().join("copy.db");
    field.compass.backup(&copy).unwrap();
    correct(&field.compass, session, "18.5");
    field.compass.close().unwrap();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    field.transport.hold("");
    let running = flushing(&other);
    field.transport.wait_for_requests(2);
    let discard = DiscardUndelivered { actor: "anna".into(), reason: "a new phone".into() };
    Compass::restore(&copy, &RestoreOptions::new(field.path()).discard_undelivered(discard)).unwrap();
    let compass = Compass::open(field.options.clone()).unwrap();
    correct(&compass, session, "19.5");
    let came_by_then = requests_of_a_flush(&field, &compass, 3);
    println!("came {:?}", came(&field));
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    compass.close().unwrap();
    assert_eq!(came_by_then, 2, "a correction begins beside another revision in flight");
}

#[test]
fn p18_an_abandoned_message_stays_abandoned_when_the_record_is_edited() {
    let (field, _) = phone(|_| Ok(answer(202)));
    sends_edits(&field);
    let session = complete(&field.compass, "sends-edits");
    abandon_first(&field, session);
    edit(&field.compass, session, "18.5");
    field.flush();
    println!("came {:?}", came(&field));
    assert_eq!(field.transport.requests().len(), 0, "a person gave it up");
}

#[test]
fn p19_a_note_does_not_send_what_a_redaction_was_told_to_keep() {
    let (field, _) = phone(|_| Ok(answer(202)));
    sends_edits(&field);
    let session = complete(&field.compass, "sends-edits");
    field.flush();
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Keep,
        bodies: RedactBodies::Keep,
    };
    field.compass.redact(session, &redaction).unwrap();
    field.compass.note(session, "a note", &id()).map(drop).unwrap_or_else(|error| println!("{error:?}"));
    println!("revisions {}", field.action(session).deliveries.len());
}

#[test]
fn p20_a_lost_page_of_the_outbox_and_an_edit() {
    for (edits, indexed) in [("visit", false), ("sends-edits", false)] {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        sends_edits(&field);
        let session = complete(&field.compass, edits);
        field.backlog(100, OFFICE);
        field.compass.close().unwrap();
        support::app::lose_page(field.path(), "outbox");
        field.compass = Compass::open(field.options.clone()).unwrap();
        let change = support::app::set("reading", FieldValue::Text("18.5".into()));
        let edited = field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).map(drop);
        let record = field.compass.record(session).map(drop);
        println!("{edits} {indexed}: edit {edited:?}, record {record:?}");
    }
}

#[test]
fn p21_one_damaged_message_keeps_no_other_of_its_session_from_being_given_up() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.import_workflow(&workflow("three", &[OFFICE, OFFICE, OFFICE])).unwrap();
    let session = complete(&field.compass, "three");
    damage(&field, "UPDATE outbox SET body_kept = 0 WHERE id = (SELECT max(id) FROM outbox)");
    let given_up = field.compass.abandon_session(session, "anna", "on paper", &id()).map(drop);
    field.flush();
    let left = field.transport.requests().len();
    let reasons: Vec<_> = field.compass.record(session).unwrap().actions.into_iter().map(|action| action.reason).collect();
    assert_eq!(left, 0, "abandon_session: {given_up:?}; {reasons:?}");
}

#[test]
fn p22_one_damaged_message_keeps_no_value_from_being_redacted() {
    for pending in [RedactPending::Abandon, RedactPending::Correct, RedactPending::Keep] {
        let (field, _) = phone(|_| Ok(answer(202)));
        field.compass.import_workflow(&workflow("three", &[OFFICE, OFFICE, OFFICE])).unwrap();
        let session = complete(&field.compass, "three");
        damage(&field, "UPDATE outbox SET body_kept = 0 WHERE id = (SELECT max(id) FROM outbox)");
        let redaction = Redaction {
            command_id: id(),
            target: RedactionTarget::Field { key: "reading".into() },
            actor: "anna".into(),
            reason: "not ours to know".into(),
            pending,
            bodies: RedactBodies::Keep,
        };
        let redacted = field.compass.redact(session, &redaction).map(drop);
        field.flush();
        println!("{pending:?}: {redacted:?}; came {:?}", came(&field));
    }
}

#[test]
fn p23_check_finds_a_wrong_count_of_differing_actions() {
    for damages in ["UPDATE action SET differs = 1", "UPDATE session SET actions_differing = 7"] {
        let (field, _) = phone(|_| Ok(answer(202)));
        field.complete();
        field.flush();
        damage(&field, damages);
        println!("{damages}: {:?}", field.compass.check().unwrap().faults);
        assert!(!field.compass.check().unwrap().faults.is_empty(), "{damages}");
    }
}

#[test]
fn p24_quiesced_while_the_first_is_in_flight() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    field.compass.quiesce().unwrap();
    joined("the flush", running);
    correct(&field.compass, session, "18.5");
    let hold = field.compass.resume().unwrap();
    field.compass.start_delivery().unwrap();
    assert_eq!(field.delivery(session).reason.as_deref(), Some("earlier_revision"));
    assert_eq!(field.transport.requests().len(), 1);
    field.transport.release();
    eventually("the correction came", || field.transport.requests().len() == 2);
    eventually("both are sent", || field.action(session).deliveries.iter().all(|delivery| delivery.state == DeliveryState::Sent));
    field.compass.stop_delivery().unwrap();
    drop(hold);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn p25_a_note_sends_a_correction_of_a_kept_message() {
    let (field, _) = phone(|_| Ok(answer(202)));
    sends_edits(&field);
    let session = complete(&field.compass, "sends-edits");
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Keep,
        bodies: RedactBodies::Keep,
    };
    field.compass.redact(session, &redaction).unwrap();
    field.compass.note(session, "a note", &id()).unwrap();
    let states: Vec<_> = field.action(session).deliveries.iter().map(|d| (d.revision, d.state)).collect();
    assert_eq!(states, [(1, DeliveryState::Pending)], "a person said: keep");
}

#[test]
fn p26_totals_and_attention_of_a_corrected_failure() {
    let (field, receivers) = phone(|_| Ok(answer(400)));
    let session = field.complete();
    field.flush();
    assert!(field.next_due().needs_person);
    receivers.take();
    correct(&field.compass, session, "18.5");
    println!("{:?} {:?}", field.next_due(), field.compass.outbox_totals().unwrap());
    assert!(!field.next_due().needs_person);
    assert_eq!(field.next_due().at, Some(field.now()));
    field.flush();
    assert_eq!(field.next_due().at, None);
    assert_eq!(field.compass.send_failed_again(Some("anna")).unwrap(), 0);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn p27_two_processes_correct_and_edit_at_once() {
    let (field, _) = phone(|_| Ok(answer(202)));
    sends_edits(&field);
    let session = complete(&field.compass, "sends-edits");
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    let writers: Vec<_> = [field.compass.clone(), other.clone()]
        .into_iter()
        .enumerate()
        .map(|(who, compass)| {
            std::thread::spawn(move || {
                for number in 0..15 {
                    edit(&compass, session, &format!("{who}-{number}"));
                    flush(&compass);
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    field.clock.advance(2 * MINUTE);
    field.flush();
    flush(&other);
    let action = field.action(session);
    assert_eq!(action.status, ActionStatus::Sent, "{:?}", action.reason);
    let arrived = came(&field);
    let order: Vec<u32> = arrived.iter().map(|(revision, _)| revision.parse().unwrap()).collect();
    assert!(order.is_sorted(), "{arrived:?}");
    let FieldState::Provided(FieldValue::Text(value)) = field.compass.record(session).unwrap().fields[0].state.clone() else { panic!() };
    assert_eq!(arrived.last().unwrap().1, value);
    assert!(!action.differs_from_sent);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    other.close().unwrap();
}

#[test]
fn p28_a_correction_and_bodies_that_go_by_age() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    correct(&field.compass, session, "18.5");
    field.flush();
    correct(&field.compass, session, "17.5");
    field.flush();
    for _ in 0..14 {
        field.clock.advance(7 * DAY);
        field.compass.set_integration_enabled(true).unwrap();
        field.flush();
    }
    let kept: Vec<(i64, String, bool)> = {
        let file = sql(&field);
        let mut rows = file.prepare("SELECT revision, state, body_kept FROM outbox ORDER BY 1").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
    };
    println!("{kept:?}, check {:?}", field.compass.check().unwrap().faults);
    correct(&field.compass, session, "20");
    field.flush();
    assert_eq!(came(&field).last().unwrap().1, "20");
}

/// What one flipped bit of a row's header makes of a column: 0, 1 or nothing.
#[test]
fn p29_one_flipped_bit_of_one_message_and_what_a_person_may_do_with_the_session() {
    let columns = [
        "reason",
        "detail",
        "attempts",
        "unknown_outcomes",
        "counted",
        "slow_counted",
        "offline_tries",
        "cut_short",
        "refreshed",
        "resynced",
        "failing_ms",
        "last_failure_at",
        "last_status",
        "revived",
        "cycle_counts",
        "lease_owner",
        "lease_epoch",
        "lease_until",
        "in_flight_until",
        "sent_at",
        "sent_age",
        "body_kept",
        "holds_redacted",
    ];
    let mut wrong = Vec::new();
    for column in columns {
        for value in ["0", "1", "NULL"] {
            for act in
                ["abandon_session", "edit", "edit_sends", "correct", "redact abandon", "redact correct", "delete after abandon", "backup"]
            {
                let (field, _) = phone(|_| Ok(answer(202)));
                let mut document: serde_json::Value = serde_json::from_slice(&workflow("three", &[OFFICE, OFFICE, OFFICE])).unwrap();
                if act == "edit_sends" {
                    for number in 0..3 {
                        document["sections"][0]["actions"][number]["on_edit"] = "send".into();
                    }
                }
                field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
                let session = complete(&field.compass, "three");
                let sql = sql(&field);
                let before: Option<String> = sql
                    .query_row(&format!("SELECT CAST({column} AS TEXT) FROM outbox ORDER BY id DESC LIMIT 1"), [], |row| row.get(0))
                    .unwrap();
                if before.as_deref().unwrap_or("NULL") == value {
                    continue;
                }
                let done = support::past_every_rule(&sql, |file| {
                    file.execute_batch(&format!("UPDATE outbox SET {column} = {value} WHERE id = (SELECT max(id) FROM outbox)"))
                });
                drop(sql);
                if done.is_err() {
                    continue;
                }
                let change = support::app::set("reading", FieldValue::Text("18.5".into()));
                let redaction = |pending| Redaction {
                    command_id: id(),
                    target: RedactionTarget::Field { key: "reading".into() },
                    actor: "anna".into(),
                    reason: "not ours to know".into(),
                    pending,
                    bodies: RedactBodies::Keep,
                };
                let done = match act {
                    "abandon_session" => field.compass.abandon_session(session, "anna", "paper", &id()).map(drop),
                    "edit" | "edit_sends" => field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).map(drop),
                    "correct" => {
                        field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
                        field.compass.send_corrected(session, "tell-2", Some("anna"), &id()).map(drop)
                    }
                    "redact abandon" => field.compass.redact(session, &redaction(RedactPending::Abandon)).map(drop),
                    "redact correct" => field.compass.redact(session, &redaction(RedactPending::Correct)).map(drop),
                    "delete after abandon" => {
                        if field.compass.abandon_session(session, "anna", "paper", &id()).is_ok() {
                            field.compass.delete(session).map(drop)
                        } else {
                            Ok(())
                        }
                    }
                    _ => Ok(()),
                };
                if let Err(error) = done {
                    wrong.push(format!("{column} = {value}: {act}: {error}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them\n{}", wrong.len(), wrong.join("\n"));
}

#[derive(Default)]
struct Seen {
    running: std::collections::BTreeMap<String, usize>,
    last: std::collections::BTreeMap<String, u32>,
    may_have: std::collections::BTreeMap<String, Vec<(u32, String)>>,
    wrong: Vec<String>,
    count: u64,
}

/// Two processes with workers, people who edit in both, receivers of every kind.
#[test]
fn p30_stress() {
    for round in 0..std::env::var("ROUNDS").map_or(4, |rounds| rounds.parse::<u64>().unwrap()) {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let calm = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (watched, calmed) = (seen.clone(), calm.clone());
        let (field, _) = phone_with(
            move |request| {
                let key = serde_json::from_slice::<serde_json::Value>(&request.body).unwrap()["key"].as_str().unwrap().to_owned();
                let revision: u32 = header(request, "compass-revision").parse().unwrap();
                let (own, replaces) = (header(request, "webhook-id"), header(request, "compass-replaces"));
                let number = {
                    let mut seen = watched.lock().unwrap();
                    seen.count += 1;
                    let running = *seen.running.get(&key).unwrap_or(&0);
                    if running > 0 {
                        seen.wrong.push(format!("{key} revision {revision} begins beside {running}"));
                    }
                    let last = *seen.last.get(&key).unwrap_or(&0);
                    if revision < last {
                        seen.wrong.push(format!("{key} revision {revision} after {last}"));
                    }
                    seen.last.insert(key.clone(), revision.max(last));
                    let missing: Vec<_> = seen
                        .may_have
                        .get(&key)
                        .into_iter()
                        .flatten()
                        .filter(|(of, id)| *of < revision && !replaces.contains(id))
                        .cloned()
                        .collect();
                    if !missing.is_empty() && replaces.split(", ").count() < 32 {
                        seen.wrong.push(format!("{key} revision {revision} does not name {missing:?}: {replaces}"));
                    }
                    *seen.running.entry(key.clone()).or_default() += 1;
                    seen.count.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round * 77) >> 33
                };
                std::thread::sleep(Duration::from_millis(number % 7));
                let sent = match number % 8 {
                    _ if calmed.load(std::sync::atomic::Ordering::SeqCst) => Ok(answer(202)),
                    0..=2 => Ok(answer(202)),
                    3 => Ok(answer(500)),
                    4 => Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)),
                    5 => Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No)),
                    6 => Ok(answer(404)),
                    _ => Ok(answer(400)),
                };
                let mut seen = watched.lock().unwrap();
                *seen.running.get_mut(&key).unwrap() -= 1;
                if matches!(&sent, Ok(response) if response.status == 202)
                    || matches!(&sent, Err(failure) if failure.request_sent == RequestSent::Maybe)
                {
                    seen.may_have.entry(key).or_default().push((revision, own));
                }
                sent
            },
            |options| {
                options.clock = Arc::new(SystemClock::default());
                options.retry.online_spread = Duration::ZERO;
                options.retry.schedule = vec![Duration::from_millis(5)];
                options.retry.slow_schedule = vec![Duration::from_millis(5); 50];
                options.retry.overload_floor = Duration::ZERO;
                options.retry.offline_first = Duration::from_millis(5);
                options.retry.offline_longest = Duration::from_millis(50);
                options.retry.breaker_longest_pause = Duration::from_millis(5);
                options.retry.max_failed_sends = 1_000;
            },
        );
        sends_edits(&field);
        let sessions: Vec<_> = (0..5).map(|_| complete(&field.compass, "sends-edits")).collect();
        let other = Compass::open(field.options.clone().as_other_process()).unwrap();
        field.compass.start_delivery().unwrap();
        other.start_delivery().unwrap();
        let people: Vec<_> = [field.compass.clone(), other.clone()]
            .into_iter()
            .enumerate()
            .map(|(who, compass)| {
                let sessions = sessions.clone();
                std::thread::spawn(move || {
                    for number in 0..std::env::var("STEPS").map_or(60_usize, |steps| steps.parse().unwrap()) {
                        let session = sessions[(number * 3 + who) % sessions.len()];
                        match number % 6 {
                            0 => drop(compass.abandon(session, "tell-0", "anna", "paper", &id())),
                            1 => drop(compass.send(session, "tell-0", None, &id())),
                            2 => drop(compass.flush(Duration::from_millis(300), &CancelToken::new())),
                            _ => edit(&compass, session, &format!("{who}-{number}")),
                        }
                        compass.refresh().unwrap();
                    }
                })
            })
            .collect();
        people.into_iter().for_each(|person| person.join().unwrap());
        calm.store(true, std::sync::atomic::Ordering::SeqCst);
        for session in &sessions {
            drop(field.compass.send(*session, "tell-0", None, &id()));
        }
        let began = Instant::now();
        let all = || sessions.iter().all(|session| field.action(*session).status == ActionStatus::Sent);
        while !all() && began.elapsed() < 70 * SECOND {
            std::thread::sleep(Duration::from_millis(50));
        }
        let took = began.elapsed();
        field.compass.stop_delivery().unwrap();
        other.stop_delivery().unwrap();
        let left: Vec<_> = sessions.iter().map(|session| (field.action(*session).status, field.action(*session).reason)).collect();
        let seen = seen.lock().unwrap();
        println!("round {round}: {} requests, took {took:?} to calm; wrong {:?}", seen.count, seen.wrong.first());
        assert!(all(), "{left:?}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
        assert!(seen.wrong.is_empty(), "{:?}", seen.wrong.first());
        other.close().unwrap();
    }
}

/// Aim (b): what a transaction did before it began anew.
#[test]
fn p31_a_change_of_an_endpoint_that_begins_anew_loses_nothing_of_a_clock_that_was_set_back() {
    for lost in [false, true] {
        let (mut field, receivers) = phone(|request| {
            let lab = request.url.contains("lab");
            Ok(if lab { answer_with(429, &[("retry-after", "7200")]) } else { answer(503) })
        });
        register(&field, "lab");
        field.backlog(200, OFFICE);
        let session = complete_for(&field, "lab");
        field.flush();
        assert!(status(&field, "lab").paused_until.is_some());
        field.compass.close().unwrap();
        if lost {
            support::app::lose_page(field.path(), "outbox");
        }
        field.compass = Compass::open(field.options.clone()).unwrap();
        receivers.take();
        field.clock.jump_wall(TimeDelta::days(-3));
        // The first and only write while the clock is behind.
        let put = field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook"));
        let at_rest = || -> (i64, Option<i64>, Option<i64>) {
            let statement = "SELECT age_at, (SELECT paused_until FROM endpoint WHERE key = 'lab'), (SELECT asked_until FROM endpoint WHERE key = 'lab') FROM meta";
            sql(&field).query_row(statement, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
        };
        println!("lost {lost}: put {put:?}, now {}, at rest {:?}", field.now().timestamp_millis(), at_rest());
        field.clock.jump_wall(TimeDelta::days(3));
        let before = requests_to(&field, &url("lab"));
        let second = complete_for(&field, "lab");
        field.flush();
        println!("now {}, at rest {:?}, {session:?} {second:?}", field.now().timestamp_millis(), at_rest());
        assert!(requests_to(&field, &url("lab")) > before, "lost {lost}: the pause that was over counts again");
    }
}

/// Two processes with workers, people who edit in both, receivers of every kind.
#[test]
fn p33_stress_with_a_life_cycle() {
    for round in 0..std::env::var("ROUNDS").map_or(4, |rounds| rounds.parse::<u64>().unwrap()) {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let calm = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (watched, calmed) = (seen.clone(), calm.clone());
        let (field, _) = phone_with(
            move |request| {
                let key = serde_json::from_slice::<serde_json::Value>(&request.body).unwrap()["key"].as_str().unwrap().to_owned();
                let revision: u32 = header(request, "compass-revision").parse().unwrap();
                let (own, replaces) = (header(request, "webhook-id"), header(request, "compass-replaces"));
                let number = {
                    let mut seen = watched.lock().unwrap();
                    seen.count += 1;
                    let running = *seen.running.get(&key).unwrap_or(&0);
                    if running > 0 {
                        seen.wrong.push(format!("{key} revision {revision} begins beside {running}"));
                    }
                    let last = *seen.last.get(&key).unwrap_or(&0);
                    if revision < last {
                        seen.wrong.push(format!("{key} revision {revision} after {last}"));
                    }
                    seen.last.insert(key.clone(), revision.max(last));
                    let missing: Vec<_> = seen
                        .may_have
                        .get(&key)
                        .into_iter()
                        .flatten()
                        .filter(|(of, id)| *of < revision && !replaces.contains(id))
                        .cloned()
                        .collect();
                    if !missing.is_empty() && replaces.split(", ").count() < 32 {
                        seen.wrong.push(format!("{key} revision {revision} does not name {missing:?}: {replaces}"));
                    }
                    *seen.running.entry(key.clone()).or_default() += 1;
                    seen.count.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round * 77) >> 33
                };
                std::thread::sleep(Duration::from_millis(number % 7));
                let sent = match number % 8 {
                    _ if calmed.load(std::sync::atomic::Ordering::SeqCst) => Ok(answer(202)),
                    0..=2 => Ok(answer(202)),
                    3 => Ok(answer(500)),
                    4 => Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)),
                    5 => Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No)),
                    6 => Ok(answer(404)),
                    _ => Ok(answer(400)),
                };
                let mut seen = watched.lock().unwrap();
                *seen.running.get_mut(&key).unwrap() -= 1;
                if matches!(&sent, Ok(response) if response.status == 202)
                    || matches!(&sent, Err(failure) if failure.request_sent == RequestSent::Maybe)
                {
                    seen.may_have.entry(key).or_default().push((revision, own));
                }
                sent
            },
            |options| {
                options.clock = Arc::new(SystemClock::default());
                options.retry.online_spread = Duration::ZERO;
                options.retry.schedule = vec![Duration::from_millis(5)];
                options.retry.slow_schedule = vec![Duration::from_millis(5); 50];
                options.retry.overload_floor = Duration::ZERO;
                options.retry.offline_first = Duration::from_millis(5);
                options.retry.offline_longest = Duration::from_millis(50);
                options.retry.breaker_longest_pause = Duration::from_millis(5);
                options.retry.max_failed_sends = 1_000;
            },
        );
        sends_edits(&field);
        let sessions: Vec<_> = (0..5).map(|_| complete(&field.compass, "sends-edits")).collect();
        let other = Compass::open(field.options.clone().as_other_process()).unwrap();
        field.compass.start_delivery().unwrap();
        other.start_delivery().unwrap();
        let people: Vec<_> = [field.compass.clone(), other.clone()]
            .into_iter()
            .enumerate()
            .map(|(who, compass)| {
                let sessions = sessions.clone();
                std::thread::spawn(move || {
                    for number in 0..std::env::var("STEPS").map_or(60_usize, |steps| steps.parse().unwrap()) {
                        let session = sessions[(number * 3 + who) % sessions.len()];
                        match number % 6 {
                            0 => drop(compass.abandon(session, "tell-0", "anna", "paper", &id())),
                            1 => drop(compass.send(session, "tell-0", None, &id())),
                            2 => drop(compass.flush(Duration::from_millis(300), &CancelToken::new())),
                            3 if number % 12 == 3 => {
                                compass.quiesce().unwrap();
                                drop(compass.resume().map(std::mem::forget));
                            }
                            4 if number % 12 == 4 => {
                                compass.stop_delivery().unwrap();
                                compass.start_delivery().unwrap();
                            }
                            5 if number % 12 == 5 => {
                                compass.set_connectivity(Connectivity::Offline);
                                compass.set_connectivity(ONLINE);
                            }
                            _ => edit(&compass, session, &format!("{who}-{number}")),
                        }
                        compass.refresh().unwrap();
                    }
                })
            })
            .collect();
        people.into_iter().for_each(|person| person.join().unwrap());
        calm.store(true, std::sync::atomic::Ordering::SeqCst);
        for session in &sessions {
            drop(field.compass.send(*session, "tell-0", None, &id()));
        }
        let began = Instant::now();
        let all = || sessions.iter().all(|session| field.action(*session).status == ActionStatus::Sent);
        while !all() && began.elapsed() < 70 * SECOND {
            std::thread::sleep(Duration::from_millis(50));
        }
        let took = began.elapsed();
        field.compass.stop_delivery().unwrap();
        other.stop_delivery().unwrap();
        let left: Vec<_> = sessions.iter().map(|session| (field.action(*session).status, field.action(*session).reason)).collect();
        let seen = seen.lock().unwrap();
        println!("round {round}: {} requests, took {took:?} to calm; wrong {:?}", seen.count, seen.wrong.first());
        assert!(all(), "{left:?}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
        assert!(seen.wrong.is_empty(), "{:?}", seen.wrong.first());
        other.close().unwrap();
    }
}

#[test]
fn p34_an_urgent_wish_goes_over_to_the_correction_of_what_was_claimed_for_it() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, receivers) = phone_with(|_| Ok(answer(503)), |options| options.secrets = secrets_store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    field.flush();
    receivers.take();
    secrets_store.gate.close();
    let compass = field.compass.clone();
    let asked = secrets_store.asked().len();
    let running = std::thread::spawn(move || compass.flush_urgent(2 * MINUTE, &CancelToken::new()).unwrap());
    secrets_store.gate.wait_for(asked + 1);
    correct(&field.compass, session, "18.5");
    secrets_store.gate.open();
    let report = joined("the flush", running);
    assert_eq!(came(&field).last().unwrap().1, "18.5", "{report:?}");
    assert!(is_sent(&field.compass, session));
}

#[test]
fn p35_a_purge_while_a_superseded_attempt_is_in_flight_elsewhere() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    field.transport.hold("");
    let running = flushing(&other);
    field.transport.wait_for_requests(1);
    correct(&field.compass, session, "18.5");
    assert!(abandon_first(&field, session).in_flight);
    field.compass.delete(session).unwrap();
    let next = field.complete();
    field.transport.release();
    joined("the flush", running);
    field.flush();
    assert!(is_sent(&field.compass, next));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    other.close().unwrap();
}

#[test]
fn p36_more_than_32_revisions_name_the_newest_32() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    for number in 0..40 {
        correct(&field.compass, session, &number.to_string());
        field.flush();
    }
    let requests = field.transport.requests();
    let mut expected: Vec<String> = requests[8..40].iter().map(|request| header(request, "webhook-id")).collect();
    expected.reverse();
    assert_eq!(header(&requests[40], "compass-replaces"), expected.join(", "));
}

#[test]
fn p37_too_large_then_shorter_with_on_edit() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let mut document: serde_json::Value = serde_json::from_slice(&workflow("long", &[OFFICE])).unwrap();
    document["sections"][0]["actions"][0]["on_edit"] = "send".into();
    let keys: Vec<String> = (0..32).map(|number| format!("text-{number}")).collect();
    document["fields"] = keys.iter().map(|key| serde_json::json!({ "key": key, "name": "Text", "type": "multiline" })).collect();
    document["sections"][0]["fields"] = keys.clone().into();
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
    let session = complete_long(&field, &keys);
    field.flush();
    let action = field.action(session);
    println!(
        "{:?} {:?} failed sends {} differs {} why {:?}",
        action.status, action.reason, action.failed_sends, action.differs_from_sent, action.edit_not_sent
    );
    let change = |key: &str, text: String| support::app::set(key, FieldValue::Text(text));
    field.compass.edit(session, None, None, vec![change("text-0", "b".repeat(9_900))], vec![], &id()).unwrap();
    assert_eq!(field.action(session).edit_not_sent.as_deref(), Some("payload_too_large"));
    let shorter = keys.iter().map(|key| change(key, "short".into())).collect();
    field.compass.edit(session, None, None, shorter, vec![], &id()).unwrap();
    field.flush();
    let action = field.action(session);
    assert_eq!((action.status, action.edit_not_sent, action.failed_sends), (ActionStatus::Sent, None, 0));
    let longer = keys.iter().map(|key| change(key, "c".repeat(9_900))).collect();
    field.compass.edit(session, None, None, longer, vec![], &id()).unwrap();
    let action = field.action(session);
    assert_eq!(
        (action.status, action.edit_not_sent.as_deref(), action.differs_from_sent),
        (ActionStatus::Sent, Some("payload_too_large"), true)
    );
    assert_eq!(field.compass.send_corrected(session, "tell-0", None, &id()).unwrap_err().code(), "payload_too_large");
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

fn complete_long(field: &Field, keys: &[String]) -> SessionKey {
    let view = field.compass.start(&Start::new("long", id())).unwrap().view;
    for key in keys {
        field.compass.set_field(view.key, key, FieldValue::Text("a".repeat(9_900))).unwrap();
    }
    field.compass.complete(view.key, view.visit).unwrap();
    view.key
}

/// The gap of the clock, with a redaction that corrects.
#[test]
fn p38_a_redaction_that_corrects_waits_for_an_attempt_of_this_process_when_the_clock_is_set() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Correct,
        bodies: RedactBodies::Keep,
    };
    field.compass.redact(session, &redaction).unwrap();
    // The same for a message that was given up and sent again holds: control.
    field.clock.jump_wall(TimeDelta::seconds(61));
    field.clock.advance_monotonic(3 * SECOND);
    let began = Instant::now();
    while field.transport.requests().len() < 2 && began.elapsed() < 2 * SECOND {
        std::thread::yield_now();
    }
    let most = field.transport.most_running();
    field.transport.release();
    joined("the flush", running);
    assert_eq!(most, 1);
}

#[test]
fn p39_control_given_up_and_sent_again_waits_whatever_the_clock_says() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    abandon_first(&field, session);
    send_first(&field, session);
    field.clock.jump_wall(TimeDelta::seconds(61));
    field.clock.advance_monotonic(3 * SECOND);
    let began = Instant::now();
    while field.transport.requests().len() < 2 && began.elapsed() < 2 * SECOND {
        std::thread::yield_now();
    }
    let most = field.transport.most_running();
    field.transport.release();
    joined("the flush", running);
    assert_eq!(most, 1);
}

#[test]
fn p40_a_damaged_message_keeps_its_session_for_ever() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    damage(&field, "UPDATE outbox SET body_kept = 0");
    let given_up = field.compass.abandon(session, "tell-0", "anna", "on paper", &id()).map(drop);
    field.reopen();
    let again = field_abandon(&field, session);
    let deleted = field.compass.delete(session).map(drop);
    assert!(deleted.is_ok(), "abandon {given_up:?}, after it was opened again {again:?}, delete {deleted:?}");
}

fn field_abandon(field: &Field, session: SessionKey) -> Result<(), Error> {
    field.compass.abandon(session, "tell-0", "anna", "on paper", &id()).map(drop)
}
