//! Messages that are larger than any may be.

use super::*;

#[test]
fn a_payload_that_is_too_large_fails_and_the_session_is_completed_all_the_same() {
    let app = App::new();
    let session = app.too_large();
    assert_eq!(app.view(session).state, SessionState::Completed);
    for action in app.record(session).actions {
        assert_eq!((action.status, REASON(&action), action.failed_sends), (ActionStatus::Failed, "payload_too_large", 0));
        assert!(action.deliveries[0].body_size > 256 * 1024 && !action.can_send && !action.can_send_corrected && action.can_abandon);
    }
    let size = app.action(session, "report").deliveries[0].body_size;
    let Err(Error::PayloadTooLarge { size: told, limit, .. }) = app.compass.send(session, "report", None, &id()) else {
        panic!("it was sent")
    };
    assert_eq!((told, limit), (size, 256 * 1024));
    assert_eq!(code(app.compass.send_corrected(session, "report", None, &id())), "payload_too_large");
    assert_eq!(app.compass.send_failed_again(None).unwrap(), 0, "the same bytes can never succeed");

    let old = app.action(session, "report").deliveries.remove(0);
    app.compass.edit(session, None, None, shortened("short"), vec![], &id()).unwrap();
    assert!(app.action(session, "report").can_send_corrected);
    let outcome = app.compass.send_corrected(session, "report", Some("Mia"), &id()).unwrap();
    assert_eq!(outcome.applied, Applied::Yes);
    let action = app.action(session, "report");
    assert_eq!((action.status, action.reason.as_deref(), action.failed_sends), (ActionStatus::Pending, None, 0));
    assert_eq!(
        action.deliveries.iter().map(|one| (one.revision, one.state)).collect::<Vec<_>>(),
        [(2, DeliveryState::Pending), (1, DeliveryState::Superseded)]
    );
    assert_eq!((&action.deliveries[1].id, &action.deliveries[1].body_sha256), (&old.id, &old.body_sha256));
    assert_ne!(action.deliveries[0].id, old.id);
    assert!(body(&app, &action.deliveries[0].id).contains("short"));
    assert_eq!(code(app.compass.send_corrected(session, "report", Some("Mia"), &id())), "nothing_corrected");
    assert!(matches!(&outcome.record.timeline.last().unwrap().entry, TimelineEntry::SendRequested { corrected: true, revision: 2, .. }));
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn what_is_too_large_is_no_send_however_often_it_is_corrected() {
    let app = App::new();
    let session = app.too_large();
    for character in ['🚰', '🔧', '🔩', '🧰', '🪛'] {
        app.compass.edit(session, None, None, pages(character), vec![], &id()).unwrap();
        let command = id();
        let Err(Error::PayloadTooLarge { size, limit, .. }) = app.compass.send_corrected(session, "report", None, &command) else {
            panic!("it was sent")
        };
        assert!(size > limit && limit == 256 * 1024);
        // Refused, it has changed nothing, and its id is free.
        assert_eq!(app.action(session, "report").deliveries.len(), 1);
        assert!(!app.action(session, "report").locked);
    }
    app.compass.edit(session, None, None, shortened("short"), vec![], &id()).unwrap();
    app.compass.send_corrected(session, "report", None, &id()).unwrap();
    assert_eq!(app.action(session, "report").status, ActionStatus::Pending);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn an_action_that_did_not_fire_is_not_sent_while_its_message_is_too_large() {
    let app = App::new();
    app.compass.set_integration_enabled(false).unwrap();
    let session = app.too_large();
    app.compass.set_integration_enabled(true).unwrap();
    assert_eq!(code(app.compass.send(session, "report", None, &id())), "payload_too_large");
    let action = app.action(session, "report");
    assert_eq!((action.status, action.deliveries.len()), (ActionStatus::NotFired, 0));
    app.compass.edit(session, None, None, shortened("short"), vec![], &id()).unwrap();
    app.compass.send(session, "report", None, &id()).unwrap();
    assert_eq!(app.action(session, "report").status, ActionStatus::Pending);
}
