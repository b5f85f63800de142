//! Who is told of a change: after it is durable, with nothing locked, and of nothing else.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::app::{App, code, endpoint, id, pages, pump_check, set, text};
use compass_core::document::add_action;
use compass_core::model::*;
use compass_core::{CancelToken, Compass, Error, Subscription};

/// Everything that was told, in order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Notice>>>);

impl Told {
    fn by(compass: &Compass) -> (Self, Subscription) {
        let told = Self::default();
        let heard = told.clone();
        let subscription = compass.observe(Arc::new(move |notice| heard.0.lock().expect("no panic").push(notice.clone())));
        (told, subscription)
    }

    fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }

    /// The one notice since the last time.
    #[track_caller]
    fn one(&self) -> Notice {
        let mut notices = self.take();
        assert_eq!(notices.len(), 1, "{notices:?}");
        notices.remove(0)
    }
}

#[test]
fn each_change_is_told_once_with_what_it_concerns() {
    let app = App::bare();
    let (told, _subscription) = Told::by(&app.compass);
    let plain = |notice: &Notice| (notice.sessions.clone(), notice.outbox, notice.endpoints, notice.workflows, notice.everything);
    app.compass.import_workflow(&pump_check(1)).unwrap();
    let first = told.one();
    assert_eq!(plain(&first), (vec![], false, false, true, false));
    app.compass.set_integration_enabled(true).unwrap();
    assert_eq!(plain(&told.one()), (vec![], true, true, false, false));
    app.compass.put_endpoint(&endpoint("office")).unwrap();
    assert_eq!(plain(&told.one()), (vec![], true, true, false, false));

    let session = app.start().key;
    let of_session = (vec![session], false, false, false, false);
    assert_eq!(plain(&told.one()), of_session);
    app.set(session, "site", "Mill Lane");
    assert_eq!(plain(&told.one()), of_session);
    app.answer(session, "on");
    assert_eq!(plain(&told.one()), of_session);
    app.compass.note(session, "loud", &id()).unwrap();
    assert_eq!(plain(&told.one()), of_session);
    app.answer(session, "fine");
    told.take();
    app.finish(session);
    assert_eq!(plain(&told.one()), (vec![session], true, false, false, false));
    app.compass.edit(session, None, None, vec![set("site", text("Quay Road"))], vec![], &id()).unwrap();
    assert_eq!(plain(&told.one()), of_session);
    app.compass.abandon(session, "report", "Mia", "told them", &id()).unwrap();
    assert_eq!(plain(&told.one()), (vec![session], true, false, false, false));
    app.compass.set_endpoint_enabled("office", false).unwrap();
    assert!(told.one().endpoints);
    app.compass.archive_endpoint("office").unwrap();
    assert!(told.one().endpoints);
    let version = WorkflowVersion { version: 1, local_revision: 0 };
    app.compass.retire_workflow("pump-check", version, true).unwrap();
    assert!(told.one().workflows);
}

#[test]
fn revisions_grow_by_one_and_outlive_the_app() {
    let mut app = App::new();
    let (told, subscription) = Told::by(&app.compass);
    app.completed();
    let revisions: Vec<u64> = told.take().iter().map(|notice| notice.revision).collect();
    assert!(revisions.windows(2).all(|pair| pair[1] == pair[0] + 1), "{revisions:?}");
    drop(subscription);
    app.reopen();
    let (told, _subscription) = Told::by(&app.compass);
    app.start();
    assert_eq!(told.one().revision, revisions.last().unwrap() + 1);
    assert!(!app.compass.refresh().unwrap(), "opening is no change");
}

#[test]
fn what_changes_nothing_is_told_to_nobody() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    app.answer(session, "on");
    app.compass.note(session, "loud", "the-note").unwrap();
    let (told, _subscription) = Told::by(&app.compass);
    let revision = app.count("SELECT revision FROM meta");

    assert_eq!(app.compass.answer(session, 1, "on").unwrap().applied, Applied::Stale);
    assert_eq!(app.compass.note(session, "loud", "the-note").unwrap().applied, Applied::Repeated);
    assert_eq!(code(app.compass.answer(session, 2, "nowhere")), "unknown_answer");
    assert_eq!(code(app.compass.set_field(session, "depth", text("deep"))), "field_problems");
    app.set(session, "site", "Mill Lane");
    app.compass.run(session, None, &[], None).unwrap();
    app.compass.save_draft(session, "depth", "12,").unwrap();
    assert!(!app.compass.import_workflow(&pump_check(1)).unwrap().imported);
    app.compass.set_integration_enabled(true).unwrap();
    app.compass.put_endpoint(&endpoint("office")).unwrap();
    app.compass.set_endpoint_enabled("office", true).unwrap();
    app.compass.retire_workflow("pump-check", WorkflowVersion { version: 1, local_revision: 0 }, false).unwrap();
    assert_eq!(app.compass.send_failed_again(None).unwrap(), 0);
    assert_eq!(app.compass.purge(Duration::from_secs(1)).unwrap(), PurgeReport::default());
    app.compass.check().unwrap();
    app.compass.backup(&app.folder().join("copy.db")).unwrap();
    app.compass.lint_workflow(&pump_check(1)).unwrap();
    assert_eq!(told.take(), []);
    assert_eq!(app.count("SELECT revision FROM meta"), revision);
    assert!(!app.compass.refresh().unwrap());
}

