//! Random walks through random workflows: what holds after every step, no matter what the technician does.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::workflows;
use compass_core::Refusal;
use compass_core::Sha256;
use compass_core::model::*;
use compass_core::testing::rules::{self as session, Decision, IndexedWorkflow, State};
use proptest::collection::vec;
use proptest::prelude::*;

/// A session with its log, driven as the store drives it.
struct Walk<'w> {
    workflow: &'w IndexedWorkflow,
    events: Vec<Event>,
    state: State,
}

impl<'w> Walk<'w> {
    fn start(workflow: &'w IndexedWorkflow, prefill: Vec<Prefill>) -> Self {
        let act = session::start(workflow, &Sha256::of(b"document"), &Start { prefill, ..Start::new("random", "start") }).expect("starts");
        let first = event(1, act);
        let key = SessionKey("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().expect("a UUID"));
        let state = session::begin(key, workflow, &first).expect("a start");
        Self { workflow, events: vec![first], state }
    }

    fn decide(&self, command: &Command) -> Result<Decision, Refusal> {
        session::decide(self.workflow, &self.state, command)
    }

    fn take(&mut self, act: Act) {
        let next = event(self.state.last_seq + 1, act);
        session::apply(&mut self.state, &next);
        self.events.push(next);
    }

    fn view(&self) -> SessionView {
        session::view(self.workflow, &self.state, &Default::default())
    }

    /// The keys of the fields the path asks, in path order and then section order, each once.
    fn asked(&self) -> Vec<&'w str> {
        let mut asked = Vec::new();
        for visit in &self.state.path {
            for key in &self.workflow.section(&visit.section).expect("a section").fields {
                if !asked.contains(&key.as_str()) {
                    asked.push(key.as_str());
                }
            }
        }
        asked
    }

    fn holds(&self, field: &str) -> Option<&FieldState> {
        self.state.values.get(field).map(|held| &held.state)
    }
}

fn event(seq: u32, act: Act) -> Event {
    let start: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
    let at = start + chrono::TimeDelta::seconds(i64::from(seq));
    Event { seq, v: EVENT_VERSION, at, wall_at: None, utc_offset: 0, actor: Some("Mia".into()), command_id: None, act }
}

/// Whether a walk is so by the rules, checked without the engine's own helpers.
fn check(walk: &Walk<'_>) -> Result<(), TestCaseError> {
    replay_gives_the_same_state(walk)?;
    visits_are_numbered_once(walk)?;
    the_path_is_a_chain_of_answers(walk)?;
    the_view_says_what_would_happen(walk)?;
    the_record_tells_every_event(walk)?;
    the_submission_holds_the_values_of_the_path(walk)?;
    a_completed_session_lacks_nothing(walk)
}

fn replay_gives_the_same_state(walk: &Walk<'_>) -> Result<(), TestCaseError> {
    // Through JSON, as the log keeps it.
    let stored = serde_json::to_string(&walk.events).expect("events are JSON");
    let events: Vec<Event> = serde_json::from_str(&stored).expect("the log can be read");
    let replayed = session::replay(walk.state.key, walk.workflow, &events).expect("a start");
    prop_assert_eq!(&replayed, &walk.state);
    // Moments are equal no matter what their offset is; their text is not.
    prop_assert_eq!(format!("{replayed:?}"), format!("{:?}", walk.state));
    prop_assert_eq!(walk.state.last_seq as usize, walk.events.len());
    Ok(())
}

fn visits_are_numbered_once(walk: &Walk<'_>) -> Result<(), TestCaseError> {
    let mut last = 1;
    for event in &walk.events {
        if let Act::Answered { next_visit, .. } | Act::WentBack { next_visit, .. } = &event.act {
            prop_assert!(*next_visit > last, "visit {} after {}", next_visit, last);
            last = *next_visit;
        }
    }
    prop_assert_eq!(walk.state.last_visit, last);
    prop_assert_eq!(walk.state.current().number, last, "the session is in its newest visit");
    Ok(())
}

