//! Numbers: a receiver sees from headers alone whether it has everything.

use std::collections::BTreeMap;

use compass_core::{DiscardUndelivered, RestoreOptions, Sha256};

use super::*;
use crate::support::app::{App, pages};

/// What a receiver has of one series: everything up to a number, and above it all but these.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    complete_up_to: u64,
    newest: u64,
    missing: Vec<u64>,
}

/// All that a receiver needs for that: the headers of what it took, in whatever order, by install and series.
fn known(requests: &[TransportRequest]) -> BTreeMap<(String, String), Known> {
    let mut numbers: BTreeMap<(String, String), BTreeSet<u64>> = BTreeMap::new();
    for request in requests {
        let sequence = header(request, "compass-sequence");
        let Some((series, number)) = sequence.split_once('-') else { continue };
        numbers.entry((header(request, "compass-install"), series.to_owned())).or_default().insert(number.parse().unwrap());
    }
    let known = |numbers: BTreeSet<u64>| {
        let newest = numbers.last().copied().unwrap_or(0);
        let missing: Vec<u64> = (1..newest).filter(|number| !numbers.contains(number)).collect();
        Known { complete_up_to: missing.first().map_or(newest, |first| first - 1), newest, missing }
    };
    numbers.into_iter().map(|(of, numbers)| (of, known(numbers))).collect()
}

/// What there is to know of the one receiver of all these.
fn of_one(requests: &[TransportRequest]) -> Known {
    let mut all = known(requests);
    assert_eq!(all.len(), 1, "one install and one series: {all:?}");
    all.pop_first().unwrap().1
}

fn all_of(newest: u64) -> Known {
    Known { complete_up_to: newest, newest, missing: vec![] }
}

/// Headers of the requests that came: those of this name, in order.
fn came(requests: &[TransportRequest], name: &str) -> Vec<String> {
    requests.iter().map(|request| header(request, name)).collect()
}

fn numbers(requests: &[TransportRequest]) -> Vec<String> {
    let number = |sequence: String| sequence.split_once('-').map_or(sequence.clone(), |(_, number)| number.to_owned());
    came(requests, "compass-sequence").into_iter().map(number).collect()
}

