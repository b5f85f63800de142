//! A technician who works through any workflow: takes the shortest way to an end and fills in each field with a possible value.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Local, NaiveTime, Utc};
use compass_core::Compass;
use compass_core::Sha256;
use compass_core::model::{
    Change, Command, Decimal, FieldChange, FieldDefinition, FieldKind, FieldState, FieldValue, FileManifest, Location, Section, SessionKey,
    SessionView, Workflow,
};
use compass_core::validate;

use crate::{Outcome, screen};

/// The answers on the way from a section to the nearest end that fits, as (section, answer).
pub fn way_to(workflow: &Workflow, from: &str, fits: impl Fn(&Section) -> bool) -> Option<Vec<(String, String)>> {
    let mut came_from: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut queue = VecDeque::from([from.to_owned()]);
    while let Some(key) = queue.pop_front() {
        let section = workflow.section(&key)?;
        if section.is_end() && fits(section) {
            let (mut way, mut at) = (Vec::new(), key);
            while let Some((before, answer)) = came_from.get(&at) {
                way.push((before.clone(), answer.clone()));
                at = before.clone();
            }
            way.reverse();
            return Some(way);
        }
        for answer in &section.answers {
            if let Some(next) = answer.next.as_ref().filter(|next| *next != from && !came_from.contains_key(*next)) {
                came_from.insert(next.clone(), (key.clone(), answer.key.clone()));
                queue.push_back(next.clone());
            }
        }
    }
    None
}

/// Fills the current section in and leaves it by this answer: one call, one fsync, as one tap on "next" would.
pub fn leave_by(compass: &Compass, view: &SessionView, answer: &str) -> Outcome<SessionView> {
    screen::section(view);
    let mut commands = Vec::new();
    let changes = fill_in(view)?;
    if !changes.is_empty() {
        commands.push(Command::SetFields { changes });
    }
    commands.push(Command::Answer { visit: view.visit, answer: answer.to_owned() });
    Ok(compass.run(view.key, None, &commands, None)?.view)
}

/// Fills the end section in and completes.
pub fn complete(compass: &Compass, view: &SessionView) -> Outcome<SessionView> {
    screen::section(view);
    let would_fire = view.would_fire.len();
    let mut commands = Vec::new();
    let changes = fill_in(view)?;
    if !changes.is_empty() {
        commands.push(Command::SetFields { changes });
    }
    commands.push(Command::Complete { visit: view.visit });
    let view = compass.run(view.key, None, &commands, None)?.view;
    let won = if view.won == Some(true) { "won" } else { "not won" };
    screen::line(format!("    {} {won}; {would_fire} message(s) queued in the same transaction", screen::good("completed,")));
    Ok(view)
}

/// The ends that can be reached from a section, the farthest first.
pub fn ends(workflow: &Workflow, from: &str) -> Vec<Section> {
    let way = |section: &Section| way_to(workflow, from, |end| end.key == section.key).map(|way| way.len());
    let mut ends: Vec<(usize, Section)> = workflow.sections.iter().filter_map(|end| Some((way(end)?, end.clone()))).collect();
    ends.sort_by_key(|(steps, _)| std::cmp::Reverse(*steps));
    ends.into_iter().map(|(_, end)| end).collect()
}

/// Goes from the current section to this end, or to the nearest one if it cannot be reached any more, and completes the session.
pub fn finish(compass: &Compass, workflow: &Workflow, session: SessionKey, end: &str) -> Outcome<SessionView> {
    let mut view = compass.session(session)?;
    let way = way_to(workflow, &view.section.key, |section| section.key == end).or_else(|| way_to(workflow, &view.section.key, |_| true));
    for (_, answer) in way.ok_or("the workflow has no end that can be reached")? {
        view = leave_by(compass, &view, &answer)?;
    }
    complete(compass, &view)
}

/// Changes for every field of the section that holds nothing yet.
pub fn fill_in(view: &SessionView) -> Outcome<Vec<FieldChange>> {
    let mut changes = Vec::new();
    for field in view.fields.iter().filter(|field| field.state == FieldState::NotProvided) {
        let definition = &field.definition;
        let change = match possible_value(definition) {
            Some(value) => Change::Set(value),
            None if definition.allow_not_applicable => Change::NotApplicable,
            None if !definition.required => continue,
            None => return Err(format!("no possible value is known for the field `{}`", definition.key).into()),
        };
        changes.push(FieldChange { field: definition.key.clone(), change });
    }
    Ok(changes)
}

