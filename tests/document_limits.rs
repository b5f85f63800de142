//! Linting any document takes memory and work in proportion to its size. Counted by the allocator of this process; nothing is
//! timed. `SEEDS` says how many random documents are linted, `FIRST` which is the first: a failing one names its seed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write;

use compass_core::document::{self, Code, ParsedDocument};
use compass_core::model::{Finding, MAX_ECHO, Severity};
use compass_core::testing::rules::{MAX_DOCUMENT_BYTES, MAX_FINDINGS, MAX_FINDINGS_BYTES, MAX_POINTER_BYTES};

/// What this thread holds, the most it held, and all it ever asked for, in bytes.
#[derive(Clone, Copy, Default)]
struct Held {
    now: usize,
    most: usize,
    asked: usize,
}

thread_local! {
    static HELD: Cell<Held> = const { Cell::new(Held { now: 0, most: 0, asked: 0 }) };
}

struct Counting;

fn count(more: usize, less: usize) {
    let mut held = HELD.get();
    held.now = (held.now + more).saturating_sub(less);
    held.most = held.most.max(held.now);
    held.asked += more;
    HELD.set(held);
}

// SAFETY: every call is passed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new one may be there at once.
        count(size, 0);
        count(0, layout.size());
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most memory for each byte of a document: a list of small objects takes most.
const MEMORY_PER_BYTE: usize = 50;
/// What everything that is asked for together may come to for each byte.
const WORK_PER_BYTE: usize = 250;
/// Findings, names of types and the like: what even the smallest document may take.
const FIXED: usize = 2 * 1024 * 1024;

/// Lints a document within the limits and gives what it held at most.
#[track_caller]
fn linted(document: &[u8]) -> (ParsedDocument, usize) {
    HELD.set(Held::default());
    let parsed = document::parse(document);
    let held = HELD.get();
    let begin: String = String::from_utf8_lossy(&document[..document.len().min(60)]).into_owned();
    assert!(held.most <= FIXED + MEMORY_PER_BYTE * document.len(), "{} bytes take {} of memory: {begin}", document.len(), held.most);
    assert!(held.asked <= FIXED + WORK_PER_BYTE * document.len(), "{} bytes ask for {}: {begin}", document.len(), held.asked);
    let bytes: usize = parsed.findings.iter().map(|finding| finding.code.len() + finding.pointer.len() + finding.message.len()).sum();
    assert!(parsed.findings.len() <= MAX_FINDINGS + 1 && bytes <= MAX_FINDINGS_BYTES + 200, "{bytes} bytes of findings: {begin}");
    for finding in &parsed.findings {
        assert!(finding.pointer.len() <= MAX_POINTER_BYTES && finding.message.len() <= 4 * MAX_ECHO, "{finding:?}");
        assert!(Code::ALL.iter().any(|code| code.as_str() == finding.code), "{finding:?}");
    }
    assert_eq!(parsed.is_importable(), parsed.hash.is_some());
    assert_eq!(parsed.is_importable(), parsed.worst() != Some(Severity::Error));
    (parsed, held.most)
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    let mut codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.dedup();
    codes
}

/// Objects around objects, each member with a long name, around these values.
fn under_long_names(depth: usize, length: usize, inside: &str) -> String {
    let name = "n".repeat(length);
    let mut document = String::new();
    for _ in 0..depth {
        write!(document, "{{\"{name}\":").unwrap();
    }
    document.push_str(inside);
    document.push_str(&"}".repeat(depth));
    document
}

#[test]
fn long_names_around_many_mistakes_are_no_bomb() {
    let document = under_long_names(30, 30_000, &format!("[{}0]", "1.5,".repeat(2_500)));
    assert!(document.len() > 900_000);
    let (parsed, held) = linted(document.as_bytes());
    assert_eq!(codes(&parsed.findings)[0], "bad_number");
    assert!(parsed.findings.iter().all(|finding| finding.pointer.is_empty()), "the nearest place that can be named");
    assert!(held < 8 * 1024 * 1024, "{held}");
}

#[test]
fn documents_that_are_mostly_structure_stay_in_proportion() {
    let full = |unit: &str| format!("[{}0]", unit.repeat((MAX_DOCUMENT_BYTES - 3) / unit.len()));
    let numbered = |of: &str| {
        let mut document = "{".to_owned();
        for number in 0.. {
            let member = format!("\"k{number}\":{of},");
            if document.len() + member.len() + 10 > MAX_DOCUMENT_BYTES {
                break;
            }
            document.push_str(&member);
        }
        document + "\"end\":0}"
    };
    let same = |of: &str| format!("{{{}\"end\":0}}", format!("\"k\":{of},").repeat(100_000));
    let mut documents: Vec<String> =
        ["0,", "1.5,", "1e999,", "[],", "[0],", "{},", "{\"\":0},", "{\"a\":1.5},", "\"\",", "[[[[[[[[0]]]]]]]],", "null,"]
            .map(full)
            .to_vec();
    documents.extend([numbered("0"), numbered("1.5"), numbered("[]"), same("0"), same("1.5")]);
    documents.push("[".repeat(MAX_DOCUMENT_BYTES));
    documents.push(format!("[{}]", "7".repeat(MAX_DOCUMENT_BYTES - 2)));
    documents.push(under_long_names(30, 30_000, &"0.5,".repeat(1_000)));
    for document in documents {
        assert!(document.len() <= MAX_DOCUMENT_BYTES);
        linted(document.as_bytes());
    }
}

