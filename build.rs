//! Packs the migrations of the schema into one: long texts that are much alike, and that a file needs once (docs/size.md).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A shorter repetition is not worth the three bytes that name one.
const SHORTEST: usize = 4;
const LONGEST: usize = SHORTEST + 0x7f;
const FARTHEST: usize = u16::MAX as usize;

fn main() {
    const FOLDER: &str = "src/store/sql";
    println!("cargo::rerun-if-changed={FOLDER}");
    let entries = fs::read_dir(FOLDER).expect("the folder of the migrations can be read");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry of the folder can be read").path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "sql"));
    files.sort();
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("a migration can be read")).collect();
    let out = env::var_os("OUT_DIR").expect("Cargo says where to write");
    fs::write(Path::new(&out).join("migrations"), pack(&texts.join("\0"))).expect("what is packed can be written");
}

/// Read by `store::migrate::unpack`: a character stands for itself; a byte from 128 on says how many characters come again, and the two bytes
/// behind it, the lower first, from how far back.
fn pack(text: &str) -> Vec<u8> {
    assert!(text.is_ascii(), "a migration is written in ASCII, so that it can be packed");
    let text = text.as_bytes();
    let mut seen: HashMap<&[u8], Vec<usize>> = HashMap::new();
    let (mut packed, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let same = |from: usize| text[at..].iter().zip(&text[from..]).take(LONGEST).take_while(|(a, b)| a == b).count();
        let near =
            text.get(at..at + SHORTEST).and_then(|start| seen.get(start)).into_iter().flatten().filter(|from| at - *from <= FARTHEST);
        let length = match near.map(|from| (same(*from), *from)).max() {
            Some((length, from)) => {
                packed.push(0x80 | (length - SHORTEST) as u8);
                packed.extend(((at - from) as u16).to_le_bytes());
                length
            }
            None => {
                packed.push(text[at]);
                1
            }
        };
        for from in at..at + length {
            if let Some(start) = text.get(from..from + SHORTEST) {
                seen.entry(start).or_default().push(from);
            }
        }
        at += length;
    }
    packed
}
