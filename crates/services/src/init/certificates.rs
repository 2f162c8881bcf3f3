//! The certificates of a new directory: two offline roots, and what they certify.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crypto::SigningKey;
use jiff::{SignedDuration, Timestamp};
use pki::chain::Purpose;
use pki::issue::{self, IssueError, Issuer, Serial, Validity};
use pki::{Certificate, ChainError, DistinguishedName, NameError};

use super::new_keys::Keys;
use crate::durable;
use crate::instance::Instance;
use crate::keys::{OfflineKey, OnlineKey};
use crate::layout::Layout;

const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Roots outlive what they certify, so that an intermediate can be renewed without a new root.
const ROOT_YEARS: i32 = 20;
/// What serves is certified for ten years, as in the public-good instance.
const SERVING_YEARS: i32 = 10;
/// The most certificates in a chain of ours: what serves, and its root.
const MAX_CHAIN: usize = 2;

/// The certificates of a new directory.
pub(super) struct Certificates {
    /// The certificate authority: intermediate, then root.
    pub(super) ca: Vec<Certificate>,
    /// The timestamp authority: its certificate, then root.
    pub(super) tsa: Vec<Certificate>,
    /// The authority of the server's own TLS certificates.
    pub(super) tls_ca: Option<Certificate>,
}

/// Why the certificates were not made.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    /// The organisation cannot be named in a certificate.
    #[error("the organisation cannot be named in a certificate")]
    Name(#[from] NameError),
    /// A certificate could not be issued.
    #[error("a certificate could not be issued")]
    Issue(#[from] IssueError),
    /// A file that an interrupted run has made cannot be read.
    #[error("{} does not hold certificates", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ChainError,
    },
    /// A file could not be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Certificates {
    /// Makes the certificates that are not there. They are valid from the moment on at which the directory was made,
    /// which is before any of the keys signs anything.
    pub(super) fn establish(
        layout: &Layout,
        instance: &Instance,
        keys: &Keys,
    ) -> Result<Self, CertificatesError> {
        let maker = Maker { organization: &instance.organization, since: instance.created };
        let ca = establish(&layout.ca_chain(), || maker.certificate_authority(keys))?;
        let tsa = establish(&layout.tsa_chain(), || maker.timestamp_authority(keys))?;
        let tls_ca = match keys.tls_authority() {
            Some(key) => {
                let chain = establish(&layout.tls_ca(), || {
                    Ok(vec![maker.root(key, "TLS authority", SERVING_YEARS)?])
                })?;
                chain.into_iter().next()
            }
            None => None,
        };
        Ok(Self { ca, tsa, tls_ca })
    }
}

/// The chain in the file at `path`; one that is made and written if there is none.
fn establish(
    path: &Path,
    make: impl FnOnce() -> Result<Vec<Certificate>, CertificatesError>,
) -> Result<Vec<Certificate>, CertificatesError> {
    let io_error = |source| CertificatesError::Io { path: path.to_owned(), source };
    if path.exists() {
        let text = std::fs::read(path).map_err(io_error)?;
        return Certificate::chain_from_pem(&text, MAX_CHAIN)
            .map_err(|source| CertificatesError::Read { path: path.to_owned(), source });
    }
    let chain = make()?;
    if let Some(directory) = path.parent() {
        durable::make_private_directory(directory).map_err(io_error)?;
    }
    let text: String = chain.iter().map(Certificate::to_pem).collect();
    durable::write(path, text.as_bytes(), durable::PUBLIC).map_err(io_error)?;
    Ok(chain)
}

/// Issues certificates under one organisation's name.
struct Maker<'a> {
    organization: &'a str,
    since: Timestamp,
}

impl Maker<'_> {
    /// The intermediate that signs for people, and the offline root.
    fn certificate_authority(&self, keys: &Keys) -> Result<Vec<Certificate>, CertificatesError> {
        let root_key = keys.offline(OfflineKey::CertificateRoot);
        let (root, issuer) = self.authority(root_key, "sigstore root")?;
        let intermediate = issuer.intermediate(
            keys.online(OnlineKey::CertificateAuthority).public_key(),
            &self.name("sigstore intermediate")?,
            Purpose::CodeSigning,
            self.validity(SERVING_YEARS),
            serial(),
        )?;
        Ok(vec![intermediate, root])
    }

    /// The timestamp authority's certificate, and an offline root of its own.
    fn timestamp_authority(&self, keys: &Keys) -> Result<Vec<Certificate>, CertificatesError> {
        let root_key = keys.offline(OfflineKey::TimestampRoot);
        let (root, issuer) = self.authority(root_key, "timestamp authority root")?;
        let signer = issuer.timestamp_signer(
            keys.online(OnlineKey::TimestampAuthority).public_key(),
            &self.name("timestamp authority")?,
            self.validity(SERVING_YEARS),
            serial(),
        )?;
        Ok(vec![signer, root])
    }

    fn authority(
        &self,
        key: Arc<SigningKey>,
        name: &str,
    ) -> Result<(Certificate, Issuer), CertificatesError> {
        let root = self.root(&key, name, ROOT_YEARS)?;
        Ok((root.clone(), Issuer::new(root, key)?))
    }

    fn root(
        &self,
        key: &SigningKey,
        name: &str,
        years: i32,
    ) -> Result<Certificate, CertificatesError> {
        Ok(issue::root(key, &self.name(name)?, self.validity(years), serial())?)
    }

    fn name(&self, name: &str) -> Result<DistinguishedName, NameError> {
        DistinguishedName::new(self.organization, name)
    }

    fn validity(&self, years: i32) -> Validity {
        Validity::starting(self.since, YEAR * years)
    }
}

fn serial() -> Serial {
    Serial::from_random(crypto::random_array())
}
