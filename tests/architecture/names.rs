//! Names that plain ones have replaced, of types, functions, modules and constants, do not come back: they have to be learned before one can read on.

use std::fs;
use std::path::{Path, PathBuf};

/// What was replaced, and by what.
const REPLACED: &[(&str, &str)] = &[
    ("air", "in_flight"),
    ("anew", "rebuild"),
    ("begin_anew", "begin_again"),
    ("calling_off", "cancelling"),
    ("beside_claimed", "others_of_claimed"),
    ("calm", "no_attention"),
    ("climb", "root_from"),
    ("clock_is_to_blame", "signed_time_was_wrong"),
    ("CLOCK_NOISE_MS", "CLOCK_TOLERANCE_MS"),
    ("dead_leases", "expired_leases"),
    ("departs", "may_still_send"),
    ("Departure", "SendCheck"),
    ("drain", "wait_for_calls"),
    ("farthest", "latest"),
    ("FARTHEST_DUE", "LATEST_DUE"),
    ("FARTHEST_SKEW_MS", "LARGEST_SKEW_MS"),
    ("fire", "enqueue_actions"),
    ("forget_spent", "forget_hashes"),
    ("freeze", "insert_entry"),
    ("gate", "call_guard"),
    ("given_back", "released"),
    ("give_way", "yield_to_waiters"),
    ("Glance", "Peek"),
    ("graft", "put_at"),
    ("Held", "StoredValue"),
    ("HeldBack", "Delays"),
    ("heal", "lost_body"),
    ("held_for", "backoff_left"),
    ("held_up_until", "delayed_until"),
    ("holds_up", "delays"),
    ("hurry", "return_by"),
    ("InTheAir", "EarlierAttempt"),
    ("is_attended", "has_driver"),
    ("is_dense", "is_without_spaces"),
    ("is_flying", "has_in_flight"),
    ("is_held_up", "is_delayed"),
    ("is_sound", "is_intact"),
    ("is_stuck", "must_wait"),
    ("is_troubled", "is_failing"),
    ("jittered_floor", "jittered_shortest"),
    ("judge", "lint"),
    ("judge_again", "lint_again"),
    ("Judged", "AttemptResult"),
    ("keep_at_open", "purge_at_open"),
    ("keep_until", "purge_until"),
    ("Lane", "EndpointQueue"),
    ("lease_is_void", "lease_is_over"),
    ("LeftBehind", "Detached"),
    ("left_behind", "detached"),
    ("let_go", "unused_files"),
    ("make_anew", "rebuild"),
    ("may_urge", "may_be_urgent"),
    ("nudge", "notify"),
    ("Obstacle", "Cause"),
    ("owes_erasing", "needs_cleaning"),
    ("passed_over", "skipped"),
    ("passing_over", "without_damaged"),
    ("Patience", "LockWait"),
    ("plausible_skew", "possible_skew"),
    ("put_is_back", "restore_came_online"),
    ("registry", "open_files"),
    ("release_bodies", "drop_bodies"),
    ("Remade", "Rebuilt"),
    ("rest", "release_idle"),
    ("revives_by_itself", "revived_by_change"),
    ("Seat", "the lock of the pipeline"),
    ("set_result_aside", "keep_not_stored"),
    ("sound", "valid, or undamaged"),
    ("spend", "keep_hashes"),
    ("Spent", "UsedUrgent"),
    ("STALL", "WRITE_WAIT"),
    ("Stamp", "ActContext"),
    ("Standing", "Blocker or Mode"),
    ("Subject", "LoadedSession"),
    ("survey", "scan_endpoints"),
    ("take_in_late", "store_late_results"),
    ("take_is_back", "take_came_online"),
    ("take_up", "resume_settling"),
    ("Tally", "FlushCounts"),
    ("trial", "test_send"),
    ("Trials", "TestSends"),
    ("Trouble", "IoFailure"),
    ("undefended", "without_defensive_mode"),
    ("unhold", "clear_backoff"),
    ("untold", "unread_input"),
    ("upkeep", "maintenance"),
    ("void_dead_leases", "end_expired_leases"),
    ("Way", "PointerTree"),
    ("ways", "links"),
    ("Ways", "Links"),
    ("wind_down", "end_run"),
    ("write_aside", "write_in_background"),
    ("Wishes", "CallerRequests"),
    ("World", "DeliveryContext"),
];

