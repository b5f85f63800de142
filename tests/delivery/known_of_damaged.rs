//! A copy takes the place of a damaged database, or a page is lost of what is known of actions: what can still be read is known.

use super::support::app::{change_last_page, lose_page};
use super::*;

/// A copy in which the message waits or was sent, and the phone whose receiver has revisions 2 to 4 since.
fn corrected_since_the_copy(is_sent: bool) -> (Field, SessionKey, PathBuf) {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.backlog(100, OFFICE);
    let session = field.complete();
    if is_sent {
        field.flush();
    }
    let copy = back_up(&field, "copy.db");
    for reading in ["18.5", "19.5", "20.5"] {
        correct(&field.compass, session, reading);
        field.flush();
    }
    (field, session, copy)
}

#[test]
fn a_correction_has_a_higher_revision_although_the_row_of_its_action_or_session_was_lost() {
    for table in ["action", "session"] {
        for is_sent in [false, true] {
            let (mut field, session, copy) = corrected_since_the_copy(is_sent);
            field.compass.close().unwrap();
            change_last_page(field.path(), table, |page| page.fill(0xa5));
            put_back(&field, &copy);
            field.open_again();
            field.flush();
            let status = field.action(session).status;
            assert_eq!(status == ActionStatus::Sent, is_sent, "{table}: what is older than the last one leaves");
            correct(&field.compass, session, "30.5");
            field.flush();
            assert_eq!(revisions(&field).pop().unwrap(), "5", "{table}, sent: {is_sent}");
        }
    }
}

#[test]
fn what_a_correction_replaced_leaves_from_a_copy_where_the_correction_never_left() {
    for page in ["", "attempt", "event"] {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let copy = back_up(&field, "copy.db");
        correct(&field.compass, session, "20.5");
        field.compass.close().unwrap();
        if page.is_empty() {
            damage(&field, "UPDATE meta SET configuration = -1");
        } else {
            lose_page(field.path(), page);
        }
        put_back(&field, &copy);
        field.open_again();
        field.flush();
        assert_eq!((revisions(&field), field.action(session).status), (vec!["1".to_owned()], ActionStatus::Sent), "{page}");
    }
}

/// 150 messages wait in the copy, and a person has abandoned them; this came into another copy, which has lost a page of it.
fn abandoned_before_a_page_was_lost() -> (Field, PathBuf) {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let unknown = back_up(&field, "unknown.db");
    field.backlog(150, OFFICE);
    let waits = back_up(&field, "waits.db");
    for session in field.compass.sessions(&SessionFilter::default(), None, 200).unwrap().sessions {
        field.compass.abandon_session(session.key, "anna", "handed in on paper", &id()).unwrap();
    }
    put_back_and_open(&mut field, &unknown);
    field.compass.close().unwrap();
    lose_page(field.path(), "known_action");
    (field, waits)
}

#[test]
fn a_lost_page_of_what_is_known_of_actions_lets_nothing_leave_that_stands_on_another() {
    for is_opened in [false, true] {
        let (mut field, waits) = abandoned_before_a_page_was_lost();
        if is_opened {
            // The call that meets it keeps what can be read.
            field.open_again();
            let session = field.complete();
            assert_eq!(field.flush().sent, 1, "{:?}", field.action(session).status);
            assert_ne!(field.compass.check().unwrap().faults, [""; 0]);
            assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
            field.compass.close().unwrap();
        }
        put_back(&field, &waits);
        field.open_again();
        let left = field.flush().sent;
        assert!(left < 75, "{left} of 150, opened: {is_opened}");
    }
}

#[test]
fn a_lost_page_of_what_is_known_of_actions_stops_nobody() {
    let mut field = phone_that_sends_edits();
    let [deleted, edited, purged] = [(); 3].map(|()| field.complete());
    field.flush();
    field.compass.delete(deleted).unwrap();
    let open = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
    field.compass.set_field(open, "reading", FieldValue::Text("17.5".into())).unwrap();
    let finishes = |field: &Field| drop(field.compass.complete(open, field.compass.session(open).unwrap().visit).unwrap());
    let edits = |field: &Field| edit(&field.compass, edited, "18.5");
    let deletes = |field: &Field| drop(field.compass.delete(purged).unwrap());
    let acts: [&dyn Fn(&Field); 3] = [&finishes, &edits, &deletes];
    for act in acts {
        field.compass.close().unwrap();
        lose_page(field.path(), "known_action");
        field.open_again();
        act(&field);
        field.flush();
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
        // So that there is a page again.
        let another = field.complete();
        field.flush();
        field.compass.delete(another).unwrap();
    }
    assert!(is_sent(&field.compass, open) && is_sent(&field.compass, edited));
}
