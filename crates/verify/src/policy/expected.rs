//! An expected text: exact, or a pattern for the whole of it.

use regex::{Regex, RegexBuilder};

/// The largest compiled pattern. Patterns are the verifier's own, but may come from a file.
const MAX_PATTERN: usize = 1 << 20;

/// A text that is expected.
#[derive(Clone, Debug)]
pub struct Expected(Form);

#[derive(Clone, Debug)]
enum Form {
    Exactly(String),
    Pattern(Regex),
}

/// A policy that means nothing, or anything.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// An expected text is empty. It is never a match, so it is a mistake.
    #[error("an expected identity, issuer or value must not be empty")]
    EmptyExpectation,
    /// A pattern is no regular expression, or too large.
    #[error("the pattern {pattern:?} cannot be used: {reason}")]
    Pattern {
        /// The pattern as it was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A threshold of zero would make evidence optional.
    #[error("a threshold must be at least one")]
    ZeroThreshold,
}

impl Expected {
    /// Exactly this text, byte for byte.
    ///
    /// # Errors
    ///
    /// [`PolicyError::EmptyExpectation`].
    pub fn exactly(text: &str) -> Result<Self, PolicyError> {
        if text.is_empty() {
            return Err(PolicyError::EmptyExpectation);
        }
        Ok(Self(Form::Exactly(text.to_owned())))
    }

    /// A text that this regular expression matches from its first to its last character.
    ///
    /// # Errors
    ///
    /// [`PolicyError::EmptyExpectation`], [`PolicyError::Pattern`].
    pub fn pattern(pattern: &str) -> Result<Self, PolicyError> {
        if pattern.is_empty() {
            return Err(PolicyError::EmptyExpectation);
        }
        // Compiled once by itself, so that the pattern cannot close the group that is put around it.
        let compile = |text: &str| RegexBuilder::new(text).size_limit(MAX_PATTERN).build();
        let anchored = compile(pattern).and_then(|_| compile(&format!(r"\A(?:{pattern})\z")));
        let refuse = |error: regex::Error| PolicyError::Pattern {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        };
        anchored.map(|pattern| Self(Form::Pattern(pattern))).map_err(refuse)
    }

    /// Whether only one text is as expected.
    pub(crate) const fn is_exact(&self) -> bool {
        matches!(self.0, Form::Exactly(_))
    }

    /// Whether `text` is as expected. An empty text never is.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        !text.is_empty()
            && match &self.0 {
                Form::Exactly(expected) => expected == text,
                Form::Pattern(pattern) => pattern.is_match(text),
            }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Form::Exactly(text) => f.write_str(text),
            Form::Pattern(pattern) => write!(f, "a text like {pattern}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Expected::pattern(pattern).expect("it is a pattern").matches(text)
    }

    #[test]
    fn a_pattern_is_for_the_whole_text() {
        assert!(matches(r".*@example\.com", "a@example.com"));
        assert!(!matches(r".*@example\.com", "a@example.com.evil.example"));
        assert!(!matches(r".*@example\.com", "a@example.com\n"));
        assert!(!matches("a|b", "ab"));
        assert!(matches("(?i)A@EXAMPLE.COM", "a@example.com"));
        // Multi-line mode does not loosen the ends.
        assert!(!matches("(?m)^a$", "a\nb"));
    }

    #[test]
    fn a_pattern_cannot_escape_its_anchors() {
        assert!(matches!(Expected::pattern("a)|(?:b"), Err(PolicyError::Pattern { .. })));
        assert!(matches!(Expected::pattern("a("), Err(PolicyError::Pattern { .. })));
        assert!(matches!(Expected::pattern("(a{9999}){9999}"), Err(PolicyError::Pattern { .. })));
        // A comment in extended mode would swallow the end.
        assert!(matches!(Expected::pattern("(?x)a # "), Err(PolicyError::Pattern { .. })));
    }

    #[test]
    fn nothing_is_never_expected() {
        assert_eq!(Expected::exactly("").err(), Some(PolicyError::EmptyExpectation));
        assert_eq!(Expected::pattern("").err(), Some(PolicyError::EmptyExpectation));
        assert!(!matches(".*", ""));
    }

    #[test]
    fn an_exact_text_is_compared_byte_for_byte() {
        let expected = Expected::exactly("a.b@example.com").expect("it is not empty");
        assert!(expected.matches("a.b@example.com"));
        for other in [
            "a.b@example.com ",
            " a.b@example.com",
            "A.b@example.com",
            "axb@example.com",
            "a.b@example.co",
            "a.b@ex\u{430}mple.com",
            "a.b@xn--exmple-4nf.com",
        ] {
            assert!(!expected.matches(other), "{other}");
        }
    }
}
