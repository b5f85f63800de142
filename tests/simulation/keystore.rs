//! The device's store of secrets, as far as the world knows it.

use std::collections::BTreeMap;

use compass_core::port::{SecretLookup, SecretValue};

/// What stands under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Value {
        current: String,
        previous: Option<String>,
    },
    Missing,
    Unavailable,
    /// A caller that asks is not answered.
    Hangs,
}

/// The secrets, and what receivers take for right.
#[derive(Debug, Clone)]
pub struct Keystore {
    pub kept: BTreeMap<String, Kept>,
    /// How often each was rebuilt; part of its right value.
    pub versions: BTreeMap<String, u32>,
    /// A token that was told to be refused is fetched again.
    pub refreshes: bool,
}

/// Signs the messages of `lab`.
pub const SIGNING: &str = "lab-key";
/// The token of `depot`.
pub const TOKEN: &str = "depot-token";

impl Keystore {
    pub fn new() -> Self {
        let mut keystore = Self { kept: BTreeMap::new(), versions: BTreeMap::new(), refreshes: true };
        keystore.set_right(SIGNING);
        keystore.set_right(TOKEN);
        keystore
    }

    /// The value that receivers take now.
    pub fn right(&self, name: &str) -> String {
        right(name, self.versions.get(name).copied().unwrap_or(0))
    }

    /// As the stores of apps do: what was there before stays as the previous one.
    pub fn set(&mut self, name: &str, value: String) {
        let previous = match self.kept.get(name) {
            Some(Kept::Value { current, .. }) if *current != value => Some(current.clone()),
            _ => None,
        };
        self.kept.insert(name.to_owned(), Kept::Value { current: value, previous });
    }

    pub fn set_right(&mut self, name: &str) {
        self.set(name, self.right(name));
    }

    pub fn look_up(&self, name: &str) -> Option<SecretLookup> {
        match self.kept.get(name) {
            None | Some(Kept::Missing) => Some(SecretLookup::Missing),
            Some(Kept::Unavailable) => Some(SecretLookup::Unavailable),
            Some(Kept::Hangs) => None,
            Some(Kept::Value { current, previous }) => {
                Some(SecretLookup::Found { current: SecretValue::new(current.clone()), previous: previous.clone().map(SecretValue::new) })
            }
        }
    }

    /// The right values, no matter what is kept.
    pub fn all_right(&self, names: &[String]) -> Vec<SecretLookup> {
        let right = |name: &String| SecretLookup::Found { current: SecretValue::new(self.right(name)), previous: None };
        names.iter().map(right).collect()
    }
}

fn right(name: &str, version: u32) -> String {
    if name == SIGNING {
        // 24 bytes in base64.
        format!("whsec_{}{version:04}", "C2FVsBQIhrscChlQIMVb5sSYspob")
    } else {
        format!("Bearer token-{version}")
    }
}
