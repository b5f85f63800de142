//! Names that plain ones have replaced, of types, functions and modules, do not come back: they have to be learned before one can read on.

use std::fs;
use std::path::{Path, PathBuf};

/// What was replaced, and by what.
const REPLACED: &[(&str, &str)] = &[
    ("air", "in_flight"),
    ("calling_off", "cancelling"),
    ("fire", "enqueue_actions"),
    ("freeze", "insert_entry"),
    ("gate", "call_guard"),
    ("given_back", "released"),
    ("give_way", "yield_to_waiters"),
    ("Glance", "Peek"),
    ("held_for", "backoff_left"),
    ("Held", "StoredValue"),
    ("InTheAir", "EarlierAttempt"),
    ("Judged", "AttemptResult"),
    ("Lane", "EndpointQueue"),
    ("LeftBehind", "Detached"),
    ("left_behind", "detached"),
    ("nudge", "notify"),
    ("Patience", "LockWait"),
    ("put_is_back", "restore_came_online"),
    ("registry", "open_files"),
    ("Seat", "the lock of the pipeline"),
    ("Stamp", "ActContext"),
    ("Standing", "Blocker or Mode"),
    ("Subject", "LoadedSession"),
    ("survey", "scan_endpoints"),
    ("take_is_back", "take_came_online"),
    ("take_up", "resume_settling"),
    ("Tally", "FlushCounts"),
    ("trial", "test_send"),
    ("Trials", "TestSends"),
    ("Trouble", "IoFailure"),
    ("unhold", "clear_backoff"),
    ("untold", "unread_input"),
    ("upkeep", "maintenance"),
    ("Wishes", "CallerRequests"),
    ("World", "DeliveryContext"),
];

/// The names that a text declares: of types, functions and modules.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let keyword = words.iter().position(|word| ["struct", "enum", "trait", "type", "fn", "mod"].contains(word))?;
        // Before it stand only words that say who sees it; in a sentence stand others.
        let is_code = words[..keyword].iter().all(|word| word.starts_with("pub") || ["async", "const", "super)", "unsafe"].contains(word));
        let name = words.get(keyword + 1)?.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        is_code.then_some(name)
    })
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn names_that_were_replaced_do_not_come_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("uniffi/src"), &mut files);
    let mut count = 0;
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for name in declared(&text) {
            count += 1;
            let better = REPLACED.iter().find(|(old, _)| *old == name).map(|(_, better)| *better);
            assert_eq!(better, None, "`{name}` in {} has a plain name", path.display());
        }
    }
    assert!(count > 2_000, "{count} names");
}

#[test]
fn a_replaced_name_is_found_where_it_is_declared_and_not_in_a_sentence() {
    let found: Vec<&str> =
        declared("pub(super) struct Lane {\n/// The type Lane\n    pub(crate) const fn survey(&self) {\nmod air;\nuse a::Seat;").collect();
    assert_eq!(found, ["Lane", "survey", "air"]);
}
