//! Whether what a screen calls costs more on a phone with a long history: instructions, memory, bytes and the slowest calls, by the number of
//! finished sessions.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use compass_core::model::*;

use super::counts;
use super::phone::Phone;

/// The argument that makes this program do one call on a phone that is there: call, times, folder.
pub(crate) const ON: &str = "--on";
/// The argument that makes it print its anonymous memory in kB: what it does first, folder.
pub(crate) const MEMORY: &str = "--memory";

/// The numbers of finished sessions.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Repetitions that are counted, and those before them.
const TIMES: usize = 12;
const BEFORE: usize = 2;
/// Completions of which the slowest are looked at.
const COMPLETIONS: usize = 2_000;
/// Of a folder with the database, so that it is deleted where the test folder is.
const FILE: &str = "compass.db";

/// A call of a screen, with what it is for.
struct Call {
    name: &'static str,
    about: &'static str,
    once: fn(&Phone),
}

const CALLS: [Call; 12] = [
    Call { name: "list", about: "the newest 50 sessions", once: Phone::list },
    Call { name: "filter", about: "the newest 50 of a workflow that are sent", once: filter },
    Call { name: "search", about: "50 sessions with a word that is in all", once: search },
    Call { name: "search_one", about: "the session with a word that is in one", once: search_one },
    Call { name: "record", about: "the record of a session", once: Phone::record },
    Call { name: "totals", about: "totals for a report", once: Phone::report },
    Call { name: "outbox", about: "50 messages", once: outbox },
    Call { name: "due", about: "the outbox in numbers, and what is due next", once: Phone::look },
    Call { name: "endpoints", about: "the endpoints", once: endpoints },
    Call { name: "start", about: "start a session", once: start },
    Call { name: "complete", about: "start, fill in, complete", once: Phone::work },
    Call { name: "deliver", about: "the same, and one message sent", once: Phone::deliver },
];

fn filter(phone: &Phone) {
    let filter = SessionFilter { workflow: Some("visit".into()), action_status: Some(ActionStatus::Sent), ..SessionFilter::default() };
    assert_eq!(phone.compass.sessions(&filter, None, 50).unwrap().sessions.len(), 50);
}

fn found(phone: &Phone, text: &str) -> usize {
    let filter = SessionFilter { text: Some(text.into()), ..SessionFilter::default() };
    phone.compass.sessions(&filter, None, 50).unwrap().sessions.len()
}

fn search(phone: &Phone) {
    assert_eq!(found(phone, "valve"), 50);
}

fn search_one(phone: &Phone) {
    assert_eq!(found(phone, RARE), 1);
}

fn outbox(phone: &Phone) {
    let filter = OutboxFilter { states: vec![DeliveryState::Sent], ..OutboxFilter::default() };
    assert_eq!(phone.compass.outbox(&filter, None, 50).unwrap().items.len(), 50);
}

fn endpoints(phone: &Phone) {
    assert_eq!(phone.compass.endpoints().unwrap().len(), 1);
}

fn start(phone: &Phone) {
    phone.start("visit");
}

/// A word in one session.
const RARE: &str = "cavitation";

/// A phone with so many finished sessions, whose messages are sent, and one that holds the rare word.
fn grow(phone: &Phone, sessions: usize) {
    let rare = phone.start("visit");
    phone.set(rare.key, "field_0", RARE);
    phone.compass.complete(rare.key, rare.visit).unwrap();
    for _ in 1..sessions {
        phone.complete("visit");
    }
    phone.flush(sessions);
    // What is to be indexed is indexed by the first search.
    search_one(phone);
}

/// What the process of `--on` does.
pub(crate) fn do_one(arguments: &[String]) {
    let [name, times, folder] = arguments else { panic!("{ON} CALL TIMES FOLDER") };
    let call = CALLS.iter().find(|call| call.name == name).expect("a call");
    let phone = Phone::open(&Path::new(folder).join(FILE));
    (0..times.parse().unwrap()).for_each(|_| (call.once)(&phone));
    std::process::exit(0);
}

/// What the process of `--memory` does.
pub(crate) fn print_memory(arguments: &[String]) {
    let [what, folder] = arguments else { panic!("{MEMORY} WHAT FOLDER") };
    let before = anonymous_kb();
    let phone = Phone::open(&Path::new(folder).join(FILE));
    if what == "search" {
        search(&phone);
        phone.report();
    }
    println!("{}", anonymous_kb() - before);
    std::process::exit(0);
}

fn anonymous_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// One size.
struct Grown {
    sessions: usize,
    /// Of each call.
    instructions: Vec<Option<f64>>,
    bytes_per_session: f64,
    /// After opening, and after a search and totals, in kB.
    memory: [i64; 2],
    /// The median of completing, and what 99 of 100 and 999 of 1,000 do not pass, in microseconds of processor time.
    completing: [f64; 3],
}

