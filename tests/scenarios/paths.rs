//! What a path of a scenario reads.

use chrono::SecondsFormat;
use compass_core::Compass;
use compass_core::model::*;
use serde::Serialize;

use crate::step::value_text;

type Text = Option<String>;

/// The text at a path, as the README of the scenarios writes values.
///
/// # Panics
/// On a path that there is not.
pub fn read(compass: &Compass, session: Option<SessionKey>, path: &str) -> Text {
    let session = || session.expect("a session was started");
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["session", rest @ ..] => of_session(&compass.session(session()).unwrap(), rest),
        ["record", rest @ ..] => of_record(&compass.record(session()).unwrap(), rest),
        ["preview", action] => Some(compass.preview(session(), action).unwrap().body),
        ["outbox", member] => of_outbox(&compass.outbox_totals().unwrap(), member),
        ["due", member] => of_due(&compass.next_due().unwrap(), member),
        ["endpoints", key, member] => {
            let endpoints = compass.endpoints().unwrap();
            let endpoint = endpoints.iter().find(|endpoint| endpoint.endpoint.key == *key).expect("a registered endpoint");
            of_endpoint(endpoint, member)
        }
        ["workflows"] => list(compass.workflows().unwrap().iter().map(|summary| version(&summary.workflow))),
        _ => unknown(path),
    }
}

fn of_session(view: &SessionView, path: &[&str]) -> Text {
    match path {
        ["key"] => text(view.key),
        ["workflow"] => text(version(&view.workflow)),
        ["state"] => name(view.state),
        ["won"] => view.won.and_then(text),
        ["actor"] => view.actor.clone(),
        ["started_at"] => text(instant(view.started_at)),
        ["finished_at"] => view.finished_at.map(instant),
        ["visit"] => text(view.visit),
        ["can_complete"] => text(view.can_complete),
        ["section"] => text(&view.section.key),
        ["path"] => steps(&view.path),
        ["answers"] => list(view.answers.iter().map(|answer| &answer.key)),
        ["responses"] => list(view.responses.iter().map(|response| &response.key)),
        ["would_fire"] => list(view.would_fire.iter().map(|action| &action.key)),
        ["sizes"] => list(view.would_fire.iter().map(|action| format!("{}:{}", action.key, action.size.unwrap_or_default()))),
        ["problems"] => problems(&view.problems),
        ["completion_problems"] => problems(&view.completion_problems),
        ["completion_places"] => list(view.completion_problems.iter().map(place)),
        ["notes"] => list(view.notes.iter().map(note_text)),
        ["fields"] => list(view.fields.iter().map(|field| &field.definition.key)),
        ["fields", key, member] => {
            let field = view.fields.iter().find(|field| field.definition.key == *key).expect("a field of the section");
            match *member {
                "draft" => field.draft.clone(),
                "problem" => field.problem.as_ref().map(|problem| problem.code.clone()),
                _ => of_field(&field.state, field.source.as_ref(), field.completed_at, member),
            }
        }
        _ => unknown(path),
    }
}

fn of_record(record: &SessionRecord, path: &[&str]) -> Text {
    match path {
        ["state"] => name(record.state),
        ["won"] => record.won.and_then(text),
        ["finished_at"] => record.finished_at.map(instant),
        ["end_reason"] => record.end_reason.clone(),
        ["path"] => steps(&record.path),
        ["notes"] => list(record.notes.iter().map(note_text)),
        ["edit_reasons"] => list(record.timeline.iter().filter_map(|item| match &item.entry {
            TimelineEntry::Edited { reason, .. } => Some(reason.as_deref().unwrap_or_default()),
            _ => None,
        })),
        ["timeline"] => list(record.timeline.iter().map(|item| {
            let entry = serde_json::to_value(&item.entry).unwrap();
            entry["entry"].as_str().unwrap().to_owned()
        })),
        ["fields", key, member] => {
            let field = record.fields.iter().find(|field| field.definition.key == *key).expect("a field of the record");
            match *member {
                "section" => field.section.clone(),
                _ => of_field(&field.state, field.source.as_ref(), field.completed_at, member),
            }
        }
        ["actions"] => list(record.actions.iter().map(|action| &action.key)),
        ["actions", key, member] => of_action(record.actions.iter().find(|action| action.key == *key).expect("an action"), member),
        _ => unknown(path),
    }
}

fn of_field(state: &FieldState, source: Option<&ValueSource>, completed_at: Option<Timestamp>, member: &str) -> Text {
    match member {
        "state" => text(state_name(state)),
        "value" => state_value(state),
        "source" => source.map(|source| match source {
            ValueSource::Technician => "technician".to_owned(),
            ValueSource::Prefill(name) => format!("prefill:{name}"),
        }),
        "completed_at" => completed_at.map(instant),
        _ => unknown(member),
    }
}

