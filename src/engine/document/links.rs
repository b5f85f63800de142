//! Lints the paths through a workflow: whether each leads to an end, which fields are asked again in a loop, and whether a message can be small
//! enough. Each question takes a few walks over the answers, for any number of sections.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::code::{Code, Findings, quoted};
use super::lint::unreadable;
use crate::engine::pattern_length::lengths;
use crate::model::{ActionDefinition, FieldDefinition, MAX_BODY, Section, Workflow};

/// The sections as places, with the answers between them.
struct Links {
    forward: Vec<Vec<usize>>,
    backward: Vec<Vec<usize>>,
    /// Where a session may end: an end section, or an answer that is not linked yet, or not linked to an existing section.
    exits: Vec<usize>,
}

/// Reports sections that cannot be reached, reached ones from which no end can be reached, and findings about the paths between them.
pub(super) fn lint(workflow: &Workflow, findings: &mut Findings) {
    let sections = &workflow.sections;
    if sections.iter().any(|section| section.key.is_empty() || section.answers.iter().any(unreadable)) {
        // An answer that could not be read may lead to any section.
        return;
    }
    let mut index: HashMap<&str, usize> = HashMap::new();
    for (place, section) in sections.iter().enumerate() {
        index.entry(&section.key).or_insert(place);
    }
    let Some(&start) = index.get(workflow.start.as_str()) else { return };
    let links = links(sections, &index);
    let reached = closure(&links.forward, &[start]);
    let ending = closure(&links.backward, &links.exits);
    for (place, section) in sections.iter().enumerate() {
        if index[section.key.as_str()] != place {
            // A duplicate key has its own finding; no second one about a missing answer.
        } else if !reached[place] {
            let message = format!("No answers lead from the start to the section {}; link one to it, or remove it.", quoted(&section.key));
            findings.add(Code::UnreachableSection, format!("/sections/{place}"), message);
        } else if !ending[place] {
            let message = format!(
                "No answers lead from the section {} to a section without answers, so no session ends; add one.",
                quoted(&section.key)
            );
            findings.add(Code::NoEndReachable, format!("/sections/{place}"), message);
        }
    }
    let looped = looped(&links);
    for (place, section) in sections.iter().enumerate() {
        if let (true, true, Some(first)) = (reached[place], looped[place], section.fields.first()) {
            let message = format!(
                "Answers lead from here back to here, and a field has one value: when {} is asked again, the new value replaces the old one, in the record and in messages.",
                quoted(first)
            );
            findings.add(Code::FieldInLoop, format!("/sections/{place}/fields"), message);
        }
    }
    too_large(workflow, &links, start, &looped, findings);
}

fn links(sections: &[Section], index: &HashMap<&str, usize>) -> Links {
    let mut links = Links { forward: vec![Vec::new(); sections.len()], backward: vec![Vec::new(); sections.len()], exits: Vec::new() };
    for (from, section) in sections.iter().enumerate() {
        let targets: Vec<_> =
            section.answers.iter().map(|answer| answer.next.as_deref().and_then(|next| index.get(next).copied())).collect();
        if section.is_end() || targets.contains(&None) {
            links.exits.push(from);
        }
        for to in targets.into_iter().flatten() {
            links.forward[from].push(to);
            links.backward[to].push(from);
        }
    }
    links
}

/// Everything that can be reached from these places, including them.
fn closure(edges: &[Vec<usize>], from: &[usize]) -> Vec<bool> {
    let mut reached = vec![false; edges.len()];
    let mut open = from.to_vec();
    while let Some(place) = open.pop() {
        if !std::mem::replace(&mut reached[place], true) {
            open.extend(&edges[place]);
        }
    }
    reached
}

/// The places from which answers lead back to themselves (Kosaraju: two walks).
fn looped(links: &Links) -> Vec<bool> {
    let count = links.forward.len();
    let (mut left, mut seen) = (Vec::with_capacity(count), vec![false; count]);
    for begin in 0..count {
        let mut open = vec![(begin, 0)];
        while let Some((place, next)) = open.pop() {
            if next == 0 && std::mem::replace(&mut seen[place], true) {
                continue;
            }
            match links.forward[place].get(next) {
                Some(to) => open.extend([(place, next + 1), (*to, 0)]),
                None => left.push(place),
            }
        }
    }
    let (mut looped, mut done) = (vec![false; count], vec![false; count]);
    for begin in left.into_iter().rev() {
        let (mut together, mut open) = (Vec::new(), vec![begin]);
        while let Some(place) = open.pop() {
            if !std::mem::replace(&mut done[place], true) {
                together.push(place);
                open.extend(&links.backward[place]);
            }
        }
        for &place in &together {
            looped[place] = together.len() > 1 || links.forward[place].contains(&place);
        }
    }
    looped
}