fn series(request: &TransportRequest) -> String {
    let sequence = header(request, "compass-sequence");
    let (series, _) = sequence.split_once('-').expect("a number");
    assert!(series.len() == 8 && series.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')), "{series}");
    series.to_owned()
}

/// With true random bytes: two phones of one test must not be the same.
fn real_phone() -> (Field, Receivers) {
    phone_with(|_| Ok(answer(202)), |options| options.random = Options::new("unused").random)
}

/// Opens a file as this phone would, on this device.
fn open_on(field: &Field, path: &std::path::Path, device: Option<&str>) -> Compass {
    let options = Options { path: path.to_owned(), device: device.map(str::to_owned), ..field.options.clone() };
    Compass::open(options).unwrap()
}

/// Completes a session and gives its request.
fn one_more(field: &Field, compass: &Compass) -> TransportRequest {
    complete(compass, "visit");
    flush(compass);
    field.transport.requests().pop().unwrap()
}

#[test]
fn a_receiver_sees_from_headers_alone_what_it_lacks_and_that_it_has_everything() {
    let (field, receivers) = phone(|_| Ok(answer(202)));
    field.compass.put_endpoint(&endpoint("depot", "https://depot.example/hook")).unwrap();
    field.compass.import_workflow(&workflow("both", &[OFFICE, "depot", OFFICE])).unwrap();
    // The office does not take the second and the fifth.
    receivers.now(|request| {
        let number = header(request, "compass-sequence").split_once('-').unwrap().1.to_owned();
        Ok(answer(if request.url == OFFICE_URL && ["2", "5"].contains(&&*number) { 503 } else { 202 }))
    });
    for _ in 0..3 {
        complete(&field.compass, "both");
    }
    field.flush();
    let to = |url: &str| -> Vec<TransportRequest> { field.transport.requests().into_iter().filter(|request| request.url == url).collect() };
    let taken: Vec<_> =
        to(OFFICE_URL).into_iter().filter(|request| !["2", "5"].contains(&&*numbers(std::slice::from_ref(request))[0])).collect();
    assert_eq!(of_one(&taken), Known { complete_up_to: 1, newest: 6, missing: vec![2, 5] });
    assert_eq!(of_one(&to("https://depot.example/hook")), all_of(3));
    receivers.take();
    field.clock.advance(HOUR);
    field.flush();
    assert_eq!(of_one(&to(OFFICE_URL)), all_of(6));
    assert_eq!(known(&field.transport.requests()).len(), 2, "one series, and an install for each endpoint");
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn an_install_is_the_hash_of_the_database_and_the_endpoint_in_test_deliveries_too() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.complete();
    field.flush();
    field.compass.test_delivery(OFFICE).unwrap();
    let install_id: String = sql(&field).query_row("SELECT install_id FROM meta", [], |row| row.get(0)).unwrap();
    let expected = Sha256::of(format!("{install_id}\n{OFFICE}").as_bytes()).base32()[..16].to_owned();
    assert_eq!(came(&field.transport.requests(), "compass-install"), [expected.clone(), expected]);
    assert_eq!(numbers(&field.transport.requests()), ["1", ""], "a test delivery is no message");
}

#[test]
fn all_revisions_of_an_action_have_its_number_and_what_is_superseded_leaves_no_hole() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let (first, second) = (field.complete(), field.complete());
    // The first revision never leaves.
    correct(&field.compass, first, "18.5");
    field.flush();
    correct(&field.compass, second, "19.5");
    field.complete();
    field.flush();
    let requests = field.transport.requests();
    let mut both: Vec<_> = numbers(&requests).into_iter().zip(came(&requests, "compass-revision")).collect();
    both.sort();
    let expected = [("1", "2"), ("2", "1"), ("2", "2"), ("3", "1")].map(|(number, revision)| (number.to_owned(), revision.to_owned()));
    assert_eq!(both, expected);
    assert_eq!(of_one(&requests), all_of(3));
}

#[test]
fn a_number_that_stays_missing_was_abandoned_by_a_person() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.complete();
    let abandoned = field.complete();
    field.complete();
    abandon_first(&field, abandoned);
    field.flush();
    assert_eq!(of_one(&field.transport.requests()), Known { complete_up_to: 1, newest: 3, missing: vec![2] });
    // Sent after all, it is the same message.
    send_first(&field, abandoned);
    field.flush();
    assert_eq!(of_one(&field.transport.requests()), all_of(3));
}

#[test]
fn a_message_that_is_too_large_gets_no_number_and_its_correction_does() {
    let app = App::new();
    let large = app.too_large();
    app.completed();
    app.deliver();
    let before = app.office.requests();
    assert!(known(&before).values().all(|known| known.missing.is_empty()), "{:?}", known(&before));
    let office = |requests: &[TransportRequest]| -> u64 {
        let to_office: Vec<_> = requests.iter().filter(|request| request.url.contains("office")).cloned().collect();
        of_one(&to_office).complete_up_to
    };
    let count = office(&before);
    let shorter =
        pages('s').into_iter().map(|page| FieldChange { change: Change::Set(FieldValue::Text("short".into())), ..page }).collect();
    app.compass.edit(large, None, None, shorter, vec![], &id()).unwrap();
    app.compass.send_corrected(large, "report", Some("Mia"), &id()).unwrap();
    app.deliver();
    let after = app.office.requests();
    assert_eq!(header(after.last().unwrap(), "compass-revision"), "2");
    assert_eq!(office(&after), count + 1);
}

#[test]
fn a_message_that_is_too_large_does_not_leave_once_it_was_abandoned() {
    let app = App::new();
    let large = app.too_large();
    app.deliver();
    let before = app.office.requests().len();
    app.compass.abandon(large, "report", "Mia", "told by telephone", &id()).unwrap();
    let action = app.action(large, "report");
    assert_eq!((action.reason.as_deref(), action.can_send), (Some("abandoned"), false));
    assert_eq!(app.compass.send(large, "report", Some("Mia"), &id()).unwrap_err().code(), "payload_too_large");
    app.deliver();
    assert_eq!(app.office.requests().len(), before);
    let shorter =
        pages('s').into_iter().map(|page| FieldChange { change: Change::Set(FieldValue::Text("short".into())), ..page }).collect();
    app.compass.edit(large, None, None, shorter, vec![], &id()).unwrap();
    assert!(!app.action(large, "report").can_send, "the frozen bytes are as long as before");
    app.compass.send_corrected(large, "report", Some("Mia"), &id()).unwrap();
    app.deliver();
    assert_eq!(app.office.requests().len(), before + 1);
}

