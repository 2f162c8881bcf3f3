//! Names of targets and roles, as they become paths.

/// The longest name of a target: that of a file in most file systems, hash and all, with room to spare.
const MAX_NAME: usize = 512;

/// A target's name that stays inside the directory it is written to.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TargetName(String);

/// The name would leave the directory, or cannot be a file's. (CVE-2026-24137, CVE-2021-41149.)
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} cannot be the name of a target")]
pub struct TargetNameError(String);

impl TargetName {
    /// Accepts a name whose components are plain: no `..`, nothing absolute, no backslash, drive or control character.
    ///
    /// # Errors
    ///
    /// [`TargetNameError`].
    pub fn new(name: &str) -> Result<Self, TargetNameError> {
        let plain = |component: &str| !matches!(component, "" | "." | "..");
        let hostile = |c: char| c.is_control() || matches!(c, '\\' | ':');
        if name.len() > MAX_NAME || name.contains(hostile) || !name.split('/').all(plain) {
            // The name is cut, so that an error is never as long as what caused it.
            return Err(TargetNameError(name.chars().take(80).collect()));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as metadata have it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the file in a repository with consistent snapshots: the hash stands before the last component.
    #[must_use]
    pub fn with_hash(&self, hash: &str) -> String {
        match self.0.rsplit_once('/') {
            Some((directory, file)) => format!("{directory}/{hash}.{file}"),
            None => format!("{hash}.{}", self.0),
        }
    }
}

/// A role's name in a path: everything but letters, digits and `-._~` is percent-encoded, the slash too.
pub(crate) fn encode_role(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leaves_the_directory_is_refused() {
        let long = "a".repeat(MAX_NAME + 1);
        for name in [
            "",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "/etc/passwd",
            "a//b",
            "a/",
            "C:\\x",
            "c:x",
            "a\\..\\b",
            "a\0b",
            "a\nb",
            &long,
            "../../.ssh/authorized_keys",
        ] {
            TargetName::new(name).expect_err(name);
        }
        for name in ["trusted_root.json", "registry.npmjs.org/keys.json", "..a", "a b", "é"] {
            assert_eq!(TargetName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn the_hash_goes_before_the_last_component() {
        let check = |name: &str| TargetName::new(name).unwrap().with_hash("00");
        assert_eq!(check("a"), "00.a");
        assert_eq!(check("a/b"), "a/00.b");
    }

    #[test]
    fn a_role_is_one_component_of_a_path() {
        assert_eq!(encode_role("registry.npmjs.org"), "registry.npmjs.org");
        assert_eq!(encode_role("../a b%"), "..%2Fa%20b%25");
    }
}
