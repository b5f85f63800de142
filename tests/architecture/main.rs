//! Holds the structure as `docs/architecture.md` draws it: who may use whom, where each foreign crate lives, who opens a transaction.
//!
//! Each finding names the file, the line and what to do. The rules are proven on planted violations below.

mod names;
mod pages;
#[path = "../support/source.rs"]
mod source;

use std::fs;
use std::path::Path;

use source::{Named, Source};

/// Modules and the layers they stand on. A file uses what stands on a lower layer, and its own module.
const LAYERS: &[(&str, u8)] = &[
    ("crypto", 0),
    // Faults that a simulation puts back; nothing of it ships.
    ("fault", 0),
    ("sorted", 0),
    ("model", 0),
    ("threads", 0),
    ("engine", 1),
    ("port", 1),
    ("outbox", 2),
    ("webhook", 2),
    ("store", 3),
    ("transport", 3),
    ("delivery", 4),
    ("error", 5),
    ("compass", 5),
    // Fakes for tests may stand on anything; `lib.rs` holds no logic.
    ("testing", 6),
    ("lib", 7),
];

/// The one use across a layer: the handle speaks to its callers in the public error.
const BESIDE: (&str, &str) = ("compass", "error");

/// The dependencies of `Cargo.toml` and the modules that may name them; none listed: all may.
const HOMES: &[(&str, &[&str])] = &[
    ("base64", &["crypto"]),
    ("chrono", &[]),
    ("http", &["webhook"]),
    ("log", &[]),
    ("regex-lite", &["engine"]),
    ("ring", &["crypto"]),
    ("rusqlite", &["store"]),
    ("rustix", &["port", "store", "transport"]),
    ("rustls", &["transport"]),
    ("serde", &[]),
    ("serde_json", &[]),
    ("thiserror", &[]),
    // The model, the outcomes of ports and the public error cross an FFI; `lib` holds its scaffolding. See decision 0013.
    ("uniffi", &["model", "port", "outbox", "lib"]),
    ("ureq", &["transport"]),
    ("uuid", &[]),
    ("rustls-webpki", &["transport"]),
    ("webpki-roots", &["transport"]),
    ("zeroize", &["port", "webhook"]),
];

/// Where transactions are opened: `read` and `write`, the loop that brings the schema up to date before either can be called, and what puts
/// another file in the place of one that is not open.
const TRANSACTIONS: &[&str] = &["store/connection.rs", "store/migrate.rs", "store/restore.rs"];
const OPENS_TRANSACTION: &[&str] = &[".transaction(", "transaction_with_behavior(", "unchecked_transaction(", ".savepoint(", "\"BEGIN"];

/// Modules that the same input always brings to the same result: no clock, no file, no network, no thread.
const PURE: &[&str] = &["model", "engine", "webhook", "outbox"];
const IMPURE: &[&[&str]] =
    &[&["std", "fs"], &["std", "env"], &["std", "process"], &["std", "thread"], &["std", "net", "TcpStream"], &["std", "time", "Instant"]];

/// The scheduler of delivery: rules over plain data, which the same input always brings to the same result.
const SCHEDULER: &[&str] = &[
    "delivery/attempt.rs",
    "delivery/cancelling.rs",
    "delivery/ending.rs",
    "delivery/endpoint_queue.rs",
    "delivery/released.rs",
    "delivery/detached.rs",
    "delivery/moment.rs",
    "delivery/network.rs",
    "delivery/schedule.rs",
    "delivery/caller_requests.rs",
];
/// What it may name: plain data, and functions of what they are given. Numbers of `settings`, but not what it gets from the world.
const PLAIN: &[&[&str]] = &[
    &["std", "collections"],
    &["std", "mem"],
    &["std", "sync", "Arc"],
    &["std", "time", "Duration"],
    &["fault"],
    &["sorted"],
    &["model"],
    &["outbox"],
    &["webhook"],
    &["delivery", "settings"],
    &["port", "FailureKind"],
    &["port", "SecretLookup"],
    &["port", "SecretValue"],
    &["port", "TransportRequest"],
    &["store", "endpoint", "EndpointRow"],
    &["store", "outbox", "queue", "Claimed"],
    &["store", "outbox", "lease", "Lease"],
];
const NOT_PLAIN: &[&str] = &["delivery", "settings", "Ports"];
/// A request has a name that is used once in the process, no matter who shares a transport.
const NAMES_REQUESTS: (&str, &[&str]) = ("delivery/schedule.rs", &["std", "sync", "atomic"]);