#[test]
fn what_did_not_fire_gets_its_number_when_it_is_sent() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.set_integration_enabled(false).unwrap();
    let not_fired = [field.complete(), field.complete(), field.complete()];
    field.compass.set_integration_enabled(true).unwrap();
    field.complete();
    send_first(&field, not_fired[2]);
    field.compass.send_not_fired(&NotFiredFilter::default(), Some("anna")).unwrap();
    field.flush();
    assert_eq!(of_one(&field.transport.requests()), all_of(4));
}

#[test]
fn a_redaction_changes_no_number() {
    for pending in [RedactPending::Correct, RedactPending::Abandon] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        field.complete();
        let redaction = Redaction {
            command_id: id(),
            target: RedactionTarget::Field { key: "reading".into() },
            actor: "anna".into(),
            reason: "not ours to know".into(),
            pending,
            bodies: RedactBodies::Keep,
        };
        field.compass.redact(session, &redaction).unwrap();
        field.flush();
        let missing = if pending == RedactPending::Correct { vec![] } else { vec![1] };
        let complete_up_to = if missing.is_empty() { 2 } else { 0 };
        assert_eq!(of_one(&field.transport.requests()), Known { complete_up_to, newest: 2, missing }, "{pending:?}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    }
}

#[test]
fn two_phones_that_go_on_with_one_backup_number_in_two_series() {
    let (field, _) = real_phone();
    let old = field.complete();
    let waits = field.complete();
    let copy = field.folder.path().join("copy.db");
    field.compass.backup(&copy).unwrap();
    field.flush();
    let before = series(&field.transport.requests()[0]);
    // Lost with the phone.
    field.complete();
    field.compass.close().unwrap();
    let mut all = BTreeSet::from([before.clone()]);
    for phone in ["one", "two"] {
        let path = field.folder.path().join(phone);
        Compass::restore(&copy, &RestoreOptions::new(&path)).unwrap();
        let compass = open_on(&field, &path, None);
        let from = field.transport.requests().len();
        // What the backup brings has the numbers that it had.
        flush(&compass);
        let requests = field.transport.requests().split_off(from);
        assert_eq!(requests.iter().map(series).collect::<BTreeSet<_>>(), BTreeSet::from([before.clone()]));
        assert!(is_sent(&compass, old) && is_sent(&compass, waits));
        let next = one_more(&field, &compass);
        assert_eq!(numbers(std::slice::from_ref(&next)), ["1"]);
        assert!(all.insert(series(&next)), "{phone}: a series of its own");
        // A correction belongs to its action, wherever it is made.
        correct(&compass, old, phone);
        flush(&compass);
        let corrected = field.transport.requests().pop().unwrap();
        assert_eq!((series(&corrected), numbers(&[corrected])), (before.clone(), vec!["1".to_owned()]));
        assert_eq!(compass.check().unwrap().faults, [""; 0]);
        compass.close().unwrap();
    }
    let installs: BTreeSet<String> = came(&field.transport.requests(), "compass-install").into_iter().collect();
    assert_eq!(installs.len(), 1, "both go on with the same database");
    assert!(known(&field.transport.requests()).values().all(|known| known.missing.is_empty()));
}

#[test]
fn a_handle_that_is_open_during_a_restore_goes_on_in_a_new_series() {
    let (field, _) = real_phone();
    field.complete();
    let copy = field.folder.path().join("copy.db");
    field.compass.backup(&copy).unwrap();
    field.flush();
    field.compass.close().unwrap();
    let other = field.other_process();
    let mut all = BTreeSet::new();
    for _ in 0..3 {
        // What the copy has leaves with the number that it had.
        flush(&other);
        let next = one_more(&field, &other);
        assert!(all.insert(series(&next)), "{all:?}");
        let discard = DiscardUndelivered { actor: "anna".into(), reason: "a new phone".into() };
        Compass::restore(&copy, &RestoreOptions::new(field.path()).discard_undelivered(discard)).unwrap();
    }
    other.close().unwrap();
}

#[test]
fn a_restore_that_is_killed_never_gives_two_histories_one_series() {
    for damaged in [false, true] {
        let steps = (0..).take_while(|at| !restore_killed_at(*at, damaged)).count();
        assert!(steps > 3, "{steps} steps, damaged: {damaged}");
    }
}

/// Kills a restore at this step, goes on with what is there, and restores again. True where it came to its end before.
fn restore_killed_at(at: usize, damaged: bool) -> bool {
    let (field, _) = real_phone();
    let copy = field.folder.path().join("copy.db");
    let first = one_more(&field, &field.compass);
    field.compass.backup(&copy).unwrap();
    one_more(&field, &field.compass);
    field.compass.close().unwrap();
    if damaged {
        std::fs::write(field.path(), b"no database any more").unwrap();
    }
    let mut all = BTreeSet::from([series(&first)]);
    let mut options = RestoreOptions::new(field.path());
    options.discard_undelivered = Some(DiscardUndelivered { actor: "anna".into(), reason: "damaged".into() });
    let left = std::sync::atomic::AtomicUsize::new(at);
    options.on_step = Some(Arc::new(move |step| {
        assert!(left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) > 0, "killed at: {step}");
    }));
    let restored = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Compass::restore(&copy, &options).unwrap()));
    // Before the copy is ready, a damaged file stays one.
    if let Ok(compass) = Compass::open(field.options.clone()) {
        let next = one_more(&field, &compass);
        let is_old = compass.sessions(&SessionFilter::default(), None, 10).unwrap().sessions.len() == 3;
        assert_eq!(all.insert(series(&next)), !is_old, "only the file that was there goes on: killed at {at}, damaged: {damaged}");
        compass.close().unwrap();
    }
    options.on_step = None;
    Compass::restore(&copy, &options).unwrap();
    let compass = open_on(&field, field.path(), None);
    assert!(all.insert(series(&one_more(&field, &compass))), "restored again: killed at {at}, damaged: {damaged}");
    compass.close().unwrap();
    restored.is_ok()
}

