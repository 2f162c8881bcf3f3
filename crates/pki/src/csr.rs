//! Certification requests, PKCS#10 (RFC 2986), as Fulcio reads them: the key and the proof of its
//! possession, and nothing else.

use crypto::{PublicKey, PublicKeyError, Scheme};

/// A certification request that was read. Subject, attributes and requested extensions are ignored.
#[derive(Clone, Debug)]
pub struct CertificationRequest {
    info: Vec<u8>,
    key: Result<PublicKey, PublicKeyError>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

/// Why text is not a certification request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CsrError {
    /// There is no PEM block `CERTIFICATE REQUEST` or `NEW CERTIFICATE REQUEST`.
    #[error("there is no PEM certification request")]
    NotPem,
    /// It is not DER, or has something after it.
    #[error("the certification request is not well-formed DER")]
    Malformed,
}

/// Why a request does not prove possession of its key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProofError {
    /// The signature does not verify.
    #[error("the certification request's signature does not verify")]
    Signature,
    /// The algorithm is not one that may sign; the text is its name in Go, such as `SHA256-RSAPSS`.
    #[error("unrecognized signature algorithm: {0}")]
    Algorithm(String),
}

impl CertificationRequest {
    /// Reads a PEM request. Text around the block is passed over.
    ///
    /// # Errors
    ///
    /// See [`CsrError`].
    pub fn from_pem(text: &[u8]) -> Result<Self, CsrError> {
        todo!("{text:?}")
    }

    /// The key for which a certificate is asked, or why it cannot be used.
    ///
    /// # Errors
    ///
    /// The key's own error.
    pub fn public_key(&self) -> Result<&PublicKey, &PublicKeyError> {
        self.key.as_ref()
    }

    /// Checks the self-signature first, and then that its algorithm may be used.
    ///
    /// Returns the scheme, so that the caller can hold pairs of key and hash against its list.
    ///
    /// # Errors
    ///
    /// See [`ProofError`].
    pub fn verify(&self) -> Result<Scheme, ProofError> {
        todo!("{:?}{:?}{:?}", self.info, self.algorithm, self.signature)
    }
}