fn the_path_is_a_chain_of_answers(walk: &Walk<'_>) -> Result<(), TestCaseError> {
    let path = &walk.state.path;
    prop_assert_eq!(&path[0].section, &walk.workflow.start);
    prop_assert_eq!(&path[path.len() - 1].answer, &None);
    for (visit, next) in path.iter().zip(&path[1..]) {
        prop_assert!(visit.number < next.number);
        let section = walk.workflow.section(&visit.section).expect("a section");
        let chosen = section.answers.iter().find(|answer| Some(&answer.key) == visit.answer.as_ref()).expect("an answer of the section");
        prop_assert_eq!(chosen.next.as_ref(), Some(&next.section));
    }
    Ok(())
}

fn the_view_says_what_would_happen(walk: &Walk<'_>) -> Result<(), TestCaseError> {
    let view = walk.view();
    let running = walk.state.state == SessionState::InProgress;
    let completes = matches!(walk.decide(&Command::Complete { visit: view.visit }), Ok(Decision::Act(_)));
    prop_assert_eq!(view.can_complete, completes);
    if running {
        for answer in view.answers.iter().filter(|answer| answer.next.is_some()) {
            let moves = matches!(
                walk.decide(&Command::Answer { visit: view.visit, answer: answer.key.clone() }),
                Ok(Decision::Act(Act::Answered { .. }))
            );
            prop_assert_eq!(moves, view.problems.is_empty());
        }
    }
    let fires = session::encountered(walk.workflow, &walk.state);
    let mut expected: Vec<&str> = Vec::new();
    for visit in &walk.state.path {
        for action in &walk.workflow.section(&visit.section).expect("a section").actions {
            if !expected.contains(&action.key.as_str()) {
                expected.push(&action.key);
            }
        }
    }
    prop_assert_eq!(fires.iter().map(|action| action.key.as_str()).collect::<Vec<_>>(), expected);
    prop_assert_eq!(view.would_fire, if running { fires } else { vec![] });
    Ok(())
}

fn the_record_tells_every_event(walk: &Walk<'_>) -> Result<(), TestCaseError> {
    let record = session::record(walk.workflow, &walk.state, &walk.events, vec![]);
    prop_assert_eq!(record.timeline.len(), walk.events.len());
    let on_path: BTreeSet<u32> = walk.state.path.iter().map(|visit| visit.number).collect();
    for (item, event) in record.timeline.iter().zip(&walk.events) {
        prop_assert_eq!((item.seq, item.at, &item.actor), (event.seq, event.at, &event.actor));
        let told = serde_json::to_value(&item.entry).expect("JSON");
        prop_assert_eq!(told["entry"].as_str(), Some(event.act.type_name()));
        if let (TimelineEntry::Answered { superseded, .. }, Act::Answered { visit, .. }) = (&item.entry, &event.act) {
            prop_assert_eq!(*superseded, !on_path.contains(visit));
        }
    }
    let asked = walk.asked();
    let shown: Vec<&str> = record.fields.iter().map(|field| field.definition.key.as_str()).collect();
    prop_assert_eq!(&shown[..asked.len()], &asked[..], "the path's fields come first");
    let others: BTreeSet<&str> = shown[asked.len()..].iter().copied().collect();
    prop_assert_eq!(others.len(), shown.len() - asked.len());
    let held_elsewhere: BTreeSet<&str> = walk.state.values.keys().map(String::as_str).filter(|key| !asked.contains(key)).collect();
    prop_assert_eq!(others, held_elsewhere);
    Ok(())
}

fn the_submission_holds_the_values_of_the_path(walk: &Walk<'_>) -> Result<(), TestCaseError> {
    let submission = session::submission(walk.workflow, &walk.state, None);
    let expected: Vec<&str> = walk.asked().into_iter().filter(|key| matches!(walk.holds(key), Some(FieldState::Provided(_)))).collect();
    prop_assert_eq!(submission.fields.iter().map(|field| field.definition.key.as_str()).collect::<Vec<_>>(), expected);
    for field in &submission.fields {
        let held = &walk.state.values[&field.definition.key];
        prop_assert_eq!(&FieldState::Provided(field.value.clone()), &held.state);
        prop_assert_eq!(field.completed_at, held.completed_at);
    }
    if let Some(finished_at) = walk.state.finished_at {
        prop_assert_eq!(submission.completed_at, finished_at);
    }
    Ok(())
}