/// The same document, no matter on which machine it is made.
struct Seeded(u64);

impl Seeded {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A name of the format, or one that is not, now and then a very long one.
    fn name(&mut self) -> String {
        const NAMES: &[&str] = &[
            "format",
            "key",
            "version",
            "name",
            "start",
            "fields",
            "sections",
            "answers",
            "actions",
            "responses",
            "options",
            "next",
            "type",
            "pattern",
            "min",
            "max",
            "required",
            "content",
            "a/b",
            "~",
            "",
            "é",
        ];
        match self.below(12) {
            0 => "n".repeat(1 + self.below(20_000)),
            1 => format!("k{}", self.below(50)),
            _ => self.one(NAMES).to_owned(),
        }
    }

    fn value(&mut self, depth: usize, room: &mut usize, out: &mut String) {
        let before = out.len();
        let kind = if depth > 40 || *room < 100 { self.below(4) } else { self.below(7) };
        match kind {
            0 => out.push_str(self.one(&["0", "1", "-1", "1.5", "1e999", "-0", "99999999999999999999", "0.1e-400", "2147483648"])),
            1 => out.push_str(self.one(&["null", "true", "false", "\"\"", "\"text\"", "\"a b\"", "\"\\u0000\"", "\"integer\"", "\"(\""])),
            2 => write!(out, "{:?}", "x".repeat(self.below(300))).unwrap(),
            3 => out.push_str(&"7".repeat(1 + self.below(500))),
            4 => {
                out.push('[');
                let (count, repeat) = (self.below(30), self.below(8) == 0);
                let begin = out.len();
                for index in 0..count {
                    if index > 0 {
                        out.push(',');
                    }
                    self.value(depth + 1, room, out);
                }
                if repeat && count > 0 {
                    let again = out[begin..].to_owned();
                    for _ in 0..self.below(1 + *room / (again.len() + 1)) {
                        out.push(',');
                        out.push_str(&again);
                    }
                }
                out.push(']');
            }
            _ => {
                out.push('{');
                for index in 0..self.below(12) {
                    if index > 0 {
                        out.push(',');
                    }
                    let name = self.name();
                    out.push_str(&serde_json::to_string(&name).unwrap());
                    out.push(':');
                    self.value(depth + 1, room, out);
                }
                out.push('}');
            }
        }
        *room = room.saturating_sub(out.len() - before);
    }
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |value| value.parse().unwrap())
}

/// A document as people write them, with a few mistakes.
fn with_mistakes(seeded: &mut Seeded) -> Vec<u8> {
    const EXAMPLES: [&str; 4] = [
        include_str!("../examples/workflows/boiler-service.json"),
        include_str!("../examples/workflows/site-safety-inspection.json"),
        include_str!("../examples/workflows/meter-exchange.json"),
        include_str!("../examples/workflows/customer-visit.json"),
    ];
    const MISTAKES: [&str; 14] =
        ["", "0", "1e999", "null", "\"", "{", "}", "[", "],", "\"key\":", "\"requires\":[\"x\"],", "\\", "\u{0}", "é"];
    let mut document = EXAMPLES[seeded.below(4)].as_bytes().to_vec();
    for _ in 0..1 + seeded.below(4) {
        let (at, length) = (seeded.below(document.len()), seeded.below(12));
        let end = (at + length).min(document.len());
        document.splice(at..end, seeded.one(&MISTAKES).bytes());
    }
    document
}

#[test]
fn documents_with_mistakes_are_linted_within_the_limits() {
    let first = setting("FIRST", 1);
    for seed in first..first + setting("SEEDS", 1_000) {
        let document = with_mistakes(&mut Seeded(seed));
        let (parsed, _) = std::panic::catch_unwind(|| linted(&document)).unwrap_or_else(|_| panic!("FIRST={seed} SEEDS=1"));
        assert_eq!(document::lint(&document, None), parsed.findings, "FIRST={seed} SEEDS=1");
    }
}

#[test]
fn random_documents_are_linted_within_the_limits() {
    let first = setting("FIRST", 1);
    for seed in first..first + setting("SEEDS", 150) {
        let mut seeded = Seeded(seed);
        let (mut document, mut room) = (String::new(), 300_000);
        while room > 250_000 {
            document.clear();
            seeded.value(0, &mut room, &mut document);
            room = room.saturating_sub(5_000);
        }
        if seeded.below(4) == 0 {
            // Somebody cut it.
            while !document.is_char_boundary(document.len() / 2) {
                document.pop();
            }
            document.truncate(document.len() / 2);
        }
        let (parsed, _) = std::panic::catch_unwind(|| linted(document.as_bytes())).unwrap_or_else(|_| panic!("FIRST={seed} SEEDS=1"));
        assert_eq!(document::lint(document.as_bytes(), None), parsed.findings, "FIRST={seed} SEEDS=1");
    }
}
