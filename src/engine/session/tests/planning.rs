//! Lists of commands, planned as a whole.

use super::*;
use crate::engine::session::plan::Plan;
use crate::sorted::SortedSet;

fn act_context() -> ActContext {
    ActContext { at: "2026-11-23T13:00:00Z".parse().unwrap(), utc_offset: 3600, actor: Some("Mia".into()) }
}

fn noted(id: &str) -> Command {
    Command::Note { command_id: id.into(), text: format!("note {id}") }
}

fn go(visit: u32) -> Command {
    Command::Answer { visit, answer: "go".into() }
}

fn planned<'c>(session: &Session, commands: &'c [Command], repeated: &[&str]) -> Result<Plan<'c>, Refusal> {
    plan(&session.workflow, &session.state, commands, &act_context(), &repeated.iter().copied().collect::<SortedSet<_>>())
}

#[test]
fn a_list_comes_to_events_that_follow_each_other() {
    let session = Session::new();
    let commands = [set(&[("customer", "Ann")]), noted("n1"), go(1), set(&[("temperature", "60")]), noted("n2")];
    let plan = planned(&session, &commands, &[]).unwrap();
    assert_eq!(plan, planned(&session, &commands, &[]).unwrap(), "the same list gives the same events");
    assert_eq!((plan.applied, plan.drafts), (Applied::Yes, vec!["customer", NOTE, "temperature", NOTE]));
    let kinds: Vec<_> = plan.events.iter().map(|event| (event.seq, event.act.type_name(), event.command_id.as_deref())).collect();
    assert_eq!(
        kinds,
        [(2, "fields_set", None), (3, "noted", Some("n1")), (4, "answered", None), (5, "fields_set", None), (6, "noted", Some("n2"))]
    );
    let mut state = session.state.clone();
    for event in &plan.events {
        assert_eq!((event.at, event.utc_offset, &event.actor), (act_context().at, act_context().utc_offset, &act_context().actor));
        assert_eq!(event.seq, state.last_seq + 1);
        apply(&mut state, event);
    }
    assert_eq!(state.current().section, "inspection");
}

#[test]
fn a_list_is_carried_out_whole_or_not_at_all() {
    let session = Session::new();
    type Expected = Result<(Applied, usize), &'static str>;
    let table: Vec<(&str, Vec<Command>, &[&str], Expected)> = vec![
        ("nothing asked", vec![], &[], Ok((Applied::Yes, 0))),
        ("all so already", vec![set(&[("customer", "Ann")]), set(&[("customer", "Ann")])], &[], Ok((Applied::Yes, 1))),
        ("a double tap", vec![go(1), go(1)], &[], Ok((Applied::Stale, 0))),
        ("stale after a value", vec![set(&[("customer", "Ann")]), go(1), go(1)], &[], Ok((Applied::Stale, 0))),
        ("refused after a value", vec![set(&[("customer", "Ann")]), Command::Complete { visit: 1 }], &[], Err("not_an_end_section")),
        ("all repeated", vec![noted("n1"), noted("n2")], &["n1", "n2"], Ok((Applied::Repeated, 0))),
        ("one repeated", vec![noted("n1"), noted("n2")], &["n1"], Ok((Applied::Yes, 1))),
        ("repeated, and a move", vec![noted("n1"), go(1)], &["n1"], Ok((Applied::Yes, 1))),
        ("a later one sees an earlier one", vec![go(1), set(&[("temperature", "60")])], &[], Ok((Applied::Yes, 2))),
        ("and only then", vec![set(&[("temperature", "60")]), go(1)], &[], Err("fields_not_on_path")),
        ("nothing after the end", vec![end(), go(1)], &[], Ok((Applied::Stale, 0))),
        ("stale, and a note", vec![set(&[("customer", "Ann")]), noted("n1"), end(), go(1)], &[], Ok((Applied::Stale, 1))),
        ("stale, and a note that is no new one", vec![noted("n1"), end(), go(1)], &["n1"], Ok((Applied::Stale, 0))),
        ("stale, and no note at all", vec![end(), go(1), note(" ")], &[], Err("blank")),
    ];
    for (name, commands, repeated, expected) in table {
        let plan = planned(&session, &commands, repeated);
        assert_eq!(plan.map(|plan| (plan.applied, plan.events.len())).map_err(|refusal| refusal.code()), expected, "{name}");
    }
}

#[test]
fn a_note_that_comes_with_a_stale_move_is_kept() {
    let mut session = Session::new();
    session.answer("go");
    let commands = [go(1), noted("n1"), mark("remark", Change::NotApplicable), noted("n2")];
    let plan = planned(&session, &commands, &[]).unwrap();
    assert_eq!((plan.applied, plan.drafts), (Applied::Stale, vec![NOTE, NOTE]));
    let mut state = session.state.clone();
    plan.events.iter().for_each(|event| apply(&mut state, event));
    assert_eq!((state.notes.len(), state.current()), (2, session.state.current()));
    assert_eq!(state.values, session.state.values, "nothing else is carried out");
    session.run(Command::Discard);
    assert_eq!(planned(&session, &commands, &[]).map_err(|refusal| refusal.code()), Err("discarded"));
}
