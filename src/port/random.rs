//! Randomness: for session keys, the install id and jitter.

/// Gives random bytes.
pub trait Random: Send + Sync {
    /// Sixteen fresh random bytes.
    fn bytes(&self) -> [u8; 16];

    /// A fresh number from 0 (included) to 1 (excluded).
    fn fraction(&self) -> f64 {
        let bytes = self.bytes();
        let bits = u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]);
        // 53 bits are what a float can hold exactly.
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        crate::crypto::fill_random(&mut bytes);
        bytes
    }
}
