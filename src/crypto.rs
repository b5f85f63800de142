//! Hashes, message authentication and random bytes, with their text forms: the only home of `ring` and `base64`.
//!
//! It is in the lowest layer because content hashes are part of the model: the engine pins documents with them, the webhook module derives
//! delivery ids from them, and the store keeps them. `ring` is in every app anyway, for TLS.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SecureRandom;

/// A SHA-256 hash. Prints as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Hashes these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        Self(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }

    /// Hashes everything that can be read from this.
    pub(crate) fn of_all(mut bytes: impl std::io::Read) -> std::io::Result<Self> {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        let mut part = vec![0; 1 << 16];
        loop {
            match bytes.read(&mut part)? {
                0 => break,
                read => context.update(&part[..read]),
            }
        }
        Ok(Self(context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")))
    }

    /// Reads 64 hexadecimal digits in lower case.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Some(Self(hash))
    }

    /// Lower-case RFC 4648 base32 without padding: 52 characters of `a-z2-7`.
    pub fn base32(&self) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut text = String::with_capacity(52);
        let (mut bits, mut count) = (0_u16, 0);
        // Four zeros behind the last bit make it whole digits.
        for byte in self.0.into_iter().chain([0]) {
            (bits, count) = (bits << 8 | u16::from(byte), count + 8);
            while count >= 5 && text.len() < 52 {
                count -= 5;
                text.push(char::from(ALPHABET[usize::from(bits >> count & 31)]));
            }
        }
        text
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits: Vec<u8> = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]).collect();
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// HMAC-SHA256 over the parts, one after the other.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = ring::hmac::Context::with_key(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().try_into().expect("HMAC-SHA256 gives 32 bytes")
}

/// Standard base64 with padding.
pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads standard base64 with padding.
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Fills the buffer from the operating system's generator.
///
/// # Panics
/// When the operating system has no random bytes to give, which no supported platform does after boot.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    ring::rand::SystemRandom::new().fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_agree_with_the_published_vector() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sha256::of(b"abc").to_string(), abc);
        assert_eq!(Sha256::of_all(&b"abc"[..]).unwrap().to_string(), abc);
        assert_eq!(Sha256::from_hex(abc), Some(Sha256::of(b"abc")));
        assert_eq!(Sha256::of(b"abc").base32(), "xj4bnp4pahh6uqkbidpf3lrceoyagyndsylxvhfucd7wd4qacwwq");
    }

    #[test]
    fn a_hash_is_64_digits_in_lower_case() {
        let abc = Sha256::of(b"abc").to_string();
        let beyond = abc.replacen('b', "g", 1);
        for other in [&abc[2..], &format!("{abc}00"), &abc.to_uppercase(), &beyond, "BA", ""] {
            assert_eq!(Sha256::from_hex(other), None, "{other}");
        }
    }

    #[test]
    fn base64_is_the_standard_one_with_padding() {
        assert_eq!(base64_encode(&[0xfb, 0xff, 0xfe, 0x01]), "+//+AQ==");
        assert_eq!(base64_decode("+//+AQ=="), Some(vec![0xfb, 0xff, 0xfe, 0x01]));
        for other in ["+//+AQ", "+//+AQ=", "-__-AQ==", "+//+AR==", "+//+AQ==\n", " +//+AQ=="] {
            assert_eq!(base64_decode(other), None, "{other}");
        }
    }
}
