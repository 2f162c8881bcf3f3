//! Proof of possession: the client shows that it has the private key of the certificate that it asks for.

use crypto::{KeyKind, PublicKey, PublicKeyError, Scheme, decode_pem, ecdsa_der_of_raw};
use pki::csr::{CertificationRequest, CsrError, ProofError as SigningRequestError};

use super::ProofOfPossession;
use super::client_key::{ClientKeyError, StrongKey};

/// The longest proof, key or request that is looked at: a request with an RSA key of 4096 bits has 2 KiB.
const MAX_LENGTH: usize = 64 * 1024;

/// A key whose possession was proved, and that is strong enough.
///
/// There is no other way to make one than [`ProvenKey::establish`].
pub(super) struct ProvenKey(PublicKey);

/// Why a key is not certified. The client's to fix.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProofError {
    /// The signing request cannot be read.
    #[error("the certificate signing request cannot be read")]
    SigningRequest(#[source] CsrError),
    /// There is no public key that can be read.
    #[error("the public key cannot be read")]
    PublicKey(#[source] PublicKeyError),
    /// The key is too weak to be certified.
    #[error("the public key is insecure")]
    Insecure(#[source] ClientKeyError),
    /// The signature was not made with the key, or not over the challenge.
    #[error("the proof of possession does not verify")]
    Signature,
    /// The signing request is signed with an algorithm that is not known to the API.
    #[error("the signature algorithm {name} is not known")]
    UnknownAlgorithm {
        /// Its name in Go, such as `SHA256-RSAPSS`.
        name: String,
    },
    /// The pair of key and hash is not on the list.
    #[error("the signing algorithm is not permitted")]
    NotPermitted(#[source] ClientKeyError),
    /// It is longer than any that is looked at.
    #[error("the proof of possession is longer than {MAX_LENGTH} bytes")]
    TooLong,
}

impl ProvenKey {
    /// Checks the proof: that the key can be read, is strong, has signed, and with a permitted algorithm.
    pub(super) fn establish(
        proof: &ProofOfPossession<'_>,
        challenge: &str,
    ) -> Result<Self, ProofError> {
        match proof {
            ProofOfPossession::Missing => Err(ProofError::PublicKey(PublicKeyError::NotPem)),
            ProofOfPossession::SigningRequest(pem) => of_signing_request(pem),
            ProofOfPossession::Challenge { public_key, signature } => {
                of_challenge(public_key, signature, challenge)
            }
        }
    }

    /// The key.
    pub(super) fn key(&self) -> &PublicKey {
        &self.0
    }
}

/// PKCS#10: parse, key, self-signature, algorithm, in this order, because the client is told the first that
/// fails. Subject, attributes and extensions are ignored: the token says who the holder is.
fn of_signing_request(pem: &[u8]) -> Result<ProvenKey, ProofError> {
    check_length(pem)?;
    let request = CertificationRequest::from_pem(pem).map_err(ProofError::SigningRequest)?;
    let key = strong(request.public_key().cloned().map_err(Clone::clone))?;
    let scheme = request.verify().map_err(|error| match error {
        SigningRequestError::Key(error) => ProofError::PublicKey(error),
        SigningRequestError::Signature => ProofError::Signature,
        SigningRequestError::Algorithm(name) => ProofError::UnknownAlgorithm { name },
    })?;
    key.check_scheme(scheme).map_err(ProofError::NotPermitted)?;
    Ok(ProvenKey(key.key().clone()))
}

/// A signature over the subject, by the scheme that goes with the key.
fn of_challenge(key: &[u8], signature: &[u8], challenge: &str) -> Result<ProvenKey, ProofError> {
    check_length(key)?;
    check_length(signature)?;
    let key = strong(read_public_key(key))?;
    let scheme = Scheme::default_for(key.key().kind());
    if !verifies(key.key(), scheme, challenge.as_bytes(), signature) {
        return Err(ProofError::Signature);
    }
    key.check_scheme(scheme).map_err(ProofError::NotPermitted)?;
    Ok(ProvenKey(key.key().clone()))
}

fn check_length(bytes: &[u8]) -> Result<(), ProofError> {
    if bytes.len() > MAX_LENGTH { Err(ProofError::TooLong) } else { Ok(()) }
}

fn strong(key: Result<PublicKey, PublicKeyError>) -> Result<StrongKey, ProofError> {
    let key = key.map_err(|error| match StrongKey::unreadable(error) {
        ClientKeyError::Unreadable(error) => ProofError::PublicKey(error),
        weak => ProofError::Insecure(weak),
    })?;
    StrongKey::judge(key).map_err(ProofError::Insecure)
}

/// PEM with text around it, or DER; a `SubjectPublicKeyInfo` or an RSA key of PKCS#1.
fn read_public_key(bytes: &[u8]) -> Result<PublicKey, PublicKeyError> {
    match decode_pem(bytes) {
        Ok((pem, _)) => match pem.label.as_str() {
            "PUBLIC KEY" => PublicKey::from_spki_der(&pem.contents),
            "RSA PUBLIC KEY" => PublicKey::from_rsa_pkcs1_der(&pem.contents),
            _ => Err(PublicKeyError::NotPem),
        },
        Err(_) => PublicKey::from_spki_der(bytes),
    }
}

/// ECDSA signatures are DER; what is not is tried as two numbers side by side, as some clients send them.
fn verifies(key: &PublicKey, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
    if key.verify(scheme, message, signature).is_ok() {
        return true;
    }
    let is_ecdsa =
        matches!(key.kind(), KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521);
    is_ecdsa
        && ecdsa_der_of_raw(signature).is_some_and(|der| key.verify(scheme, message, &der).is_ok())
}
