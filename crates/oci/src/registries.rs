//! All registries: what is allowed, and what is known of each.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::host::Host;
use crate::{AccessError, Credentials, Reference, ReferenceError, Repository};

/// What a program is allowed to do with registries.
#[derive(Clone)]
pub struct Settings {
    /// Where credentials come from.
    pub credentials: Credentials,
    /// Whether registries on other machines may be spoken to without TLS. Those on this machine always may.
    pub allow_http: bool,
    /// Whom to trust for TLS.
    pub tls: net::TlsTrust,
    /// Where to look first when something is read.
    pub mirrors: Vec<Mirror>,
    /// What TLS with one registry asks for besides.
    pub own_tls: Option<OwnTls>,
}

/// What TLS with one registry asks for besides. It is for nobody to whom that registry leads.
#[derive(Clone, Debug)]
pub struct OwnTls {
    /// The registry, as [`Reference::registry`] writes it.
    pub registry: String,
    /// What is shown to it.
    pub identity: Option<net::ClientIdentity>,
    /// The name by which it is asked for, and that its certificate has, instead of its own.
    pub expected_name: Option<net::ExpectedName>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            credentials: Credentials::of_user(),
            allow_http: false,
            tls: net::TlsTrust::system(),
            mirrors: Vec::new(),
            own_tls: None,
        }
    }
}

/// Stands for a registry, or for a part of one, when something is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mirror {
    /// `REGISTRY[/PATH]`.
    of: String,
    /// `REGISTRY[/PATH]`.
    is: String,
}

/// A text is no mirror.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no mirror: it is written REGISTRY[/PATH]=MIRROR[/PATH]")]
pub struct MirrorError {
    /// The text.
    text: String,
    /// What is wrong with the name that it leads to.
    #[source]
    source: Option<ReferenceError>,
}

impl std::str::FromStr for Mirror {
    type Err = MirrorError;

    fn from_str(text: &str) -> Result<Self, MirrorError> {
        let wrong = |source| MirrorError { text: text.to_owned(), source };
        let (of, is) = text.split_once('=').ok_or_else(|| wrong(None))?;
        for side in [of, is] {
            // Any repository below it must have a name.
            let below = format!("{}/x", side.trim_end_matches('/'));
            Reference::parse_repository(&below).map_err(|error| wrong(Some(error)))?;
        }
        Ok(Self {
            of: of.trim_end_matches('/').to_owned(),
            is: is.trim_end_matches('/').to_owned(),
        })
    }
}

impl Mirror {
    /// What stands for `repository`, if this mirror does.
    fn stands_for(&self, repository: &Reference) -> Option<Reference> {
        let name = repository.name();
        let rest = name.strip_prefix(&self.of)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        Reference::parse_repository(&format!("{}{rest}", self.is)).ok()
    }
}

/// What will be done with a repository: one token for all of it is asked for at once.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Access {
    /// Read.
    Pull,
    /// Read and write.
    Push,
    /// Read, write and delete.
    Delete,
}

/// The way to all registries. Cheap to clone; clones share connections, tokens, and what is known of each registry.
#[derive(Clone)]
pub struct Registries(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

impl Registries {
    /// Nothing is read and nothing is opened until something is asked for.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let (settings, hosts) = (Arc::new(settings), Mutex::default());
        Self(Arc::new(Inner { settings, hosts }))
    }

    /// The repository of `reference`.
    #[must_use]
    pub fn repository(&self, reference: &Reference, access: Access) -> Repository {
        let mirrors = self.0.settings.mirrors.iter();
        let mirrors = mirrors
            .filter_map(|mirror| mirror.stands_for(reference))
            .map(|mirror| Repository::new(self.host(&mirror), &mirror, Access::Pull, Vec::new()))
            .collect();
        Repository::new(self.host(reference), reference, access, mirrors)
    }

    /// Asks the registry of `reference` whether it takes the credentials for it, and nothing else (OCI Distribution
    /// Specification, Determining Support). Whether it wanted to know: some ask nobody before there is something to do.
    ///
    /// # Errors
    ///
    /// [`AccessError::Unauthorized`] if it does not take them.
    pub async fn sign_in(&self, reference: &Reference) -> Result<bool, AccessError> {
        self.host(reference).sign_in().await
    }

    fn host(&self, reference: &Reference) -> Arc<Host> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Host::new(reference.registry(), self.0.settings.clone()));
        hosts.entry(reference.registry().to_owned()).or_insert_with(new).clone()
    }
}

impl fmt::Debug for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registries(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands_for(mirror: &str, repository: &str) -> Option<String> {
        let mirror: Mirror = mirror.parse().unwrap();
        let repository = Reference::parse_repository(repository).unwrap();
        mirror.stands_for(&repository).map(|mirror| mirror.to_string())
    }

    #[test]
    fn a_mirror_stands_for_what_lies_below() {
        let of = |repository| stands_for("ghcr.io/a=mirror.example:5000/ghcr", repository);
        assert_eq!(of("ghcr.io/a/b").as_deref(), Some("mirror.example:5000/ghcr/b"));
        assert_eq!(of("ghcr.io/a").as_deref(), Some("mirror.example:5000/ghcr"));
        assert_eq!(of("ghcr.io/ab"), None);
        assert_eq!(of("quay.io/a/b"), None);
        let hub = stands_for("index.docker.io=mirror.example", "alpine");
        assert_eq!(hub.as_deref(), Some("mirror.example/library/alpine"));
    }

    #[test]
    fn a_mirror_has_two_sides() {
        for text in ["", "a.b", "a.b=", "=a.b", "a.b=c d"] {
            assert!(text.parse::<Mirror>().is_err(), "{text}");
        }
    }
}
