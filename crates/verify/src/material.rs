//! Step B: whose key it is said to be.

use crypto::PublicKey;
use pki::{Certificate, CertificateError};
use wire::bundle::{Bundle, SignerMaterial};
use wire::json::excerpt;

use crate::policy::{IdentityPolicy, OwnPolicy, Policy, SignerPolicy};

/// Whose key it is said to be, beside what the policy asks of such a signer. Nobody has vouched for it yet.
#[derive(Debug)]
pub(crate) enum Material<'p> {
    /// The key that the policy has. It never comes from the bundle.
    Key(&'p PublicKey),
    /// The bundle's certificate, to be judged by the trusted root.
    Certificate(Certificate, &'p IdentityPolicy),
    /// The bundle's certificates, to be judged by roots of the verifier's own.
    Own(OwnChain<'p>),
}

/// Certificates that somebody's own authority issued, if what follows holds.
#[derive(Debug)]
pub(crate) struct OwnChain<'p> {
    pub(crate) leaf: Certificate,
    /// What may lead from the leaf to a root. Only its signatures say whether it does.
    pub(crate) intermediates: Vec<Certificate>,
    pub(crate) policy: &'p OwnPolicy,
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
    /// A bundle of version 0.3 or later has a chain, where it must have one certificate of Fulcio's or a key.
    #[error("a bundle of version 0.3 must have a single certificate, not a chain")]
    ChainInVersion3,
    /// The bundle has a root certificate: trust never comes from a bundle.
    #[error("certificate {position} of the bundle is a root certificate; bundles must have none")]
    RootInBundle {
        /// Which, from zero.
        position: usize,
    },
}

impl Material<'_> {
    /// The key.
    pub(crate) fn key(&self) -> &PublicKey {
        match self {
            Self::Key(key) => key,
            Self::Certificate(leaf, _) => leaf.public_key(),
            Self::Own(chain) => chain.leaf.public_key(),
        }
    }

    /// The certificate for the key, where that is not known by itself.
    pub(crate) const fn leaf(&self) -> Option<&Certificate> {
        match self {
            Self::Key(_) => None,
            Self::Certificate(leaf, _) => Some(leaf),
            Self::Own(chain) => Some(&chain.leaf),
        }
    }
}

/// Finds the key that the signature is said to be by.
pub(crate) fn read<'p>(bundle: &Bundle, policy: &'p Policy) -> Result<Material<'p>, MaterialError> {
    let chain = match &bundle.material.signer {
        SignerMaterial::PublicKey { hint } => return read_hint(hint, policy),
        SignerMaterial::Certificate(leaf) => std::slice::from_ref(leaf),
        SignerMaterial::Chain(chain) => chain,
    };
    match &policy.signer {
        SignerPolicy::Key(_) => Err(MaterialError::CertificateInsteadOfKey),
        SignerPolicy::Own(policy) => read_own(chain, policy).map(Material::Own),
        SignerPolicy::Identity(policy) => {
            let is_chain = matches!(bundle.material.signer, SignerMaterial::Chain(_));
            if is_chain && bundle.media_type.has_single_certificate() {
                return Err(MaterialError::ChainInVersion3);
            }
            read_leaf(chain, is_chain).map(|leaf| Material::Certificate(leaf, policy))
        }
    }
}

fn read_hint<'p>(hint: &str, policy: &'p Policy) -> Result<Material<'p>, MaterialError> {
    match &policy.signer {
        SignerPolicy::Key(key) => Ok(Material::Key(key)),
        SignerPolicy::Identity(_) | SignerPolicy::Own(_) => {
            Err(MaterialError::KeyNeeded { hint: excerpt(hint) })
        }
    }
}

/// Only the first certificate counts: intermediate ones come from the trusted root. The others of a chain are read
/// because a bundle must not have a root among them.
fn read_leaf(chain: &[Vec<u8>], is_chain: bool) -> Result<Certificate, MaterialError> {
    let certificates = read_all(chain)?;
    let root = certificates.iter().position(Certificate::is_self_issued);
    if let Some(position) = root.filter(|_| is_chain) {
        return Err(MaterialError::RootInBundle { position });
    }
    first(certificates).map(|(leaf, _)| leaf)
}

/// All certificates are candidates for a path. Some signers put their root among them (OpenSSF Model Signing): it leads
/// nowhere, since the roots that count are the policy's.
fn read_own<'p>(chain: &[Vec<u8>], policy: &'p OwnPolicy) -> Result<OwnChain<'p>, MaterialError> {
    let (leaf, intermediates) = first(read_all(chain)?)?;
    Ok(OwnChain { leaf, intermediates, policy })
}

fn read_all(chain: &[Vec<u8>]) -> Result<Vec<Certificate>, MaterialError> {
    let read = |(position, der): (usize, &Vec<u8>)| {
        Certificate::from_der(der).map_err(|source| MaterialError::Certificate { position, source })
    };
    chain.iter().enumerate().map(read).collect()
}

/// The signer's certificate, and the others.
fn first(certificates: Vec<Certificate>) -> Result<(Certificate, Vec<Certificate>), MaterialError> {
    let mut certificates = certificates.into_iter();
    // `Bundle::parse` refuses an empty chain; a bundle that was made otherwise says no more than a hint.
    let leaf = certificates.next().ok_or(MaterialError::KeyNeeded { hint: String::new() })?;
    Ok((leaf, certificates.collect()))
}
