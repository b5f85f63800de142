//! Actions that did not fire because the integration was off, and what a person does about them.

use super::*;

#[test]
fn with_the_integration_off_nothing_fires_and_the_record_says_so() {
    let app = App::new();
    app.compass.set_integration_enabled(false).unwrap();
    let session = app.completed();
    for action in app.record(session).actions {
        assert_eq!((action.status, REASON(&action)), (ActionStatus::NotFired, "integration_off"));
        assert!(action.deliveries.is_empty() && action.can_send && !action.can_abandon && !action.can_send_corrected);
    }
    app.compass.set_integration_enabled(true).unwrap();
    assert_eq!(app.action(session, "report").status, ActionStatus::NotFired, "turning it on later fires nothing");
    assert_eq!(app.compass.outbox_totals().unwrap(), OutboxTotals { not_fired: 3, ..OutboxTotals::default() });
}

#[test]
fn sending_what_did_not_fire_freezes_it_then() {
    let app = App::new();
    app.compass.set_integration_enabled(false).unwrap();
    let session = app.completed();
    app.compass.set_integration_enabled(true).unwrap();
    app.compass.edit(session, None, None, vec![set("site", text("Mill Road"))], vec![], &id()).unwrap();
    app.tick();
    let command = id();
    let outcome = app.compass.send(session, "report", Some("Mia"), &command).unwrap();
    assert_eq!(outcome.applied, Applied::Yes);
    let action = app.action(session, "report");
    assert_eq!((action.status, action.deliveries.len()), (ActionStatus::Pending, 1));
    assert!(body(&app, &action.deliveries[0].id).contains("Mill Road"), "the values as they are now");
    assert_eq!(app.action(session, "announce").status, ActionStatus::NotFired);
    assert_eq!(outcome.record, app.record(session));

    assert_eq!(app.compass.send(session, "report", Some("Mia"), &command).unwrap().applied, Applied::Repeated);
    assert_eq!(app.compass.send(session, "report", Some("Mia"), &id()).unwrap().applied, Applied::Stale);
    assert_eq!(code(app.compass.send(session, "announce", Some("Mia"), &command)), "command_id_reused");
    assert_eq!(code(app.compass.send(session, "order", None, &id())), "unknown_action");
    assert_eq!(code(app.compass.send(app.start().key, "announce", None, &id())), "unknown_action");
    assert_eq!(app.count("SELECT count(*) FROM outbox"), 1);
}

#[test]
fn what_did_not_fire_while_the_integration_was_off_is_sent_in_one_call() {
    let app = App::new();
    app.compass.set_integration_enabled(false).unwrap();
    let one = app.completed();
    app.clock.advance(std::time::Duration::from_secs(3600));
    let two = app.completed();
    let (ended, large) = (app.ended(), app.too_large());
    app.compass.set_integration_enabled(true).unwrap();
    let later = app.completed();
    let not_fired = || app.compass.outbox_totals().unwrap().not_fired;
    let actions = |session| app.record(session).actions.len() as u64;
    let of_large = actions(large);
    assert_eq!(not_fired(), actions(one) + actions(two) + of_large, "what an ended session met is no loss");

    let send = |filter: &NotFiredFilter| app.compass.send_not_fired(filter, Some("Mia")).unwrap();
    let nowhere = NotFiredFilter { endpoint: Some("nowhere".to_owned()), ..NotFiredFilter::default() };
    let refused = app.compass.send_not_fired(&nowhere, Some("Mia")).unwrap_err();
    assert_eq!((refused.code(), refused.place().as_deref()), ("unknown_endpoint", Some("nowhere")));
    let from_two = NotFiredFilter { finished_from: app.view(two).finished_at, ..NotFiredFilter::default() };
    let before_one = NotFiredFilter { finished_until: app.view(one).finished_at, ..NotFiredFilter::default() };
    assert_eq!(send(&before_one), 0);
    app.compass.edit(one, None, None, vec![set("site", text("Corrected Lane"))], vec![], &id()).unwrap();
    let first = NotFiredFilter { finished_until: app.view(two).finished_at, ..NotFiredFilter::default() };
    assert_eq!((u64::from(send(&first)), u64::from(send(&from_two)), send(&NotFiredFilter::default())), (actions(one), actions(two), 0));
    assert_eq!(not_fired(), of_large, "what is larger than a message may be stays where a person sees it");
    assert!(app.record(ended).actions.iter().all(|action| action.status == ActionStatus::NotFired));

    let report = app.action(one, "report");
    assert_eq!((report.status, report.deliveries.len()), (ActionStatus::Pending, 1));
    assert!(body(&app, &report.deliveries[0].id).contains("Corrected Lane"), "with the values as they are now");
    let line = app.record(one).timeline.pop().unwrap();
    assert!(matches!(line.entry, TimelineEntry::SendRequested { corrected: false, revision: 1, .. }));
    assert_eq!(line.actor.as_deref(), Some("Mia"));
    assert_eq!(u64::from(app.deliver().sent), actions(one) + actions(two) + actions(later));
    assert_eq!(app.faults(), [""; 0]);
}
