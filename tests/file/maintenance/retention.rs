//! What goes by itself when it is old.

use super::*;

/// The app is started again with other options.
fn reopen(app: &mut App, change: impl FnOnce(&mut Options)) {
    app.compass.close().unwrap();
    let mut options = app.options();
    change(&mut options);
    app.compass = Compass::open(options).unwrap();
}

#[test]
fn what_is_old_goes_with_a_flush_and_what_is_undelivered_stays() {
    let mut app = App::new();
    reopen(&mut app, |options| (options.retention, options.body_retention) = (Some(30 * DAY), 10 * DAY));
    let sent = app.completed();
    app.deliver();
    let waiting = app.too_large();
    for _ in 0..250 {
        app.compass.discard(app.start().key).unwrap();
    }
    app.days(20);
    let young = app.completed();
    app.deliver();
    assert_eq!(code(app.compass.session(sent)), "fine");
    let body = |session| app.compass.delivery_body(&app.action(session, "report").deliveries[0].id).unwrap();
    assert_eq!((body(sent), body(young).is_some()), (None, true), "a body goes before its session does");
    app.days(11);
    app.deliver();
    let mut left = sessions(&app);
    left.sort();
    let mut expected = [waiting, young];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(code(app.compass.session(sent)), "deleted_session");
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn on_a_phone_that_only_flushes_things_get_old_too() {
    let mut app = App::new();
    reopen(&mut app, |options| options.retention = Some(30 * DAY));
    app.completed();
    app.deliver();
    for day in 1..=30 {
        assert_eq!(sessions(&app).len(), 1, "day {day}");
        app.clock.advance(DAY);
        app.deliver();
    }
    assert_eq!(sessions(&app), []);
}

#[test]
fn a_flush_without_time_leaves_what_is_old_and_opening_takes_a_little_of_it() {
    let mut app = App::new();
    app.completed();
    app.deliver();
    for _ in 0..120 {
        app.compass.discard(app.start().key).unwrap();
    }
    app.days(31);
    app.deliver();
    assert_eq!(sessions(&app).len(), 121, "nothing goes by itself unless it is asked for");
    reopen(&mut app, |options| options.retention = Some(30 * DAY));
    let left = sessions(&app).len();
    assert!((1..121).contains(&left), "{left}");
    app.compass.flush(Duration::from_millis(400), &CancelToken::new()).unwrap();
    let cancelled = CancelToken::new();
    cancelled.cancel();
    app.compass.flush(Duration::from_secs(60), &cancelled).unwrap();
    assert_eq!(sessions(&app).len(), left);
    app.deliver();
    assert_eq!(sessions(&app), []);
}

#[test]
fn what_did_not_fire_is_kept_where_the_integration_was_ever_on() {
    for was_on in [true, false] {
        let app = if was_on { App::new() } else { App::bare() };
        if was_on {
            app.compass.set_integration_enabled(false).unwrap();
        } else {
            app.compass.import_workflow(&crate::support::app::pump_check(1)).unwrap();
        }
        let session = app.completed();
        app.ended();
        app.days(31);
        let report = app.compass.purge(30 * DAY).unwrap();
        assert_eq!((report.purged, report.kept_not_fired), if was_on { (1, 1) } else { (2, 0) });
        if was_on {
            app.compass.set_integration_enabled(true).unwrap();
            app.compass.put_endpoint(&crate::support::app::endpoint("office")).unwrap();
            for action in ["announce", "measured", "report"] {
                app.compass.send(session, action, None, &id()).unwrap();
            }
            app.deliver();
            assert_eq!(app.compass.purge(30 * DAY).unwrap().purged, 1, "once it is sent, it goes");
        }
    }
}

#[test]
fn a_person_purges_by_the_calendar() {
    let app = App::new();
    let sent = app.completed();
    app.deliver();
    app.compass.set_integration_enabled(false).unwrap();
    let not_fired = app.completed();
    let running = app.start().key;
    app.compass.set_integration_enabled(true).unwrap();
    let waiting = app.too_large();
    app.clock.jump_wall(YEAR);
    let today = app.clock.now();
    app.tick();
    let young = app.ended();
    assert_eq!(code(app.compass.purge_all_before(today, " ")), "blank");
    let report = app.compass.purge_all_before(today, "Mia").unwrap();
    assert_eq!(report, PurgeReport { purged: 2, kept_undelivered: 1, ..PurgeReport::default() });
    let mut left = sessions(&app);
    left.sort();
    let mut expected = [running, waiting, young];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(code(app.compass.session(sent)), "deleted_session");
    assert_eq!(code(app.compass.session(not_fired)), "deleted_session");
    assert_eq!(app.count("SELECT count(*) FROM tombstone WHERE actor = 'Mia'"), 2);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn of_the_name_in_a_tombstone_nothing_is_left_once_it_is_forgotten() {
    let app = App::new();
    app.compass.discard(app.start().key).unwrap();
    app.tick();
    assert_eq!(app.compass.purge_all_before(app.now(), "Zwetschgenmann").unwrap().purged, 1);
    let is_there = || {
        let files = std::fs::read_dir(app.folder()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(14).any(|window| window == b"Zwetschgenmann"))
    };
    assert!(is_there());
    app.days(402);
    let report = app.compass.purge(Duration::MAX).unwrap();
    assert_eq!((report.erased, app.count("SELECT count(*) FROM tombstone"), is_there()), (Erased::Now, 0, false));
}

#[test]
fn what_receivers_may_have_of_a_deleted_session_is_forgotten_with_its_tombstone() {
    let app = App::new();
    let session = app.completed();
    app.deliver();
    app.compass.delete(session).unwrap();
    let kept =
        || app.count("SELECT count(*) FROM known_action WHERE revision = 1 AND delivered = 1 AND restored = 1 AND sequence IS NOT NULL");
    assert_eq!(kept(), 3);
    app.days(402);
    app.compass.purge(Duration::MAX).unwrap();
    assert_eq!(kept(), 0);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn of_an_actor_whose_sessions_are_gone_no_total_is_left() {
    let app = App::new();
    let start = |actor: &str| app.compass.start(&Start { actor: Some(actor.into()), ..Start::new("pump-check", id()) }).unwrap().view.key;
    let (one, other) = (start("Mia"), start("Max"));
    app.compass.end(one, "nobody home", &id()).unwrap();
    app.compass.end(other, "nobody home", &id()).unwrap();
    let totals = app.compass.totals().unwrap();
    assert_eq!((totals.sessions.ended, totals.by_actor.len()), (2, 2));
    app.compass.delete(one).unwrap();
    let totals = app.compass.totals().unwrap();
    assert_eq!((totals.sessions.ended, totals.by_actor[0].key.as_str()), (1, "Max"));
    app.compass.delete(other).unwrap();
    assert_eq!(app.compass.totals().unwrap(), Totals::default());
    assert_eq!(app.count("SELECT count(*) FROM session_totals"), 0);
}
