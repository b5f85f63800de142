//! What a screen and a record show.

use super::*;

#[test]
fn the_record_tells_every_act_in_order_with_its_names() {
    let mut session = Session::inspected();
    session.answer("broken");
    session.run(Command::UseResponse { command_id: "r".into(), response: "price".into() });
    session.back_to(2).answer("fine").complete();
    let told = record(&session.workflow, &session.state, &session.events, vec![]);
    let lines: Vec<String> = told
        .timeline
        .iter()
        .map(|item| match &item.entry {
            TimelineEntry::Started { section_name, .. } => format!("in {section_name}"),
            TimelineEntry::FieldsSet { fields } => fields.iter().map(|field| field.field_name.as_str()).collect(),
            TimelineEntry::Answered { section_name, answer_name, next_section_name, superseded, .. } => {
                format!("{section_name}: {answer_name} > {next_section_name}{}", if *superseded { " (superseded)" } else { "" })
            }
            TimelineEntry::WentBack { next_visit, section_name } => format!("back to {section_name} as {next_visit}"),
            TimelineEntry::ResponseUsed { response_name, section_name, .. } => format!("{response_name} in {section_name}"),
            TimelineEntry::Completed { section_name, won } => format!("completed in {section_name}: {won}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "in Greeting",
            "Greeting: Let us begin > Inspection",
            "Temperature",
            "Remark",
            "Inspection: Needs repair > Repair (superseded)",
            "Too dear in Repair",
            "back to Inspection as 4",
            "Inspection: All is fine > Done",
            "completed in Done: true",
        ]
    );
    assert_eq!(told.path[1].answer_name.as_deref(), Some("All is fine"));
    assert_eq!(told.timeline[3].utc_offset, 3600);
}

#[test]
fn the_view_shows_drafts_beside_what_is_held() {
    let session = Session::inspected();
    let drafts = BTreeMap::from([("customer".to_owned(), "Ad".to_owned())]);
    let seen = view(&session.workflow, &session.state, &drafts);
    let fields: Vec<_> = seen.fields.iter().map(|field| (field.definition.key.as_str(), field.draft.as_deref())).collect();
    assert_eq!(fields, [("temperature", None), ("customer", Some("Ad")), ("remark", None)]);
    assert_eq!(seen.section.name, "Inspection");
    assert_eq!(seen.answers.len(), 2);
    assert_eq!(seen.responses.len(), 1);
}