#[test]
fn an_observer_sees_the_change_and_may_call_the_core() {
    let app = App::new();
    let (compass, seen) = (app.compass.clone(), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&seen);
    let noted = AtomicU32::new(0);
    let _subscription = app.compass.observe(Arc::new(move |notice: &Notice| {
        for session in &notice.sessions {
            let view = compass.session(*session).expect("what was told of is there");
            let record = compass.record(*session).expect("and its record");
            heard.lock().unwrap().push((
                view.visit,
                record.timeline.len(),
                compass.sessions(&SessionFilter::default(), None, 5).unwrap().sessions.len(),
            ));
            // A command from inside tells everybody again; this one is made once.
            if view.notes.is_empty() && noted.fetch_add(1, Ordering::Relaxed) == 0 {
                compass.note(*session, "seen", &id()).expect("a command from inside");
            }
        }
    }));
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    assert_eq!(*seen.lock().unwrap(), [(1, 1, 1), (1, 2, 1), (1, 3, 1)]);
    assert_eq!(app.view(session).notes.len(), 1);
}

#[test]
fn a_call_that_has_changed_something_gives_its_result_although_the_handle_is_closed_meanwhile() {
    // Each gives what it shows of its session, and whether that is the change.
    type Call = fn(&App, SessionKey) -> Result<bool, Error>;
    let calls: [(&str, Call); 4] = [
        ("edit", |app, session| {
            let outcome = app.compass.edit(session, None, None, vec![set("site", text("Quay Road"))], vec![], &id())?;
            let site = outcome.record.fields.into_iter().find(|field| field.definition.key == "site").expect("the field");
            Ok(site.state == FieldState::Provided(text("Quay Road")))
        }),
        ("abandon", |app, session| {
            let outcome = app.compass.abandon(session, "report", "anna", "on paper", &id())?;
            Ok(outcome.record.actions.iter().any(|action| action.reason.as_deref() == Some("abandoned")))
        }),
        ("start", |app, _| app.compass.start(&Start::new("pump-check", id())).map(|outcome| outcome.view.visit == 1)),
        ("note", |app, _| {
            let open = app.compass.sessions(&SessionFilter::default(), None, 1)?.sessions[0].key;
            app.compass.note(open, "still here", &id()).map(|outcome| outcome.view.notes.len() == 1)
        }),
    ];
    for (what, call) in calls {
        let mut app = App::new();
        let session = app.completed();
        app.tick();
        if what == "note" {
            app.start();
        }
        let (compass, closing) = (app.compass.clone(), Mutex::new(None));
        let _subscription = app.compass.observe(Arc::new(move |_| {
            let other = compass.clone();
            *closing.lock().unwrap() = Some(std::thread::spawn(move || other.close()));
            // From here on every other call is refused.
            while !matches!(compass.integration_enabled(), Err(Error::Closed)) {
                std::thread::yield_now();
            }
        }));
        let result = call(&app, session);
        assert!(matches!(result, Ok(true)), "{what}: {result:?}");
        app.reopen();
    }
}

#[test]
fn an_observer_may_leave_from_inside_and_others_may_come() {
    let app = App::new();
    let calls = Arc::new(AtomicU32::new(0));
    let own: Arc<Mutex<Option<Subscription>>> = Arc::default();
    let (heard, mine) = (Arc::clone(&calls), Arc::clone(&own));
    *own.lock().unwrap() = Some(app.compass.observe(Arc::new(move |_| {
        heard.fetch_add(1, Ordering::Relaxed);
        drop(mine.lock().unwrap().take());
    })));
    let (told, other) = Told::by(&app.compass);
    app.start();
    app.start();
    assert_eq!((calls.load(Ordering::Relaxed), told.take().len()), (1, 2));
    drop(other);
    app.start();
    assert_eq!(told.take(), []);
}

#[test]
fn an_observer_may_own_another_subscription() {
    let app = App::new();
    let (told, inner) = Told::by(&app.compass);
    let outer = app.compass.observe(Arc::new(move |_| {
        let _ = &inner;
    }));
    app.start();
    assert_eq!(told.take().len(), 1);
    drop(outer);
    app.start();
    assert_eq!(told.take(), [], "both have left");
}

#[test]
fn an_observer_that_panics_harms_nobody() {
    let app = App::new();
    let _bad = app.compass.observe(Arc::new(|_| panic!("an observer of the test panics on purpose")));
    let (told, _subscription) = Told::by(&app.compass);
    let session = app.completed();
    assert_eq!(app.view(session).state, SessionState::Completed);
    assert_eq!(told.take().len(), 5);
    app.compass.close().unwrap();
}

