//! A clock that is set in the middle of a session.

use std::time::Duration;

use chrono::TimeDelta;
use compass_core::CancelToken;

use super::*;

fn ms(at: Timestamp) -> i64 {
    at.timestamp_millis()
}

#[test]
fn a_clock_that_is_set_back_makes_no_act_earlier_than_the_one_before() {
    let mut app = App::new();
    let started = app.start();
    let session = started.key;
    app.tick();
    let before = app.set(session, "site", "Mill Lane").fields[0].completed_at.unwrap();
    app.clock.jump_wall(TimeDelta::hours(-3));
    let wall = app.now();
    assert!(before > started.started_at && wall < started.started_at);

    let view = app.answer(session, "on");
    app.reopen();
    let view = app.compass.set_field(view.key, "depth", FieldValue::Decimal(Decimal("12.50".into()))).unwrap().view;
    assert_eq!(view.fields[0].completed_at, Some(before), "not before the act before it");
    app.compass.note(session, "The clock was wrong", &id()).unwrap();
    app.answer(session, "fine");
    let done = app.finish(session);
    assert_eq!(done.finished_at, Some(before));
    app.compass.edit(session, None, None, vec![set("site", text("Mill Road"))], vec![], &id()).unwrap();

    let record = app.record(session);
    assert!(record.timeline.is_sorted_by_key(|line| line.at), "{:?}", record.timeline);
    assert!(record.path.iter().all(|step| step.at >= started.started_at));
    assert_eq!(record.notes[0].at, before);
    // The log keeps what the clock said, where that is something else.
    let behind = app.count("SELECT count(*) FROM event WHERE wall_at IS NOT NULL");
    assert_eq!(behind, record.timeline.len() as i64 - 2);
    assert_eq!(app.count(&format!("SELECT count(*) FROM event WHERE wall_at = {} AND at = {}", ms(wall), ms(before))), behind);

    let report = app.action(session, "report");
    let body: serde_json::Value = serde_json::from_str(&app.compass.delivery_body(&report.deliveries[0].id).unwrap().unwrap()).unwrap();
    let time = |value: &serde_json::Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!((time(&body["started_at"]), time(&body["completed_at"])), (started.started_at, before));
    assert!(body["fields"].as_array().unwrap().iter().all(|field| time(&field["completed_at"]) == before));
    // Delivery goes by the clock as it is now.
    assert_eq!(report.deliveries[0].frozen_at, wall);
    assert_eq!(report.deliveries[0].next_attempt_at, Some(wall));
    assert_eq!(app.deliver().sent, 3);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_clock_that_was_ahead_and_is_put_right_delays_no_message() {
    let app = App::new();
    let session = app.at_the_end().key;
    app.clock.jump_wall(TimeDelta::days(7_300));
    app.compass.note(session, "In another time", &id()).unwrap();
    app.clock.jump_wall(TimeDelta::days(-7_300));
    app.tick();
    let ahead = app.record(session).timeline.last().unwrap().at;
    assert_eq!(app.finish(session).finished_at, Some(ahead));
    assert_eq!(app.action(session, "report").deliveries[0].frozen_at, app.now());
    assert_eq!(app.deliver().sent, 3);
    let sent = app.action(session, "report").deliveries[0].sent_at.unwrap();
    assert_eq!(sent, app.now());
    app.compass.send(session, "report", None, &id()).unwrap_err();
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_clock_that_is_put_right_later_is_believed_again() {
    let app = App::new();
    let session = app.start().key;
    app.clock.jump_wall(TimeDelta::minutes(-10));
    app.set(session, "site", "Mill Lane");
    app.clock.jump_wall(TimeDelta::minutes(30));
    let view = app.set(session, "site", "Mill Road");
    assert_eq!(view.fields[0].completed_at, Some(app.now()));
    assert_eq!(app.count("SELECT count(*) FROM event WHERE wall_at IS NOT NULL"), 1);
}

#[test]
fn a_clock_that_says_nonsense_locks_no_session() {
    let mut faults = Vec::new();
    for at in [-62_167_219_200_000_i64, -1, 253_402_300_800_000] {
        let mut app = App::new();
        let Some(wall) = Timestamp::from_timestamp_millis(at) else { continue };
        let now = app.now();
        let session = app.at_the_end().key;
        app.clock.set_wall(wall);
        let work = |app: &App| -> Result<(), Error> {
            let fresh = app.compass.start(&Start::new("pump-check", id()))?.view.key;
            app.compass.set_field(fresh, "site", text("Mill Lane"))?;
            app.compass.note(session, "loud", &id())?;
            let visit = app.compass.session(session)?.visit;
            app.compass.complete(session, visit)?;
            app.compass.record(session)?;
            app.compass.record(fresh)?;
            app.compass.flush(Duration::from_secs(60), &CancelToken::new())?;
            Ok(())
        };
        if let Err(error) = work(&app) {
            faults.push(format!("{at}: {error:?}"));
        }
        app.clock.set_wall(now);
        app.reopen();
        let after = |app: &App| -> Result<Vec<String>, Error> {
            let all = app.compass.sessions(&SessionFilter::default(), None, 10)?;
            for one in &all.sessions {
                app.compass.session(one.key)?;
                app.compass.record(one.key)?;
            }
            app.compass.sessions(&SessionFilter { text: Some("mill".into()), ..Default::default() }, None, 10)?;
            app.compass.purge(Duration::ZERO)?;
            Ok(app.compass.check()?.faults)
        };
        match after(&app) {
            Ok(found) if found.is_empty() => {}
            told => faults.push(format!("{at} after: {told:?}")),
        }
        for request in app.office.requests() {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            for time in ["started_at", "completed_at"] {
                let said = body[time].as_str().unwrap();
                if said.len() != 24 {
                    faults.push(format!("{at}: {time} {said}"));
                }
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}