/// Words that a comment, a message or a page does not use: each has a plain one, or one of the glossary.
const REPLACED_WORDS: &[(&str, &str)] = &[
    ("afresh", "again"),
    ("anew", "again, or rebuild"),
    ("arbitrary", "some"),
    ("authoritative", "what counts"),
    ("called off", "cancelled"),
    ("coarse", "of few calls"),
    ("dead lease", "expired lease"),
    ("deliberately", "on purpose"),
    ("excuses", "counts for"),
    ("falls short", "not reached"),
    ("given back", "released, or dropped"),
    ("given up", "abandoned, or cancelled"),
    ("gives way", "is replaced, or abandoned"),
    ("held up", "delayed"),
    ("hold up", "delay"),
    ("holds up", "delays"),
    ("honoured", "counts"),
    ("in the air", "in flight"),
    ("in vain", "without success"),
    ("index of words", "search index"),
    ("judged", "linted, classified, or checked"),
    ("left behind", "detached, or left"),
    ("leniently", "only its general form"),
    ("let go", "released, or unused"),
    ("mended", "repaired"),
    ("narrowed", "filtered"),
    ("parked", "delayed"),
    ("passed over", "skipped"),
    ("persisted", "stored"),
    ("plausible", "possible"),
    ("put aside", "set aside"),
    ("rugged", "special"),
    ("spent command", "hashed command"),
    ("stalls", "hangs"),
    ("takes precedence", "wins"),
    ("to blame", "the cause"),
    ("undercut", "below"),
    ("upkeep", "maintenance"),
    ("violates", "breaks"),
    ("weighs", "takes, or has"),
    ("winding down", "the end of a run"),
    ("wiped", "emptied, or overwritten"),
    ("wipes", "empties, or overwrites"),
    ("withdraws", "cancels"),
];

/// The same for the packages and the samples alone.
const REPLACED_IN_SAMPLES: &[(&str, &str)] = &[("fingerprint", "hash; for a technician, checksum")];

/// The names that a text declares: of types, functions, modules and constants.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let keyword = words.iter().position(|word| ["struct", "enum", "trait", "type", "fn", "mod"].contains(word));
        let keyword = keyword.or_else(|| words.iter().position(|word| ["const", "static"].contains(word)))?;
        // Before it stand only words that say who sees it; in a sentence stand others.
        let is_code = words[..keyword].iter().all(|word| word.starts_with("pub") || ["async", "const", "super)", "unsafe"].contains(word));
        let name = words.get(keyword + 1)?.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        is_code.then_some(name)
    })
}

/// The files with one of these endings; not what is built or generated.
fn sources(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.starts_with('.') && !["target", "build", "Generated"].contains(&name) {
                sources(&path, endings, found);
            }
        } else if path.extension().is_some_and(|extension| endings.iter().any(|ending| extension == *ending)) {
            found.push(path);
        }
    }
}

#[test]
fn names_that_were_replaced_do_not_come_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &["rs"], &mut files);
    sources(&root.join("uniffi/src"), &["rs"], &mut files);
    let mut count = 0;
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
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
    let found: Vec<&str> = declared(
        "pub(super) struct Lane {\n/// The type Lane\n    pub(crate) const fn survey(&self) {\nmod air;\nuse a::Seat;\nconst REST: u8 = 1;",
    )
    .collect();
    assert_eq!(found, ["Lane", "survey", "air", "REST"]);
}

/// The place of a word in a text, as a whole word.
fn finds(text: &str, word: &str) -> Option<usize> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    text.match_indices(word)
        .map(|(at, _)| at)
        .find(|at| !is_letter(text[..*at].chars().next_back()) && !is_letter(text[at + word.len()..].chars().next()))
}

/// That none of these words is in the files.
fn refuse(files: &[PathBuf], words: &[(&str, &str)]) {
    for path in files.iter().filter(|path| !path.ends_with("architecture/names.rs")) {
        for (line, text) in (1..).zip(fs::read_to_string(path).expect("a text").replace('_', " ").lines()) {
            let found = words.iter().find(|(word, _)| finds(text, word).is_some());
            assert_eq!(found, None, "{}:{line} has a plain word", path.display());
        }
    }
}

#[test]
fn words_that_were_replaced_do_not_come_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)).to_vec();
    for folder in ["src", "uniffi/src", "tests", "examples", "benches", "docs"] {
        sources(&root.join(folder), &["rs", "md"], &mut files);
    }
    refuse(&files, REPLACED_WORDS);
}

#[test]
fn words_that_were_replaced_do_not_come_back_in_the_packages_and_the_samples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["bindings", "android-sample", "ios-sample"] {
        sources(&root.join(folder), &["kt", "java", "swift", "xml", "xcstrings", "md"], &mut files);
    }
    assert!(files.len() > 300, "{} files", files.len());
    // The samples' word for a technician: to give a message up.
    let words: Vec<_> = REPLACED_WORDS.iter().chain(REPLACED_IN_SAMPLES).filter(|(word, _)| *word != "given up").copied().collect();
    refuse(&files, &words);
}

#[test]
fn a_replaced_word_is_found_as_a_whole_word() {
    assert_eq!(finds("It is made anew.", "anew"), Some(11));
    assert_eq!(finds("a Canew, anewly", "anew"), None);
}
