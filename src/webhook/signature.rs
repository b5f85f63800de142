//! Standard Webhooks signatures, version `v1`: HMAC-SHA256 with a shared secret.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::{base64_decode, base64_encode, hmac_sha256};
use crate::model::DeliveryId;

/// The beginning of every secret's text.
const SECRET_PREFIX: &str = "whsec_";

/// How many bytes a secret may have, by the specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The text is not a signing secret. Never shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is `whsec_` and the base64 of 24 to 64 bytes")]
pub(super) struct InvalidSecret;

/// A key to sign with: overwritten when dropped, never printed.
pub(super) struct SigningKey(Zeroizing<Vec<u8>>);

impl SigningKey {
    /// Reads the text form of a secret.
    ///
    /// # Errors
    /// [`InvalidSecret`] when it does not begin with `whsec_`, is not standard base64 with padding, or is too short or too long.
    pub(super) fn parse(secret: &str) -> Result<Self, InvalidSecret> {
        let text = secret.strip_prefix(SECRET_PREFIX).ok_or(InvalidSecret)?;
        let bytes = Zeroizing::new(base64_decode(text).ok_or(InvalidSecret)?);
        if SECRET_BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSecret) }
    }

    fn signature(&self, signed: &[&[u8]]) -> String {
        format!("v1,{}", base64_encode(&hmac_sha256(&self.0, signed)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The value of `webhook-signature`: one signature by the secret in use and, while a rotation lasts, one by the secret before it,
/// separated by a space.
///
/// `timestamp` is the time of this attempt in whole seconds since 1970, as in the header `webhook-timestamp`.
pub(super) fn sign(current: &SigningKey, previous: Option<&SigningKey>, id: &DeliveryId, timestamp: i64, body: &[u8]) -> String {
    let head = format!("{id}.{timestamp}.");
    let signed = [head.as_bytes(), body];
    let mut value = current.signature(&signed);
    if let Some(previous) = previous {
        value.push(' ');
        value.push_str(&previous.signature(&signed));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn key(secret: &str) -> SigningKey {
        SigningKey::parse(secret).expect("a signing secret")
    }

    fn verify(secret: &str, id: &str, timestamp: i64, signature: &str, body: &[u8]) -> bool {
        let mut headers = http::HeaderMap::new();
        for (name, value) in [("webhook-id", id), ("webhook-timestamp", &timestamp.to_string()), ("webhook-signature", signature)] {
            headers.insert(name, value.parse().expect("a header value"));
        }
        standardwebhooks::Webhook::new(secret).expect("a signing secret").verify(body, &headers).is_ok()
    }

    #[test]
    fn a_signature_agrees_with_the_published_vector() {
        let id = DeliveryId("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".to_owned());
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        assert_eq!(sign(&key(SECRET), None, &id, 1649367553, body), "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn the_official_library_accepts_either_key_of_a_rotation_and_no_other_bytes() {
        let id = DeliveryId("msg_abcdefghijklmnopqrstuvwxyz".to_owned());
        let now = chrono::Utc::now().timestamp();
        let value = sign(&key(SECRET), Some(&key(OTHER)), &id, now, "{\"name\":\"Größe\"}".as_bytes());
        assert!(verify(SECRET, &id.0, now, &value, "{\"name\":\"Größe\"}".as_bytes()));
        assert!(verify(OTHER, &id.0, now, &value, "{\"name\":\"Größe\"}".as_bytes()));
        assert!(!verify(SECRET, &id.0, now, &value, b"{}"));
        assert!(!verify(SECRET, "msg_other", now, &value, "{\"name\":\"Größe\"}".as_bytes()));
        let single = sign(&key(SECRET), None, &id, now, b"{}");
        assert!(!verify(OTHER, &id.0, now, &single, b"{}"));
    }

    #[test]
    fn a_secret_that_is_malformed_is_refused_without_being_shown() {
        let short = format!("whsec_{}", base64_encode(&[7; 23]));
        let long = format!("whsec_{}", base64_encode(&[7; 65]));
        for secret in ["", "whsec_", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_not base64!", &short, &long] {
            let error = SigningKey::parse(secret).expect_err("malformed");
            assert!(secret.len() < 8 || !format!("{error} {error:?}").contains(&secret[7..]));
        }
        for size in [24, 64] {
            let key = key(&format!("whsec_{}", base64_encode(&vec![7; size])));
            assert_eq!(format!("{key:?}"), "SigningKey(…)");
        }
    }
}
