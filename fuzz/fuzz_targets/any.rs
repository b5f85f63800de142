//! Each target of `tests/input`, chosen by `TARGET`: one program, because the core takes long to build for a fuzzer.
#![no_main]
#![allow(dead_code, unreachable_pub, reason = "a part of the tests' support is needed")]

#[path = "../../tests/support/past_every_rule.rs"]
mod past_every_rule;
#[path = "../../tests/input/targets.rs"]
mod targets;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use past_every_rule::past_every_rule;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    let target = targets::TARGETS.iter().find(|(target, _)| *target == name);
    target.unwrap_or_else(|| panic!("TARGET names none of {:?}", targets::TARGETS.map(|(target, _)| target))).1
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
