//! A process of an older build, which does what it is told line by line and says what came of it. It is built as an example of that build, from
//! the history of the repository: see `older.rs`, one folder up.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{StaticSecrets, Transport, TransportFailure, TransportRequest, TransportResponse};
use compass_core::transport::{BuiltIn, BuiltInOptions};
use compass_core::{CancelToken, Compass, Error, Options};
use serde_json::json;

#[path = "../clock.rs"]
mod clock;

const WORKFLOW: &str = "visit-0";

/// Sends to the receiver's port.
struct ToPort(BuiltIn);

impl Transport for ToPort {
    fn send(&self, mut request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        request.url = request.url.replace("localhost:1", &format!("localhost:{}", setting("PORT")));
        self.0.send(request)
    }

    fn cancel(&self, id: u64) {
        self.0.cancel(id);
    }
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is set"))
}

fn say(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "@{line}");
    let _ = out.flush();
}

fn open() -> Result<Compass, Error> {
    let secrets = Arc::new(StaticSecrets::new());
    secrets.set(&setting("SECRET_NAME"), &setting("SECRET"));
    let authority = std::fs::read(setting("AUTHORITY")).unwrap();
    let transport = ToPort(BuiltIn::new(BuiltInOptions { extra_roots: vec![authority], ..BuiltInOptions::default() }).unwrap());
    let origin = Timestamp::from_timestamp_millis(setting("ORIGIN").parse().unwrap()).unwrap();
    let clock = Arc::new(clock::FastClock::new(origin));
    Compass::open(Options::new(setting("DATABASE")).transport(Arc::new(transport)).clock(clock).secrets(secrets))
}

/// What a session is, in the words of the present build's `Facts`.
fn facts(compass: &Compass, session: SessionKey) -> Result<serde_json::Value, Error> {
    let record = compass.record(session)?;
    let reading = record.fields.iter().find(|field| field.definition.key == "reading").and_then(|field| match &field.state {
        FieldState::Provided(FieldValue::Text(text)) => Some(text.clone()),
        _ => None,
    });
    let actions = record.actions.iter().map(|action| {
        let messages: Vec<_> = action.deliveries.iter().map(|delivery| delivery.id.0.clone()).collect();
        json!({ "key": action.key, "messages": messages, "replays": 0 })
    });
    let notes: Vec<_> = record.notes.iter().map(|note| note.text.clone()).collect();
    Ok(
        json!({ "state": record.state, "acts": record.timeline.len(), "reading": reading, "notes": notes, "actions": actions.collect::<Vec<_>>() }),
    )
}

/// Says that a call returned, with what the session is; or what the error was.
fn tell(compass: &Compass, call: &str, session: Option<SessionKey>, result: Result<(), Error>) -> bool {
    match result {
        Err(error) => say(format!("refused {call} {}", error.code())),
        Ok(()) => match session.map(|session| facts(compass, session)) {
            Some(Ok(facts)) => say(format!("did {}", json!({ "session": session, "facts": facts }))),
            Some(Err(error)) => say(format!("unseen {}", json!({ "session": session, "call": call, "code": error.code() }))),
            None => say(format!("made {call}")),
        },
    }
    true
}

fn a_session(compass: &Compass, id: &str) {
    let started = match compass.start(&Start::new(WORKFLOW, id)) {
        Ok(outcome) => outcome.view,
        Err(error) => return say(format!("refused start {}", error.code())),
    };
    let session = started.key;
    tell(compass, "start", Some(session), Ok(()));
    let result = compass.set_field(session, "reading", FieldValue::Text(id.to_owned())).map(drop);
    tell(compass, "set", Some(session), result);
    let result = compass.note(session, "A dog", &format!("{id} note")).map(drop);
    tell(compass, "note", Some(session), result);
    let result = compass.complete(session, started.visit).map(drop);
    tell(compass, "complete", Some(session), result);
}

fn main() {
    let mut compass: Option<Compass> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        match (words[0], &compass) {
            ("open", _) => match open() {
                Ok(opened) => {
                    // It may open at its first use.
                    let looked = opened.totals().map(drop);
                    compass = Some(opened);
                    match looked {
                        Ok(()) => say("made open"),
                        Err(error) => say(format!("refused open {}", error.code())),
                    }
                }
                Err(error) => say(format!("refused open {}", error.code())),
            },
            ("install", Some(compass)) => {
                compass.set_integration_enabled(true).unwrap();
                for key in ["office", "depot"] {
                    let signing = Signing::StandardWebhooks { secret: setting("SECRET_NAME") };
                    let url = "https://localhost:1/hook".to_owned();
                    let endpoint = Endpoint { key: key.into(), url, signing, headers: Vec::new(), network: NetworkPolicy::Any };
                    compass.put_endpoint(&endpoint).unwrap();
                }
                compass.import_workflow(&std::fs::read(setting("DOCUMENT")).unwrap()).unwrap();
                say("made install");
            }
            ("session", Some(compass)) => a_session(compass, words[1]),
            ("begin", Some(compass)) => match compass.start(&Start::new(WORKFLOW, words[1])) {
                Ok(outcome) => drop(tell(compass, "start", Some(outcome.view.key), Ok(()))),
                Err(error) => say(format!("refused start {}", error.code())),
            },
            ("set", Some(compass)) => {
                let session: SessionKey = serde_json::from_value(words[1].into()).unwrap();
                let result = compass.set_field(session, "reading", FieldValue::Text(words[2].to_owned())).map(drop);
                tell(compass, "set", Some(session), result);
            }
            ("complete", Some(compass)) => {
                let session: SessionKey = serde_json::from_value(words[1].into()).unwrap();
                let result = compass.session(session).and_then(|view| compass.complete(session, view.visit).map(drop));
                tell(compass, "complete", Some(session), result);
            }
            ("flush", Some(compass)) => {
                let result = compass.flush(Duration::from_secs(20), &CancelToken::new()).map(drop);
                tell(compass, "flush", None, result);
            }
            ("deliver", Some(compass)) => {
                let result = compass.start_delivery();
                tell(compass, "deliver", None, result);
            }
            ("purge", Some(compass)) => {
                let result = compass.purge(Duration::ZERO).map(drop);
                tell(compass, "purge", None, result);
            }
            ("close", Some(open)) => {
                let result = open.close();
                tell(open, "close", None, result);
                compass = None;
            }
            _ => say(format!("refused {} closed", words[0])),
        }
        say("next");
    }
}
