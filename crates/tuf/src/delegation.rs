//! Delegated targets roles (TUF specification §4.5): who is asked for which names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Key, KeyId, RoleKeys};

/// The roles that a targets role delegates to, in the order in which they are asked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Delegations {
    /// Their keys.
    pub keys: BTreeMap<KeyId, Key>,
    /// The roles.
    #[serde(default)]
    pub roles: Vec<Delegation>,
}

/// A delegated role, and the names that it may speak of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Delegation {
    /// Its name.
    pub name: String,
    /// Its keys.
    #[serde(flatten)]
    pub keys: RoleKeys,
    /// Whether a name that it may speak of is asked of no role after it.
    #[serde(default)]
    pub terminating: bool,
    /// Patterns of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// Beginnings of the SHA-256 of names, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_hash_prefixes: Option<Vec<String>>,
}

impl Delegation {
    /// Whether the role may speak of `target`. A delegation with neither kind of rule speaks of nothing.
    #[must_use]
    pub fn covers(&self, target: &str) -> bool {
        match (&self.paths, &self.path_hash_prefixes) {
            (Some(paths), None) => paths.iter().any(|pattern| matches(pattern, target)),
            (None, Some(prefixes)) => {
                let hash = hex::encode(crypto::sha256(target.as_bytes()));
                prefixes.iter().any(|prefix| hash.starts_with(prefix.as_str()))
            }
            // Both at once are forbidden by the specification.
            _ => false,
        }
    }
}

/// Whether `target` matches a shell-style pattern, component by component: a wildcard never crosses a slash.
fn matches(pattern: &str, target: &str) -> bool {
    let (patterns, names) = (pattern.split('/'), target.split('/'));
    patterns.clone().count() == names.clone().count()
        && patterns.zip(names).all(|(pattern, name)| matches_component(pattern, name))
}

/// `*` stands for any characters, `?` for one. Linear in the product of the lengths, whatever the pattern.
fn matches_component(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // `reached[n]`: the pattern so far matches the first `n` characters.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for part in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        for position in 0..=name.len() {
            let before = position.checked_sub(1);
            next[position] = match part {
                '*' => reached[position] || before.is_some_and(|before| next[before]),
                _ => before
                    .is_some_and(|before| reached[before] && (part == '?' || part == name[before])),
            };
        }
        reached = next;
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_does_not_cross_a_slash() {
        for (pattern, target) in [
            ("registry.npmjs.org/*", "registry.npmjs.org/keys.json"),
            ("*", "a"),
            ("a*c?", "abbcd"),
            ("*.txt", ".txt"),
            ("*/*", "a/b"),
        ] {
            assert!(matches(pattern, target), "{pattern} {target}");
        }
        for (pattern, target) in [
            ("*", "a/b"),
            ("registry.npmjs.org/*", "registry.npmjs.org/a/b"),
            ("*.TXT", "a.txt"),
            ("a?", "a"),
            ("a", "ab"),
        ] {
            assert!(!matches(pattern, target), "{pattern} {target}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
    }
}
