//! Randomness that a seed decides.

use std::sync::{Mutex, PoisonError};

use compass_core::port::Random;

pub use super::rng::Rng;

/// What the core draws from.
pub struct CoreRandom(Mutex<Rng>);

impl CoreRandom {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Rng::new(seed)))
    }
}

impl Random for CoreRandom {
    fn bytes(&self) -> [u8; 16] {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&rng.next().to_be_bytes());
        bytes[8..].copy_from_slice(&rng.next().to_be_bytes());
        bytes
    }
}
