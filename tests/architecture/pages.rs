//! Pages that name parts of the code: the index of the tests, and the glossary.

use std::fs;
use std::path::Path;

/// Whether there is the program, the module or the test that tests/README.md calls `program::module::test`.
fn is_there(name: &str) -> bool {
    let mut folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut file = None;
    for part in name.split("::") {
        let inner = folder.join(part);
        match [folder.join(format!("{part}.rs")), inner.join("main.rs"), inner.join("mod.rs")].into_iter().find(|path| path.is_file()) {
            Some(module) => (file, folder) = (Some(module), inner),
            None => return file.is_some_and(|file| fs::read_to_string(file).expect("a file of tests").contains(&format!("fn {part}()"))),
        }
    }
    file.is_some()
}

#[test]
fn the_index_of_the_tests_names_what_is_there_and_every_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let named: Vec<&str> = index.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    let wrong: Vec<_> = named.iter().filter(|name| !name.contains('/') && !is_there(name)).collect();
    assert!(wrong.is_empty(), "tests/README.md names what is not there: {wrong:?}");
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let program = path.file_stem().unwrap().to_str().unwrap();
        let is_program = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
        let is_named = named.iter().any(|name| name.split("::").next() == Some(program));
        assert!(!is_program || is_named, "tests/README.md does not name the program `{program}`");
    }
}

/// Words of type names that need no line in the glossary: plain English, or a word of the platform.
const PLAIN_WORDS: &[&str] = &[
    "applied",
    "authored",
    "authoring",
    "bodies",
    "built",
    "cancel",
    "change",
    "clock",
    "code",
    "compass",
    "decimal",
    "definition",
    "delete",
    "due",
    "edit",
    "end",
    "erased",
    "error",
    "failure",
    "file",
    "filter",
    "group",
    "header",
    "id",
    "import",
    "in",
    "invalid",
    "item",
    "kind",
    "location",
    "lookup",
    "message",
    "need",
    "network",
    "next",
    "no",
    "option",
    "options",
    "parsed",
    "path",
    "pending",
    "phase",
    "policy",
    "random",
    "ref",
    "request",
    "retry",
    "rule",
    "sent",
    "set",
    "severity",
    "sha256",
    "signing",
    "source",
    "start",
    "state",
    "static",
    "status",
    "submitted",
    "subscription",
    "summary",
    "system",
    "target",
    "test",
    "timeouts",
    "timestamp",
    "token",
    "undelivered",
    "version",
];

/// The words of a name in camel case, small.
fn words(name: &str) -> Vec<String> {
    let starts: Vec<usize> = name.char_indices().filter(|(_, c)| c.is_ascii_uppercase()).map(|(at, _)| at).chain([name.len()]).collect();
    starts.windows(2).map(|ends| name[ends[0]..ends[1]].to_lowercase()).collect()
}

#[test]
fn the_glossary_holds_the_words_of_public_types() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let glossary = page.split_once("## 1. Words").unwrap().1.split_once("## 2.").unwrap().0;
    let rows = glossary.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let known: Vec<&str> = rows.flat_map(|row| row.split([' ', ',', '-'])).filter(|word| !word.is_empty()).collect();
    let listing = fs::read_to_string(root.join("tests/api/compass-core.txt")).unwrap();
    let types = listing.lines().filter(|line| ["pub struct ", "pub enum ", "pub trait "].iter().any(|kind| line.starts_with(kind)));
    let names = types.filter_map(|line| line.split([' ', '<', '(']).nth(2)?.trim_end_matches(':').rsplit("::").next());
    let mut count = 0;
    for name in names {
        count += 1;
        for word in words(name) {
            let singular = word.strip_suffix('s').unwrap_or(&word);
            let is_known = known.contains(&word.as_str()) || known.contains(&singular) || PLAIN_WORDS.contains(&word.as_str());
            assert!(is_known, "`{word}` of `{name}` is neither in the glossary (docs/architecture.md) nor a plain word");
        }
    }
    assert!(count > 100, "{count} types");
}
