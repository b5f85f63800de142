//! The id of a message.

use crate::crypto::Sha256;
use crate::model::{DeliveryId, SessionKey};

/// How many base32 characters of the hash an id has: 130 bits, so that collisions do not happen.
const ID_CHARACTERS: usize = 26;
/// How many of those an install has: 80 bits.
const INSTALL_CHARACTERS: usize = 16;

/// The id of the message with this body: the header `webhook-id`.
///
/// `msg_` and the first 26 characters of the lower-case base32 of SHA-256 over install id, session key, action key and body hash (in
/// hexadecimal), joined by newlines; from revision 2 on the revision is a fifth line, because a correction may take a value back. Backups
/// contain the install id, so a restored copy sends under the same ids.
pub(crate) fn delivery_id(install_id: &str, session: SessionKey, action: &str, body: &Sha256, revision: u32) -> DeliveryId {
    let mut parts = format!("{install_id}\n{session}\n{action}\n{body}");
    if revision > 1 {
        parts.push_str(&format!("\n{revision}"));
    }
    let hash = Sha256::of(parts.as_bytes()).base32();
    DeliveryId(format!("msg_{}", &hash[..ID_CHARACTERS]))
}

/// The header `compass-install`: the same for all messages of one database to one endpoint, and to nobody else. The first 16 characters of
/// the lower-case base32 of SHA-256 over install id and endpoint key, joined by a newline.
pub(crate) fn install(install_id: &str, endpoint: &str) -> String {
    Sha256::of(format!("{install_id}\n{endpoint}").as_bytes()).base32()[..INSTALL_CHARACTERS].to_owned()
}

/// Whether this is the id of that message. Earlier releases left the revision out.
pub(crate) fn is_delivery_id(id: &str, install_id: &str, session: SessionKey, action: &str, body: &Sha256, revision: u32) -> bool {
    [revision, 1].into_iter().any(|revision| delivery_id(install_id, session, action, body, revision).0 == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_install_is_another_for_each_database_and_endpoint() {
        let one = install("install-1", "office");
        assert_eq!(one, "tveoiihsduxqrqut");
        assert!(one != install("install-2", "office") && one != install("install-1", "depot"));
    }

    fn session() -> SessionKey {
        "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().expect("a session key")
    }

    #[test]
    fn an_id_never_changes_for_the_same_message() {
        let body = Sha256::of(b"{}");
        let id = delivery_id("install-1", session(), "notify", &body, 1);
        assert_eq!(id, delivery_id("install-1", session(), "notify", &body, 1));
        assert_eq!(id.0, "msg_li7dlbbw4g77jlm7eahufb7dpv");
    }

    #[test]
    fn every_part_of_a_message_makes_another_id() {
        let body = Sha256::of(b"{}");
        let id = delivery_id("install-1", session(), "notify", &body, 1);
        assert_ne!(id, delivery_id("install-2", session(), "notify", &body, 1));
        assert_ne!(id, delivery_id("install-1", session(), "notify2", &body, 1));
        assert_ne!(id, delivery_id("install-1", session(), "notify", &Sha256::of(b"{ }"), 1));
        assert_ne!(id, delivery_id("install-1", SessionKey(uuid::Uuid::nil()), "notify", &body, 1));
        assert_ne!(id, delivery_id("install-1", session(), "notify", &body, 2));
    }
}
