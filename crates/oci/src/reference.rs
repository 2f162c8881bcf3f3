//! The names of images.

use std::fmt;
use std::str::FromStr;

use crate::{Digest, DigestError};

/// The registry that is meant when none is named.
const DEFAULT_REGISTRY: &str = "index.docker.io";
/// How the default registry is also called.
const ALSO_DEFAULT: &str = "docker.io";
/// The tag that is meant when neither tag nor digest is named.
const DEFAULT_TAG: &str = "latest";
/// The longest name of a repository, by Docker's grammar.
const MAX_REPOSITORY: usize = 255;
/// The longest tag, by the OCI Distribution Specification.
const MAX_TAG: usize = 128;
/// The longest host with its port: 253 characters of a name, `:`, five digits.
const MAX_REGISTRY: usize = 259;

/// Names a document in a registry, as Docker writes it: `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// What a document is asked for by.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Target {
    /// A name that can move.
    Tag(String),
    /// The content itself.
    Digest(Digest),
}

/// A text is no reference.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReferenceError {
    /// The host or its port.
    #[error("{0:?} is no name of a registry: that is a host with a dot or a port, or localhost")]
    Registry(String),
    /// The path.
    #[error(
        "{0:?} is no name of a repository: it has lower-case letters, digits and single . _ - between them, in parts \
         separated by /"
    )]
    Repository(String),
    /// After `:`.
    #[error("{0:?} is no tag: it has up to {MAX_TAG} letters, digits, and _ . - after the first")]
    Tag(String),
    /// After `@`.
    #[error("the reference has no digest after @")]
    Digest(#[source] DigestError),
}

impl Reference {
    /// The host, and the port if one was named: `index.docker.io`, `localhost:5000`, `[::1]:5000`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path below the registry: `library/alpine`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was named, or if it is the default one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was named.
    #[must_use]
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// What to ask for: the digest where there is one, because it cannot move.
    #[must_use]
    pub fn target(&self) -> Target {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => Target::Digest(*digest),
            (None, Some(tag)) => Target::Tag(tag.clone()),
            (None, None) => Target::Tag(DEFAULT_TAG.to_owned()),
        }
    }

    /// The same repository, and this digest.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The same repository, and this tag.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        check_tag(tag)?;
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// The registry and the repository, as they are written: `index.docker.io/library/alpine`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Reads `[REGISTRY/]REPOSITORY` without a tag or digest, such as another repository for signatures.
    ///
    /// # Errors
    ///
    /// See [`ReferenceError`].
    pub fn parse_repository(text: &str) -> Result<Self, ReferenceError> {
        let (registry, repository) = split_registry(text);
        let registry = check_registry(registry)?;
        let repository = check_repository(&registry, repository)?;
        Ok(Self { registry, repository, tag: None, digest: None })
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse().map_err(ReferenceError::Digest)?)),
            None => (text, None),
        };
        // A colon after the last slash begins a tag; one before belongs to a port.
        let tag_at = name.rfind(':').filter(|at| !name[*at..].contains('/'));
        let (name, tag) = match tag_at {
            Some(at) => (&name[..at], Some(name[at + 1..].to_owned())),
            None => (name, None),
        };
        if let Some(tag) = &tag {
            check_tag(tag)?;
        }
        let tag = match digest {
            None => tag.or_else(|| Some(DEFAULT_TAG.to_owned())),
            Some(_) => tag,
        };
        Ok(Self { tag, digest, ..Self::parse_repository(name)? })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl Target {
    /// A tag, if it is one.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn tag(tag: impl Into<String>) -> Result<Self, ReferenceError> {
        let tag = tag.into();
        check_tag(&tag)?;
        Ok(Self::Tag(tag))
    }
}

impl From<Digest> for Target {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// The first part is a registry if it could not be the first part of a repository on the default one.
fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((first, rest))
            if stands_for_a_registry(first)
                || first.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_REGISTRY, name),
    }
}

/// Whether the first part of a name, in lower case, is read as a registry.
fn stands_for_a_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn check_registry(registry: &str) -> Result<String, ReferenceError> {
    let wrong = || ReferenceError::Registry(cut(registry));
    let (host, port) = match registry.rfind(':').filter(|at| !registry[*at..].contains(']')) {
        Some(at) => (&registry[..at], Some(&registry[at + 1..])),
        None => (registry, None),
    };
    let port_is_one = |port: &str| {
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        digits && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if registry.len() > MAX_REGISTRY || !is_host(host) || !port.is_none_or(port_is_one) {
        return Err(wrong());
    }
    let canonical = registry.to_ascii_lowercase();
    // `Some/name` would be printed as `some/name`, which is on another registry.
    if !stands_for_a_registry(&canonical) {
        return Err(wrong());
    }
    Ok(if canonical == ALSO_DEFAULT { DEFAULT_REGISTRY.to_owned() } else { canonical })
}

/// A DNS name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label)
}

