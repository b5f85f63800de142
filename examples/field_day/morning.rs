//! The morning: a day's work with no signal, cut short.

use compass_core::Compass;
use compass_core::model::{Change, Connectivity, FieldChange, SessionView, Start, Workflow};

use crate::arguments::Arguments;
use crate::phone::Phone;
use crate::technician::{complete, ends, fill_in, finish, leave_by, out_of_bounds, way_to};
use crate::{Outcome, screen};

const TECHNICIAN: &str = "technician-7";

pub fn run(arguments: &Arguments) -> Outcome<bool> {
    let phone = Phone::switch_on(arguments)?;
    let workflow = phone.set_up(arguments)?;
    let compass = &phone.compass;
    compass.set_connectivity(Connectivity::Offline);
    compass.start_delivery()?;

    // A good end, the end with the longest way, and the one with the shortest.
    let ends = ends(&workflow, &workflow.start);
    let good = ends.iter().find(|end| end.win).or(ends.first()).ok_or("the workflow has no end that can be reached")?;
    let long = ends.iter().find(|end| end.key != good.key).unwrap_or(good);
    let short = ends.iter().rev().find(|end| !end.actions.is_empty()).unwrap_or(good);

    title("One that goes well");
    let view = start(compass, &workflow)?;
    let went_well = finish(compass, &workflow, view.key, &good.key)?.key;

    title("One with a mistake, a refused value, a note, and another branch");
    mistakes(compass, &workflow, &long.key)?;

    title("One that takes the other way");
    let view = start(compass, &workflow)?;
    finish(compass, &workflow, view.key, &short.key)?;

    title("One that is ended at once");
    let view = start(compass, &workflow)?;
    screen::section(&view);
    compass.end(view.key, "The customer was called away.", &id("end", &view))?;
    screen::line("    ended; nothing fires");

    title("The record of the first one");
    screen::record(&compass.record(went_well)?);
    let totals = compass.outbox_totals()?;
    println!();
    screen::line(format!("outbox    {} pending, {} bytes, nothing was sent", totals.pending, totals.unsent_bytes));

    title("One that is left half done: the battery is empty");
    let mut view = start(compass, &workflow)?;
    let way = way_to(&workflow, &view.section.key, |end| end.key == good.key).ok_or("the workflow has no end that can be reached")?;
    for (_, answer) in way.iter().take(2) {
        view = leave_by(compass, &view, answer)?;
    }
    let mut changes = fill_in(&view)?;
    changes.truncate(1);
    if !changes.is_empty() {
        compass.set_fields(view.key, changes)?;
    }
    if let Some(field) = view.fields.last() {
        compass.save_draft(view.key, &field.definition.key, "half a word")?;
    }
    screen::section(&compass.session(view.key)?);
    screen::line("    … and the process ends here, without closing anything");
    // No destructor runs: acknowledged changes must be in the file.
    std::process::exit(0);
}

/// Picks a wrong answer and goes back, types a value out of bounds, writes a note, uses a response, and completes at this end.
fn mistakes(compass: &Compass, workflow: &Workflow, end: &str) -> Outcome<()> {
    let mut view = start(compass, workflow)?;
    let way = way_to(workflow, &view.section.key, |section| section.key == end).ok_or("the workflow has no end that can be reached")?;
    let mut refused = false;
    for (index, (_, answer)) in way.iter().enumerate() {
        refused = refused || refuse_one(compass, &view)?;
        let other = view.answers.iter().find(|other| other.key != *answer && other.next.is_some()).map(|other| other.key.clone());
        if let (0, Some(other)) = (index, other) {
            let here = view.visit;
            let mistaken = leave_by(compass, &view, &other)?;
            screen::section(&mistaken);
            view = compass.back(mistaken.key, mistaken.visit, here)?.view;
            screen::line("    a mistake: back one step, nothing is lost");
        }
        if let (1, Some(response)) = (index, workflow.responses.first()) {
            compass.use_response(view.key, &response.key, &id("response", &view))?;
            compass.note(view.key, "The customer asks for a call before the next visit.", &id("note", &view))?;
            screen::line(format!("    answered “{}”, and wrote a note", response.name));
        }
        view = leave_by(compass, &view, answer)?;
    }
    refuse_one(compass, &view)?;
    complete(compass, &view)?;
    Ok(())
}

/// Types a value out of bounds into the first field that has bounds, and shows the core's problem.
fn refuse_one(compass: &Compass, view: &SessionView) -> Outcome<bool> {
    let Some((field, value)) = view.fields.iter().find_map(|field| Some((&field.definition, out_of_bounds(&field.definition)?))) else {
        return Ok(false);
    };
    let change = FieldChange { field: field.key.clone(), change: Change::Set(value) };
    match compass.set_fields(view.key, vec![change]) {
        Ok(_) => Ok(false),
        Err(error) => {
            for problem in error.problems() {
                screen::line(format!("    “{}” refused: {} ({})", field.name, problem.message, problem.code));
            }
            Ok(true)
        }
    }
}

fn start(compass: &Compass, workflow: &Workflow) -> Outcome<SessionView> {
    // A real app makes the id when the button is drawn; here the time is enough.
    let command_id = format!("start-{}-{}", std::process::id(), chrono::Utc::now().timestamp_nanos_opt().unwrap_or_default());
    Ok(compass.start(&Start { actor: Some(TECHNICIAN.to_owned()), ..Start::new(&workflow.key, command_id) })?.view)
}

fn id(what: &str, view: &SessionView) -> String {
    format!("{what}-{}-{}", view.key, view.visit)
}

fn title(text: &str) {
    println!("\n  {}", screen::bold(text));
}
