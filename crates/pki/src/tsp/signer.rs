//! Making tokens: what an authority signs, RFC 3161 §2.4.2, in the form of the existing server.

use std::sync::Arc;

use crypto::{HashAlgorithm, KeyKind, Scheme, SigningKey};
use jiff::Timestamp;

use super::request::{hash_identifier, imprint_der};
use super::{Integer, Policy, Request, SIGNING_CERTIFICATE_V2, TST_INFO};
use crate::Certificate;
use crate::asn1::{self, generalized_time, tag, x509_time};
use crate::chain::{PathError, Purpose, verify_path};
use crate::cms::{self, CONTENT_TYPE, MESSAGE_DIGEST, SIGNED_DATA, SIGNING_TIME};
use crate::signature::{hash_oid, identifier_with};

/// The accuracy that every token claims, in seconds: genTime is cut to whole ones.
const ACCURACY_SECONDS: u64 = 1;

/// A timestamp authority's key, chain and habits.
pub struct TokenSigner {
    key: Arc<SigningKey>,
    chain: Vec<Certificate>,
    hash: HashAlgorithm,
    include_chain: bool,
    /// What does not change from one token to the next, written once.
    fixed: Fixed,
}

/// Parts of a token that only depend on the authority.
struct Fixed {
    scheme: Scheme,
    signature_algorithm: Vec<u8>,
    digest_algorithm: Vec<u8>,
    /// `tsa [0] GeneralName`: the name of the signer.
    tsa: Vec<u8>,
    issuer_and_serial: Vec<u8>,
    /// `IssuerSerial` of RFC 5035, whose issuer is a `GeneralNames`.
    ess_issuer_serial: Vec<u8>,
    certificates: Vec<u8>,
}

/// Why a chain and key cannot sign timestamps. The operator's to fix.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignerError {
    /// A leaf and at least one issuer are needed.
    #[error("a timestamp authority needs a chain of at least two certificates")]
    ShortChain,
    /// The key is not the leaf's.
    #[error("the timestamp authority's key is not the one in its certificate")]
    KeyMismatch,
    /// The key does not sign with this hash.
    #[error("a key of the kind {kind} does not sign with {}", .hash.name())]
    Hash {
        /// The kind of the key.
        kind: KeyKind,
        /// The hash that was configured.
        hash: HashAlgorithm,
    },
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
    /// `hash` is what the signature is made over, by default the key's own.
    ///
    /// # Errors
    ///
    /// See [`SignerError`].
    pub fn new(
        key: Arc<SigningKey>,
        chain: Vec<Certificate>,
        hash: Option<HashAlgorithm>,
        include_chain: bool,
        now: Timestamp,
    ) -> Result<Self, SignerError> {
        let [leaf, issuers @ .., root] = chain.as_slice() else {
            return Err(SignerError::ShortChain);
        };
        if leaf.public_key() != key.public_key() {
            return Err(SignerError::KeyMismatch);
        }
        verify_path(leaf, issuers, std::slice::from_ref(root), now, Purpose::TimeStamping)
            .map_err(SignerError::Chain)?;
        let kind = key.kind();
        let (hash, scheme) = signature_scheme(kind, hash);
        // The only sure way to know whether the key can sign with the hash.
        key.sign_with(scheme, &[]).map_err(|_| SignerError::Hash { kind, hash })?;
        let fixed = Fixed::new(&chain, scheme, hash, include_chain);
        Ok(Self { key, chain, hash, include_chain, fixed })
    }

    /// The chain, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Whether tokens hold the whole chain, when certificates are asked for.
    #[must_use]
    pub const fn includes_chain(&self) -> bool {
        self.include_chain
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
        const GRANTED: u64 = 0;
        let tst_info = self.tst_info(request, policy, time, serial);
        let attributes = self.signed_attributes(request, &tst_info, time);
        let signature = self
            .key
            .sign_with(self.fixed.scheme, &asn1::set(&[&attributes]))
            .map_err(|_| SignerError::Sign)?;
        let token = self.signed_data(request, &tst_info, &attributes, &signature);
        let status = asn1::sequence(&[&asn1::integer(GRANTED)]);
        Ok(asn1::sequence(&[&status, &token]))
    }

    fn tst_info(
        &self,
        request: &Request,
        policy: &Policy,
        time: Timestamp,
        serial: [u8; 20],
    ) -> Vec<u8> {
        let extensions = request.extensions.as_deref();
        asn1::sequence(&[
            &asn1::integer(1),
            &policy.to_der(),
            &imprint_der(&request.imprint),
            &asn1::unsigned(&serial),
            &generalized_time(time),
            &asn1::sequence(&[&asn1::integer(ACCURACY_SECONDS)]),
            // ordering FALSE is the default
            &request.nonce.as_ref().map(Integer::to_der).unwrap_or_default(),
            &self.fixed.tsa,
            &extensions.map(|list| asn1::tlv(tag::constructed(1), &[list])).unwrap_or_default(),
        ])
    }

    /// The contents of the set of signed attributes, in the order of DER.
    fn signed_attributes(&self, request: &Request, tst_info: &[u8], time: Timestamp) -> Vec<u8> {
        let digest = self.hash.digest(tst_info);
        let mut attributes = [
            cms::attribute(CONTENT_TYPE, &asn1::oid(TST_INFO)),
            cms::attribute(SIGNING_TIME, &x509_time(time)),
            cms::attribute(MESSAGE_DIGEST, &asn1::octet_string(digest.as_bytes())),
            cms::attribute(SIGNING_CERTIFICATE_V2, &self.signing_certificate(request)),
        ];
        attributes.sort();
        attributes.concat()
    }

    /// `SigningCertificateV2`, RFC 5035 §3: the hash is the request's, and SHA-256 is the default.
    fn signing_certificate(&self, request: &Request) -> Vec<u8> {
        let hash = request.imprint.algorithm();
        let algorithm = match hash {
            HashAlgorithm::Sha256 => Vec::new(),
            other => hash_identifier(other),
        };
        let leaf = self.chain.first().map(Certificate::der).unwrap_or_default();
        let certificate_hash = asn1::octet_string(hash.digest(leaf).as_bytes());
        let id = asn1::sequence(&[&algorithm, &certificate_hash, &self.fixed.ess_issuer_serial]);
        asn1::sequence(&[&asn1::sequence(&[&id])])
    }

    /// The `ContentInfo` with `SignedData` around it.
    fn signed_data(
        &self,
        request: &Request,
        tst_info: &[u8],
        attributes: &[u8],
        signature: &[u8],
    ) -> Vec<u8> {
        let signer_info = asn1::sequence(&[
            &asn1::integer(1),
            &self.fixed.issuer_and_serial,
            &self.fixed.digest_algorithm,
            &asn1::tlv(tag::constructed(0), &[attributes]),
            &self.fixed.signature_algorithm,
            &asn1::octet_string(signature),
        ]);
        let content = asn1::explicit(0, &asn1::octet_string(tst_info));
        let certificates: &[u8] = if request.certificates { &self.fixed.certificates } else { &[] };
        let data = asn1::sequence(&[
            &asn1::integer(3),
            &asn1::set(&[&self.fixed.digest_algorithm]),
            &asn1::sequence(&[&asn1::oid(TST_INFO), &content]),
            certificates,
            &asn1::set(&[&signer_info]),
        ]);
        asn1::sequence(&[&asn1::oid(SIGNED_DATA), &asn1::explicit(0, &data)])
    }
}