fn check_repository(registry: &str, repository: &str) -> Result<String, ReferenceError> {
    let whole = if registry == DEFAULT_REGISTRY && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    };
    if whole.len() > MAX_REPOSITORY || !whole.split('/').all(is_component) {
        return Err(ReferenceError::Repository(cut(repository)));
    }
    Ok(whole)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (OCI Distribution Specification, Pulling Manifests).
fn is_component(part: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separator =
        |run: &str| matches!(run, "." | "_" | "__") || run.bytes().all(|byte| byte == b'-');
    let ends = part.bytes().next().is_some_and(alphanumeric)
        && part.bytes().last().is_some_and(alphanumeric);
    ends && part
        .split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        .all(separator)
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (OCI Distribution Specification, Pulling Manifests).
fn check_tag(tag: &str) -> Result<(), ReferenceError> {
    let first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let later = |byte: u8| first(byte) || byte == b'.' || byte == b'-';
    let good =
        tag.len() <= MAX_TAG && tag.bytes().next().is_some_and(first) && tag.bytes().all(later);
    if good { Ok(()) } else { Err(ReferenceError::Tag(cut(tag))) }
}

/// What is shown of a text that may be long.
fn cut(text: &str) -> String {
    text.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_mean_what_they_mean_to_docker() {
        for (text, whole) in [
            ("alpine", "index.docker.io/library/alpine:latest"),
            ("alpine:3.20", "index.docker.io/library/alpine:3.20"),
            ("docker.io/alpine", "index.docker.io/library/alpine:latest"),
            ("a/b", "index.docker.io/a/b:latest"),
            ("ghcr.io/a/b:v1", "ghcr.io/a/b:v1"),
            ("localhost/a", "localhost/a:latest"),
            ("localhost:5000/a", "localhost:5000/a:latest"),
            ("localhost:5000/a:5000", "localhost:5000/a:5000"),
            ("[::1]:5000/a/b:v", "[::1]:5000/a/b:v"),
            ("10.0.0.1:80/a__b--c.d", "10.0.0.1:80/a__b--c.d:latest"),
            ("GHCR.io/a", "ghcr.io/a:latest"),
            ("Docker.io/alpine", "index.docker.io/library/alpine:latest"),
            ("LOCALHOST/a", "localhost/a:latest"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), whole, "{text}");
            assert_eq!(whole.parse(), Ok(reference), "what is printed is read as the same");
        }
    }

    #[test]
    fn a_digest_is_asked_for_before_a_tag() {
        let both: Reference = format!("a.b/c:v1@{DIGEST}").parse().unwrap();
        assert_eq!(both.target(), Target::Digest(Digest::of(b"")));
        assert_eq!(both.to_string(), format!("a.b/c:v1@{DIGEST}"));
        let digest: Reference = format!("a.b/c@{DIGEST}").parse().unwrap();
        assert_eq!(digest.tag(), None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("a.b/{}", "a".repeat(MAX_REPOSITORY + 1));
        let long_tag = format!("a.b/c:{}", "a".repeat(MAX_TAG + 1));
        for text in [
            "",
            "/",
            "a.b/",
            "a.b//c",
            "a.b/C",
            "a.b/../c",
            "a.b/c:",
            "a.b/c:-x",
            "a.b/c:a b",
            "a.b/c@",
            "a.b/c@sha256:1",
            "a.b:x/c",
            "a.b:0/c",
            "a.b:99999/c",
            "-a.b/c",
            "a..b/c",
            "[::1/c",
            "[x]:1/c",
            "user@a.b/c",
            "a.b/c?d",
            "a.b/c#d",
            "a.b/c___d",
            "a.b/c._d",
            "a.b/-c",
            "a.b/c-",
            "https://a.b/c",
            "a.b/%2e%2e/c",
            "a.b/c\n",
            "Some/name",
            &long,
            &long_tag,
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_repository_alone_has_no_tag() {
        let repository = Reference::parse_repository("localhost:1/a/b").unwrap();
        assert_eq!(repository.to_string(), "localhost:1/a/b");
        assert!(Reference::parse_repository("a.b/c:v1").is_err());
    }
}