#[test]
fn what_would_wait_for_itself_is_refused_inside_an_observer() {
    let app = App::new();
    let (compass, seen) = (app.compass.clone(), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&seen);
    let _subscription = app.compass.observe(Arc::new(move |_| {
        let minute = Duration::from_secs(60);
        let refused = [
            code(compass.close()),
            code(compass.quiesce()),
            code(compass.flush(minute, &CancelToken::new())),
            code(compass.stop_delivery()),
            code(compass.test_delivery("office")),
        ];
        heard.lock().unwrap().extend(refused);
        assert!(matches!(compass.close(), Err(Error::Reentrant)));
    }));
    let session = app.start().key;
    assert_eq!(*seen.lock().unwrap(), ["reentrant"; 5]);
    app.set(session, "site", "Mill Lane");
    drop(_subscription);
    app.compass.quiesce().unwrap();
    app.compass.close().unwrap();
}

#[test]
fn a_change_of_another_process_is_seen_by_looking_for_it() {
    let app = App::new();
    let (told, _subscription) = Told::by(&app.compass);
    assert!(!app.compass.refresh().unwrap());
    let session = app.start().key;
    told.take();
    let other = app.sql();
    other.execute("UPDATE meta SET revision = revision + 1", []).unwrap();
    assert_eq!(told.take(), [], "nobody is told before");
    assert!(app.compass.refresh().unwrap());
    let notice = told.one();
    assert!(notice.everything && notice.outbox && notice.endpoints && notice.workflows);
    assert!(!app.compass.refresh().unwrap(), "once");

    // Mixed with changes of this handle, before and after.
    app.set(session, "site", "Mill Lane");
    other.execute("UPDATE meta SET revision = revision + 1", []).unwrap();
    app.answer(session, "on");
    told.take();
    assert!(app.compass.refresh().unwrap());
    assert!(!app.compass.refresh().unwrap());
    app.answer(session, "fine");
    assert!(!app.compass.refresh().unwrap(), "what this handle changes is no news to it");
}

#[test]
fn looking_for_changes_while_threads_work_never_hides_one() {
    let app = App::new();
    let other = app.sql();
    for _ in 0..20 {
        std::thread::scope(|scope| {
            let work = scope.spawn(|| drop(app.start()));
            let looking = scope.spawn(|| app.compass.refresh().unwrap());
            work.join().unwrap();
            looking.join().unwrap();
        });
        // No matter whose changes the looks above took these for, a change of another process after them is seen.
        app.compass.refresh().unwrap();
        other.execute("UPDATE meta SET revision = revision + 1", []).unwrap();
        assert!(app.compass.refresh().unwrap());
        assert!(!app.compass.refresh().unwrap());
    }
}

#[test]
fn delivery_tells_of_what_it_changes() {
    let app = App::new();
    let session = app.completed();
    let (told, _subscription) = Told::by(&app.compass);
    app.deliver();
    let notices = told.take();
    assert!(notices.iter().any(|notice| notice.outbox && notice.sessions.contains(&session)), "{notices:?}");
    let revisions: Vec<u64> = notices.iter().map(|notice| notice.revision).collect();
    assert!(revisions.windows(2).all(|pair| pair[0] < pair[1]), "{revisions:?}");
    assert!(!app.compass.refresh().unwrap(), "what this handle delivers is no news to it");
}

#[test]
fn upkeep_tells_of_what_it_removed() {
    let app = App::new();
    let session = app.completed();
    app.deliver();
    let large = app.too_large();
    let (told, _subscription) = Told::by(&app.compass);
    assert_eq!(code(app.compass.delete(large)), "undelivered");
    assert_eq!(told.take(), []);
    app.compass.delete(session).unwrap();
    assert_eq!(told.one().sessions, [session]);
    app.compass.edit(large, None, None, pages('x'), vec![], &id()).unwrap();
    app.compass.send_corrected(large, "report", None, &id()).unwrap();
    told.take();
    app.compass.discard(app.start().key).unwrap();
    told.take();
    app.clock.advance(Duration::from_secs(3_600));
    app.compass.purge(Duration::from_secs(1)).unwrap();
    assert!(told.one().everything);

    let document = app.compass.workflow_document("pump-check", None).unwrap();
    let action = ActionDefinition::send_message("tell-safety", "Tell safety", "safety");
    app.compass.import_workflow(&add_action(&document, "gate", &action).unwrap().document).unwrap();
    assert!(told.one().workflows);
}

#[test]
fn threads_are_told_of_every_change_each_with_a_revision_of_its_own() {
    let app = App::new();
    let (told, _subscription) = Told::by(&app.compass);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    app.start();
                }
            });
        }
    });
    let mut revisions: Vec<u64> = told.take().iter().map(|notice| notice.revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions.len(), 40);
    assert!(revisions.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert!(!app.compass.refresh().unwrap());
}
