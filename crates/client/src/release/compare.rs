//! What a directory has, beside what was signed.

use std::collections::{BTreeMap, BTreeSet};

use crypto::Digest;
use wire::statement::{Statement, Subject};

/// A file that is not as it was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Difference {
    /// It has other contents.
    Changed(String),
    /// It was signed, but is not there.
    Missing(String),
    /// It is there, but was not signed.
    Extra(String),
}

/// Compares files, by name and digest, with a statement that was verified.
///
/// Names count: a file with the contents of another one is a changed file.
#[must_use]
pub fn compare<'a>(
    files: impl Iterator<Item = (&'a str, &'a Digest)>,
    signed: &Statement,
) -> Vec<Difference> {
    let mut subjects: BTreeMap<&str, Vec<&Subject>> = BTreeMap::new();
    for subject in &signed.subject {
        subjects.entry(&subject.name).or_default().push(subject);
    }
    let mut differences = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, digest) in files {
        seen.insert(name);
        match subjects.get(name) {
            None => differences.push(Difference::Extra(name.to_owned())),
            // A name with two contents has none that can be relied on, so that all must be this file's.
            Some(named) if named.iter().all(|subject| subject.has(digest)) => {}
            Some(_) => differences.push(Difference::Changed(name.to_owned())),
        }
    }
    let missing = subjects.keys().filter(|name| !seen.contains(*name));
    differences.extend(missing.map(|name| Difference::Missing((*name).to_owned())));
    differences
}

#[cfg(test)]
mod tests {
    use crypto::HashAlgorithm;

    use super::*;

    /// The differences between files and subjects, both as names with the text that is in them.
    fn check(files: &[(&str, &str)], signed: &[(&str, &str)]) -> Vec<Difference> {
        let digest = |text: &str| HashAlgorithm::Sha256.digest(text.as_bytes());
        let digests: Vec<_> = files.iter().map(|(name, text)| (*name, digest(text))).collect();
        let subjects = signed.iter().map(|(name, text)| Subject::new(name, &digest(text)));
        let statement = crate::predicate::signature(subjects.collect());
        compare(digests.iter().map(|(name, digest)| (*name, digest)), &statement)
    }

    #[test]
    fn what_was_signed_is_there_and_nothing_else() {
        assert_eq!(check(&[("a", "1"), ("b/c", "2")], &[("b/c", "2"), ("a", "1")]), []);
    }

    #[test]
    fn each_difference_is_named() {
        assert_eq!(
            check(&[("a", "1"), ("b", "x"), ("d", "4")], &[("a", "1"), ("b", "2"), ("c", "3")]),
            [
                Difference::Changed("b".into()),
                Difference::Extra("d".into()),
                Difference::Missing("c".into()),
            ]
        );
    }

    #[test]
    fn two_files_that_changed_places_are_both_changed() {
        let differences = check(&[("a", "2"), ("b", "1")], &[("a", "1"), ("b", "2")]);
        assert_eq!(differences, ["a", "b"].map(|name| Difference::Changed(name.into())));
    }

    #[test]
    fn a_name_that_was_signed_twice_with_two_contents_is_never_right() {
        let differences = check(&[("a", "1")], &[("a", "1"), ("a", "2")]);
        assert_eq!(differences, [Difference::Changed("a".into())]);
    }
}
