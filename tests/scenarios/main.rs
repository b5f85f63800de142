//! The scenarios of `tests/fixtures/scenarios`, which every language runs. Their format is described in the README there.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "a suite in several files, not a library")]

mod parity;
mod paths;
mod stage;
mod step;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stage::Stage;

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn folder() -> PathBuf {
    file("tests/fixtures/scenarios")
}

fn run(name: &str) {
    let file = folder().join(format!("{}.json", name.replace('_', "-")));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let scenario: step::Scenario = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(!scenario.title.is_empty() && !scenario.steps.is_empty(), "{name} says nothing");
    let mut stage = Stage::new();
    for (index, step) in scenario.steps.into_iter().enumerate() {
        let number = index + 1;
        let what = step.to_string();
        let (step, error) = step::read(step).unwrap_or_else(|error| panic!("step {number} {what}: {error}"));
        if let Err(faults) = stage.play(step, error) {
            panic!("step {number} {what}:\n{}", faults.join("\n"));
        }
    }
    stage.end();
}

macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        $(#[test] fn $name() { run(stringify!($name)); })+

        const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

scenarios! {
    abandoned_and_purged,
    all_or_nothing,
    another_network,
    as_typed,
    busy_then_taken,
    ended_or_discarded,
    every_type,
    edits_sent,
    fields_per_action,
    given_once,
    gone,
    half_typed,
    integration_off,
    locked_after_four,
    moving,
    notes_and_responses,
    offline,
    prefill,
    redacted,
    replayed,
    rejected_and_corrected,
    secrets,
    token_refused,
    unknown_endpoint,
    unmetered,
    versions,
}

#[test]
fn every_file_is_a_test() {
    let files = std::fs::read_dir(folder()).expect("the folder of the scenarios");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("a name"));
    let found: BTreeSet<String> = names.filter_map(|name| name.strip_suffix(".json").map(|name| name.replace('-', "_"))).collect();
    let listed: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, listed);
}
