//! A process stands still for long, as an app that is suspended does: past the lease of what it has claimed, or with the lock that writers need.
//! Others go on. It is then killed, or resumed.

use std::sync::Arc;
use std::time::Duration;

use compass_core::model::*;
use compass_core::{CancelToken, Compass};

use super::known::{Call, Facts};
use super::signals::{self, Signal};
use super::support::field::eventually;
use super::worker::Wrong;
use super::world::{Counts, Heard, Known, Place, World, listen};

/// Places at which it has claimed messages, and no lock.
pub const CLAIMED: [&str; 3] = ["claim: after COMMIT", "send: 2xx read, not recorded", "settle: before BEGIN"];
/// Places at which it holds the lock.
pub const LOCKED: [&str; 4] =
    ["complete: after INSERT outbox", "claim: after UPDATE outbox", "settle: before COMMIT", "complete: in COMMIT, before xSync"];

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Killed,
    Resumed,
}

/// Another process, in the second slot.
struct Other {
    compass: Compass,
    session: SessionKey,
}

impl Other {
    fn new(world: &World) -> Self {
        let compass = world.open(1, Arc::new(world.clock()));
        let session = compass.start(&Start::new("visit-1", "the other's")).expect("starts").view.key;
        Self { compass, session }
    }

    fn flush(&self) {
        // What the lock refuses is tried again.
        let flushed = self.compass.flush(Duration::from_secs(60), &CancelToken::new());
        assert!(flushed.as_ref().err().is_none_or(|error| error.code() == "locked"), "{flushed:?}");
    }
}

/// Stops a process at this place, lets others do something meanwhile, and compares in the end.
fn stand_still(place: &str, end: End, seed: u64, meanwhile: impl FnOnce(&Other) -> Result<(), String>) -> Result<Counts, String> {
    let world = World::new(2, seed, Wrong::Nothing);
    world.receiver.is_well();
    let other = Other::new(&world);
    let mut process = world.process(0, seed, place, 1, "stop");
    let (id, input) = (process.child.id(), process.child.stdin.take());
    let (mut known, mut counts) = (Known::new(), Counts::default());
    let place = Place::Named(place.to_owned(), 1);
    let heard = std::thread::scope(|scope| -> Result<Heard, String> {
        let listening = scope.spawn(|| listen(&mut process, &place, &mut known, &mut counts));
        signals::wait_until_stopped(id);
        let done = meanwhile(&other);
        // Resumed, it goes on until it is told to end.
        signals::send(id, if end == End::Killed { Signal::Kill } else { Signal::Continue });
        drop(input);
        let heard = listening.join().expect("no panic");
        done?;
        heard
    })?;
    drop(process);
    if heard.ended != (end == End::Resumed) {
        return Err(format!("{end:?}, and it ended: {}", heard.ended));
    }
    let call = heard.under_way.clone().unwrap_or(Call::Flush);
    world.compare(0, &mut known, &call, &heard)?;
    let noted = other.compass.note(other.session, "afterwards", "afterwards").map_err(|error| error.to_string())?;
    assert_eq!(noted.applied, Applied::Yes);
    known.insert(other.session, Facts::of(&other.compass, other.session).map_err(|error| error.to_string())?);
    other.compass.close().map_err(|error| error.to_string())?;
    world.deliver_all()?;
    world.compare_all(&known, &mut counts)?;
    Ok(counts)
}

/// It stands still until its leases have run out, and others have delivered what it had claimed.
pub fn past_its_lease(place: &str, end: End, seed: u64) -> Result<Counts, String> {
    stand_still(place, end, seed, |other| {
        eventually("what it had claimed is delivered", || {
            other.flush();
            other.compass.outbox_totals().expect("totals").pending == 0
        });
        Ok(())
    })
}

/// It stands still with the lock, for longer than a call waits for it.
pub fn with_the_lock(place: &str, end: End, seed: u64) -> Result<Counts, String> {
    stand_still(place, end, seed, |other| {
        let refused = other.compass.note(other.session, "meanwhile", "meanwhile").err();
        if refused.as_ref().is_none_or(|error| error.code() != "locked" || !error.retryable()) {
            return Err(format!("a call that needs the lock says {refused:?}"));
        }
        let view = other.compass.session(other.session).map_err(|error| format!("nothing can be read: {error}"))?;
        other.flush();
        if view.notes.is_empty() { Ok(()) } else { Err("what was refused is there".into()) }
    })
}
