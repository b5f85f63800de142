//! A disk without room, or one that can only be read. Each test runs in a process of its own, on a small disk of its own, where such a disk can be made.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{Random, SystemRandom, Transport, TransportFailure, TransportRequest, TransportResponse};
use compass_core::testing::{ScriptedTransport, answer};
use compass_core::{CancelToken, Compass, DiscardUndelivered, Error, Options, RestoreOptions};
use support::app::{App, code, id, pump_check, set, text};
use support::field::{WAIT_LIMIT, eventually, in_time};

/// Set in the process of its own: the folder that is the disk.
const DISK: &str = "COMPASS_SMALL_DISK";
/// In the process that made the disk, the app's folder is on it as well.
const TEMPORARY: &str = "TMPDIR";

fn on_a_disk_of(size: &str, test: &str, work: fn(&Path)) {
    if let Ok(folder) = std::env::var(DISK) {
        work(Path::new(&folder));
        println!("as it should be");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o size="$2" none "$1" || exit 77; shift 2; exec "$@""#;
    let mut process = Process::new("unshare");
    process.args(["-rm", "sh", "-c", script, "sh"]).arg(folder.path()).arg(size).arg(std::env::current_exe().unwrap());
    process.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    match process.env(DISK, folder.path()).env(TEMPORARY, folder.path()).output() {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("as it should be") => {}
        Ok(output) if output.status.code() == Some(77) || output.stdout.is_empty() => {
            println!("note: not tested here, no small disk can be made: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output) => panic!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("note: not tested here, unshare does not run: {error}"),
    }
}

/// Somebody else takes what room there is. Gives the file that holds it.
fn fill(folder: &Path) -> PathBuf {
    let filler = folder.join("filler");
    let mut file = OpenOptions::new().create(true).append(true).open(&filler).unwrap();
    let mut size = 1 << 20;
    while size >= 4096 {
        if file.write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
    filler
}

/// The same, with files: no other can be made.
fn fill_with_files(folder: &Path) -> PathBuf {
    let files = folder.join("files");
    std::fs::create_dir(&files).unwrap();
    while File::create(files.join(id())).is_ok() {}
    files
}

fn open(path: &Path) -> Result<Compass, Error> {
    Compass::open(Options::new(path).transport(ScriptedTransport::always(202)))
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    on_a_disk_of("3m", "a_full_disk_refuses_and_loses_nothing", refuses_and_loses_nothing);
}

fn refuses_and_loses_nothing(folder: &Path) {
    let path = folder.join("compass.db");
    let compass = open(&path).unwrap();
    compass.import_workflow(&pump_check(1)).unwrap();
    compass.set_integration_enabled(true).unwrap();
    let start = |compass: &Compass| compass.start(&Start::new("pump-check", id())).map(|outcome| outcome.view.key);
    let session = start(&compass).unwrap();
    compass.set_field(session, "site", text("Mill Lane")).unwrap();
    compass.answer(session, 1, "on").unwrap();
    let long = |page: u32| vec![set(&format!("page{page}"), text(&"x".repeat(20_000)))];
    compass.set_fields(session, [long(1), long(2), long(3), long(4), long(5)].concat()).unwrap();
    compass.answer(session, 2, "fine").unwrap();
    let before = compass.session(session).unwrap();

    let filler = fill(folder);
    let error = compass.complete(session, 3).expect_err("it was completed");
    assert_eq!((error.code(), error.retryable()), ("disk_full", true), "{error}");
    let after = compass.session(session).unwrap();
    assert_eq!((after.state, &after), (SessionState::InProgress, &before));
    assert_eq!(compass.outbox_totals().unwrap(), OutboxTotals::default(), "nothing is queued");
    assert_eq!(compass.record(session).unwrap().actions, []);
    let copy = compass.backup(&folder.join("copy.db")).expect_err("there is room for a copy");
    assert_eq!(copy.code(), "disk_full");
    assert!(!folder.join("copy.db").exists());

    std::fs::remove_file(&filler).unwrap();
    assert_eq!(compass.complete(session, 3).unwrap().view.state, SessionState::Completed);
    assert_eq!(compass.outbox_totals().unwrap().pending, 3);
    assert_eq!(compass.check().unwrap().faults, [""; 0]);
    compass.close().unwrap();
    assert_eq!(open(&path).unwrap().outbox_totals().unwrap().pending, 3);
}

/// The room that is kept for a full disk.
fn reserve(app: &App) -> PathBuf {
    app.folder().join("compass.db-reserve")
}

/// Notes are written until there is no room for one.
fn note_until_full(app: &App, session: SessionKey) {
    let note = "x".repeat(4_000);
    let full = (0..10_000).find_map(|_| app.compass.note(session, &note, &id()).err()).expect("the disk is full");
    assert_eq!(full.code(), "disk_full", "{full}");
}

#[test]
fn on_a_full_disk_space_can_still_be_freed() {
    on_a_disk_of("24m", "on_a_full_disk_space_can_still_be_freed", frees_space);
}

fn frees_space(_: &Path) {
    let mut app = App::new();
    let (first, second) = (app.completed(), app.completed());
    app.deliver();
    let (waits, notes) = (app.completed(), app.start().key);
    assert_eq!(std::fs::metadata(reserve(&app)).unwrap().len(), 1 << 20);
    assert_eq!(std::fs::metadata(reserve(&app)).unwrap().permissions().mode() & 0o777, 0o600, "for its owner alone");

    let filler = fill(app.folder());
    note_until_full(&app, notes);
    assert!(reserve(&app).exists(), "what adds something does not get it");
    let abandoned = app.compass.abandon(waits, "report", "Mia", "told them", &id()).unwrap();
    assert_eq!(abandoned.applied, Applied::Yes);
    assert!(!reserve(&app).exists());
    app.compass.delete(first).unwrap();
    assert_eq!(code(app.compass.record(first)), "deleted_session");
    app.tick();
    assert_eq!(app.compass.purge(Duration::ZERO).unwrap().purged, 1, "the one that waits stays");
    assert_eq!(code(app.compass.record(second)), "deleted_session");
    assert!(!reserve(&app).exists(), "there is no room for it");

    std::fs::remove_file(filler).unwrap();
    app.compass.refresh().unwrap();
    assert!(reserve(&app).exists(), "there is room again");
    assert_eq!(app.faults(), [""; 0]);
    // One that was cut short by the end of the process is rebuilt.
    app.compass.close().unwrap();
    File::create(reserve(&app)).unwrap();
    app.reopen();
    assert_eq!(std::fs::metadata(reserve(&app)).unwrap().len(), 1 << 20);
    app.compass.close().unwrap();
    let discard = DiscardUndelivered { actor: "Mia".to_owned(), reason: "a new phone".to_owned() };
    Compass::erase(app.path(), Some(&discard)).unwrap();
    assert_eq!(std::fs::read_dir(app.folder()).unwrap().count(), 0, "nothing stays");
}

#[test]
fn on_a_full_disk_a_database_that_was_closed_opens() {
    on_a_disk_of("24m", "on_a_full_disk_a_database_that_was_closed_opens", opens_what_was_closed);
}

fn opens_what_was_closed(_: &Path) {
    let mut app = App::new();
    let first = app.completed();
    app.deliver();
    let waits = app.completed();
    app.compass.close().unwrap();
    // Closing has removed the WAL and its shared memory, and opening needs room for them.
    let filler = fill(app.folder());
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(app.record(first).actions.len(), 3);
    assert_eq!(app.deliver().sent, 3, "what waits is sent");
    assert_eq!(app.record(waits).actions[0].status, ActionStatus::Sent);
    app.compass.delete(first).unwrap();
    app.compass.close().unwrap();

    // Without the room that was kept it is refused, and that says why.
    std::fs::remove_file(reserve(&app)).unwrap();
    fill(app.folder());
    assert_eq!(code(Compass::open(app.options())), "disk_full");
    assert_eq!(code(Compass::erase(app.path(), None)), "disk_full");
    std::fs::remove_file(&filler).unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(app.faults(), [""; 0]);
    assert!(reserve(&app).exists(), "there is room again");
    app.compass.close().unwrap();
    fill(app.folder());
    Compass::erase(app.path(), None).unwrap();
    std::fs::remove_file(filler).unwrap();
    assert_eq!(std::fs::read_dir(app.folder()).unwrap().count(), 0, "nothing stays");
}

#[test]
fn on_a_full_disk_what_was_opened_can_still_be_freed() {
    on_a_disk_of("24m", "on_a_full_disk_what_was_opened_can_still_be_freed", frees_what_was_opened);
}

fn frees_what_was_opened(_: &Path) {
    let mut app = App::new();
    let (first, notes) = (app.completed(), app.start().key);
    app.deliver();
    app.compass.close().unwrap();
    let filler = fill(app.folder());
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(std::fs::metadata(reserve(&app)).unwrap().len(), 1 << 19, "half of it is enough to open");
    note_until_full(&app, notes);
    app.compass.delete(first).unwrap();
    assert_eq!(code(app.compass.record(first)), "deleted_session");
    assert!(!reserve(&app).exists());

    // Whatever is left makes the room for opening.
    app.compass.close().unwrap();
    std::fs::remove_file(filler).unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(std::fs::metadata(reserve(&app)).unwrap().len(), 1 << 20, "there is room again");
    for _ in 0..2 {
        app.compass.close().unwrap();
        fill(app.folder());
        app.compass = Compass::open(app.options()).unwrap();
    }
    assert!(!reserve(&app).exists());
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn on_a_disk_without_room_for_a_file_a_database_that_was_closed_opens() {
    on_a_disk_of("24m,nr_inodes=100", "on_a_disk_without_room_for_a_file_a_database_that_was_closed_opens", opens_without_room_for_a_file);
}

fn opens_without_room_for_a_file(_: &Path) {
    let mut app = App::new();
    let session = app.completed();
    app.compass.close().unwrap();
    // The reserve is one file, and SQLite needs two. On a phone there is no room for either.
    let files = fill_with_files(app.folder());
    std::fs::remove_file(std::fs::read_dir(&files).unwrap().next().unwrap().unwrap().path()).unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    assert!(!reserve(&app).exists());
    assert_eq!(app.deliver().sent, 3, "what waits is sent");
    assert_eq!(app.record(session).actions[0].status, ActionStatus::Sent);
    app.compass.close().unwrap();

    // Without the room that was kept it is refused, and that says why.
    while File::create(files.join(id())).is_ok() {}
    assert_eq!(code(Compass::open(app.options())), "disk_full");
    assert_eq!(code(Compass::erase(app.path(), None)), "disk_full");
    std::fs::remove_dir_all(&files).unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(app.faults(), [""; 0]);
    assert!(reserve(&app).exists(), "there is room again");
}

#[test]
fn on_a_full_disk_what_was_not_kept_is_not_shown() {
    on_a_disk_of("24m", "on_a_full_disk_what_was_not_kept_is_not_shown", shows_what_is_kept);
}

fn shows_what_is_kept(_: &Path) {
    let app = App::new();
    let session = app.start().key;
    let half_typed = |round: usize| "x".repeat(4_000 + round);
    app.compass.save_note_draft(session, &half_typed(0)).unwrap();
    let filler = fill(app.folder());
    let (round, full) = (1..10_000)
        .find_map(|round| Some((round, app.compass.save_note_draft(session, &half_typed(round)).err()?)))
        .expect("the disk is full");
    assert_eq!(full.code(), "disk_full", "{full}");
    std::fs::remove_file(filler).unwrap();
    // The next tap.
    let view = app.set(session, "site", "Mill Lane");
    assert_eq!(view.note_draft, Some(half_typed(round - 1)));
    assert_eq!(app.view(session).note_draft, view.note_draft);
}

#[test]
fn on_a_full_disk_what_was_delivered_is_kept_as_sent() {
    on_a_disk_of("24m", "on_a_full_disk_what_was_delivered_is_kept_as_sent", keeps_what_was_delivered);
}

fn keeps_what_was_delivered(disk: &Path) {
    // The disk is full when the answer comes.
    let busy: Arc<Mutex<Option<(Compass, SessionKey)>>> = Arc::default();
    let (told, disk) = (Arc::clone(&busy), disk.to_owned());
    let office = ScriptedTransport::new(move |_| {
        if let Some((compass, notes)) = told.lock().unwrap().take() {
            fill(&disk);
            while compass.note(notes, &"x".repeat(4_000), &id()).is_ok() {}
        }
        Ok(answer(202))
    });
    let app = App::with_office(office);
    let session = app.completed();
    *busy.lock().unwrap() = Some((app.compass.clone(), app.start().key));
    app.deliver();
    assert!(!reserve(&app).exists());
    let sent = app.record(session).actions.iter().filter(|action| action.status == ActionStatus::Sent).count();
    assert_eq!(sent, 3);
}

#[test]
fn on_a_full_disk_what_is_in_flight_goes_on() {
    on_a_disk_of("24m", "on_a_full_disk_what_is_in_flight_goes_on", goes_on);
}

/// Counts what is asked of it.
#[derive(Default)]
struct Counts {
    cancelled: AtomicUsize,
    drawn: AtomicUsize,
}

struct CountingTransport(Arc<ScriptedTransport>, Arc<Counts>);

impl Transport for CountingTransport {
    fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        self.0.send(request)
    }

    fn cancel(&self, id: u64) {
        self.1.cancelled.fetch_add(1, Ordering::AcqRel);
        self.0.cancel(id);
    }

    fn renew(&self) {
        self.0.renew();
    }
}

/// Chance, of which each try to store something draws.
struct CountingRandom(Arc<Counts>);

impl Random for CountingRandom {
    fn bytes(&self) -> [u8; 16] {
        SystemRandom.bytes()
    }

    fn fraction(&self) -> f64 {
        self.0.drawn.fetch_add(1, Ordering::AcqRel);
        SystemRandom.fraction()
    }
}

fn goes_on(disk: &Path) {
    let (app, counts) = (App::new(), Arc::new(Counts::default()));
    let (session, notes) = (app.completed(), app.start().key);
    app.compass.close().unwrap();
    // The disk is full when the first answer comes. The second message stays in flight.
    let busy: Arc<Mutex<Option<Compass>>> = Arc::default();
    let (lands, landed) = mpsc::channel::<()>();
    let (told, folder, landed, kept) = (Arc::clone(&busy), disk.to_owned(), Mutex::new(landed), reserve(&app));
    let office = ScriptedTransport::numbered(move |number, _| {
        if number == 2 {
            landed.lock().unwrap().recv().unwrap();
        } else if let Some(compass) = told.lock().unwrap().take() {
            // What is kept for such a case is gone as well.
            std::fs::remove_file(&kept).unwrap();
            for size in [4_000, 1] {
                fill(&folder);
                while compass.note(notes, &"x".repeat(size), &id()).is_ok() {}
            }
        }
        Ok(answer(202))
    });
    let mut options = app.options().transport(Arc::new(CountingTransport(office.clone(), counts.clone())));
    options.random = Arc::new(CountingRandom(counts.clone()));
    let compass = Compass::open(options).unwrap();
    *busy.lock().unwrap() = Some(compass.clone());
    let flushing = {
        let compass = compass.clone();
        std::thread::spawn(move || compass.flush(2 * WAIT_LIMIT, &CancelToken::new()))
    };
    office.wait_for_requests(3);
    office.wait_until_running(1);
    // A result is stored two seconds after it came or was tried to be stored, as a draw tells. Two were for what came.
    for _ in 0..4 {
        let before = counts.drawn.load(Ordering::Acquire);
        app.clock.advance(Duration::from_secs(3));
        eventually("it was tried to store the results", || counts.drawn.load(Ordering::Acquire) > before);
    }
    assert_eq!(compass.outbox_totals().unwrap().pending, 3, "none could be stored");
    assert!(!flushing.is_finished());
    assert_eq!(counts.cancelled.load(Ordering::Acquire), 0, "what is in flight is not cancelled");
    std::fs::remove_file(disk.join("filler")).unwrap();
    lands.send(()).unwrap();
    let report = in_time("the flush", WAIT_LIMIT, move || flushing.join().unwrap()).unwrap();
    assert_eq!((report.end, report.sent, report.pending), (FlushEnd::Drained, 3, 0));
    let record = compass.record(session).unwrap();
    assert!(record.actions.iter().all(|action| action.status == ActionStatus::Sent && action.deliveries[0].attempts == 1));
    assert_eq!((office.requests().len(), counts.cancelled.load(Ordering::Acquire)), (3, 0));
    assert_eq!(compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn on_a_full_disk_what_was_not_stored_is_not_shown() {
    on_a_disk_of("24m", "on_a_full_disk_what_was_not_stored_is_not_shown", shows_what_is_stored);
}

fn shows_what_is_stored(disk: &Path) {
    let mut app = App::new();
    let session = app.start().key;
    let draft = |app: &App| app.view(session).fields[0].draft.clone();
    // Half-typed text that cannot be stored.
    let filler = fill(disk);
    assert_eq!(code(app.compass.save_draft(session, "site", &"x".repeat(100_000))), "disk_full");
    std::fs::remove_file(&filler).unwrap();
    let view = app.compass.note(session, "a note", &id()).unwrap().view;
    assert_eq!(view.fields[0].draft.as_deref().map(str::len), None, "the call has failed");
    // Half-typed text that cannot be removed is removed with the value.
    app.compass.save_draft(session, "site", "Mill La").unwrap();
    let filler = fill(disk);
    assert_eq!(code(app.compass.save_draft(session, "site", "")), "disk_full");
    std::fs::remove_file(filler).unwrap();
    app.compass.set_field(session, "site", text("Mill Lane")).unwrap();
    assert_eq!(draft(&app), None, "it is gone when the field is set");
    app.reopen();
    assert_eq!(draft(&app), None);
}

#[test]
fn on_a_disk_that_can_only_be_read_nothing_changes() {
    on_a_disk_of("24m", "on_a_disk_that_can_only_be_read_nothing_changes", changes_nothing);
}

fn changes_nothing(disk: &Path) {
    let becomes = |how: &str| {
        let remounted = Process::new("mount").args(["-o", &format!("remount,{how}")]).arg(disk).status().unwrap();
        assert!(remounted.success(), "{how}");
    };
    let mut app = App::new();
    let session = app.completed();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    let notes = app.start().key;
    for round in 0..2 {
        app.compass.note(notes, "Kept", &id()).unwrap();
        // With everything in the one file, and with some of it in the WAL.
        if round == 0 {
            app.compass.close().unwrap()
        } else {
            app.compass.clone().kill()
        }
        becomes("ro");
        let files = || -> Vec<(PathBuf, Vec<u8>)> {
            let mut files: Vec<PathBuf> = std::fs::read_dir(app.folder()).unwrap().map(|file| file.unwrap().path()).collect();
            files.sort();
            files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
        };
        let before = files();
        let discard = DiscardUndelivered { actor: "anna".into(), reason: "a new phone".into() };
        let restore = RestoreOptions::new(app.path()).discard_undelivered(discard.clone());
        for refused in [
            Compass::open(app.options()).map(drop),
            Compass::restore(&copy, &restore),
            Compass::erase(app.path(), Some(&discard)),
            Compass::salvage(app.path(), disk.join("salvaged")).map(drop),
        ] {
            let error = refused.unwrap_err();
            assert_eq!((error.code(), error.retryable()), ("cannot_open", true), "{error}");
        }
        assert!(files() == before, "the files are as they were");
        becomes("rw");
        app.compass = Compass::open(app.options()).unwrap();
        assert_eq!((app.view(notes).notes.len(), app.faults()), (round + 1, Vec::new()));
    }
    assert_eq!(app.deliver().sent, 3);
    assert_eq!(app.record(session).actions[0].status, ActionStatus::Sent);
}