/// Locks, and what else threads wait for, by file and in what number: the one mutex of delivery with its condition variable, and the list of
/// those who want to hear of an app's token for cancelling, which is held for nothing else.
const LOCKS: &[(&str, &str)] = &[("delivery/cancel.rs", "Mutex<"), ("delivery/shared.rs", "Mutex<"), ("delivery/shared.rs", ": Condvar")];
const WAITS: &[&str] =
    &["Mutex<", "Mutex::", ": Condvar", "<Condvar", "Condvar::", "RwLock", "OnceLock", "LazyLock", "Once::", "Barrier", "mpsc", "park("];

/// The only file that asks the wall clock, so that tests can hand it another.
const WALL_CLOCK: &str = "port/clock.rs";

/// What is 3 to 8 kB of code for every type that it is used with: `sorted` is in its place in what ships (docs/size.md).
const LARGE: &[&str] = &["BTreeMap", "BTreeSet", ".sort()", ".sort_by(", ".sort_by_key(", ".sort_unstable"];

const PRINTS: &[&str] = &["println", "print", "eprintln", "eprint", "dbg"];

/// 400 lines is a long file; this is where it is two files.
const MAX_LINES: usize = 600;

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

/// Everything that is wrong with these files.
fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let mut add = |line: usize, what: String| findings.push(format!("src/{}:{line}: {what}", source.path));
        if layer(source.module()).is_none() {
            add(1, format!("module `{}` has no layer: give it one in tests/architecture and docs/architecture.md", source.module()));
        }
        if source.lines() > MAX_LINES {
            add(source.lines(), format!("{} lines, more than {MAX_LINES}: split it, one noun per file", source.lines()));
        }
        for name in source.names() {
            if SCHEDULER.contains(&source.path.as_str()) && !name.test && !is_plain(source, &name) {
                add(name.line, format!("the scheduler names `{}`: hand it in as plain data", name.segments.join("::")));
            }
            let trouble = if name.from_root { crosses_layer(source, &name) } else { leaves_home(source, &name) };
            if let Some(what) = trouble {
                add(name.line, what);
            }
        }
        if !TRANSACTIONS.contains(&source.path.as_str()) {
            for line in OPENS_TRANSACTION.iter().flat_map(|call| source.lines_with(call)) {
                add(line, "opens a transaction: take `&Transaction` or `&Connection` from `Store::write` or `Store::read`".to_owned());
            }
        }
        for line in source.lines_with(".unwrap()") {
            add(line, "bare `unwrap`: say why it holds with `expect`, or return an error".to_owned());
        }
        for line in source.calls_of_macros(PRINTS) {
            add(line, "prints: a library logs, or returns what it has to say".to_owned());
        }
        if source.module() != "testing" {
            for line in LARGE.iter().flat_map(|what| source.lines_with(what)) {
                add(line, "takes several kB for each type: use `sorted`".to_owned());
            }
        }
        if source.path != WALL_CLOCK {
            for line in ["Utc::now(", "Local::now(", "SystemTime::now("].iter().flat_map(|call| source.lines_with(call)) {
                add(line, format!("asks the wall clock: take the time from `port::Clock` ({WALL_CLOCK})"));
            }
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

fn is_plain(source: &Source, name: &Named) -> bool {
    let starts_with = |path: &[&str]| name.segments.iter().map(String::as_str).take(path.len()).eq(path.iter().copied());
    let is_own = |file: &&str| {
        let module = file.trim_end_matches(".rs").split('/').collect::<Vec<_>>();
        starts_with(&module)
    };
    let is_foreign = !name.from_root
        && name.segments.first().is_some_and(|first| {
            ["std", "core", "alloc"].contains(&first.as_str()) || HOMES.iter().any(|(home, _)| home.replace('-', "_") == *first)
        });
    if !name.from_root && !is_foreign {
        return true;
    }
    let is_name = source.path == NAMES_REQUESTS.0 && starts_with(NAMES_REQUESTS.1);
    is_name || !starts_with(NOT_PLAIN) && PLAIN.iter().any(|path| starts_with(path)) || name.from_root && SCHEDULER.iter().any(is_own)
}

/// Where the files of delivery hold something that threads wait for.
fn locks(sources: &[Source]) -> Vec<(&str, &'static str)> {
    let delivery = sources.iter().filter(|source| source.module() == "delivery");
    delivery
        .flat_map(|source| WAITS.iter().flat_map(|what| source.lines_with(what).into_iter().map(|_| (source.path.as_str(), *what))))
        .collect()
}

fn crosses_layer(source: &Source, name: &Named) -> Option<String> {
    let (own, path) = (source.module(), &name.segments);
    if own == "lib" || path.first().is_some_and(|target| target == own) {
        return None;
    }
    let Some((target, there)) = path.first().and_then(|target| Some((target, layer(target)?))) else {
        return Some(format!("names `crate::{}` through the root: name it by its module", path.join("::")));
    };
    let here = layer(own)?;
    if there < here || (own, target.as_str()) == BESIDE || (name.test && target == "testing") {
        return None;
    }
    Some(format!("`{own}` (layer {here}) uses `{target}` (layer {there}): use only lower layers, or move what is needed down"))
}

fn leaves_home(source: &Source, name: &Named) -> Option<String> {
    let (own, path) = (source.module(), &name.segments);
    if name.test {
        // A test may look at a file or a socket as a stranger would, with the very crate.
        return None;
    }
    if PURE.contains(&own)
        && IMPURE.iter().any(|forbidden| path.iter().map(String::as_str).take(forbidden.len()).eq(forbidden.iter().copied()))
    {
        return Some(format!("`{own}` uses `{}`: it stays pure; let the caller hand in what it needs", path.join("::")));
    }
    let first = path.first()?;
    let (crate_name, homes) = HOMES.iter().find(|(name, _)| name.replace('-', "_") == *first)?;
    if homes.is_empty() || homes.contains(&own) {
        return None;
    }
    Some(format!("`{crate_name}` lives in `{}` only: go through that module", homes.join("`, `")))
}

/// The keys of `[dependencies]`, of `[target.….dependencies]` and of `[dependencies.name]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = section == "dependencies" || (section.starts_with("target.") && section.ends_with(".dependencies"));
            names.extend(section.strip_prefix("dependencies.").map(str::to_owned));
        } else if inside && !line.starts_with('#') {
            names.extend(line.split_once('=').map(|(key, _)| key.trim().trim_end_matches(".workspace").to_owned()));
        }
    }
    names
}

