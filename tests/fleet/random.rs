//! Randomness that a seed decides.

use std::sync::{Arc, Mutex, PoisonError};

use compass_core::port::{Clock, Random};

use super::world::WorldClock;

/// SplitMix64: small, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `from` to `to`, both included.
    pub fn range(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    /// From 0 (included) to 1 (excluded).
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

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
