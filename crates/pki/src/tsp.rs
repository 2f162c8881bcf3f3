//! Timestamps, RFC 3161.

use std::sync::Arc;

use crypto::{Digest, HashAlgorithm, SigningKey};
use jiff::Timestamp;

use crate::Certificate;
use crate::chain::PathError;

/// The longest request: a nonce and extensions are a few hundred bytes at most.
pub const MAX_REQUEST: usize = 1 << 20;
/// The longest answer that is read; a chain of large certificates is a tenth of it.
pub const MAX_RESPONSE: usize = 1 << 17;

/// A policy identifier: the contents of its DER, because some are longer than [`crate::Oid`] holds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Policy(Vec<u8>);

/// An arbitrary integer, kept as the contents of its DER: a request's nonce.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Nonce(Vec<u8>);

/// Text is not an object identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the text is not an object identifier")]
pub struct PolicyError;

impl Policy {
    /// Reads the dotted form.
    ///
    /// # Errors
    ///
    /// [`PolicyError`].
    pub fn from_dotted(text: &str) -> Result<Self, PolicyError> {
        todo!("{text}")
    }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("")
    }
}

impl Nonce {
    /// A positive nonce of random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        todo!("{bytes:?}")
    }
}

/// `TimeStampReq`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The digest that is to be timestamped.
    pub imprint: Digest,
    /// The policy that is asked for.
    pub policy: Option<Policy>,
    /// What the answer must echo.
    pub nonce: Option<Nonce>,
    /// Whether the answer shall hold the authority's certificate.
    pub certificates: bool,
    /// The DER of `Extensions`, if there are any.
    pub extensions: Option<Vec<u8>>,
}

/// Why bytes are not a request that can be answered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// Not DER, not a request, or something after it.
    #[error("the timestamp request is not well-formed DER")]
    Malformed,
    /// SHA-1.
    #[error("the timestamp request's hash algorithm is weak")]
    WeakHash,
    /// No hash that is known.
    #[error("the timestamp request's hash algorithm is not known")]
    UnknownHash,
    /// The digest has another length than the algorithm makes.
    #[error("the timestamp request's digest has {found} bytes")]
    DigestLength {
        /// How many there are.
        found: usize,
    },
}

impl Request {
    /// A request for the timestamp of `imprint` with certificates and a nonce.
    #[must_use]
    pub const fn new(imprint: Digest, nonce: Nonce) -> Self {
        Self { imprint, policy: None, nonce: Some(nonce), certificates: true, extensions: None }
    }

    /// Reads DER. The version is not looked at.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        todo!("{der:?}")
    }

    /// Writes DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        todo!()
    }
}

/// `PKIFailureInfo`, RFC 3161 §2.4.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailInfo {
    /// Unrecognised or unsupported algorithm.
    BadAlg,
    /// Transaction not permitted or supported.
    BadRequest,
    /// The data submitted has the wrong format.
    BadDataFormat,
    /// The authority's time source is not available.
    TimeNotAvailable,
    /// The requested policy is not supported.
    UnacceptedPolicy,
    /// The requested extension is not supported.
    UnacceptedExtension,
    /// The request cannot be handled due to system failure.
    SystemFailure,
}

/// A `TimeStampResp` that refuses, with a text for people.
#[must_use]
pub fn rejection(reason: FailInfo, text: &str) -> Vec<u8> {
    todo!("{reason:?}{text}")
}

/// A timestamp authority's key, chain and habits.
pub struct TokenSigner {
    key: Arc<SigningKey>,
    chain: Vec<Certificate>,
    hash: HashAlgorithm,
    include_chain: bool,
}

/// Why a chain and key cannot sign timestamps.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignerError {
    /// A leaf and at least one issuer are needed.
    #[error("a timestamp authority needs a chain of at least two certificates")]
    ShortChain,
    /// The key is not the leaf's.
    #[error("the timestamp authority's key is not the one in its certificate")]
    KeyMismatch,
    /// The chain is not valid for timestamps at the time given.
    #[error("the timestamp authority's chain is not valid")]
    Chain(#[source] PathError),
    /// The signature could not be made.
    #[error("the timestamp cannot be signed")]
    Sign,
}

impl TokenSigner {
    /// Brings a key and its chain (leaf first, root last) together and checks them at `now`.
    ///
    /// # Errors
    ///
    /// See [`SignerError`].
    pub fn new(
        key: Arc<SigningKey>,
        chain: Vec<Certificate>,
        hash: HashAlgorithm,
        include_chain: bool,
        now: Timestamp,
    ) -> Result<Self, SignerError> {
        todo!("{:?}{chain:?}{hash:?}{include_chain}{now}", key.public_key())
    }

