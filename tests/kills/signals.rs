//! Signals to processes of the test.

/// What a process is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Kill,
    Stop,
}

/// Sends a signal. A process that kills itself goes no step further.
#[allow(unsafe_code, reason = "the standard library kills children alone")]
pub fn send(process: u32, signal: Signal) {
    unsafe extern "C" {
        fn kill(process: i32, signal: i32) -> i32;
    }
    let number = match signal {
        Signal::Kill => 9,
        Signal::Stop => 19,
    };
    unsafe { kill(process as i32, number) };
}

/// Waits until a process stands still.
pub fn wait_until_stopped(process: u32) {
    super::support::field::eventually("the process stands still", || is_in(process, &['T', 't', 'Z']));
}

/// Whether it is in one of these states of the kernel's list.
pub fn is_in(process: u32, states: &[char]) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before it may hold anything.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_none_or(|state| states.contains(&state))
}
