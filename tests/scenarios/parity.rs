//! `docs/calls.md` names every call in every language, and nothing that is not there; and the packages for Kotlin and Swift have the same
//! names, except what the page gives a reason for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::file as root;

const PAGE: &str = include_str!("../../docs/calls.md");

/// Functions of the facade that are no call of a core.
const OF_THE_FACADE: &[&str] = &["version", "default_retry_policy"];

/// The rows: names in Rust, Kotlin, Swift and Python, and what may be left out.
fn rows() -> Vec<[&'static str; 5]> {
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        <[&str; 5]>::try_from(cells).unwrap_or_else(|cells| panic!("five columns: {cells:?}"))
    };
    let calls = PAGE.split("\n## What differs").next().unwrap_or_default();
    calls.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

/// The names of one column of the table at the end: 0 for Kotlin, 1 for Swift. Each row has a reason.
fn differing(column: usize) -> BTreeSet<&'static str> {
    let table = PAGE.lines().filter(|line| line.starts_with('|')).skip_while(|line| !line.starts_with("| Kotlin | Swift | why")).skip(2);
    let mut found = BTreeSet::new();
    for line in table {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        assert!(cells.len() == 3 && cells[2].trim().len() > 10, "a reason: {line}");
        found.extend(cells[column].split('`').skip(1).step_by(2));
    }
    found
}

/// The public types of the packages for Kotlin: those written by hand, and of the model only what has another name in Swift.
fn kotlin_types(listing: &str) -> BTreeSet<&str> {
    let of_the_model = ["Section"];
    let mut found = BTreeSet::new();
    for line in listing.lines().filter(|line| line.starts_with("public ")) {
        let Some((_, rest)) = line.split_once("dev/compass/core/") else { continue };
        let path = rest.split(|c: char| c.is_whitespace()).next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        if path.starts_with("model/") && !of_the_model.contains(&name) {
            continue;
        }
        // Functions of a file, and types in types.
        if !name.ends_with("Kt") && !name.contains('$') {
            found.insert(name);
        }
    }
    found
}

/// The public types that the modules for Swift declare, without what is generated.
fn swift_types(source: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::from(["WorkflowSection"]);
    for line in source.lines() {
        let Some(declared) = line.strip_prefix("public ") else { continue };
        let mut words = declared.strip_prefix("final ").unwrap_or(declared).split(|c: char| !c.is_alphanumeric());
        if let (Some("class" | "struct" | "enum" | "protocol" | "typealias"), Some(name)) = (words.next(), words.next()) {
            found.insert(name);
        }
    }
    found
}

fn read(folder: &str, extension: &str) -> String {
    let mut files: Vec<PathBuf> = fs::read_dir(root(folder)).expect(folder).map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files.iter().map(|path| text(path)).collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names that follow this word in a text.
fn names<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let name = |rest: &'t str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    text.split(word).skip(1).map(name).filter(|name| !name.is_empty()).collect()
}

/// What stands between these two.
fn part<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
    text.split_once(begin).unwrap_or_else(|| panic!("{begin}")).1.split(end).next().unwrap_or_default()
}

/// That a column and a language name the same: each name of the column is in `all`, each of `calls` in the column.
fn compare(language: &str, column: usize, all: &[&str], calls: &[&str]) {
    let column: Vec<&str> = rows().iter().map(|row| row[column]).collect();
    let lost: Vec<_> = column.iter().filter(|name| !all.contains(name)).collect();
    assert!(lost.is_empty(), "docs/calls.md names what {language} does not have: {lost:?}");
    let unnamed: Vec<_> = calls.iter().filter(|name| !column.contains(name)).collect();
    assert!(unnamed.is_empty() && calls.len() > 40, "docs/calls.md does not name of {language}: {unnamed:?}");
}

#[test]
fn every_call_is_named_as_rust_has_it() {
    let listing = text(&root("tests/api/compass-core.txt"));
    let calls: Vec<&str> = names(&listing, "pub fn compass_core::Compass::").into_iter().filter(|name| *name != "fmt").collect();
    let all: Vec<&str> =
        calls.iter().copied().chain(names(&listing, "pub fn compass_core::")).chain(names(&listing, "compass_core::document::")).collect();
    compare("Rust", 0, &all, &calls);
}