    /// The chain, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Makes a `TimeStampResp` that grants `request` at `time` (cut to whole seconds) under `policy`.
    ///
    /// # Errors
    ///
    /// [`SignerError::Sign`].
    pub fn grant(
        &self,
        request: &Request,
        policy: &Policy,
        time: Timestamp,
        serial: [u8; 20],
    ) -> Result<Vec<u8>, SignerError> {
        todo!(
            "{request:?}{policy:?}{time}{serial:?}{:?}{:?}{:?}",
            self.key.public_key(),
            self.hash,
            self.include_chain
        )
    }
}

/// Those whose timestamps are trusted: one entry of a trusted root.
#[derive(Clone, Debug)]
pub struct Authority {
    leaf: Option<Certificate>,
    intermediates: Vec<Certificate>,
    anchor: Certificate,
}

impl Authority {
    /// Takes a chain as a trusted root has it: leaf first (if it is there), root last.
    ///
    /// `None` for an empty chain.
    #[must_use]
    pub fn from_chain(chain: &[Certificate]) -> Option<Self> {
        todo!("{chain:?}")
    }
}

/// A timestamp that was read and not yet believed.
#[derive(Clone, Debug)]
pub struct Token {
    time: Timestamp,
    imprint: Digest,
}

/// Why bytes are not a timestamp.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenFormatError {
    /// Longer than any that is read.
    #[error("the timestamp is longer than {MAX_RESPONSE} bytes")]
    TooLong,
    /// Not DER, or not a response or token, or something after it.
    #[error("the timestamp is not well-formed ({part})")]
    Malformed {
        /// The field at which reading ended.
        part: &'static str,
    },
    /// The response does not grant.
    #[error("the timestamp authority did not grant the request (status {status})")]
    NotGranted {
        /// The `PKIStatus`.
        status: u64,
    },
    /// What is signed is not a `TSTInfo`.
    #[error("what is signed is not a timestamp")]
    ContentType,
    /// Not exactly one signer.
    #[error("the timestamp has {found} signatures, not one")]
    Signers {
        /// How many it has.
        found: usize,
    },
    /// The imprint's algorithm is not SHA-256, SHA-384 or SHA-512.
    #[error("the timestamp's hash algorithm is not accepted")]
    Hash,
}

/// Why a timestamp is not believed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// It is for other bytes.
    #[error("the timestamp is for other bytes")]
    Imprint,
    /// No certificate among the trusted or embedded ones is the one that the signature names.
    #[error("the certificate that signed the timestamp is not known")]
    UnknownSigner,
    /// The signed attributes are missing, repeated, or are of something else.
    #[error("the timestamp's signed attributes do not fit ({part})")]
    Attributes {
        /// Which.
        part: &'static str,
    },
    /// The signature does not verify.
    #[error("the timestamp's signature does not verify")]
    Signature,
    /// The certificate does not lead to this authority.
    #[error("the timestamp's certificate is not trusted")]
    Path(#[source] PathError),
    /// The answer's nonce or policy is not the request's.
    #[error("the timestamp is not the answer to the request ({part})")]
    OtherRequest {
        /// What differs.
        part: &'static str,
    },
}

/// Proof that a trusted authority has signed a time for some bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifiedTimestamp {
    /// The time.
    pub time: Timestamp,
    /// The certificate that signed it.
    pub signer: Certificate,
}

impl Token {
    /// Reads a `TimeStampResp` that grants, or a bare `TimeStampToken`.
    ///
    /// # Errors
    ///
    /// See [`TokenFormatError`].
    pub fn from_der(der: &[u8]) -> Result<Self, TokenFormatError> {
        todo!("{der:?}")
    }

    /// The time that it claims.
    #[must_use]
    pub const fn claimed_time(&self) -> Timestamp {
        self.time
    }

    /// The digest that it is for.
    #[must_use]
    pub const fn imprint(&self) -> &Digest {
        &self.imprint
    }

    /// Checks that `authority` signed this token for `message` (for a bundle, the signature's bytes).
    ///
    /// # Errors
    ///
    /// See [`TokenError`].
    pub fn verify(
        &self,
        message: &[u8],
        authority: &Authority,
    ) -> Result<VerifiedTimestamp, TokenError> {
        todo!(
            "{message:?}{authority:?}{:?}{:?}{:?}",
            authority.leaf,
            authority.intermediates,
            authority.anchor
        )
    }

    /// Checks that the token answers `request`: same imprint, nonce and, where one was asked for, policy.
    ///
    /// # Errors
    ///
    /// [`TokenError::OtherRequest`].
    pub fn answers(&self, request: &Request) -> Result<(), TokenError> {
        todo!("{request:?}")
    }
}
