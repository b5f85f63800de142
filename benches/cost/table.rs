//! What is counted, with its goal and its limit.

use super::counts::{Writes, instructions, writes};
use super::gestures::{Side, gesture};

/// The counts of a gesture.
struct Counted {
    core: f64,
    bare: Option<f64>,
    writes: Option<Writes>,
}

/// A line of the table.
struct Line {
    about: &'static str,
    unit: &'static str,
    /// To be reached.
    goal: f64,
    /// Not to be passed: what was reached, and a tenth more: compilers and processors differ.
    limit: f64,
    measured: fn(&mut Measured) -> Option<f64>,
}

const LINES: [Line; 18] = [
    Line { about: "set one of 30 fields", unit: "x bare", goal: 4.0, limit: 4.7, measured: |m| m.ratio("value") },
    Line { about: "set a field, path of 10 visits", unit: "x bare", goal: 4.0, limit: 3.3, measured: |m| m.ratio("value_10") },
    Line { about: "answer, path of 10 visits", unit: "x bare", goal: 4.0, limit: 4.0, measured: |m| m.ratio("answer_10") },
    Line {
        about: "each further visit on the path, at a tap",
        unit: "instructions",
        goal: 0.0,
        limit: 4_300.0,
        measured: Measured::of_a_visit,
    },
    Line { about: "start a session", unit: "instructions", goal: f64::INFINITY, limit: 317_000.0, measured: |m| m.core("start") },
    Line { about: "complete 30 fields, 2 messages", unit: "x bare", goal: 1.25, limit: 3.3, measured: |m| m.ratio("complete") },
    Line { about: "claim and settle a message", unit: "instructions", goal: 120_000.0, limit: 486_000.0, measured: |m| m.core("drain") },
    of_bare("the same by bare SQLite", |m| m.bare("drain")),
    Line { about: "close and open", unit: "instructions", goal: 2_400_000.0, limit: 9_500_000.0, measured: |m| m.core("open") },
    of_bare("bare SQLite, the same tables and indexes", |m| m.bare("open")),
    Line {
        about: "two queries while quiesced",
        unit: "instructions",
        goal: 1_200_000.0,
        limit: 14_300_000.0,
        measured: |m| m.core("quiesced"),
    },
    of_bare("bare SQLite, opened twice", |m| m.bare("quiesced")),
    Line { about: "set one of 30 fields", unit: "pages", goal: 3.0, limit: 5.7, measured: |m| m.pages("value") },
    Line { about: "complete 30 fields, 2 messages", unit: "pages", goal: 12.0, limit: 27.5, measured: |m| m.pages("complete") },
    Line { about: "set one of 30 fields", unit: "fsyncs", goal: 1.0, limit: 1.0, measured: |m| m.syncs("value") },
    Line { about: "answer, path of 10 visits", unit: "fsyncs", goal: 1.0, limit: 1.0, measured: |m| m.syncs("answer_10") },
    Line { about: "start a session", unit: "fsyncs", goal: 1.0, limit: 1.0, measured: |m| m.syncs("start") },
    Line { about: "complete 30 fields, 2 messages", unit: "fsyncs", goal: 1.0, limit: 1.1, measured: |m| m.syncs("complete") },
];

/// A line without goal and limit.
const fn of_bare(about: &'static str, measured: fn(&mut Measured) -> Option<f64>) -> Line {
    Line { about, unit: "instructions", goal: f64::INFINITY, limit: f64::INFINITY, measured }
}

/// The gestures that were counted so far, by name.
#[derive(Default)]
struct Measured(Vec<(&'static str, Option<Counted>)>);

impl Measured {
    fn of(&mut self, name: &'static str) -> Option<&Counted> {
        let place = match self.0.iter().position(|(known, _)| *known == name) {
            Some(place) => place,
            None => {
                let gesture = gesture(name);
                let counted = instructions(gesture, Side::Core).map(|core| Counted {
                    core,
                    bare: gesture.has_bare.then(|| instructions(gesture, Side::Bare)).flatten(),
                    writes: writes(gesture, Side::Core),
                });
                self.0.push((name, counted));
                self.0.len() - 1
            }
        };
        self.0[place].1.as_ref()
    }

    fn core(&mut self, name: &'static str) -> Option<f64> {
        self.of(name).map(|counted| counted.core)
    }

    fn ratio(&mut self, name: &'static str) -> Option<f64> {
        self.of(name).and_then(|counted| Some(counted.core / counted.bare?))
    }

    fn bare(&mut self, name: &'static str) -> Option<f64> {
        self.of(name).and_then(|counted| counted.bare)
    }

    /// Without those of checkpoints.
    fn syncs(&mut self, name: &'static str) -> Option<f64> {
        self.of(name).and_then(|counted| Some(counted.writes?.syncs))
    }

    fn pages(&mut self, name: &'static str) -> Option<f64> {
        self.of(name).and_then(|counted| Some(counted.writes?.pages))
    }

    fn of_a_visit(&mut self) -> Option<f64> {
        Some((self.core("value_300")? - self.core("value_10")?) / 290.0)
    }
}

/// Counts everything and prints it. False where a limit is passed.
pub(crate) fn counted() -> bool {
    println!("{:<44} {:>12} {:>12} {:>12}", "counted by valgrind and strace", "measured", "goal", "limit");
    let mut measured = Measured::default();
    let mut passed = true;
    for line in &LINES {
        let Some(value) = (line.measured)(&mut measured) else {
            println!("{:<44} not measured: valgrind or strace is not here", line.about);
            continue;
        };
        let is_within = value <= line.limit;
        passed &= is_within;
        let verdict = match (is_within, value <= line.goal) {
            (false, _) => "ABOVE THE LIMIT",
            (true, true) if line.goal.is_infinite() => "",
            (true, true) => "reached",
            (true, false) => "not reached",
        };
        let number = |value: f64| if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") };
        let bound = |value: f64| if value.is_finite() { number(value) } else { "none".into() };
        println!("{:<44} {:>12} {:>12} {:>12} {:<12} {verdict}", line.about, number(value), bound(line.goal), bound(line.limit), line.unit);
    }
    passed
}