fn a_completed_session_lacks_nothing(walk: &Walk<'_>) -> Result<(), TestCaseError> {
    if walk.state.state != SessionState::Completed {
        prop_assert_eq!(walk.state.won, None);
        return Ok(());
    }
    let section = walk.workflow.section(&walk.state.current().section).expect("a section");
    prop_assert!(section.answers.is_empty());
    prop_assert_eq!(walk.state.won, Some(section.win));
    for key in walk.asked() {
        let field = walk.workflow.field(key).expect("a field");
        let there = match walk.holds(key) {
            None | Some(FieldState::NotProvided) => false,
            Some(FieldState::Provided(_) | FieldState::Redacted) => true,
            Some(FieldState::Empty) => field.allow_empty,
            Some(FieldState::NotApplicable) => field.allow_not_applicable,
        };
        prop_assert!(there || !field.required, "{} is required", key);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_walk_keeps_the_rules(
        workflow in workflows::workflow(),
        prefilled in any::<bool>(),
        steps in vec(workflows::step(), 1..60),
    ) {
        let workflow = IndexedWorkflow::from(workflow);
        let prefill = workflow.fields.iter().filter(|_| prefilled).map(|field| Prefill {
            field: field.key.clone(),
            value: workflows::good_values(&field.kind)[0].clone(),
            source: "work-order".into(),
        });
        let mut walk = Walk::start(&workflow, prefill.collect());
        check(&walk)?;
        for (number, step) in steps.iter().enumerate() {
            let command = workflows::command(&workflow, &walk.state, step, format!("c{number}"));
            let before = walk.state.clone();
            let decision = walk.decide(&command);
            prop_assert_eq!(&decision, &walk.decide(&command), "the same question has the same answer");
            prop_assert_eq!(&walk.state, &before, "a decision changes nothing");
            let Ok(Decision::Act(act)) = decision else { continue };
            walk.take(act);
            check(&walk)?;

            match command {
                Command::Answer { .. } | Command::Back { .. } | Command::Complete { .. } | Command::Discard => {
                    prop_assert_eq!(walk.decide(&command), Ok(Decision::Stale), "a double tap");
                }
                Command::SetFields { .. } => prop_assert_eq!(walk.decide(&command), Ok(Decision::Unchanged), "set twice"),
                Command::Edit { .. } => prop_assert_eq!(walk.decide(&command), Ok(Decision::Unchanged), "edited twice"),
                Command::UseResponse { .. } | Command::Note { .. } | Command::End { .. } => {}
            }
        }
    }

    #[test]
    fn a_kept_value_is_valid_and_kept_as_it_is(field in workflows::field(), index in any::<proptest::sample::Index>()) {
        let kept = compass_core::validate(&field, index.get(&workflows::good_values(&field.kind)));
        let Ok(FieldState::Provided(kept)) = kept else { return Err(TestCaseError::fail(format!("{kept:?}"))) };
        prop_assert_eq!(compass_core::validate(&field, &kept), Ok(FieldState::Provided(kept.clone())));
        let kept = FieldState::Provided(kept);
        prop_assert_eq!(kept.to_change().map(|change| change.to_state()), Some(kept.clone()));
        let taken_at = "2026-11-23T18:31:40.123Z".parse().expect("a time");
        match &kept {
            FieldState::Provided(FieldValue::File(_)) => prop_assert_eq!(compass_core::typed_text(&kept), ""),
            _ => prop_assert_eq!(typed_again(&field, &kept, taken_at), Ok(kept)),
        }
        prop_assert!(compass_core::validate(&field, &workflows::bad_value(&field.kind)).is_err());
    }

    #[test]
    fn whatever_is_typed_is_a_value_or_a_problem(field in workflows::field(), text in any::<String>()) {
        let now = "2026-11-23T18:31:40Z".parse().expect("a time");
        match compass_core::parse_value(&field, &text, now) {
            Ok(FieldState::Provided(value)) => {
                prop_assert_eq!(compass_core::validate(&field, &value), Ok(FieldState::Provided(value.clone())));
                prop_assert_eq!(typed_again(&field, &FieldState::Provided(value.clone()), now), Ok(FieldState::Provided(value)));
            }
            Ok(state) => prop_assert_eq!(state, FieldState::Empty),
            Err(problem) => prop_assert_eq!(&problem.field, &field.key),
        }
        // As it stands, too, without the prompt's help.
        let _ = compass_core::validate(&field, &FieldValue::Text(text.clone()));
        let _ = compass_core::validate(&field, &FieldValue::Decimal(Decimal(text)));
    }

    #[test]
    fn decimal_bounds_are_exact(a in -99_999_999_i64..99_999_999, b in -99_999_999_i64..99_999_999, places in (0..7_u32, 0..7_u32)) {
        // The same numbers as whole millionths.
        let millionths = |number: i64, places: u32| i128::from(number) * 10_i128.pow(6 - places);
        let field = FieldDefinition {
            kind: FieldKind::Decimal { min: None, max: Some(decimal(b, places.1)), decimal_places: None },
            ..serde_json::from_str(r#"{ "key": "f", "name": "F", "type": "decimal" }"#).expect("a field")
        };
        let given = FieldValue::Decimal(Decimal(decimal(a, places.0)));
        prop_assert_eq!(compass_core::validate(&field, &given).is_ok(), millionths(a, places.0) <= millionths(b, places.1));
    }
}

/// What is read of what this state is typed as.
fn typed_again(field: &FieldDefinition, state: &FieldState, now: Timestamp) -> Result<FieldState, Problem> {
    compass_core::parse_value(field, &compass_core::typed_text(state), now)
}

/// `number` with the point moved left by `places`.
fn decimal(number: i64, places: u32) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let unit = 10_u64.pow(places);
    let (whole, fraction) = (number.unsigned_abs() / unit, number.unsigned_abs() % unit);
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction:0width$}", width = places as usize) }
}