fn of_action(action: &Action, member: &str) -> Text {
    let newest = action.deliveries.first();
    match member {
        "status" => name(action.status),
        "reason" => action.reason.clone(),
        "endpoint" => text(&action.endpoint),
        "failed_sends" => text(action.failed_sends),
        "locked" => text(action.locked),
        "can" => {
            let can = [("send", action.can_send), ("send_corrected", action.can_send_corrected), ("abandon", action.can_abandon)];
            list(can.iter().filter(|(_, can)| *can).map(|(what, _)| what))
        }
        "deliveries" => list(action.deliveries.iter().map(|delivery| format!("{}:{}", delivery.revision, name(delivery.state).unwrap()))),
        "can_replay" => text(action.can_replay),
        "replays" => list(action.replays.iter().map(|delivery| format!("{}:{}", delivery.revision, name(delivery.state).unwrap()))),
        "delivery" => newest.map(|delivery| delivery.id.to_string()),
        "attempts" => newest.and_then(|delivery| text(delivery.attempts)),
        "sent_at" => newest.and_then(|delivery| delivery.sent_at).map(instant),
        "next_attempt_at" => newest.and_then(|delivery| delivery.next_attempt_at).map(instant),
        "may_have_been_delivered" => newest.and_then(|delivery| text(delivery.may_have_been_delivered)),
        "holds_redacted" => newest.and_then(|delivery| list(delivery.holds_redacted.iter())),
        "outcomes" => {
            newest.and_then(|delivery| list(delivery.last_attempts.iter().map(|attempt| format!("{}:{}", attempt.number, attempt.outcome))))
        }
        _ => unknown(member),
    }
}

fn of_outbox(totals: &OutboxTotals, member: &str) -> Text {
    match member {
        "pending" => text(totals.pending),
        "failed" => text(totals.failed),
        "needs_person" => text(totals.needs_person),
        _ => unknown(member),
    }
}

fn of_due(due: &NextDue, member: &str) -> Text {
    match member {
        "at" => due.at.map(instant),
        "at_needs_unmetered" => due.at_needs_unmetered.map(instant),
        "when_online" => due.when_online.and_then(name),
        "needs_person" => text(due.needs_person),
        _ => unknown(member),
    }
}

fn of_endpoint(endpoint: &EndpointStatus, member: &str) -> Text {
    match member {
        "enabled" => text(endpoint.enabled),
        "disabled_reason" => endpoint.disabled_reason.clone(),
        "pending" => text(endpoint.pending),
        _ => unknown(member),
    }
}

fn unknown<T>(path: impl std::fmt::Debug) -> T {
    panic!("no such path: {path:?}")
}

fn text(value: impl std::fmt::Display) -> Text {
    Some(value.to_string())
}

/// The name of an enum in snake_case.
pub fn name(value: impl Serialize) -> Text {
    Some(serde_json::to_value(value).unwrap().as_str().expect("an enum without data").to_owned())
}

pub fn instant(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn state_name(state: &FieldState) -> &'static str {
    match state {
        FieldState::NotProvided => "not_provided",
        FieldState::Provided(_) => "provided",
        FieldState::Empty => "empty",
        FieldState::NotApplicable => "not_applicable",
        FieldState::Redacted => "redacted",
    }
}

pub fn state_value(state: &FieldState) -> Text {
    match state {
        FieldState::Provided(value) => Some(value_text(value)),
        _ => None,
    }
}

fn note_text(note: &Note) -> &str {
    note.text.as_deref().unwrap_or("(redacted)")
}

fn version(workflow: &WorkflowRef) -> String {
    format!("{}@{}", workflow.key, workflow.version_label())
}

fn steps(path: &[PathStep]) -> Text {
    list(path.iter().map(|step| format!("{}:{}", step.visit, step.section)))
}

fn problems(problems: &[Problem]) -> Text {
    list(problems.iter().map(|problem| format!("{}:{}", problem.field, problem.code)))
}

/// Where the field of a problem is asked.
fn place(problem: &Problem) -> String {
    let (visit, section) = (problem.visit.expect("a visit"), problem.section.as_deref().expect("a section"));
    format!("{visit}:{section}:{}", problem.field)
}

fn list(items: impl Iterator<Item = impl std::fmt::Display>) -> Text {
    Some(items.map(|item| item.to_string()).collect::<Vec<_>>().join(","))
}
