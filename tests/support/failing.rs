//! What is below the core refuses something: the n-th request of a kind fails, or all from that one on. Counted for each thread by itself.

use std::cell::Cell;
use std::sync::OnceLock;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// SQLite's allocator.
    Memory,
    /// SQLite's file system.
    Disk,
}

/// Which requests fail.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    pub source: Source,
    /// The number of the first one, from 1.
    pub first: u64,
    /// So do all that follow.
    pub lasts: bool,
}

/// What was asked during a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    pub requests: u64,
    pub failed: u64,
    /// The first request that failed.
    pub what: &'static str,
}

thread_local! {
    static FAILURE: Cell<Option<(Failure, Asked)>> = const { Cell::new(None) };
}

/// Calls, and fails as `failure` says.
pub fn during<T>(failure: Failure, call: impl FnOnce() -> T) -> (T, Asked) {
    FAILURE.set(Some((failure, Asked::default())));
    let done = call();
    (done, FAILURE.take().map(|(_, asked)| asked).unwrap_or_default())
}

type WhenAsked = fn(Source, &'static str);

static WHEN_ASKED: OnceLock<WhenAsked> = OnceLock::new();

/// Tells this function of each request before it is answered, and of what else there is to tell, on every thread.
pub fn when_asked(tell: WhenAsked) {
    assert!(WHEN_ASKED.set(tell).is_ok(), "it is told to one");
}

/// Tells of this.
pub fn tell(source: Source, what: &'static str) {
    if let Some(tell) = WHEN_ASKED.get() {
        tell(source, what);
    }
}

/// Whether this request fails.
pub fn fails(source: Source, what: &'static str) -> bool {
    tell(source, what);
    let Some((failure, mut asked)) = FAILURE.get().filter(|(failure, _)| failure.source == source) else { return false };
    asked.requests += 1;
    let fails = asked.requests == failure.first || failure.lasts && asked.requests > failure.first;
    if fails {
        asked.failed += 1;
        asked.what = if asked.failed == 1 { what } else { asked.what };
    }
    FAILURE.set(Some((failure, asked)));
    fails
}
