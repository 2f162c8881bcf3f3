//! Names of resources: `path` for a file, `path:start:end` for a shard.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

/// The path of a file below the directory of its model, with slashes. It never leads out of it.
///
/// A model that is a single file has the path `.`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModelPath(String);

/// Why a text is not the path of a file in a model.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{path:?} is not a path within a model: {reason}")]
pub struct PathError {
    /// The text.
    pub path: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl ModelPath {
    /// The path of a model that is a single file.
    #[must_use]
    pub fn whole() -> Self {
        Self(".".to_owned())
    }

    /// Takes over a path.
    ///
    /// # Errors
    ///
    /// [`PathError`] if it is absolute, has empty or dotted components, or a NUL.
    pub fn new(path: &str) -> Result<Self, PathError> {
        let refuse = |reason| Err(PathError { path: path.to_owned(), reason });
        if path == "." {
            return Ok(Self::whole());
        }
        if path.starts_with('/') {
            return refuse("it is absolute");
        }
        if path.contains('\0') {
            return refuse("it has a NUL");
        }
        for component in path.split('/') {
            match component {
                "" => return refuse("it has an empty component"),
                "." | ".." => return refuse("it has a component of dots only"),
                _ => {}
            }
        }
        Ok(Self(path.to_owned()))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `other`, or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let rest = self.0.strip_prefix(&other.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Component by component, as signers sort them: `a/b` comes before `a.txt`, though not as text.
impl Ord for ModelPath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.split('/').cmp(other.0.split('/'))
    }
}

impl PartialOrd for ModelPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ModelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResourceName {
    /// The file.
    pub path: ModelPath,
    /// Which bytes of it, if it is a shard.
    pub shard: Option<Range<u64>>,
}

impl ResourceName {
    /// A whole file.
    #[must_use]
    pub const fn file(path: ModelPath) -> Self {
        Self { path, shard: None }
    }

    /// Reads `path:start:end`.
    ///
    /// A path with a colon is refused: other readers split names at every colon.
    ///
    /// # Errors
    ///
    /// [`PathError`].
    pub(super) fn parse_shard(text: &str) -> Result<Self, PathError> {
        let refuse = |reason| PathError { path: text.to_owned(), reason };
        let mut fields = text.split(':');
        let (Some(path), Some(start), Some(end), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(refuse("a shard is named path:start:end"));
        };
        let (Some(start), Some(end)) = (offset(start), offset(end)) else {
            return Err(refuse("the bounds of the shard are not numbers"));
        };
        if start >= end {
            return Err(refuse("the shard is empty"));
        }
        Ok(Self { path: ModelPath::new(path)?, shard: Some(start..end) })
    }

    fn start(&self) -> (u64, u64) {
        self.shard.as_ref().map_or((0, 0), |shard| (shard.start, shard.end))
    }
}

/// A number in the only form in which it is written.
fn offset(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

impl Ord for ResourceName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path.cmp(&other.path).then_with(|| self.start().cmp(&other.start()))
    }
}

impl PartialOrd for ResourceName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shard {
            None => self.path.fmt(f),
            Some(Range { start, end }) => write!(f, "{}:{start}:{end}", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_model() {
        for path in ["", "/etc/passwd", "../a", "a/../b", "a//b", "./a", "a/", "a/.", "a\0b"] {
            ModelPath::new(path).expect_err(path);
        }
        for path in [".", "a", "a/b", "..a", "a:b", "weights with spaces.bin"] {
            assert_eq!(ModelPath::new(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn paths_are_sorted_by_component() {
        let mut paths = ["a.txt", "b", "a/b", "a"].map(|path| ModelPath::new(path).unwrap());
        paths.sort();
        assert_eq!(paths.map(|path| path.to_string()), ["a", "a/b", "a.txt", "b"]);
    }

    #[test]
    fn within_a_directory_is_below_it() {
        let within = |path: &str, other: &str| {
            ModelPath::new(path).unwrap().is_within(&ModelPath::new(other).unwrap())
        };
        assert!(within(".git", ".git"));
        assert!(within(".git/config", ".git"));
        assert!(!within(".gitignore", ".git"));
    }

    #[test]
    fn a_shard_is_named_by_its_bounds() {
        let name = ResourceName::parse_shard("a/b:0:10").unwrap();
        assert_eq!((name.path.as_str(), name.shard.clone()), ("a/b", Some(0..10)));
        assert_eq!(name.to_string(), "a/b:0:10");
        for text in ["a", "a:0", "a:b:0:1", "a:1:1", "a:2:1", "a:+0:1", "a:00:1", ":0:1"] {
            ResourceName::parse_shard(text).expect_err(text);
        }
        let mut names =
            ["a:10:11", "a:9:10"].map(|text| ResourceName::parse_shard(text).unwrap().to_string());
        names.sort_by_key(|name| ResourceName::parse_shard(name).unwrap());
        assert_eq!(names, ["a:9:10", "a:10:11"]);
    }
}