/// Reports actions whose messages are always too large: the required values that they send, on the shortest path, are larger than a body may
/// be. Of the actions of a section that send the same fields, the first is reported.
fn too_large(workflow: &Workflow, links: &Links, start: usize, looped: &[bool], findings: &mut Findings) {
    let mut looked_at: Vec<&ActionDefinition> = Vec::new();
    for action in workflow.sections.iter().flat_map(|section| &section.actions) {
        if looked_at.iter().any(|other| send_the_same(other, action)) {
            continue;
        }
        looked_at.push(action);
        let bytes = least_bytes(workflow, action);
        if bytes.iter().sum::<u64>() <= MAX_BODY as u64 {
            continue;
        }
        let (before, after) = (cheapest(&links.forward, &[start], &bytes), cheapest(&links.backward, &links.exits, &bytes));
        for (place, section) in workflow.sections.iter().enumerate() {
            let Some(first) = section.actions.iter().position(|other| send_the_same(other, action)) else { continue };
            let (Some(before), Some(after)) = (before[place], after[place]) else { continue };
            // In a loop a section may lie on both paths; its fields are sent once.
            let least = if looped[place] { before.max(after) } else { before + after - bytes[place] };
            if least > MAX_BODY as u64 {
                let message = format!(
                    "The required fields on any path through the section {} take at least {least} bytes of this message, which has at most {MAX_BODY}; lower `min_length`, or send fewer.",
                    quoted(&section.key)
                );
                findings.add(Code::BodyTooLarge, format!("/sections/{place}/actions/{first}"), message);
            }
        }
    }
}

fn send_the_same(one: &ActionDefinition, other: &ActionDefinition) -> bool {
    (&one.fields, &one.fields_except) == (&other.fields, &other.fields_except)
}

/// For each section the fewest bytes that its fields add to a message of this action. A field that several sections ask counts for none of
/// them.
fn least_bytes(workflow: &Workflow, action: &ActionDefinition) -> Vec<u64> {
    let mut asked: HashMap<&str, u32> = HashMap::new();
    for field in workflow.sections.iter().flat_map(|section| &section.fields) {
        *asked.entry(field).or_default() += 1;
    }
    let counts = |field: &&FieldDefinition| asked.get(field.key.as_str()) == Some(&1) && least(field) > 0 && action.sends(&field.key);
    let fields: HashMap<&str, u64> = workflow.fields.iter().filter(counts).map(|field| (field.key.as_str(), least(field))).collect();
    let of = |section: &Section| section.fields.iter().filter_map(|field| fields.get(field.as_str())).sum();
    workflow.sections.iter().map(of).collect()
}

/// A character is at least one byte.
fn least(field: &FieldDefinition) -> u64 {
    let Some(rule) = field.kind.text_rule().filter(|_| field.required && !field.allow_empty && !field.allow_not_applicable) else {
        return 0;
    };
    let matched = rule.pattern.as_deref().and_then(lengths).map_or(0, |lengths| lengths.least);
    matched.max(rule.min_length.unwrap_or(0).into())
}

/// The cheapest links from any of these places to each place, both ends included (Dijkstra).
fn cheapest(edges: &[Vec<usize>], from: &[usize], costs: &[u64]) -> Vec<Option<u64>> {
    let mut cheapest = vec![None; edges.len()];
    let mut open: BinaryHeap<_> = from.iter().map(|place| Reverse((costs[*place], *place))).collect();
    while let Some(Reverse((cost, place))) = open.pop() {
        if cheapest[place].is_none() {
            cheapest[place] = Some(cost);
            let onward = edges[place].iter().filter(|to| cheapest[**to].is_none());
            open.extend(onward.map(|to| Reverse((cost + costs[*to], *to))));
        }
    }
    cheapest
}
