//! Comparing a body with a bundle, kind by kind.

use crypto::{Digest, decode_pem};
use wire::body::{Body, DsseV1, HashText, IntotoV1, IntotoV2, SignatureV2, VerifierMaterial};
use wire::bundle::{Bundle, Content};
use wire::dsse::Envelope;
use wire::json::{decode_base64, excerpt};

use super::EntryError;
use crate::material::Material;
use crate::signature::Signed;

/// Checks that a body is about the bundle's signature: same signature, same key, same thing signed.
pub(super) fn compare(
    body: &Body,
    bundle: &Bundle,
    material: &Material<'_>,
    signed: &Signed,
) -> Result<(), EntryError> {
    let signature = bundle.content.signature();
    match (body, &bundle.content, signed) {
        (Body::HashedRekordV1(body), Content::Message(_), Signed::Message { digest }) => {
            same_text(&body.hash, digest)?;
            same_pem(&body.public_key, material)?;
            same_signature(&body.signature, signature)
        }
        (Body::HashedRekordV2(body), Content::Message(_), Signed::Message { digest }) => {
            same_digest(&body.data, digest)?;
            same_verifier(&body.signature, material)?;
            same_signature(&body.signature.content, signature)
        }
        (Body::HashedRekordV2(body), Content::Dsse(envelope), Signed::Envelope { scheme, .. }) => {
            // Rekor v2 logs an envelope as the signature over the digest of its encoding.
            let hash = scheme.hash().unwrap_or(body.data.algorithm());
            same_digest(&body.data, &envelope.pae_digest(hash))?;
            same_verifier(&body.signature, material)?;
            same_signature(&body.signature.content, signature)
        }
        (Body::DsseV1(body), Content::Dsse(envelope), _) => dsse_v1(body, envelope, material),
        (Body::DsseV2(body), Content::Dsse(envelope), _) => {
            let digest = body.payload_hash.algorithm().digest(&envelope.payload);
            same_digest(&body.payload_hash, &digest)?;
            let logged = only(&body.signatures)?;
            same_verifier(logged, material)?;
            same_signature(&logged.content, signature)
        }
        (Body::IntotoV1(body), Content::Dsse(envelope), _) => intoto_v1(body, envelope, material),
        (Body::IntotoV2(body), Content::Dsse(envelope), _) => intoto_v2(body, envelope, material),
        _ => Err(EntryError::UnfitKind { found: body.kind_version() }),
    }
}

/// The digest of the envelope's JSON text is in the body too; a bundle does not keep that text.
fn dsse_v1(body: &DsseV1, envelope: &Envelope, material: &Material<'_>) -> Result<(), EntryError> {
    same_payload(&body.payload_hash, envelope)?;
    let logged = only(&body.signatures)?;
    same_pem(&logged.verifier, material)?;
    let signature = decode_base64(&logged.signature).ok_or(EntryError::OtherSignature)?;
    same_signature(&signature, &only(&envelope.signatures)?.signature)
}

/// The body has no signature: what binds it is the digest of the envelope's text, which the log has checked. A bundle
/// does not keep that text, but its only writer always wrote it in one form.
fn intoto_v1(
    body: &IntotoV1,
    envelope: &Envelope,
    material: &Material<'_>,
) -> Result<(), EntryError> {
    only(&envelope.signatures)?;
    let text = envelope.to_older_json();
    same_text(&body.hash, &body.hash.algorithm.digest(text.as_bytes()))?;
    if let Some(hash) = &body.payload_hash {
        same_payload(hash, envelope)?;
    }
    same_pem(&body.public_key, material)
}

/// The body's digest of the envelope is what the submitter says, so it is not looked at.
fn intoto_v2(
    body: &IntotoV2,
    envelope: &Envelope,
    material: &Material<'_>,
) -> Result<(), EntryError> {
    same_payload(&body.payload_hash, envelope)?;
    let logged = only(&body.signatures)?;
    same_pem(&logged.public_key, material)?;
    // The body has the base64 of the base64 of the signature; one of them was taken off in reading.
    let text = std::str::from_utf8(&logged.signature).ok();
    let signature = text.and_then(decode_base64).ok_or(EntryError::OtherSignature)?;
    same_signature(&signature, &only(&envelope.signatures)?.signature)
}

fn only<T>(list: &[T]) -> Result<&T, EntryError> {
    match list {
        [one] => Ok(one),
        many => Err(EntryError::SignatureCount { found: many.len() }),
    }
}

fn same_payload(logged: &HashText, envelope: &Envelope) -> Result<(), EntryError> {
    same_text(logged, &logged.algorithm.digest(&envelope.payload))
}

/// Digests are compared as bytes: a submitter's hexadecimal digits may be of either case.
fn same_text(logged: &HashText, digest: &Digest) -> Result<(), EntryError> {
    let same = logged.algorithm == digest.algorithm()
        && logged.bytes().is_some_and(|bytes| bytes == digest.as_bytes());
    let found = || format!("{}:{}", logged.algorithm.name(), excerpt(&logged.value));
    if same { Ok(()) } else { Err(EntryError::OtherDigest { found: found() }) }
}

fn same_digest(logged: &Digest, digest: &Digest) -> Result<(), EntryError> {
    if logged == digest {
        Ok(())
    } else {
        Err(EntryError::OtherDigest { found: logged.to_string() })
    }
}

fn same_signature(logged: &[u8], signature: &[u8]) -> Result<(), EntryError> {
    if logged == signature { Ok(()) } else { Err(EntryError::OtherSignature) }
}

fn same_verifier(logged: &SignatureV2, material: &Material<'_>) -> Result<(), EntryError> {
    let same = match (&logged.verifier.material, material.leaf()) {
        (VerifierMaterial::Certificate(der), Some(leaf)) => der == leaf.der(),
        (VerifierMaterial::PublicKey(der), None) => der == material.key().spki_der(),
        _ => false,
    };
    if same { Ok(()) } else { Err(other(material)) }
}

/// A log of version 1 keeps PEM text: exactly one block, with nothing but blanks around it.
fn same_pem(logged: &[u8], material: &Material<'_>) -> Result<(), EntryError> {
    let (label, der) = match material.leaf() {
        Some(leaf) => ("CERTIFICATE", leaf.der()),
        None => ("PUBLIC KEY", material.key().spki_der()),
    };
    let starts = logged.trim_ascii_start().starts_with(b"-----BEGIN ");
    match decode_pem(logged) {
        Ok((pem, rest))
            if starts
                && pem.label == label
                && pem.contents == der
                && rest.trim_ascii().is_empty() =>
        {
            Ok(())
        }
        _ => Err(other(material)),
    }
}

fn other(material: &Material<'_>) -> EntryError {
    match material.leaf() {
        Some(_) => EntryError::OtherCertificate,
        None => EntryError::OtherKey,
    }
}
