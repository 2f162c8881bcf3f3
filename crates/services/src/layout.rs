//! Where things are in the directory of a server.

use std::path::{Path, PathBuf};

/// The directory of a server: one directory is one root of trust.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout(PathBuf);

impl Layout {
    /// The layout of the directory at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// The keys that serve.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Where the offline keys are made unless `init` is told another place. `serve` never opens it.
    #[must_use]
    pub fn offline(&self) -> PathBuf {
        self.0.join("offline")
    }

    /// The certificate authority's chain: intermediate, then root (PEM).
    #[must_use]
    pub fn ca_chain(&self) -> PathBuf {
        self.0.join("certificates/ca.pem")
    }

    /// The timestamp authority's chain: its certificate, then root (PEM).
    #[must_use]
    pub fn tsa_chain(&self) -> PathBuf {
        self.0.join("certificates/tsa.pem")
    }

    /// The authority of the server's own TLS certificates (PEM), if it has one.
    #[must_use]
    pub fn tls_ca(&self) -> PathBuf {
        self.0.join("certificates/tls-ca.pem")
    }

    /// The trust repository.
    #[must_use]
    pub fn tuf(&self) -> PathBuf {
        self.0.join("tuf")
    }

    /// The directory of the logs' directories.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// The CT log.
    #[must_use]
    pub fn ct_log(&self) -> PathBuf {
        self.logs().join("ct")
    }

    /// The Rekor v1 log.
    #[must_use]
    pub fn rekor_v1_log(&self) -> PathBuf {
        self.logs().join("rekor-v1")
    }

    /// The Rekor v2 log.
    #[must_use]
    pub fn rekor_v2_log(&self) -> PathBuf {
        self.logs().join("rekor-v2")
    }
}
