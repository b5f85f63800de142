//! You are the technician.

use std::io::{BufRead, Write};

use chrono::Utc;
use compass_core::model::{Change, Connectivity, FieldChange, FieldKind, FieldState, SessionView, Start};
use compass_core::parse_value;
use compass_core::{Compass, Error};

use crate::afternoon::deliver;
use crate::arguments::Arguments;
use crate::phone::Phone;
use crate::{Outcome, screen};

const HELP: &str = "\
  a number      chooses that answer
  f N           asks for field N again
  back [N]      goes back, to visit N if given
  r N           you used response N
  note TEXT     adds a note
  done          completes the session, on an end section
  end REASON    ends the session at once
  At a field: type its value, or nothing to leave it as it is; `-` is not applicable, `!` clears it, `empty` is empty on purpose.";

pub fn run(arguments: &Arguments) -> Outcome<bool> {
    let phone = Phone::switch_on(arguments)?;
    let workflow = phone.set_up(arguments)?;
    let compass = &phone.compass;
    compass.set_connectivity(Connectivity::Offline);
    screen::line("There is no signal. Type `help` at any prompt.");
    let mut view = compass.start(&Start::new(&workflow.key, fresh("start")))?.view;
    let mut shown = 0;
    while view.finished_at.is_none() {
        if shown != view.visit {
            shown = view.visit;
            show(&view);
            view = ask_fields(compass, view)?;
        }
        let Some(line) = prompt("> ")? else {
            screen::line("The session stays half done in the database; run again with --db to see it.");
            return Ok(true);
        };
        match step(compass, &view, line.trim()) {
            Ok(Some(next)) => view = next,
            Ok(None) => {}
            Err(error) => complain(&error),
        }
    }
    println!();
    screen::record(&compass.record(view.key)?);
    println!("\n  {}", screen::bold("Signal returns"));
    deliver(&phone)
}

/// Carries out one line. None when nothing changed.
fn step(compass: &Compass, view: &SessionView, line: &str) -> Result<Option<SessionView>, Error> {
    let (word, rest) = line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()));
    let number =
        |text: &str, count: usize| text.parse::<usize>().ok().filter(|number| (1..=count).contains(number)).map(|number| number - 1);
    let outcome = match word {
        "" => return Ok(None),
        "help" => {
            println!("{HELP}");
            return Ok(None);
        }
        "back" => {
            let to = rest.parse().ok().or_else(|| view.path.iter().rev().nth(1).map(|step| step.visit));
            match to {
                Some(to) => compass.back(view.key, view.visit, to)?,
                None => return say("there is nothing before this section"),
            }
        }
        "note" => compass.note(view.key, rest, &fresh("note"))?,
        "end" => compass.end(view.key, rest, &fresh("end"))?,
        "done" => compass.complete(view.key, view.visit)?,
        "r" => match number(rest, view.responses.len()) {
            Some(index) => {
                println!("  {}", view.responses[index].content);
                compass.use_response(view.key, &view.responses[index].key, &fresh("response"))?
            }
            None => return say("there is no such response"),
        },
        "f" => match number(rest, view.fields.len()) {
            Some(index) => return ask_field(compass, view, index),
            None => return say("there is no such field"),
        },
        _ => match number(word, view.answers.len()) {
            Some(index) => compass.answer(view.key, view.visit, &view.answers[index].key)?,
            None => return say("type a number, or `help`"),
        },
    };
    Ok(Some(outcome.view))
}

fn show(view: &SessionView) {
    println!("\n  {} {}", screen::bold(&view.section.name), screen::dim(format!("visit {}", view.visit)));
    for paragraph in view.section.content.lines() {
        println!("  {paragraph}");
    }
    for (index, response) in view.responses.iter().enumerate() {
        println!("  {}", screen::dim(format!("r {}  {}", index + 1, response.name)));
    }
    for (index, answer) in view.answers.iter().enumerate() {
        println!("  {:>3}  {}", index + 1, answer.name);
    }
    if view.section.is_end {
        println!("  done  completes the session; {} message(s) would be sent", view.would_fire.len());
    }
}

fn ask_fields(compass: &Compass, view: SessionView) -> Outcome<SessionView> {
    let mut view = view;
    for index in 0..view.fields.len() {
        loop {
            match ask_field(compass, &view, index) {
                Ok(Some(next)) => {
                    view = next;
                    break;
                }
                Ok(None) => break,
                Err(error) => complain(&error),
            }
        }
    }
    Ok(view)
}

/// Asks for one field. None when it was left as it is.
fn ask_field(compass: &Compass, view: &SessionView, index: usize) -> Result<Option<SessionView>, Error> {
    let field = &view.fields[index];
    let definition = &field.definition;
    if matches!(definition.kind, FieldKind::Attachment(_) | FieldKind::Signature(_))
        && !definition.allow_not_applicable
        && !definition.required
    {
        return Ok(None);
    }
    for (index, option) in definition.kind.options().iter().enumerate() {
        println!("      {:>2}  {}", index + 1, option.name);
    }
    let required = if definition.required { ", required" } else { "" };
    let held = if field.state == FieldState::NotProvided { String::new() } else { format!(" [{}]", screen::value(&field.state)) };
    let question = format!("  {}. {} ({}{required}){held}: ", index + 1, definition.name, definition.kind.type_name());
    let Ok(Some(line)) = prompt(&question) else { return Ok(None) };
    let change = match line.trim() {
        "" => return Ok(None),
        "help" => return say(definition.help.as_deref().unwrap_or(HELP)),
        "-" => Change::NotApplicable,
        "!" => Change::Clear,
        text => match parse_value(definition, if text == "empty" { "" } else { text }, Utc::now()) {
            Ok(state) => state.to_change().expect("a typed text is never redacted"),
            Err(problem) => {
                println!("  {}", screen::bad(problem.message));
                return ask_field(compass, view, index);
            }
        },
    };
    Ok(Some(compass.set_fields(view.key, vec![FieldChange { field: definition.key.clone(), change }])?.view))
}

fn complain(error: &Error) {
    if error.problems().is_empty() {
        println!("  {}", screen::bad(error));
    }
    for problem in error.problems() {
        println!("  {}", screen::bad(format!("{}: {}", problem.field, problem.message)));
    }
}

fn say<T>(text: &str) -> Result<Option<T>, Error> {
    println!("  {text}");
    Ok(None)
}

fn prompt(question: &str) -> Outcome<Option<String>> {
    print!("{question}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    Ok(if std::io::stdin().lock().read_line(&mut line)? == 0 { None } else { Some(line) })
}

fn fresh(what: &str) -> String {
    format!("{what}-{}", Utc::now().timestamp_nanos_opt().unwrap_or_default())
}
