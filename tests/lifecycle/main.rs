//! The life of a handle: holds, quiescing, closing, threads, cancelling, and calls from inside calls.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod closing;
mod due;
mod flushing;
mod holds;
mod locks;
mod observers;
mod reentrance;
mod threads;
#[cfg(target_os = "linux")]
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use compass_core::model::*;
use compass_core::port::{SecretLookup, Secrets, Transport, TransportFailure, TransportRequest, TransportResponse};
use compass_core::testing::{ScriptedTransport, answer};
use compass_core::{CancelToken, Compass, Error, Hold};
use support::field::*;

/// What the contract limits to two seconds, with room for a machine that is busy with other things.
const TWO_SECONDS: Duration = Duration::from_secs(10);

const ONLINE: Connectivity = Connectivity::Online { validated: Some(true), metered: false, network: None };
const METERED: Connectivity = Connectivity::Online { validated: Some(true), metered: true, network: None };

fn flushing(compass: &Compass, cancel: &CancelToken) -> std::thread::JoinHandle<FlushReport> {
    let (compass, cancel) = (compass.clone(), cancel.clone());
    std::thread::spawn(move || compass.flush(Duration::from_secs(120), &cancel).unwrap())
}

fn is_sent(compass: &Compass, session: SessionKey) -> bool {
    compass.record(session).unwrap().actions.iter().all(|action| action.status == ActionStatus::Sent)
}

fn all_sent(compass: &Compass) -> bool {
    compass.outbox_totals().unwrap().pending == 0
}

#[cfg(target_os = "linux")]
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok()).map(|name| name.trim().to_owned()).collect()
}