#[test]
fn a_file_that_is_opened_on_another_device_goes_on_in_a_new_series() {
    let (field, _) = real_phone();
    let first = series(&one_more(&field, &field.compass));
    let path = field.path().to_owned();
    field.compass.close().unwrap();
    let goes_on = |device: Option<&str>| {
        let compass = open_on(&field, &path, device);
        let request = one_more(&field, &compass);
        assert_eq!(compass.check().unwrap().faults, [""; 0]);
        compass.close().unwrap();
        (series(&request), numbers(&[request]).remove(0))
    };
    let number = |number: &str| number.to_owned();
    assert_eq!(goes_on(Some("phone one")), (first.clone(), number("2")), "nobody knew the device before");
    assert_eq!(goes_on(Some("phone one")), (first.clone(), number("3")));
    assert_eq!(goes_on(None), (first.clone(), number("4")));
    assert_eq!(goes_on(Some("")), (first.clone(), number("5")), "no text is no device");
    let (second, one) = goes_on(Some("phone two"));
    assert!(second != first && one == "1");
    assert_eq!(goes_on(Some("phone two")), (second.clone(), number("2")));
    let (third, one) = goes_on(Some("phone one"));
    assert!(third != first && third != second && one == "1", "back on the first one it is another history");
    let stored: Vec<u8> = support::app::open_sql(&path).query_row("SELECT device FROM meta", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, Sha256::of(b"phone one").0);
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(9).any(|window| window == b"phone one"), "only the hash is stored");
}

