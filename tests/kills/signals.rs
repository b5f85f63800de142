//! Signals to processes of the test.

/// What a process is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Kill,
    Stop,
    Continue,
}

impl Signal {
    fn number(self) -> i32 {
        match self {
            Self::Kill => 9,
            Self::Stop => 19,
            Self::Continue => 18,
        }
    }
}

/// Sends a signal to a process that this one has started and not waited for.
#[allow(unsafe_code, reason = "the standard library kills children alone")]
pub fn send(process: u32, signal: Signal) {
    unsafe extern "C" {
        fn kill(process: i32, signal: i32) -> i32;
    }
    unsafe { kill(process as i32, signal.number()) };
}

/// Sends a signal to this thread, which goes no step further: one for the process might be taken by another thread, a moment later.
#[allow(unsafe_code, reason = "the standard library sends none")]
pub fn raise(signal: Signal) {
    unsafe extern "C" {
        fn raise(signal: i32) -> i32;
    }
    unsafe { raise(signal.number()) };
}

/// Waits until every thread of a process stands still, or it has ended.
pub fn wait_until_stopped(process: u32) {
    super::support::field::eventually("the process stands still", || {
        let threads = std::fs::read_dir(format!("/proc/{process}/task"));
        threads.map_or(true, |mut threads| threads.all(|thread| thread.is_ok_and(|thread| stands_still(&thread.path()))))
    });
}

fn stands_still(thread: &std::path::Path) -> bool {
    let stat = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
    // The name before it may hold anything.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_none_or(|state| ['T', 't', 'Z', 'X'].contains(&state))
}