/// The files of a folder that use one another in a circle, if there are any: each with the file that it uses.
fn circle(uses: &[(String, Vec<String>)]) -> Option<Vec<String>> {
    let mut left: Vec<&(String, Vec<String>)> = uses.iter().collect();
    loop {
        let before = left.len();
        let names: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        left.retain(|(_, others)| others.iter().any(|other| names.contains(&other.as_str())));
        if left.is_empty() {
            return None;
        }
        if left.len() == before {
            return Some(left.iter().map(|(name, _)| name.clone()).collect());
        }
    }
}

/// The siblings that a file names in its `use super::…` lines.
fn siblings(text: &str) -> Vec<String> {
    let lines = text.lines().take_while(|line| !line.contains("#[cfg(test)]")).filter_map(|line| line.trim().strip_prefix("use super::"));
    lines.map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()).collect()
}

#[test]
fn the_files_of_delivery_use_one_another_in_no_circle() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/delivery");
    let mut uses = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_file() && name != "mod" && !name.ends_with("_tests") {
            uses.push((name, siblings(&fs::read_to_string(&path).unwrap())));
        }
    }
    assert!(uses.iter().any(|(name, others)| name == "driver" && others.iter().any(|other| other == "schedule")));
    assert_eq!(circle(&uses), None);
    let planted = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["b"]), ("d", vec!["a"])];
    let planted = planted.map(|(name, others)| (name.to_owned(), others.into_iter().map(str::to_owned).collect()));
    assert!(circle(&planted).is_some(), "a circle is found");
}

