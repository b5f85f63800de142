//! The output. Colours only on a terminal.

use std::fmt::Display;
use std::io::IsTerminal;

use chrono::FixedOffset;
use compass_core::model::{ActionStatus, FieldState, FieldValue, SessionRecord, SessionView, TimelineEntry, Timestamp};

fn paint(code: &str, text: impl Display) -> String {
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
}

pub fn bold(text: impl Display) -> String {
    paint("1", text)
}

pub fn dim(text: impl Display) -> String {
    paint("2", text)
}

pub fn good(text: impl Display) -> String {
    paint("32", text)
}

pub fn bad(text: impl Display) -> String {
    paint("31", text)
}

pub fn heading(text: &str) {
    println!("\n{}\n", bold(format!("== {text} ==")));
}

pub fn line(text: impl Display) {
    println!("  {text}");
}

pub fn status(status: ActionStatus) -> String {
    match status {
        ActionStatus::NotFired => dim("not fired"),
        ActionStatus::Pending => paint("33", "pending"),
        ActionStatus::Sent => good("sent"),
        ActionStatus::Failed => bad("failed"),
    }
}

/// One line for the section that the session is in.
pub fn section(view: &SessionView) {
    let held = view.fields.iter().filter(|field| field.state != FieldState::NotProvided).count();
    let fields = if view.fields.is_empty() { String::new() } else { format!("{held} of {} fields", view.fields.len()) };
    println!("    {:>2}  {:<28} {}", view.visit, view.section.name, dim(fields));
}

pub fn value(state: &FieldState) -> String {
    let value = match state {
        FieldState::NotProvided => return dim("not provided"),
        FieldState::Empty => return dim("empty"),
        FieldState::NotApplicable => return dim("not applicable"),
        FieldState::Redacted => return dim("redacted"),
        FieldState::Provided(value) => value,
    };
    match value {
        FieldValue::Text(text) | FieldValue::Choice(text) => text.replace('\n', " ⏎ "),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Decimal(number) => number.to_string(),
        FieldValue::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        FieldValue::Date(date) => date.to_string(),
        FieldValue::Time(time) => time.to_string(),
        FieldValue::DateTime(at) => at.to_rfc3339(),
        FieldValue::Choices(keys) => keys.join(", "),
        FieldValue::Location(place) => format!("{}, {}", place.latitude, place.longitude),
        FieldValue::File(file) => format!("{} ({} bytes)", file.name, file.size),
    }
}

fn clock(at: Timestamp, utc_offset: i32) -> String {
    let offset = FixedOffset::east_opt(utc_offset).unwrap_or(FixedOffset::east_opt(0).expect("no offset"));
    at.with_timezone(&offset).format("%H:%M:%S").to_string()
}

/// The record of a session, as a technician would review it.
pub fn record(record: &SessionRecord) {
    println!("  {} {} · {}", bold(&record.workflow.name), record.workflow.version_label(), dim(record.key));
    for item in &record.timeline {
        let text = match &item.entry {
            TimelineEntry::Started { section_name, .. } => format!("started in “{section_name}”"),
            TimelineEntry::FieldsSet { fields } => {
                let fields: Vec<String> = fields.iter().map(|field| format!("{}: {}", field.field_name, value(&field.state))).collect();
                fields.join(" · ")
            }
            TimelineEntry::Answered { answer_name, next_section_name, superseded, .. } => {
                let line = format!("“{answer_name}” → {next_section_name}");
                if *superseded { dim(format!("{line} (superseded)")) } else { line }
            }
            TimelineEntry::WentBack { section_name, .. } => format!("went back to “{section_name}”"),
            TimelineEntry::ResponseUsed { response_name, .. } => format!("used the response to “{response_name}”"),
            TimelineEntry::Noted { text } => format!("note: {}", text.as_deref().unwrap_or("(redacted)")),
            TimelineEntry::Completed { section_name, won } => {
                format!("{} in “{section_name}”{}", bold("completed"), if *won { ", won" } else { "" })
            }
            TimelineEntry::Ended { reason, .. } => format!("{}: {reason}", bold("ended")),
            TimelineEntry::Discarded => "discarded".to_owned(),
            TimelineEntry::Edited { fields, notes, .. } => format!("edited {} field(s), {} note(s)", fields.len(), notes.len()),
            TimelineEntry::SendRequested { action_name, .. } => format!("asked to send “{action_name}”"),
            TimelineEntry::Abandoned { action_name, reason, .. } => format!("abandoned “{action_name}”: {reason}"),
            TimelineEntry::Redacted { field_name, reason, .. } => {
                format!("redacted {}: {reason}", field_name.as_deref().map_or("a note".to_owned(), |name| format!("“{name}”")))
            }
        };
        println!("    {}  {text}", dim(clock(item.at, item.utc_offset)));
    }
    for action in &record.actions {
        let reason = action.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        println!("    {:<9} {} → {}{reason}", status(action.status), action.name, action.endpoint);
        for delivery in &action.deliveries {
            println!("              {} · {} bytes · {} attempt(s)", dim(&delivery.id), delivery.body_size, delivery.attempts);
            for attempt in delivery.last_attempts.iter().rev() {
                let status = attempt.status.map_or("no answer".to_owned(), |status| status.to_string());
                println!("              attempt {}: {status}, {} after {} ms", attempt.number, attempt.outcome, attempt.duration_ms);
            }
        }
    }
}