#[test]
fn every_call_is_named_as_kotlin_has_it() {
    let listing = read("bindings/kotlin/api", "api");
    let handle = part(&listing, "interface class dev/compass/core/Compass :", "\n}");
    let acts = part(&listing, "class dev/compass/core/ActsKt", "\n}");
    let calls: Vec<&str> = names(handle, "abstract fun ").into_iter().chain(names(acts, "final fun ")).collect();
    compare("Kotlin", 1, &names(&listing, "fun "), &calls);
    for [_, name, _, _, left_out] in rows() {
        assert!(left_out.is_empty() || names(&listing, "synthetic fun ").contains(&name), "Kotlin leaves nothing out of `{name}`");
    }
}

#[test]
fn every_call_is_named_as_swift_has_it() {
    let source = read("bindings/swift/Sources/CompassCore", "swift");
    let folder = root("bindings/swift/Sources/CompassCore");
    let [handle, gestures] = ["CompassHandle.swift", "CompassHandle+Gestures.swift"].map(|name| text(&folder.join(name)));
    let calls: Vec<&str> =
        names(&handle, " func ").into_iter().chain(names(&gestures, " func ")).filter(|name| *name != "newCommandId").collect();
    compare("Swift", 2, &names(&source, "func "), &calls);
    for [_, _, name, _, left_out] in rows() {
        // Without the form that a handle implements; the caller's actor is left out of each.
        let signatures: Vec<String> = source
            .split(&format!("func {name}("))
            .skip(1)
            .map(|rest| rest.split('{').next().unwrap_or_default().replace(" = #isolation", ""))
            .filter(|signature| !signature.split(" async ").next().unwrap_or_default().contains("on caller:"))
            .collect();
        // Left out by default, or by a shorter function of the same name.
        let may_be = signatures.iter().any(|signature| signature.contains(" = ")) || signatures.len() > 2;
        assert!(left_out.is_empty() || may_be, "Swift leaves nothing out of `{name}`");
    }
}

#[test]
fn every_call_is_named_as_python_has_it() {
    let facade = text(&root("uniffi/src/core.rs"));
    let calls: Vec<&str> = names(&facade, "pub fn ").into_iter().filter(|name| !OF_THE_FACADE.contains(name)).collect();
    compare("Python", 3, &calls, &calls);
}

#[test]
fn kotlin_and_swift_have_the_same_names_unless_the_page_says_why() {
    let listing = read("bindings/kotlin/api", "api");
    let sources: Vec<String> = ["CompassCore", "CompassCoreFakes", "CompassCoreTesting", "CompassModel"]
        .iter()
        .map(|module| read(&format!("bindings/swift/Sources/{module}"), "swift"))
        .collect();
    let sources = sources.concat();
    let (kotlin, swift) = (kotlin_types(&listing), swift_types(&sources));
    assert!(kotlin.len() > 25 && swift.len() > 25, "{} and {}", kotlin.len(), swift.len());
    let calls: Vec<[&str; 2]> = rows().iter().map(|row| [row[1], row[2]]).filter(|[kotlin, swift]| kotlin != swift).collect();
    let all = [&kotlin, &swift];
    for (column, language) in ["Kotlin", "Swift"].into_iter().enumerate() {
        let listed = differing(column);
        let alone: BTreeSet<&str> = all[column].difference(all[1 - column]).copied().chain(calls.iter().map(|pair| pair[column])).collect();
        let unexplained: Vec<_> = alone.difference(&listed).collect();
        assert!(unexplained.is_empty(), "only {language} has {unexplained:?}: give the other the same name, or docs/calls.md a reason");
        // A name that both have may stand beside one that only one has.
        let gone: Vec<_> = listed.iter().filter(|name| !alone.contains(*name) && !all[column].contains(*name)).collect();
        assert!(gone.is_empty(), "docs/calls.md explains what {language} does not have: {gone:?}");
    }
}
