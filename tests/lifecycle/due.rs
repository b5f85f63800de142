//! What is due and when, and what wakes the worker.

use super::*;

#[test]
fn next_due_names_what_every_entry_waits_for() {
    let field = Field::with(ScriptedTransport::new(|request| Ok(answer(if request.url.contains("office") { 503 } else { 422 }))), |_| {});
    let nothing = NextDue::default();
    assert_eq!(field.next_due(), nothing);

    // Due now.
    let session = field.complete();
    assert_eq!(field.next_due(), NextDue { at: Some(field.now()), ..nothing.clone() });

    // No network, as the app says: the time does not matter.
    field.compass.set_connectivity(Connectivity::Offline);
    assert_eq!(field.next_due(), NextDue { when_online: Some(NetworkNeed::Any), ..nothing.clone() });
    field.compass.set_connectivity(ONLINE);
    assert_eq!(field.next_due().at, Some(field.now()));

    // Waits for its retry.
    field.flush();
    let retry = field.delivery(session).next_attempt_at;
    assert!(retry > Some(field.now()));
    assert_eq!(field.next_due(), NextDue { at: retry, ..nothing.clone() });

    // The integration is off, the endpoint is disabled, or archived: a person has to do something.
    let person = NextDue { needs_person: true, ..nothing.clone() };
    field.compass.set_integration_enabled(false).unwrap();
    assert_eq!(field.next_due(), person);
    field.compass.set_integration_enabled(true).unwrap();
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    assert_eq!(field.next_due(), person);
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.compass.archive_endpoint(OFFICE).unwrap();
    assert_eq!(field.next_due(), person);
    field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
    assert!(!field.next_due().needs_person);

    // An endpoint that this phone does not know: beside what time brings.
    field.compass.import_workflow(&workflow("stranger", &["depot"])).unwrap();
    complete(&field.compass, "stranger");
    let due = field.next_due();
    assert!(due.at.is_some() && due.needs_person, "neither of two reasons hides the other: {due:?}");

    // It failed for good.
    field.compass.put_endpoint(&endpoint("depot", "https://depot.example/")).unwrap();
    field.flush();
    assert!(field.next_due().needs_person);
    assert_eq!(field.messages(&[DeliveryState::Failed]).len(), 1);
}

#[test]
fn next_due_tells_an_unmetered_network_from_any() {
    let field = Field::new(ScriptedTransport::always(202));
    field.compass.put_endpoint(&unmetered(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    let nothing = NextDue::default();
    assert_eq!(field.next_due(), NextDue { at_needs_unmetered: Some(field.now()), ..nothing.clone() });
    field.compass.set_connectivity(METERED);
    assert_eq!(field.next_due(), NextDue { when_online: Some(NetworkNeed::Unmetered), ..nothing.clone() });
    assert_eq!(field.delivery(session).reason.as_deref(), Some("needs_unmetered"));
    assert_eq!(field.flush().attempts, 0);
    // Beside one that takes any network: the scheduler needs to know of both.
    field.compass.put_endpoint(&endpoint("depot", "https://depot.example/")).unwrap();
    field.compass.import_workflow(&workflow("both", &["depot"])).unwrap();
    complete(&field.compass, "both");
    let due = field.next_due();
    assert_eq!((due.at, due.when_online), (Some(field.now()), Some(NetworkNeed::Unmetered)));
    assert_eq!(field.flush().sent, 1);
    // Not metered: allowed, whether or not it reaches the internet as the platform sees it.
    field.compass.set_connectivity(Connectivity::Online { validated: Some(false), metered: false, network: None });
    assert_eq!(field.flush().sent, 1);
    assert_eq!(field.next_due(), nothing);
}

#[test]
fn next_due_of_a_missing_secret_is_a_time_and_a_person() {
    let field = Field::new(ScriptedTransport::always(202));
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    field.flush();
    assert_eq!(field.transport.requests().len(), 0, "never sent unsigned");
    assert_eq!(field.delivery(session).reason.as_deref(), Some("secret_missing"));
    let due = field.next_due();
    assert!(due.needs_person);
    assert_eq!(due.at, Some(field.now() + chrono::TimeDelta::minutes(15)), "it is looked at again by itself");
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.secrets_changed().unwrap();
    assert_eq!(field.next_due(), NextDue { at: Some(field.now()), ..NextDue::default() });
    assert_eq!(field.flush().sent, 1);
}

#[test]
fn next_due_of_what_failed_for_want_of_a_network_is_a_time_or_a_network() {
    use compass_core::port::{FailureKind, Phase, RequestSent};
    let field = Field::new(ScriptedTransport::new(|_| {
        Err(compass_core::testing::failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No))
    }));
    field.complete();
    assert_eq!(field.flush().end, FlushEnd::Offline);
    let due = field.next_due();
    assert_eq!(due.when_online, Some(NetworkNeed::Any));
    assert!(due.at > Some(field.now()), "nor does it wait for ever if nobody tells of a network: {due:?}");
    assert!(!due.needs_person);
}

// Waking ------------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_network_wakes_the_worker_and_a_backlog_drains_without_further_calls() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let watch = Watch::on(&field.compass);
    field.compass.set_connectivity(Connectivity::Offline);
    field.compass.start_delivery().unwrap();
    field.compass.start_delivery().unwrap();
    field.backlog(100, OFFICE);
    assert_eq!(field.flush().end, FlushEnd::Offline);
    assert_eq!(field.transport.requests().len(), 0, "nothing is attempted without a network");
    field.compass.set_connectivity(ONLINE);
    watch.until("all is sent", all_sent);
    assert_eq!(field.transport.requests().len(), 100);
    // And what is completed from now on leaves by itself.
    let session = field.complete();
    watch.until("it is sent", |compass| is_sent(compass, session));
}

#[test]
fn the_worker_leaves_unmetered_messages_until_the_network_costs_nothing() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.compass.put_endpoint(&unmetered("depot", "https://depot.example/")).unwrap();
    field.compass.import_workflow(&workflow("both", &[OFFICE, "depot"])).unwrap();
    let watch = Watch::on(&field.compass);
    field.compass.set_connectivity(METERED);
    field.compass.start_delivery().unwrap();
    let session = complete(&field.compass, "both");
    let status = |compass: &Compass, action: usize| compass.record(session).unwrap().actions[action].status;
    watch.until("the office has its message", |compass| status(compass, 0) == ActionStatus::Sent);
    assert_eq!(status(&field.compass, 1), ActionStatus::Pending);
    field.compass.set_connectivity(ONLINE);
    watch.until("the depot has its message", |compass| status(compass, 1) == ActionStatus::Sent);
}

#[test]
fn the_worker_resumes_its_work_after_a_suspension() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let watch = Watch::on(&field.compass);
    let hold = field.compass.resume().unwrap();
    field.compass.start_delivery().unwrap();
    drop(hold);
    let session = field.complete();
    assert_eq!(field.flush().end, FlushEnd::Quiesced);
    assert_eq!(field.transport.requests().len(), 0);
    let hold = field.compass.resume().unwrap();
    watch.until("it is sent", |compass| is_sent(compass, session));
    drop(hold);
}
