//! Setting fields.

use super::*;

#[test]
fn an_empty_value_is_stored_and_still_misses_where_the_field_does_not_allow_it() {
    let mut session = Session::inspected();
    session.answer("broken").set("part", "");
    assert_eq!(session.state.values["part"].state, FieldState::Empty);
    assert_eq!(codes(&session.view().problems), [("part", "required")]);
    assert_eq!(session.verdict(Command::Answer { visit: 3, answer: "again".into() }), "field_problems");
}

#[test]
fn one_bad_value_refuses_the_whole_call_with_all_problems() {
    let mut session = Session::new();
    session.answer("go");
    let refusal = session.decide(&set(&[("customer", "a\nb"), ("temperature", "201"), ("remark", "fine")])).unwrap_err();
    assert_eq!(refusal.place().as_deref(), Some("customer, temperature"));
    assert!(!format!("{refusal} {refusal:?}").contains("201"), "no value in a refusal");
    assert_eq!(session.verdict(set(&[])), "nothing_given");
    assert_eq!(session.verdict(set(&[("remark", "a"), ("remark", "b")])), "duplicate_fields");
    assert_eq!(session.verdict(set(&[("nothing", "a")])), "unknown_fields");
    assert_eq!(session.verdict(set(&[("part", "a"), ("remark", "b")])), "fields_not_on_path");
    assert_eq!(session.verdict(mark("temperature", Change::NotApplicable)), "field_problems");
}

#[test]
fn changes_without_effect_are_left_out() {
    let mut session = Session::inspected();
    assert_eq!(session.verdict(set(&[("temperature", "182.50")])), "unchanged");
    assert_eq!(session.verdict(set(&[("temperature", "182.5")])), "act", "other digits are another value");
    assert_eq!(session.verdict(mark("customer", Change::Clear)), "unchanged");
    let Ok(Decision::Act(Act::FieldsSet { values })) = session.decide(&set(&[("temperature", "182.50"), ("customer", "Ada")])) else {
        panic!("an act")
    };
    assert_eq!(values.iter().map(|value| value.field.as_str()).collect::<Vec<_>>(), ["customer"]);

    session.answer("fine");
    let visit_at = |text: &str| {
        let value = FieldValue::DateTime(text.parse().unwrap());
        mark("next_visit", Change::Set(value))
    };
    session.run(visit_at("2027-01-01T12:00:00+01:00"));
    assert_eq!(session.verdict(visit_at("2027-01-01T12:00:00+01:00")), "unchanged");
    assert_eq!(session.verdict(visit_at("2027-01-01T11:00:00Z")), "act", "the offset is part of the value");
}

#[test]
fn a_value_carries_the_time_of_the_act_that_set_it() {
    let mut session = Session::inspected();
    let first = session.state.values["temperature"].completed_at;
    assert_eq!(first, session.events[2].at);
    session.set("customer", "Ada");
    assert_eq!(session.state.values["temperature"].completed_at, first);
    session.run(mark("temperature", Change::Clear));
    assert!(!session.state.values.contains_key("temperature"));
}
