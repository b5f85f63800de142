//! A step as a file has it.

use std::collections::BTreeMap;

use compass_core::model::{Applied, Command, Erased, FieldValue, NetworkPolicy, Prefill, RedactBodies, RedactPending};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub title: String,
    pub steps: Vec<Value>,
}

/// How a call must fail.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Fails {
    pub code: String,
    pub place: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    Import {
        document: String,
    },
    Integration {
        enabled: bool,
    },
    Endpoint {
        key: String,
        url: String,
        secret: Option<String>,
        #[serde(default)]
        headers: Vec<Header>,
        #[serde(default)]
        network: NetworkPolicy,
    },
    EnableEndpoint {
        key: String,
        enabled: bool,
    },
    Secret {
        name: String,
        current: Option<String>,
        previous: Option<String>,
        origin: Option<String>,
        renewed: Option<String>,
    },
    Refused {
        secrets: Vec<String>,
    },
    Start {
        workflow: String,
        command_id: String,
        version: Option<String>,
        actor: Option<String>,
        #[serde(default)]
        prefill: Vec<Prefill>,
        #[serde(default = "yes")]
        applied: Applied,
    },
    Run {
        commands: Vec<Command>,
        actor: Option<String>,
        command_id: Option<String>,
        #[serde(default = "yes")]
        applied: Applied,
    },
    Draft {
        field: String,
        text: String,
    },
    Parse {
        workflow: String,
        field: String,
        text: String,
        #[serde(default)]
        state: String,
        value: Option<String>,
    },
    Connectivity {
        state: String,
        validated: Option<bool>,
        #[serde(default)]
        metered: bool,
        network: Option<u64>,
    },
    Advance {
        ms: u64,
    },
    Answers {
        url: String,
        with: Vec<Answer>,
    },
    Flush {
        #[serde(default)]
        report: BTreeMap<String, Value>,
        requests: Vec<Request>,
    },
    Send(Order),
    SendCorrected(Order),
    Replay(Order),
    ReplaySession {
        command_id: String,
        actor: Option<String>,
        #[serde(default = "yes")]
        applied: Applied,
    },
    ReplaySent {
        endpoint: String,
        replayed: u32,
        actor: Option<String>,
        #[serde(default)]
        body_dropped: u32,
    },
    Abandon {
        action: String,
        command_id: String,
        actor: String,
        reason: String,
        #[serde(default = "yes")]
        applied: Applied,
    },
    AbandonSession {
        command_id: String,
        actor: String,
        reason: String,
        #[serde(default = "yes")]
        applied: Applied,
    },
    Redact {
        field: Option<String>,
        note: Option<u32>,
        command_id: String,
        actor: String,
        reason: String,
        pending: RedactPending,
        bodies: RedactBodies,
        #[serde(default = "yes")]
        applied: Applied,
        #[serde(default)]
        holding: u64,
        #[serde(default)]
        erased: Erased,
    },
    Purge {
        older_than_ms: u64,
        sessions: u64,
    },
    Reopen {},
    Expect {
        paths: BTreeMap<String, Option<String>>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub action: String,
    pub command_id: String,
    pub actor: Option<String>,
    #[serde(default = "yes")]
    pub applied: Applied,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub name: String,
    pub value: Option<String>,
    pub secret: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Answer {
    Status {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    Failure {
        failure: Failure,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    pub kind: String,
    pub phase: String,
    pub request_sent: String,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub url: String,
    pub headers: Vec<String>,
    pub body: String,
}

fn yes() -> Applied {
    Applied::Yes
}

/// A step, and how it must fail if so.
pub fn read(mut step: Value) -> Result<(Step, Option<Fails>), serde_json::Error> {
    let error = step.as_object_mut().and_then(|members| members.remove("error"));
    Ok((serde_json::from_value(step)?, error.map(serde_json::from_value).transpose()?))
}

/// Kept here so that a value is read by the core's own reader alone.
pub fn value_text(value: &FieldValue) -> String {
    use chrono::{SecondsFormat, Timelike};
    match value {
        FieldValue::Text(text) | FieldValue::Choice(text) => text.clone(),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Decimal(decimal) => decimal.to_string(),
        FieldValue::Boolean(yes) => yes.to_string(),
        FieldValue::Date(date) => date.to_string(),
        FieldValue::Time(time) => time.format(if time.nanosecond() == 0 { "%H:%M:%S" } else { "%H:%M:%S%.3f" }).to_string(),
        FieldValue::DateTime(moment) => {
            let digits = if moment.nanosecond() == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
            moment.to_rfc3339_opts(digits, false)
        }
        FieldValue::Choices(keys) => keys.join(","),
        FieldValue::Location(place) => {
            let accuracy = place.accuracy_m.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            format!("{} {} {accuracy} {}", place.latitude, place.longitude, super::paths::instant(place.captured_at))
        }
        FieldValue::File(file) => format!("{} {} {} {}", file.sha256, file.media_type, file.size, file.name),
    }
}