/// A value outside a bound of the field, if it has an upper bound.
pub fn out_of_bounds(definition: &FieldDefinition) -> Option<FieldValue> {
    match &definition.kind {
        FieldKind::Integer { max: Some(max), .. } => Some(FieldValue::Integer(max + 1)),
        FieldKind::Decimal { max: Some(_), .. } => Some(FieldValue::Decimal(Decimal("99999".to_owned()))),
        _ => None,
    }
}

/// The first candidate that the field accepts.
fn possible_value(definition: &FieldDefinition) -> Option<FieldValue> {
    candidates(definition).into_iter().find(|value| validate(definition, value).is_ok())
}

fn candidates(definition: &FieldDefinition) -> Vec<FieldValue> {
    let texts = |all: &[&str]| all.iter().map(|text| FieldValue::Text((*text).to_owned())).collect();
    let decimals = |all: Vec<String>| all.into_iter().map(|text| FieldValue::Decimal(Decimal(text))).collect();
    match &definition.kind {
        FieldKind::Text(_) | FieldKind::Barcode(_) => {
            texts(&["F28", "WB-2041-88317", "12345678", "AB12345678", "Checked, in order", "A1", "4711", "AA-1234"])
        }
        FieldKind::Multiline(_) => texts(&["Checked on site.\nNothing unusual was found.", "In order"]),
        FieldKind::Email(_) => texts(&["reports@example.com"]),
        FieldKind::Phone(_) => texts(&["+44 20 7946 0123"]),
        FieldKind::Url(_) => texts(&["https://example.com/manual"]),
        FieldKind::Integer { min, max } => {
            let (low, high) = (min.unwrap_or(0), max.unwrap_or(100));
            vec![FieldValue::Integer((low + 4).min(high)), FieldValue::Integer(low)]
        }
        FieldKind::Decimal { min, max, .. } => {
            let known = ["182.50", "1.4", "0.0021", "21.5", "230.1", "1"].map(str::to_owned);
            decimals(known.into_iter().chain(min.clone()).chain(max.clone()).collect())
        }
        FieldKind::Boolean => vec![FieldValue::Boolean(true)],
        FieldKind::Date { min, .. } => {
            let today = Local::now().date_naive();
            let next_week = today + chrono::Days::new(7);
            let first = min.as_deref().and_then(|min| min.parse().ok()).unwrap_or(today);
            [next_week, today, first].into_iter().map(FieldValue::Date).collect()
        }
        FieldKind::Time { min, .. } => {
            let morning = NaiveTime::from_hms_opt(9, 30, 0).expect("half past nine");
            let first = min.as_deref().and_then(|min| min.parse().ok()).unwrap_or(morning);
            [morning, first].into_iter().map(FieldValue::Time).collect()
        }
        FieldKind::DateTime { min, .. } => {
            let now = Local::now().fixed_offset();
            let first = min.as_deref().and_then(|min| DateTime::parse_from_rfc3339(min).ok()).unwrap_or(now);
            [now, first].into_iter().map(FieldValue::DateTime).collect()
        }
        FieldKind::SingleChoice { options } => options.iter().map(|option| FieldValue::Choice(option.key.clone())).collect(),
        FieldKind::MultipleChoice { options, .. } => (1..=options.len())
            .map(|count| FieldValue::Choices(options.iter().take(count).map(|option| option.key.clone()).collect()))
            .collect(),
        FieldKind::Location { .. } => vec![FieldValue::Location(Location {
            latitude: Decimal("51.47783".to_owned()),
            longitude: Decimal("-0.00139".to_owned()),
            accuracy_m: Some(Decimal("4.5".to_owned())),
            captured_at: Utc::now(),
            mocked: false,
        })],
        FieldKind::Attachment(rule) | FieldKind::Signature(rule) => {
            let media_type = rule.media_types.first().map_or("image/png", |first| if first.ends_with('*') { "image/png" } else { first });
            // The app keeps the bytes; the core keeps what identifies them.
            let bytes = b"the bytes of a file on this phone";
            vec![FieldValue::File(FileManifest {
                sha256: Sha256::of(bytes).to_string(),
                media_type: media_type.to_owned(),
                size: bytes.len() as u64,
                name: format!("{}.{}", definition.key, media_type.rsplit('/').next().unwrap_or("bin")),
            })]
        }
    }
}
