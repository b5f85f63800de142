//! Events as lines of the record's timeline: one line for each, in the order of `seq`, with the names a person knows.

use std::collections::{HashMap, HashSet};

use super::State;
use crate::engine::document::IndexedWorkflow;
use crate::model::{
    Act, Event, FieldEdit, FieldEditEntry, FieldEntry, RedactionTarget, ResponseKind, Section, TimelineEntry, TimelineItem, ValueSet,
};

/// One line for each event. A name that the document does not have is shown as its key.
pub(super) fn timeline(workflow: &IndexedWorkflow, state: &State, events: &[Event]) -> Vec<TimelineItem> {
    let mut lines = Lines::new(workflow, state);
    let item = |event: &Event| TimelineItem {
        seq: event.seq,
        at: event.at,
        utc_offset: event.utc_offset,
        actor: event.actor.clone(),
        entry: lines.entry(&event.act),
    };
    events.iter().map(item).collect()
}

struct Lines<'a> {
    workflow: &'a IndexedWorkflow,
    field_names: HashMap<&'a str, &'a str>,
    /// The visits of the path: answers of all others are superseded.
    path: HashSet<u32>,
    /// The section of each visit up to the current event.
    sections: HashMap<u32, String>,
    current: u32,
}

impl<'a> Lines<'a> {
    fn new(workflow: &'a IndexedWorkflow, state: &State) -> Self {
        Self {
            workflow,
            field_names: workflow.fields.iter().map(|field| (field.key.as_str(), field.name.as_str())).collect(),
            path: state.path.iter().map(|visit| visit.number).collect(),
            sections: HashMap::from([(1, workflow.start.clone())]),
            current: 1,
        }
    }

    fn entry(&mut self, act: &Act) -> TimelineEntry {
        match act {
            Act::Started { prefill, .. } => {
                TimelineEntry::Started { section_name: self.section_name(&self.workflow.start), prefilled: self.fields(prefill) }
            }
            Act::FieldsSet { values } => TimelineEntry::FieldsSet { fields: self.fields(values) },
            Act::Answered { visit, answer, next_visit, next_section } => {
                let entry = TimelineEntry::Answered {
                    section_name: self.visit_name(*visit),
                    answer_name: self.answer_name(*visit, answer),
                    next_visit: *next_visit,
                    next_section_name: self.section_name(next_section),
                    superseded: !self.path.contains(visit),
                };
                self.enter(*next_visit, next_section);
                entry
            }
            Act::WentBack { next_visit, next_section, .. } => {
                self.enter(*next_visit, next_section);
                TimelineEntry::WentBack { next_visit: *next_visit, section_name: self.section_name(next_section) }
            }
            Act::ResponseUsed { visit, response } => {
                let found = self.workflow.response(response);
                TimelineEntry::ResponseUsed {
                    response: response.clone(),
                    response_name: found.map_or(response, |found| &found.name).clone(),
                    // There always is one: the session stays on the version that has its responses.
                    kind: found.map_or(ResponseKind::CustomerQuestion, |found| found.kind),
                    section_name: self.visit_name(*visit),
                }
            }
            Act::Noted { text } => TimelineEntry::Noted { text: text.clone() },
            Act::Completed { visit, won } => TimelineEntry::Completed { section_name: self.visit_name(*visit), won: *won },
            Act::Ended { reason } => TimelineEntry::Ended { section_name: self.visit_name(self.current), reason: reason.clone() },
            Act::Discarded => TimelineEntry::Discarded,
            Act::Edited { fields, notes, reason } => TimelineEntry::Edited {
                fields: fields.iter().map(|edit| self.edited(edit)).collect(),
                notes: notes.clone(),
                reason: reason.clone(),
            },
            Act::SendRequested { action, corrected, revision, replay } => TimelineEntry::SendRequested {
                action: action.clone(),
                action_name: self.action_name(action),
                corrected: *corrected,
                revision: *revision,
                replay: *replay,
            },
            Act::Abandoned { action, reason } => {
                TimelineEntry::Abandoned { action: action.clone(), action_name: self.action_name(action), reason: reason.clone() }
            }
            Act::Redacted { target, reason } => {
                let field_name = match target {
                    RedactionTarget::Field { key } => Some(self.field_name(key)),
                    RedactionTarget::Note { .. } => None,
                };
                TimelineEntry::Redacted { target: target.clone(), field_name, reason: reason.clone() }
            }
        }
    }

    fn enter(&mut self, visit: u32, section: &str) {
        self.sections.insert(visit, section.to_owned());
        self.current = visit;
    }

    fn visit_section(&self, visit: u32) -> Option<&'a Section> {
        self.workflow.section(self.sections.get(&visit)?)
    }

    fn visit_name(&self, visit: u32) -> String {
        self.sections.get(&visit).map_or_else(String::new, |key| self.section_name(key))
    }

    fn section_name(&self, key: &str) -> String {
        self.workflow.section(key).map_or(key, |section| &section.name).to_owned()
    }

    fn answer_name(&self, visit: u32, key: &str) -> String {
        let answer = self.visit_section(visit).and_then(|section| section.answers.iter().find(|answer| answer.key == key));
        answer.map_or(key, |answer| &answer.name).to_owned()
    }

    fn action_name(&self, key: &str) -> String {
        self.workflow.action(key).map_or(key, |(_, action)| &action.name).to_owned()
    }

    fn field_name(&self, key: &str) -> String {
        self.field_names.get(key).copied().unwrap_or(key).to_owned()
    }

    fn fields(&self, values: &[ValueSet]) -> Vec<FieldEntry> {
        let entry = |value: &ValueSet| FieldEntry {
            field: value.field.clone(),
            field_name: self.field_name(&value.field),
            state: value.to.clone(),
        };
        values.iter().map(entry).collect()
    }

    fn edited(&self, edit: &FieldEdit) -> FieldEditEntry {
        FieldEditEntry { field: edit.field.clone(), field_name: self.field_name(&edit.field), from: edit.from.clone(), to: edit.to.clone() }
    }
}