#[test]
fn the_source_keeps_the_structure() {
    let sources = Source::below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.iter().any(|source| source.path == "lib.rs"), "the source is found");
    let findings = findings(&sources);
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn delivery_has_one_lock_and_one_condition_variable() {
    let sources = Source::below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert_eq!(locks(&sources), LOCKS);
    let planted = [Source::new("delivery/due.rs", "struct S { a: Mutex<u8>, b: Condvar, c: std::sync::RwLock<u8> }")];
    assert_eq!(locks(&planted).len(), 3);
}

#[test]
fn no_file_beside_the_source_is_two_files_either() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources: Vec<_> =
        ["tests", "benches", "examples", "uniffi/src"].iter().flat_map(|folder| Source::below(&root.join(folder))).collect();
    assert!(sources.iter().any(|source| source.path == "architecture/main.rs"), "this file is found");
    let long: Vec<_> = sources.iter().filter(|source| source.lines() > MAX_LINES).map(|source| &source.path).collect();
    assert!(long.is_empty(), "more than {MAX_LINES} lines: {long:?}");
}

#[test]
fn every_dependency_has_a_home() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("a manifest");
    let used = dependencies(&manifest);
    for name in &used {
        assert!(
            HOMES.iter().any(|(home, _)| home == name),
            "`{name}` is new in Cargo.toml: give it a home in tests/architecture, and a reason"
        );
    }
    for (name, _) in HOMES {
        assert!(
            used.iter().any(|used| used == name),
            "`{name}` has a home but is no dependency any more: take it out of tests/architecture"
        );
    }
}

/// The findings for one planted file.
fn planted(path: &str, content: &str) -> Vec<String> {
    findings(&[Source::new(path, content)])
}

fn assert_found(path: &str, content: &str, place: &str, what: &str) {
    let findings = planted(path, content);
    assert!(findings.len() == 1 && findings[0].starts_with(place) && findings[0].contains(what), "{content}\n{findings:?}");
}

fn assert_fine(path: &str, content: &str) {
    assert_eq!(planted(path, content), [] as [String; 0], "{content}");
}

#[test]
fn lower_layers_and_the_own_module_may_be_used() {
    assert_fine("engine/session/state.rs", "use super::event::Event;\nuse crate::{crypto::Sha256, model::{Field, Section as S}};");
    assert_fine("store/list.rs", "use crate::model::*;\nuse super::row;\npub(in crate::store) fn f() { crate::engine::lint(); }");
    assert_fine("compass/mod.rs", "use crate::error::Error;\nuse crate::delivery::Delivery;");
    assert_fine("lib.rs", "pub use compass::{Compass, Options};\npub use crate::error::Error;");
    assert_fine("outbox/progress_tests.rs", "use super::super::classify::classify;");
    assert_fine("delivery/tests/mod.rs", "use crate::testing::ManualClock;\nuse rusqlite::Connection;");
    assert_fine("testing.rs", "use crate::port::Clock;");
    assert_fine("outbox/classify.rs", "use crate::port::TransportFailure;");
}