/// What a key signs with, when the hash is (or is not) said.
fn signature_scheme(kind: KeyKind, hash: Option<HashAlgorithm>) -> (HashAlgorithm, Scheme) {
    let default = Scheme::default_for(kind);
    // RFC 8419 §3.1: the digest algorithm beside Ed25519 is SHA-512.
    let hash = hash.or(default.hash()).unwrap_or(HashAlgorithm::Sha512);
    let scheme = match kind {
        KeyKind::Rsa { .. } => Scheme::RsaPkcs1(hash),
        KeyKind::Ed25519 => Scheme::Ed25519,
        _ => Scheme::Ecdsa(hash),
    };
    (hash, scheme)
}

impl Fixed {
    fn new(
        chain: &[Certificate],
        scheme: Scheme,
        hash: HashAlgorithm,
        include_chain: bool,
    ) -> Self {
        let included = if include_chain { chain } else { &chain[..1] };
        let certificates: Vec<&[u8]> = included.iter().map(Certificate::der).collect();
        let (subject, issuer, serial) =
            (chain[0].subject_der(), chain[0].issuer_der(), chain[0].serial());
        let serial = asn1::tlv(tag::INTEGER, &[serial]);
        let general_names = asn1::sequence(&[&asn1::explicit(4, issuer)]);
        let (scheme, signature_algorithm) = identifier_with(scheme);
        Self {
            scheme,
            signature_algorithm,
            digest_algorithm: asn1::sequence(&[&asn1::oid(hash_oid(hash))]),
            tsa: asn1::explicit(0, &asn1::explicit(4, subject)),
            issuer_and_serial: asn1::sequence(&[issuer, &serial]),
            ess_issuer_serial: asn1::sequence(&[&general_names, &serial]),
            certificates: asn1::tlv(tag::constructed(0), &certificates),
        }
    }
}
