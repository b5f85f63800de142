//! Randomness that a seed decides.

use std::sync::{Arc, Mutex, PoisonError};

use compass_core::port::{Clock, Random};

pub use super::rng::Rng;
use super::world::WorldClock;

/// What the core of one phone draws from. Its fractions are by phone and millisecond, so that they do not depend on how often it draws.
pub struct PhoneRandom {
    seed: u64,
    bytes: Mutex<Rng>,
    clock: Arc<WorldClock>,
}

impl PhoneRandom {
    pub fn new(seed: u64, clock: &Arc<WorldClock>) -> Self {
        let seed = Rng::new(seed).next();
        Self { seed, bytes: Mutex::new(Rng::new(seed)), clock: Arc::clone(clock) }
    }
}

impl Random for PhoneRandom {
    fn bytes(&self) -> [u8; 16] {
        let mut rng = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&rng.next().to_be_bytes());
        bytes[8..].copy_from_slice(&rng.next().to_be_bytes());
        bytes
    }

    fn fraction(&self) -> f64 {
        Rng::new(self.seed ^ self.clock.monotonic().as_millis() as u64).fraction()
    }
}
