//! Step B: whose key it is said to be.

use crypto::PublicKey;
use pki::{Certificate, CertificateError};
use wire::bundle::{Bundle, SignerMaterial};
use wire::json::excerpt;

use crate::policy::{Policy, SignerPolicy};

/// Whose key it is said to be. Nobody has vouched for it yet.
#[derive(Debug)]
pub(crate) enum Material {
    /// The key that the policy has. It never comes from the bundle.
    Key(PublicKey),
    /// The bundle's certificate.
    Certificate(Certificate),
}

/// Why a bundle's signer cannot be judged.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MaterialError {
    /// The bundle was signed with a key that it only hints at, and the policy has none.
    #[error("the bundle was signed with a key; that key is needed to verify it (hint: {hint:?})")]
    KeyNeeded {
        /// The bundle's hint at the key.
        hint: String,
    },
    /// The bundle was signed with a certificate's key, and the policy asks for another kind of signer.
    #[error("the bundle was signed with a certificate, but a key was expected")]
    CertificateInsteadOfKey,
    /// A certificate cannot be read.
    #[error("certificate {position} of the bundle cannot be read")]
    Certificate {
        /// Which, from zero.
        position: usize,
        /// Why.
        #[source]
        source: CertificateError,
    },
    /// The bundle has a root certificate: trust never comes from a bundle.
    #[error("certificate {position} of the bundle is a root certificate; bundles must have none")]
    RootInBundle {
        /// Which, from zero.
        position: usize,
    },
}

impl Material {
    /// The key.
    pub(crate) fn key(&self) -> &PublicKey {
        match self {
            Self::Key(key) => key,
            Self::Certificate(leaf) => leaf.public_key(),
        }
    }
}

/// Finds the key that the signature is said to be by.
pub(crate) fn read(bundle: &Bundle, policy: &Policy) -> Result<Material, MaterialError> {
    match (&bundle.material.signer, &policy.signer) {
        (SignerMaterial::PublicKey { .. }, SignerPolicy::Key(key)) => {
            Ok(Material::Key(key.clone()))
        }
        (SignerMaterial::PublicKey { hint }, SignerPolicy::Identity(_)) => {
            Err(MaterialError::KeyNeeded { hint: excerpt(hint) })
        }
        (_, SignerPolicy::Key(_)) => Err(MaterialError::CertificateInsteadOfKey),
        (SignerMaterial::Certificate(leaf), SignerPolicy::Identity(_)) => {
            read_certificate(0, leaf).map(Material::Certificate)
        }
        (SignerMaterial::Chain(chain), SignerPolicy::Identity(_)) => read_chain(chain),
    }
}

/// Only the first certificate counts: intermediate ones come from the trusted root. The others are read
/// because a bundle must not have a root among them.
fn read_chain(chain: &[Vec<u8>]) -> Result<Material, MaterialError> {
    let mut certificates = Vec::with_capacity(chain.len());
    for (position, der) in chain.iter().enumerate() {
        let certificate = read_certificate(position, der)?;
        if certificate.is_self_issued() {
            return Err(MaterialError::RootInBundle { position });
        }
        certificates.push(certificate);
    }
    // `Bundle::parse` refuses an empty chain; a bundle that was made otherwise says no more than a hint.
    let leaf = certificates.into_iter().next();
    leaf.map(Material::Certificate).ok_or(MaterialError::KeyNeeded { hint: String::new() })
}

fn read_certificate(position: usize, der: &[u8]) -> Result<Certificate, MaterialError> {
    Certificate::from_der(der).map_err(|source| MaterialError::Certificate { position, source })
}
