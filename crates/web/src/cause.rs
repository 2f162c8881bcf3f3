//! Errors for the operator: with all their causes, once.

use std::error::Error;

/// The error and its causes in one line. What is printed by `Display` alone never has its cause in it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn every_cause_is_there_once() {
        assert_eq!(chain(&Outer(std::io::Error::other("inner"))), "outer: inner");
    }
}