#[test]
fn a_higher_layer_or_a_neighbour_is_found_however_it_is_written() {
    for use_it in [
        "use crate::store::Store;",
        "use crate::{model::Field, store::{self, Store}};",
        "use crate::{model::{a, b::{c, d}}, store};",
        "fn f() -> crate::store::Store { todo() }",
        "use super::super::store::Store;",
        "use self::super::super::store as s;",
        "use { super :: super :: store :: Store };",
        "mod inner { use super::super::super::store::Store; }",
        "mod inner {} use super::super::store::Store;",
        "use super::{super::store::Store, state};",
        "#[cfg(test)] mod tests { use crate::store::Store; }",
    ] {
        assert_found("engine/session.rs", use_it, "src/engine/session.rs:1:", "`engine` (layer 1) uses `store` (layer 3)");
    }
    assert_found("webhook/mod.rs", "\n\nuse crate::outbox::Class;", "src/webhook/mod.rs:3:", "`webhook` (layer 2) uses `outbox` (layer 2)");
    assert_found("port/secrets.rs", "use crate::webhook::origin;", "src/port/secrets.rs:1:", "`port` (layer 1) uses `webhook` (layer 2)");
    assert_found("error.rs", "use crate::compass::Compass;", "src/error.rs:1:", "`error` (layer 5) uses `compass` (layer 5)");
    assert_found("delivery/mod.rs", "use crate::testing::ManualClock;", "src/delivery/mod.rs:1:", "`testing` (layer 6)");
}

#[test]
fn what_the_root_exports_again_is_named_by_its_module() {
    assert_found("delivery/claim.rs", "use crate::Compass;", "src/delivery/claim.rs:1:", "through the root");
    assert_found("store/list.rs", "use super::super::*;", "src/store/list.rs:1:", "through the root");
}

#[test]
fn a_module_without_a_layer_is_found() {
    assert_found("cloud/mod.rs", "", "src/cloud/mod.rs:1:", "has no layer");
}

#[test]
fn a_crate_away_from_home_is_found() {
    for use_it in [
        "use rusqlite::Row;",
        "use {rusqlite::Row, std::fmt};",
        "fn f(row: &rusqlite::Row) {}",
        "use rusqlite as db;",
        "use ::rusqlite::Row;",
    ] {
        assert_found("delivery/claim.rs", use_it, "src/delivery/claim.rs:1:", "`rusqlite` lives in `store` only");
    }
    assert_found("transport/roots.rs", "use ring::digest;", "src/transport/roots.rs:1:", "`ring` lives in `crypto`");
    assert_fine(
        "transport/roots.rs",
        "use rustls::crypto::ring::default_provider;\nuse ureq::http::Uri;\nuse webpki_roots::TLS_SERVER_ROOTS;",
    );
    assert_fine("engine/mod.rs", "// use rusqlite::Row;\n/* ureq::get() /* nested */ ureq::get() */\nconst NAME: &str = \"ring::digest\";");
}

#[test]
fn a_clock_or_a_file_in_a_pure_room_is_found() {
    assert_found("engine/lint.rs", "use std::{fmt, fs};", "src/engine/lint.rs:1:", "stays pure");
    assert_found("outbox/policy.rs", "fn f() { std::thread::yield_now() }", "src/outbox/policy.rs:1:", "stays pure");
    assert_found("delivery/due.rs", "fn f() { chrono::Utc::now(); }", "src/delivery/due.rs:1:", "asks the wall clock");
    assert_fine("port/clock.rs", "fn f() { chrono::Utc::now(); }");
}

#[test]
fn a_large_sort_or_map_is_found() {
    for use_it in ["use std::collections::BTreeMap;", "use std::collections::{self, BTreeSet};", "fn f(a: &mut [u8]) { a.sort_unstable() }"]
    {
        assert_found("store/list.rs", use_it, "src/store/list.rs:1:", "use `sorted`");
    }
    assert_fine("store/list.rs", "#[cfg(test)] mod tests { use std::collections::BTreeMap; }");
}

