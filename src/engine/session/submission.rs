//! The content of a session's webhooks, and the text by which search finds it.

use super::{State, path};
use crate::engine::document::IndexedWorkflow;
use crate::model::{ActionDefinition, FieldDefinition, FieldState, FieldValue, Submission, SubmittedField, Timestamp};

/// The content of an action's webhook: the fields of the path that hold a value and that the action sends, in path order and then section
/// order, each once. Without an action, all fields of the path.
///
/// `completed_at` is when the session was completed, or ended. For a preview of a session in progress, it is the start of the current visit;
/// a caller with a clock sets its own time.
pub fn submission(workflow: &IndexedWorkflow, state: &State, action: Option<&ActionDefinition>) -> Submission {
    let on_path = path::fields(workflow, state);
    let fields = sent_fields(&on_path, action).into_iter().map(|sent| SubmittedField {
        definition: sent.definition.clone(),
        value: sent.value.clone(),
        completed_at: sent.completed_at,
    });
    Submission {
        key: state.key,
        started_at: state.started_at,
        completed_at: state.finished_at.unwrap_or_else(|| state.current().at),
        workflow: state.workflow.clone(),
        fields: fields.collect(),
    }
}

/// A field with its value, and when it was given.
pub(crate) struct SentField<'a> {
    /// Its place in the library.
    pub(crate) place: usize,
    pub(crate) definition: &'a FieldDefinition,
    pub(crate) value: &'a FieldValue,
    pub(crate) completed_at: Timestamp,
}

/// These fields of a path.
pub(crate) fn sent_fields<'a>(on_path: &path::PathFields<'a>, action: Option<&ActionDefinition>) -> Vec<SentField<'a>> {
    let sent = |field: &path::PathField<'a>| {
        if action.is_some_and(|action| !action.sends(&field.definition.key)) {
            return None;
        }
        let held = field.held?;
        let FieldState::Provided(value) = &held.state else { return None };
        Some(SentField { place: field.place, definition: field.definition, value, completed_at: held.completed_at })
    };
    on_path.all.iter().filter_map(sent).collect()
}

/// The text by which search finds a session: the names of its workflow and of its section, its current notes, then its values in the order
/// of the field library, also those off the path; joined by newlines. It holds nothing that was redacted.
pub(crate) fn search_text(workflow: &IndexedWorkflow, state: &State) -> String {
    let section = &state.current().section;
    let section = workflow.section(section).map_or(section, |section| &section.name);
    let mut text = [&state.workflow.name, section].into_iter().chain(state.notes.iter().filter_map(|note| note.text.as_ref())).fold(
        String::new(),
        |mut text, part| {
            text.extend([part, "\n"]);
            text
        },
    );
    for field in &workflow.fields {
        if let FieldState::Provided(value) = state.holds(&field.key) {
            write_value(&mut text, field, value);
        }
    }
    text
}

/// A value as a person reads it. Booleans and locations are not searched.
fn write_value(text: &mut String, field: &FieldDefinition, value: &FieldValue) {
    let name_of = |key: &String| field.kind.options().iter().find(|option| option.key == *key).map_or(key, |option| &option.name).clone();
    let written = match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Decimal(decimal) => decimal.0.clone(),
        FieldValue::Date(date) => date.to_string(),
        FieldValue::Time(time) => time.to_string(),
        FieldValue::DateTime(moment) => moment.naive_local().to_string(),
        FieldValue::Choice(key) => name_of(key),
        FieldValue::Choices(keys) => keys.iter().map(name_of).collect::<Vec<_>>().join("\n"),
        FieldValue::File(file) => file.name.clone(),
        FieldValue::Boolean(_) | FieldValue::Location(_) => return,
    };
    text.extend([written.as_str(), "\n"]);
}
