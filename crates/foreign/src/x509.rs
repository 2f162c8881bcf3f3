//! PEM: a public key, a certificate, or a chain of certificates.

mod chain;

use crypto::{PublicKey, PublicKeyError, decode_pem};
use pki::{Certificate, CertificateError, GeneralName};

/// The most certificates of a chain.
const MAX_CERTIFICATES: usize = 10;

/// A key that can check signatures, and what came with it.
#[derive(Clone, Debug)]
pub enum Key {
    /// A PEM block `PUBLIC KEY`.
    Public(PublicKey),
    /// One or more certificates. The first has the key. Never empty.
    Certificates(Chain),
}

/// Certificates in the order in which they came.
#[derive(Clone, Debug)]
pub struct Chain {
    leaf: Certificate,
    issuers: Vec<Certificate>,
}

/// Why a text is not a key that can be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// There is no PEM block where one must be.
    #[error("there is no PEM block, or text after one")]
    NotPem,
    /// The PEM block has another label than a key or certificate.
    #[error("a PEM block {0:?} is neither a public key nor a certificate")]
    Label(String),
    /// The public key cannot be used.
    #[error("the public key cannot be used")]
    PublicKey(#[from] PublicKeyError),
    /// A certificate cannot be read.
    #[error("a certificate cannot be read")]
    Certificate(#[from] CertificateError),
    /// There are more certificates than are read.
    #[error("there are more than {MAX_CERTIFICATES} certificates")]
    TooManyCertificates,
    /// No path leads from the first certificate to the last.
    #[error("the last certificate did not issue the first, nor through the others")]
    BrokenChain,
}

impl Key {
    /// Reads PEM. Text before the first block is passed over; after it there may be nothing but
    /// further certificates.
    ///
    /// # Errors
    ///
    /// See [`KeyError`].
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let text = text.trim_ascii();
        let (block, rest) = decode_pem(text).map_err(|_| KeyError::NotPem)?;
        if !rest.is_empty() {
            return Chain::from_pem(text).map(Self::Certificates);
        }
        match block.label.as_str() {
            "PUBLIC KEY" => read_public_key(&block.contents).map(Self::Public),
            "CERTIFICATE" => {
                let leaf = Certificate::from_der(&block.contents)?;
                Ok(Self::Certificates(Chain { leaf, issuers: Vec::new() }))
            }
            _ => Err(KeyError::Label(block.label)),
        }
    }

    /// The key itself.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        match self {
            Self::Public(key) => key,
            Self::Certificates(chain) => chain.leaf.public_key(),
        }
    }

    /// PEM as Go writes it, in which the key goes into a log: 64 columns, no headers, a final newline.
    #[must_use]
    pub fn canonical_pem(&self) -> String {
        match self {
            Self::Public(key) => key.to_pem(),
            Self::Certificates(chain) => chain.certificates().map(Certificate::to_pem).collect(),
        }
    }

    /// The alternative names of the first certificate, with their case: hosts, e-mail addresses, IP addresses,
    /// URIs, and Fulcio's user name, in this order. A bare key has none.
    #[must_use]
    pub fn subjects(&self) -> Vec<String> {
        match self {
            Self::Public(_) => Vec::new(),
            Self::Certificates(chain) => subjects(&chain.leaf),
        }
    }

    /// Checks that a chain holds together: that its last certificate issued the first, directly or
    /// through the others. A key and a single certificate always do.
    ///
    /// This decides no trust. It keeps certificates that have nothing to do with each other out of a log.
    ///
    /// # Errors
    ///
    /// [`KeyError::BrokenChain`].
    pub fn verify_chain(&self) -> Result<(), KeyError> {
        match self {
            Self::Public(_) => Ok(()),
            Self::Certificates(chain) if chain.holds_together() => Ok(()),
            Self::Certificates(_) => Err(KeyError::BrokenChain),
        }
    }
}

impl Chain {
    /// Reads certificates until the end of the text. As Go does, it does not look at their labels.
    fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let mut certificates = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if certificates.len() == MAX_CERTIFICATES {
                return Err(KeyError::TooManyCertificates);
            }
            let (block, next) = decode_pem(rest).map_err(|_| KeyError::NotPem)?;
            certificates.push(Certificate::from_der(&block.contents)?);
            rest = next;
        }
        let mut certificates = certificates.into_iter();
        let leaf = certificates.next().ok_or(KeyError::NotPem)?;
        Ok(Self { leaf, issuers: certificates.collect() })
    }

    fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.leaf).chain(&self.issuers)
    }
}

/// A key whose canonical form is what was read. Go reads no others: RSA keys have NULL parameters.
fn read_public_key(der: &[u8]) -> Result<PublicKey, KeyError> {
    let key = PublicKey::from_spki_der(der)?;
    if key.rsa_modulus().is_some() && PublicKey::from_rsa_pkcs1_der(key.raw())? != key {
        return Err(PublicKeyError::Malformed.into());
    }
    Ok(key)
}

fn subjects(certificate: &Certificate) -> Vec<String> {
    let mut names: Vec<(u8, String)> = certificate.sans().iter().filter_map(ranked).collect();
    names.sort_by_key(|(rank, _)| *rank);
    names.into_iter().map(|(_, name)| name).collect()
}

/// A name with its place among the others: Go keeps each form of name in a list of its own.
fn ranked(name: &GeneralName) -> Option<(u8, String)> {
    match name {
        GeneralName::Dns(host) => Some((0, host.clone())),
        GeneralName::Email(address) => Some((1, address.clone())),
        GeneralName::Ip(address) => Some((2, address.to_string())),
        GeneralName::Uri(uri) => Some((3, uri.clone())),
        GeneralName::FulcioOther(user) if !user.is_empty() => Some((4, user.clone())),
        _ => None,
    }
}
