//! Patterns of `meta-issuers`: URLs in which `*` stands for one or more letters, digits, `-` and `_`.
//!
//! A wildcard matches none of the characters that separate the parts of a URL, so that a pattern fixes
//! scheme, user, port and the number of labels and of path segments. It must match the whole text.
//! (GHSA-59jp-pj84-45mr: a pattern that could match in the middle let anyone name a host.)

use std::cmp::{Ordering, Reverse};

/// The longest pattern, and the longest issuer that is held against one.
const MAX_LENGTH: usize = 2048;

/// A pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pattern(String);

impl Pattern {
    /// A pattern, unless it is too long.
    pub(super) fn new(text: &str) -> Option<Self> {
        (text.len() <= MAX_LENGTH).then(|| Self(text.to_owned()))
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it matches all of `issuer`.
    ///
    /// All ways to match are followed at once, so that it takes time in proportion to the product of the
    /// lengths at most.
    pub(super) fn matches(&self, issuer: &str) -> bool {
        if issuer.len() > MAX_LENGTH {
            return false;
        }
        let pattern = self.0.as_bytes();
        // `places[i]`: what was read so far may end before `pattern[i]`.
        let mut places = vec![false; pattern.len() + 1];
        places[0] = true;
        for byte in issuer.bytes() {
            let mut next = vec![false; pattern.len() + 1];
            for (position, expected) in pattern.iter().enumerate() {
                let is_wildcard = *expected == b'*';
                if is_wildcard && is_word(byte) && places[position] {
                    next[position] = true;
                    next[position + 1] = true;
                } else if !is_wildcard && *expected == byte && places[position] {
                    next[position + 1] = true;
                }
            }
            places = next;
        }
        places[pattern.len()]
    }

    /// The one with more fixed characters first, so that of several that match the most specific is taken.
    pub(super) fn by_specificity(&self, other: &Self) -> Ordering {
        let fixed =
            |pattern: &Self| Reverse(pattern.0.bytes().filter(|byte| *byte != b'*').count());
        fixed(self).cmp(&fixed(other)).then_with(|| self.0.cmp(&other.0))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, issuer: &str) -> bool {
        Pattern::new(pattern).unwrap().matches(issuer)
    }

    #[test]
    fn a_wildcard_is_part_of_one_label_or_segment_and_never_empty() {
        let pattern = "https://oidc.eks.*.amazonaws.com/id/*";
        assert!(matches(pattern, "https://oidc.eks.us-west-2.amazonaws.com/id/B0_2"));
        for other in [
            "https://oidc.eks..amazonaws.com/id/X",
            "https://oidc.eks.a.b.amazonaws.com/id/X",
            "https://oidc.eks.a@b.amazonaws.com/id/X",
            "https://oidc.eks.a.amazonaws.com/id/X/",
            "https://oidc.eks.a.amazonaws.com:443/id/X",
            "https://evil.example/?https://oidc.eks.a.amazonaws.com/id/X",
            "https://oidc.eks.a.amazonaws.com/id/X#",
            "https://oidc.eks.a.amazonaws.com./id/X",
            "https://oidc.eks.a.amazonaws.com/id/%41",
            "HTTPS://oidc.eks.a.amazonaws.com/id/X",
            "https://oidc.eks.\u{430}.amazonaws.com/id/X",
        ] {
            assert!(!matches(pattern, other), "{other}");
        }
    }

    #[test]
    fn two_wildcards_are_two_characters_at_least() {
        assert!(matches("a**", "abc") && !matches("a**", "ab"));
    }

    #[test]
    fn the_more_specific_pattern_comes_first() {
        let mut patterns =
            ["*", "https://*.b/*", "https://a.b/*"].map(|p| Pattern::new(p).unwrap());
        patterns.sort_by(Pattern::by_specificity);
        assert_eq!(patterns.map(|p| p.0), ["https://a.b/*", "https://*.b/*", "*"]);
    }
}
