//! What a quiesced or closed handle leaves open: no file lock, no descriptor.

use super::*;

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn another_process_looks_at_the_locks() {
    let path = std::path::PathBuf::from(setting("LOOK_AT"));
    let holder = setting("HOLDER").parse().unwrap();
    for lock in locks(holder, &path) {
        say(lock);
    }
}

/// Locks of this process on the database, as another process sees them.
fn locks_seen_from_outside(field: &Field) -> Vec<String> {
    let holder = std::process::id().to_string();
    let path = field.path().canonicalize().unwrap();
    let settings = [("LOOK_AT", path.to_str().unwrap()), ("HOLDER", holder.as_str())];
    Process::run("locks::another_process_looks_at_the_locks", &settings).finish()
}

#[test]
fn quiescing_leaves_no_file_lock_and_no_descriptor() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    assert!(!locks_seen_from_outside(&field).is_empty(), "an idle connection holds locks: the check is not blind");
    assert!(!descriptors(field.path()).is_empty());

    // In the middle of an attempt, with a transport that does not let itself be interrupted.
    field.transport.hold("");
    field.transport.ignore_cancel();
    let running = flushing(&field.compass, &CancelToken::new());
    field.transport.wait_for_requests(1);
    field.compass.quiesce().unwrap();
    running.join().unwrap();
    assert_eq!(locks_seen_from_outside(&field), [""; 0]);
    assert_eq!(descriptors(field.path()), [""; 0].map(std::path::PathBuf::from));
    assert!(files(field.path())[1].exists(), "nothing was checkpointed away");

    // Every call that is made meanwhile closes behind itself.
    field.complete();
    field.compass.record(session).unwrap();
    field.compass.outbox_totals().unwrap();
    field.compass.next_due().unwrap();
    field.compass.set_connectivity(ONLINE);
    field.compass.start_delivery().unwrap();
    assert_eq!(field.flush().end, FlushEnd::Quiesced);
    field.compass.refresh().unwrap();
    assert_eq!(locks_seen_from_outside(&field), [""; 0]);
    assert_eq!(descriptors(field.path()), [""; 0].map(std::path::PathBuf::from));

    field.transport.release();
    let held = field.compass.resume().unwrap();
    Watch::on(&field.compass).until("all is sent", all_sent);
    assert!(!locks_seen_from_outside(&field).is_empty());
    drop(held);
    assert_eq!(locks_seen_from_outside(&field), [""; 0]);
}

#[test]
fn closing_waits_for_running_calls_and_leaves_nothing_open() {
    for _ in 0..10 {
        let field = Field::new(ScriptedTransport::always(202));
        let noted = AtomicUsize::new(0);
        let session = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        match field.compass.note(session, "still here", &id()) {
                            Ok(_) => noted.fetch_add(1, Ordering::SeqCst),
                            Err(Error::Closed) => return,
                            Err(other) => panic!("{other}"),
                        };
                    }
                });
            }
            eventually("all are at it", || noted.load(Ordering::SeqCst) > 8);
            field.compass.close().unwrap();
            assert_eq!(descriptors(field.path()), [""; 0].map(std::path::PathBuf::from));
        });
        let again = Compass::open(field.options.clone()).unwrap();
        assert_eq!(again.session(session).unwrap().notes.len(), noted.load(Ordering::SeqCst), "acknowledged is durable");
    }
}
