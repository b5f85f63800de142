//! Manifests of attachments and signatures.

use super::Fault;
use crate::crypto::Sha256;
use crate::engine::media_type;
use crate::model::{FieldValue, FileManifest, FileRule, MAX_INTEGER};

/// The longest file name: what file systems commonly hold.
const MAX_NAME: usize = 255;

pub(super) fn file(rule: &FileRule, given: &FileManifest) -> Result<FieldValue, Fault> {
    if Sha256::from_hex(&given.sha256).is_none() {
        return Err(Fault::new("bad_hash", "a SHA-256 in 64 lower-case hexadecimal digits is expected"));
    }
    let Some((kind, subtype)) = media_type::halves(&given.media_type) else {
        return Err(Fault::new("bad_media_type", "a media type such as image/jpeg is expected, without parameters"));
    };
    if !rule.media_types.is_empty() && !rule.media_types.iter().any(|accepted| accepts(accepted, kind, subtype)) {
        let accepted = rule.media_types.join(", ");
        return Err(Fault::limited("media_type_not_accepted", &accepted, format!("a file of type {accepted} is expected")));
    }
    let max_size = rule.max_size.unwrap_or(MAX_INTEGER.unsigned_abs()).min(MAX_INTEGER.unsigned_abs());
    if given.size > max_size {
        return Err(Fault::limited("file_too_large", max_size, format!("a file of at most {max_size} bytes is expected")));
    }
    if !is_file_name(&given.name) {
        return Err(Fault::limited("bad_file_name", MAX_NAME, "a file name without a path is expected"));
    }
    Ok(FieldValue::File(given.clone()))
}

/// Whether `image/jpeg`, `image/*` or `*/*` covers this type. The case of media types does not matter.
fn accepts(accepted: &str, kind: &str, subtype: &str) -> bool {
    let covers = |rule: &str, given: &str| rule == "*" || rule.eq_ignore_ascii_case(given);
    accepted.split_once('/').is_some_and(|(rule_kind, rule_subtype)| covers(rule_kind, kind) && covers(rule_subtype, subtype))
}

fn is_file_name(name: &str) -> bool {
    let is_allowed = |c: char| !c.is_control() && !matches!(c, '/' | '\\');
    !name.trim().is_empty() && !matches!(name, "." | "..") && name.chars().count() <= MAX_NAME && name.chars().all(is_allowed)
}
