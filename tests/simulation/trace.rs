//! What happened, line by line: a hash of all of it, and the last lines for a person who looks at a failure.

use std::collections::VecDeque;

const KEPT: usize = 400;

#[derive(Debug, Default)]
pub struct Trace {
    hash: u64,
    lines: u64,
    last: VecDeque<String>,
    print: bool,
}

impl Trace {
    pub fn new(print: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, print, ..Self::default() }
    }

    pub fn line(&mut self, line: String) {
        // FNV-1a: what differs anywhere differs at the end.
        for byte in line.bytes().chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.lines += 1;
        if self.print {
            println!("{line}");
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    pub fn hash(&self) -> (u64, u64) {
        (self.hash, self.lines)
    }

    pub fn last(&self, count: usize) -> Vec<String> {
        self.last.iter().skip(self.last.len().saturating_sub(count)).cloned().collect()
    }
}