#[test]
fn a_message_of_an_action_without_a_number_has_no_such_header_until_it_is_corrected() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    // As an earlier schema leaves it.
    damage(&field, "UPDATE action SET series = NULL, sequence = NULL; UPDATE meta SET series = NULL; DELETE FROM last_number");
    field.flush();
    assert!(is_sent(&field.compass, session));
    assert_eq!(numbers(&field.transport.requests()), [""]);
    correct(&field.compass, session, "18.5");
    field.complete();
    field.flush();
    let mut all = numbers(&field.transport.requests());
    all.sort();
    assert_eq!(all, ["", "1", "2"]);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn several_processes_never_give_one_number_twice() {
    const EACH: usize = 25;
    let (field, _) = phone(|_| Ok(answer(202)));
    let handles: Vec<Compass> = (0..4).map(|_| field.other_process()).collect();
    let threads: Vec<_> = handles
        .iter()
        .map(|handle| {
            let handle = handle.clone();
            std::thread::spawn(move || (0..EACH).for_each(|_| _ = complete(&handle, "visit")))
        })
        .collect();
    threads.into_iter().for_each(|thread| joined("a process", thread));
    handles.iter().for_each(|handle| handle.close().unwrap());
    field.flush();
    let requests = field.transport.requests();
    assert_eq!(requests.len(), 4 * EACH);
    assert_eq!(numbers(&requests).into_iter().collect::<BTreeSet<_>>().len(), 4 * EACH, "each is given once");
    assert_eq!(of_one(&requests), all_of(4 * EACH as u64));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

/// What the copy does not know yet of an action whose message receivers get.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unknown {
    /// That its session was completed.
    Completed,
    /// That it was sent: it had not fired.
    Fired,
}

#[test]
fn an_action_keeps_its_number_and_its_revisions_over_a_restore_that_does_not_know_them() {
    for unknown in [Unknown::Completed, Unknown::Fired] {
        for damaged in [false, true] {
            let (mut field, _) = real_phone();
            field.compass.set_integration_enabled(unknown == Unknown::Completed).unwrap();
            let view = field.compass.start(&Start::new("visit", id())).unwrap().view;
            if unknown == Unknown::Fired {
                field.compass.complete(view.key, view.visit).unwrap();
            }
            field.compass.set_integration_enabled(true).unwrap();
            let copy = field.folder.path().join("copy.db");
            field.compass.backup(&copy).unwrap();
            // Another one is first.
            field.complete();
            field.flush();
            let goes_on = |compass: &Compass| {
                if unknown == Unknown::Completed {
                    compass.complete(view.key, view.visit).unwrap();
                } else {
                    compass.send(view.key, "tell-0", Some("anna"), &id()).unwrap();
                }
                flush(compass);
                correct(compass, view.key, &id());
                flush(compass);
            };
            goes_on(&field.compass);
            if damaged {
                field.backlog(100, OFFICE);
            }
            // Twice: the restored file keeps what it was told.
            field.compass.close().unwrap();
            if damaged {
                support::app::lose_page(field.path(), "outbox");
            }
            for _ in 0..2 {
                let discard = DiscardUndelivered { actor: "anna".into(), reason: "the phone fell".into() };
                Compass::restore(&copy, &RestoreOptions::new(field.path()).discard_undelivered(discard)).unwrap();
            }
            field.compass = Compass::open(field.options.clone()).unwrap();
            goes_on(&field.compass);
            let case = format!("{unknown:?}, damaged: {damaged}");
            let of_it = |request: &&TransportRequest| String::from_utf8_lossy(&request.body).contains(&view.key.to_string());
            let requests: Vec<_> = field.transport.requests().iter().filter(of_it).cloned().collect();
            assert_eq!(came(&requests, "compass-revision"), ["1", "2", "3", "4"], "{case}");
            assert_eq!(numbers(&requests), ["2"; 4], "{case}");
            assert_eq!(requests.iter().map(series).collect::<BTreeSet<_>>().len(), 1, "{case}");
            let next = one_more(&field, &field.compass);
            assert_ne!(series(&next), series(&requests[0]), "{case}");
            assert_eq!(numbers(&[next]), ["1"], "{case}");
            assert_eq!(field.compass.check().unwrap().faults, [""; 0], "{case}");
        }
    }
}