#[test]
fn a_scheduler_that_is_not_pure_is_found() {
    for use_it in [
        "use std::sync::{Arc, Mutex};",
        "use std::time::Instant;",
        "use crate::port::Clock;",
        "use crate::store::Store;",
        "use super::settings::{Ports, Settings};",
        "use super::shared::Shared;",
        "fn f() { std::thread::yield_now() }",
        "fn f() { log::warn!(\"late\") }",
    ] {
        assert_found("delivery/schedule.rs", use_it, "src/delivery/schedule.rs:1:", "the scheduler names");
    }
    assert_found("delivery/ending.rs", "static N: std::sync::atomic::AtomicU8 = f();", "src/delivery/ending.rs:1:", "the scheduler names");
    assert_fine("delivery/ending.rs", "use super::schedule::Schedule;\nuse crate::store::outbox::queue::Claimed;\nfn f() { g::h() }");
    assert_fine("delivery/schedule.rs", "#[cfg(test)]\nmod tests { use std::thread; }");
}

#[test]
fn a_transaction_opened_outside_read_and_write_is_found() {
    for open in [
        "c.transaction()",
        "c.transaction_with_behavior(I)",
        "c.unchecked_transaction()",
        "c.execute_batch(\"BEGIN IMMEDIATE\")",
        "c.savepoint()",
    ] {
        assert_found("store/session.rs", &format!("fn f() {{ {open}; }}"), "src/store/session.rs:1:", "opens a transaction");
    }
    assert_fine("store/connection.rs", "fn f() { c.transaction_with_behavior(I); }");
    assert_fine("store/session.rs", "// Not c.transaction() here.\nfn f(transaction: &Transaction<'_>) { transaction.execute(\"END\"); }");
}

#[test]
fn a_bare_unwrap_or_a_print_is_found_outside_tests_only() {
    assert_found("engine/lint.rs", "fn f() { \"a'\\\"\".parse().unwrap(); }", "src/engine/lint.rs:1:", "bare `unwrap`");
    assert_found("engine/lint.rs", "#[cfg(test)]\nmod tests;\nfn f() { g().unwrap(); }", "src/engine/lint.rs:3:", "bare `unwrap`");
    assert_found(
        "engine/lint.rs",
        "#[cfg(test)]\nmod tests { fn f() {} }\nfn f() { g().unwrap(); }",
        "src/engine/lint.rs:3:",
        "bare `unwrap`",
    );
    assert_found("engine/lint.rs", "fn f() { let _ = ('\"', r#\"\"#); println!(\"x\"); }", "src/engine/lint.rs:1:", "prints");
    assert_fine(
        "engine/lint.rs",
        "#[cfg(test)]\nmod tests { fn f() { g().unwrap(); println!(); } }\n/// `x.unwrap()`\nfn f<'a>(x: &'a str) {}",
    );
    assert_fine("engine/tests/start.rs", "fn f() { g().unwrap(); dbg!(1); }");
    assert_fine("engine/lint_tests.rs", "fn f() { g().unwrap(); }");
}

#[test]
fn a_file_that_should_be_two_is_found() {
    assert_fine("engine/lint.rs", &"\n".repeat(MAX_LINES));
    assert_found("engine/lint.rs", &"\n".repeat(MAX_LINES + 1), "src/engine/lint.rs:601:", "split it");
}

#[test]
fn dependencies_are_read_from_every_place_a_manifest_has() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# no = 1\nlog = \"1\"\nserde.workspace = true\n[dependencies.http]\nversion = \"1\"\n\
        [target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n[dev-dependencies]\ntempfile = \"3\"\n";
    assert_eq!(dependencies(manifest), ["log", "serde", "http", "libc"]);
}