/// The generator is worth something only if walks get anywhere.
#[test]
fn walks_reach_every_end_and_every_kind_of_act() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut met: BTreeMap<&str, u32> = BTreeMap::new();
    let mut fields: BTreeSet<&str> = BTreeSet::new();
    for _ in 0..300 {
        let strategy = (workflows::workflow(), vec(workflows::step(), 60));
        let (workflow, steps) = strategy.new_tree(&mut runner).expect("a walk").current();
        let workflow = IndexedWorkflow::from(workflow);
        fields.extend(workflow.fields.iter().map(|field| field.kind.type_name()));
        let mut walk = Walk::start(&workflow, vec![]);
        for (number, step) in steps.iter().enumerate() {
            let command = workflows::command(&workflow, &walk.state, step, format!("c{number}"));
            match walk.decide(&command) {
                Ok(Decision::Act(act)) => {
                    *met.entry(act.type_name()).or_default() += 1;
                    walk.take(act);
                }
                Ok(Decision::Unchanged) => *met.entry("unchanged").or_default() += 1,
                Ok(Decision::Stale) => *met.entry("stale").or_default() += 1,
                Err(refusal) => *met.entry(refusal.code()).or_default() += 1,
            }
        }
    }
    for expected in [
        "fields_set",
        "answered",
        "went_back",
        "response_used",
        "noted",
        "completed",
        "ended",
        "discarded",
        "edited",
        "unchanged",
        "stale",
        "unknown_visit",
        "unknown_answer",
        "unlinked_answer",
        "field_problems",
        "fields_not_on_path",
        "not_in_progress",
        "not_finished",
        "not_an_end_section",
        "already_there",
        "unknown_response",
        "blank",
        "nothing_given",
    ] {
        assert!(met.contains_key(expected), "no walk met {expected}: {met:?}");
    }
    assert_eq!(fields.len(), 17, "{fields:?}");
}
