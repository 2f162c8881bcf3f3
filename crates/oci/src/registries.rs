//! All registries: what is allowed, and what is known of each.

use crate::{Credentials, Reference, Repository};

/// What a program is allowed to do with registries.
#[derive(Clone)]
pub struct Settings {
    /// Where credentials come from.
    pub credentials: Credentials,
    /// Whether registries may be spoken to without TLS. Those on this machine always may.
    pub allow_http: bool,
    /// Whom to trust for TLS.
    pub tls: net::TlsTrust,
    /// Where to read first: pairs of `REGISTRY[/REPOSITORY]` and what stands for it.
    pub mirrors: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            credentials: Credentials::of_user(),
            allow_http: false,
            tls: net::TlsTrust::system(),
            mirrors: Vec::new(),
        }
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

/// The way to all registries. Cheap to clone; clones share connections and tokens.
#[derive(Clone)]
pub struct Registries {}

impl Registries {
    /// Nothing is read and nothing is opened until something is asked for.
    #[must_use]
    pub fn new(_settings: Settings) -> Self {
        Self {}
    }

    /// The repository of `reference`.
    #[must_use]
    pub fn repository(&self, _reference: &Reference, _access: Access) -> Repository {
        todo!()
    }
}
