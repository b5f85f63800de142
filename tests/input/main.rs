//! Input that nobody trusts: workflow documents, typed values, answers of receivers, what a server writes, rows of a file. Each target gets the files of
//! its corpus, and changes of them that a seed decides: `SEED` says which, `INPUTS` how many of each target. `fuzz/` gives the same targets to a
//! fuzzer; what it finds becomes a file of the corpus.
#![cfg(feature = "built-in-transport")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, unreachable_pub, reason = "each suite uses its part")]
#[path = "../support/rng.rs"]
mod rng;
#[path = "../support/mod.rs"]
mod support;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rng::Rng;
use support::past_every_rule;
use support::torture::{self, Row};
use targets::TARGETS;

/// The files of the corpus of a target, in the order of their names.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/input/corpus").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files.into_iter().map(|file| (file.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(file).unwrap())).collect()
}

/// Some bytes of an input are others, gone, there twice, or from another one.
fn change(input: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    const TELLING: [&[u8]; 12] =
        [b"0", b"-1", b"9223372036854775807", b"1e400", b"\"", b"\r\n", b"\xff", b"\0", b"[", b"{}", b"null", b": "];
    let mut bytes = input.to_vec();
    for _ in 0..rng.range(1, 4) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        let end = (at + rng.below(8) as usize).min(bytes.len());
        match rng.below(6) {
            0 if at < bytes.len() => bytes[at] = rng.next() as u8,
            1 => drop(bytes.drain(at..end)),
            2 => bytes.splice(at..at, bytes[at..end].to_vec()).for_each(drop),
            3 => bytes.splice(at..end, rng.pick(&TELLING).iter().copied()).for_each(drop),
            4 => {
                let from = rng.below(other.len() as u64 + 1) as usize;
                let until = (from + rng.below(32) as usize).min(other.len());
                bytes.splice(at..end, other[from..until].iter().copied()).for_each(drop);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

#[test]
fn input_of_every_kind_is_taken_or_refused_and_nothing_panics() {
    let number = |name: &str, otherwise| std::env::var(name).map_or(otherwise, |number| number.parse().unwrap());
    let (seed, inputs) = (number("SEED", 1), number("INPUTS", 60));
    for (name, target) in TARGETS {
        let corpus = corpus(name);
        let mut rng = Rng::new(seed);
        for n in 0..corpus.len() as u64 + inputs {
            let (what, bytes) = match corpus.get(n as usize) {
                Some((file, bytes)) => (file.clone(), bytes.clone()),
                None => {
                    let pick = |rng: &mut Rng| rng.below(corpus.len() as u64) as usize;
                    let (one, other) = (pick(&mut rng), pick(&mut rng));
                    (format!("input {n} of seed {seed}"), change(&corpus[one].1, &corpus[other].1, &mut rng))
                }
            };
            let run = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
            assert!(run.is_ok(), "{name}: {what}: {:?}", String::from_utf8_lossy(&bytes));
        }
        let observed = format!("so with {} files of a corpus and {inputs} changes of them", corpus.len());
        let (fault, injected) = (format!("hostile input: {name}"), corpus.len() as u64 + inputs);
        torture::say(&Row { fault: &fault, injected, expected: "taken or refused; no panic", observed: &observed, lost: 0 });
    }
}