/// Prints the table, and writes the curves to this file.
pub(crate) fn growth(sizes: &[usize], curves: &Path) {
    let sizes = if sizes.is_empty() { &SIZES } else { sizes };
    let grown: Vec<Grown> = sizes.iter().map(|sessions| grown(*sessions)).collect();
    let [first, .., last] = &grown[..] else { panic!("two sizes or more") };
    print!("\n{:<46}", "instructions with finished sessions");
    grown.iter().for_each(|size| print!(" {:>11}", size.sessions));
    println!(" {:>8}", "last/first");
    for (number, call) in CALLS.iter().enumerate() {
        print!("{:<46}", call.about);
        grown.iter().for_each(|size| print!(" {:>11.0}", size.instructions[number].unwrap_or(f64::NAN)));
        let ratio = last.instructions[number].zip(first.instructions[number]).map_or(f64::NAN, |(last, first)| last / first);
        println!(" {ratio:>8.2}");
    }
    let line = |about: &str, of: &dyn Fn(&Grown) -> f64| {
        print!("{about:<46}");
        grown.iter().for_each(|size| print!(" {:>11.0}", of(size)));
        println!();
    };
    line("bytes of the file per finished session", &|size| size.bytes_per_session);
    line("memory after opening, kB", &|size| size.memory[0] as f64);
    line("memory after a search and totals, kB", &|size| size.memory[1] as f64);
    line("completing, microseconds of processor time, median", &|size| size.completing[0]);
    line("completing, 99 of 100 are faster", &|size| size.completing[1]);
    line("completing, 999 of 1,000 are faster", &|size| size.completing[2]);
    std::fs::write(curves, drawn(&grown)).unwrap();
    println!("\ncurves: {}", curves.display());
}

fn grown(sessions: usize) -> Grown {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let phone = Phone::open(&file);
    grow(&phone, sessions);
    phone.compass.close().unwrap();
    let bytes_per_session = std::fs::metadata(&file).unwrap().len() as f64 / sessions as f64;
    let memory = ["open", "search"].map(|what| memory(what, folder.path()));
    let instructions = CALLS.iter().map(|call| instructions(call, &file)).collect();
    let completing = completing(&Phone::open(&file));
    eprintln!("{sessions} sessions are counted");
    Grown { sessions, instructions, bytes_per_session, memory, completing }
}

fn memory(what: &str, folder: &Path) -> i64 {
    let output =
        Command::new(std::env::current_exe().unwrap()).args([MEMORY, what, folder.to_str().unwrap()]).output().expect("this program");
    String::from_utf8(output.stdout).unwrap().trim().parse().expect("a number of kB")
}

/// Each count on a copy of its own, because calls write.
fn instructions(call: &Call, file: &Path) -> Option<f64> {
    let count = |times: usize| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(file, folder.path().join(FILE)).unwrap();
        counts::counted(&[ON, call.name, &times.to_string(), folder.path().to_str().unwrap()])
    };
    Some((count(TIMES)? - count(BEFORE)?) / (TIMES - BEFORE) as f64)
}

/// The processor time of this thread in seconds: a busy machine makes no difference.
fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn completing(phone: &Phone) -> [f64; 3] {
    let mut times: Vec<f64> = (0..COMPLETIONS)
        .map(|_| {
            let view = phone.filled_in("visit");
            let began = processor_time();
            phone.compass.complete(view.key, view.visit).unwrap();
            (processor_time() - began) * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    [0.5, 0.99, 0.999].map(|part| times[((COMPLETIONS as f64 * part) as usize).min(COMPLETIONS - 1)])
}

// The curves ----------------------------------------------------------------------------------------------------------------------------

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
const COLOURS: [&str; 6] = ["#0b6e4f", "#b23a48", "#1f4e8c", "#8a5a00", "#5b3a8e", "#444444"];

/// Instructions of each call relative to those with the fewest sessions; both axes are logarithmic.
fn drawn(grown: &[Grown]) -> String {
    let (first, last) = (grown[0].sessions as f64, grown[grown.len() - 1].sessions as f64);
    let x = |sessions: usize| 60.0 + (WIDTH - 400.0) * (sessions as f64 / first).ln() / (last / first).ln();
    // From a half to four times.
    let y = |ratio: f64| 40.0 + (HEIGHT - 90.0) * (1.0 - (ratio.clamp(0.5, 4.0).log2() + 1.0) / 3.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"60\" y=\"22\" font-size=\"14\">Instructions of a call beside those with {first} finished sessions</text>\n"
    );
    for ratio in [0.5, 1.0, 2.0, 4.0] {
        let at = y(ratio);
        let _ = writeln!(
            svg,
            "<line x1=\"60\" y1=\"{at:.0}\" x2=\"{:.0}\" y2=\"{at:.0}\" stroke=\"#ccc\"/><text x=\"22\" y=\"{:.0}\">{ratio}x</text>",
            WIDTH - 340.0,
            at + 4.0
        );
    }
    for size in grown {
        let _ =
            writeln!(svg, "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>", x(size.sessions), HEIGHT - 24.0, size.sessions);
    }
    for (number, call) in CALLS.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let dash = if number < COLOURS.len() { "" } else { " stroke-dasharray=\"6 4\"" };
        let points = grown.iter().filter_map(|size| {
            let ratio = size.instructions[number]? / grown[0].instructions[number]?;
            Some(format!("{:.1},{:.1}", x(size.sessions), y(ratio)))
        });
        let points: Vec<String> = points.collect();
        let below = 52.0 + 22.0 * number as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>\n<line x1=\"{:.0}\" y1=\"{:.0}\" x2=\"{:.0}\" y2=\"{:.0}\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/><text x=\"{:.0}\" y=\"{below:.0}\">{}</text>",
            points.join(" "),
            WIDTH - 320.0,
            below - 4.0,
            WIDTH - 292.0,
            below - 4.0,
            WIDTH - 284.0,
            call.about
        );
    }
    svg.push_str("</svg>\n");
    svg
}
