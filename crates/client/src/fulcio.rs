//! Asking the certificate authority for a certificate, and checking it before it is used.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{KeyKind, PublicKey, Scheme};
use jiff::Timestamp;
use net::{Client, RequestError, Retry, StatusCode, Url};
use pki::chain::{PathError, Purpose, VerifiedPath, verify_path};
use pki::fulcio::{identities, issuer};
use pki::sct::{SctError, TrustedLog, verify_embedded};
use pki::{Certificate, ChainError};
use serde::Deserialize;
use serde_json::json;
use wire::trusted_root::TrustedRoot;

use crate::answer::{Refusal, endpoint, expect, place};
use crate::key_holder::{KeyError, KeyHolder};
use crate::oidc::{IdentityToken, Subject};

/// Where certificates are asked for.
const SIGNING_CERT_PATH: &str = "/api/v2/signingCert";
/// The longest answer: a chain of ten large certificates is a tenth of it.
const MAX_ANSWER: usize = 1 << 20;
/// The longest chain, as in the reference client.
const MAX_CHAIN: usize = 32;
/// How long one attempt may take. The authority waits for its CT log, some of which publish every second.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateRequestError {
    /// There was no answer. Try again, or tell the operator.
    #[error("the certificate authority cannot be asked")]
    Request(#[from] RequestError),
    /// It said no; most often to the token.
    #[error("the certificate authority gives no certificate")]
    Refused(#[source] Refusal),
    /// What it sent holds no chain of certificates. The operator's to fix.
    #[error("the answer of {place} holds no certificate: {reason}")]
    Malformed {
        /// Where.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key cannot prove that it is ours.
    #[error("the proof of possession cannot be signed")]
    Proof(#[from] KeyError),
    /// What it sent is not the certificate that was asked for, or none that anybody would trust.
    #[error("the certificate authority gave a certificate that cannot be used")]
    Certificate(#[from] CertificateError),
}

/// Why a certificate is not used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It is for another key.
    #[error("it is for another key than ours")]
    OtherKey,
    /// It is for somebody else than the token.
    #[error("it names {found:?}, not {expected}")]
    OtherIdentity {
        /// Whose the token is.
        expected: String,
        /// Whom the certificate names.
        found: Vec<String>,
    },
    /// It says that another issuer vouches for the identity.
    #[error("it says that {found} vouches for the identity, not {expected}")]
    OtherIssuer {
        /// The issuer of the token.
        expected: String,
        /// The issuer in the certificate, or nothing.
        found: String,
    },
    /// It does not lead to a certificate authority of the trusted root.
    #[error("it does not lead to a certificate authority that is trusted")]
    Path(#[source] Option<PathError>),
    /// No CT log of the trusted root has recorded it.
    #[error("no certificate transparency log that is trusted has recorded it")]
    Sct(#[source] SctError),
}

/// Asks the authority at `base` for a certificate for `key` in the name of `token`.
///
/// The answer is checked as the client specification says signers should: it is for our key and identity, leads to
/// an authority of `trust`, and is in a CT log of `trust`.
///
/// # Errors
///
/// See [`CertificateRequestError`].
pub async fn certify(
    http: &Client,
    base: &Url,
    token: &IdentityToken,
    key: &dyn KeyHolder,
    trust: &TrustedRoot,
) -> Result<Certificate, CertificateRequestError> {
    let url = endpoint(base, SIGNING_CERT_PATH);
    let response = http
        .post(url.clone())
        .body("application/json", request(token, key)?)
        .max_body(MAX_ANSWER)
        .timeout(TIMEOUT)
        .retry(Retry::SOME)
        .send()
        .await?;
    let response = expect(response, StatusCode::OK).map_err(CertificateRequestError::Refused)?;
    let chain = read_chain(&response.body)
        .map_err(|reason| CertificateRequestError::Malformed { place: place(&url), reason })?;
    // The certificates after the leaf are not needed: who is trusted is the trusted root's to say.
    let leaf = chain.into_iter().next().ok_or_else(|| CertificateRequestError::Malformed {
        place: place(&url),
        reason: "the chain is empty".to_owned(),
    })?;
    check(&leaf, token, key.public_key(), trust)?;
    Ok(leaf)
}

/// The body of the request: the token, our key, and our key's signature over the token's subject.
fn request(token: &IdentityToken, key: &dyn KeyHolder) -> Result<Vec<u8>, KeyError> {
    let (Subject::Email(subject) | Subject::Subject(subject)) = token.subject();
    let kind = key.public_key().kind();
    let proof = key.sign_with(Scheme::default_for(kind), subject.as_bytes())?;
    let algorithm = match kind {
        KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => "ECDSA",
        KeyKind::Ed25519 => "ED25519",
        KeyKind::Rsa { .. } => "RSA_PSS",
    };
    let request = json!({
        "credentials": { "oidcIdentityToken": token.as_str() },
        "publicKeyRequest": {
            "publicKey": { "algorithm": algorithm, "content": key.public_key().to_pem() },
            "proofOfPossession": STANDARD.encode(proof),
        },
    });
    Ok(request.to_string().into_bytes())
}

/// Fulcio's `SigningCertificate`. A certificate without an embedded SCT is of no use in a bundle.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    signed_certificate_embedded_sct: Option<Embedded>,
}

#[derive(Deserialize)]
struct Embedded {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

/// Reads the authority's answer, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub fn fuzz_answer(body: &[u8]) {
    let _ = read_chain(body);
}

fn read_chain(body: &[u8]) -> Result<Vec<Certificate>, String> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let embedded = answer.signed_certificate_embedded_sct.ok_or("its SCT is not embedded")?;
    let pems = embedded.chain.certificates;
    if pems.len() > MAX_CHAIN {
        return Err(format!("the chain has {} certificates", pems.len()));
    }
    pems.iter()
        .map(|pem| Certificate::from_pem(pem.as_bytes()))
        .collect::<Result<_, ChainError>>()
        .map_err(|error| error.to_string())
}

fn check(
    leaf: &Certificate,
    token: &IdentityToken,
    key: &PublicKey,
    trust: &TrustedRoot,
) -> Result<(), CertificateError> {
    if leaf.public_key() != key {
        return Err(CertificateError::OtherKey);
    }
    check_identity(leaf, token)?;
    let path = trusted_path(leaf, trust)?;
    if trust.ctlogs.is_empty() {
        // A private instance without a CT log; verifying its bundles has to be asked for by name.
        return Ok(());
    }
    let keys: Vec<_> = trust
        .ctlogs
        .iter()
        .filter_map(|log| Some((PublicKey::from_spki_der(&log.public_key).ok()?, log.valid_for)))
        .collect();
    let logs: Vec<_> = keys
        .iter()
        .map(|(key, valid)| TrustedLog { key, start: Some(valid.start), end: valid.end })
        .collect();
    verify_embedded(&path, &logs).map(drop).map_err(CertificateError::Sct)
}

/// What other tokens than those with an e-mail address become is the authority's configuration, so only the
/// address can be compared.
fn check_identity(leaf: &Certificate, token: &IdentityToken) -> Result<(), CertificateError> {
    if let Subject::Email(address) = token.subject() {
        let found: Vec<String> = identities(leaf).iter().map(|san| san.text().to_owned()).collect();
        if found != [address.as_str()] {
            return Err(CertificateError::OtherIdentity { expected: address.clone(), found });
        }
    }
    let found = issuer(leaf).ok().flatten().unwrap_or_default();
    if found != token.issuer() {
        return Err(CertificateError::OtherIssuer { expected: token.issuer().to_owned(), found });
    }
    Ok(())
}

/// The path of `leaf` to any authority of `trust` that holds when the certificate begins.
fn trusted_path(leaf: &Certificate, trust: &TrustedRoot) -> Result<VerifiedPath, CertificateError> {
    let time: Timestamp = leaf.not_before();
    let mut last = None;
    let authorities = trust.certificate_authorities.iter();
    for authority in authorities.filter(|authority| authority.valid_for.contains(time)) {
        let chain = authority.chain.iter().filter_map(|der| Certificate::from_der(der).ok());
        let mut known: Vec<Certificate> = chain.collect();
        let Some(anchor) = known.pop() else { continue };
        match verify_path(leaf, &known, &[anchor], time, Purpose::CodeSigning) {
            Ok(path) => return Ok(path),
            Err(error) => last = Some(error),
        }
    }
    Err(CertificateError::Path(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_an_embedded_sct_is_refused() {
        let detached = br#"{"signedCertificateDetachedSct":{"chain":{"certificates":[]}}}"#;
        assert_eq!(read_chain(detached).unwrap_err(), "its SCT is not embedded");
        assert!(read_chain(b"{}").is_err());
        assert!(read_chain(b"[").is_err());
    }
}
