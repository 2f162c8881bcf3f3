//! The annotations of a layer that is a signature or an attestation.

use std::collections::BTreeMap;

use crypto::{decode_pem, encode_pem};
use serde::Serialize;

use crate::body::Body;
use crate::bundle::{KindVersion, MAX_CERTIFICATES, TransparencyLogEntry};
use crate::json::{self, Json, JsonError, Unknown, base64_text, decode_base64, excerpt};

/// The annotation with the signature in base64; empty for an attestation, whose envelope has it.
pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation with the signer's certificate in PEM.
pub const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// The annotation with the certificates above it in PEM, the root last; often empty.
pub const CHAIN: &str = "dev.sigstore.cosign/chain";
/// The annotation with an entry of Rekor v1 and its promise, in JSON.
pub const BUNDLE: &str = "dev.sigstore.cosign/bundle";
/// The annotation with an RFC 3161 response, in JSON.
pub const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
/// The annotation of an attestation with the type of its predicate. Nobody signed it.
pub const PREDICATE_TYPE: &str = "predicateType";

/// The longest annotation. Manifests have at most four megabytes.
const MAX_ANNOTATION: usize = 4 << 20;

/// What the annotations say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Annotations {
    /// The signature's bytes, if they are here and not in an envelope.
    pub signature: Option<Vec<u8>>,
    /// The signer's certificate, DER. Without one, it was signed with a key that the verifier must have.
    pub certificate: Option<Vec<u8>>,
    /// The certificates above it, DER, the root last. Nothing of them is judged, and they need not even be certificates.
    pub chain: Vec<Vec<u8>>,
    /// The log entry, with a promise and without a proof.
    pub entry: Option<Box<TransparencyLogEntry>>,
    /// An RFC 3161 response, DER.
    pub timestamp: Option<Vec<u8>>,
}

/// Why annotations say nothing that could be verified.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AnnotationsError {
    /// There is no signature.
    #[error("the layer has no signature")]
    NoSignature,
    /// The signature is not base64.
    #[error("the layer's signature is not base64")]
    Signature,
    /// What stands for a certificate is none, or more than one. A public key here would replace the verifier's.
    #[error("the layer's certificate is not one PEM certificate")]
    Certificate,
    /// The log entry cannot be read.
    #[error("the layer's log entry cannot be read: {0}")]
    Entry(JsonError),
    /// The id of the log is not in hexadecimal digits.
    #[error("the layer's log entry names its log by {0:?}, which is no id")]
    LogId(String),
    /// The timestamp cannot be read.
    #[error("the layer's timestamp cannot be read: {0}")]
    Timestamp(JsonError),
}

impl Annotations {
    /// Reads the annotations of a layer. Others than those here are passed over; an empty one is none.
    ///
    /// Of a chain, what follows something that is no PEM certificate is passed over too: nobody has to trust it, so that a
    /// damaged one leads nowhere and breaks nothing.
    ///
    /// # Errors
    ///
    /// See [`AnnotationsError`].
    pub fn read(annotations: &BTreeMap<String, String>) -> Result<Self, AnnotationsError> {
        let text = |name| annotations.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let signature = text(SIGNATURE).map(decode_base64);
        Ok(Self {
            signature: signature
                .map(|bytes| bytes.filter(|bytes| !bytes.is_empty()))
                .map(|bytes| bytes.ok_or(AnnotationsError::Signature))
                .transpose()?,
            certificate: text(CERTIFICATE).map(read_certificate).transpose()?,
            chain: text(CHAIN)
                .filter(|_| text(CERTIFICATE).is_some())
                .map(read_chain)
                .unwrap_or_default(),
            entry: text(BUNDLE).map(read_entry).transpose()?.map(Box::new),
            timestamp: text(TIMESTAMP)
                .map(|text| read_timestamp(text).map_err(AnnotationsError::Timestamp))
                .transpose()?,
        })
    }

    /// The annotations, written as cosign writes them.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let signature = self.signature.as_deref().map(base64_text).unwrap_or_default();
        let mut map = BTreeMap::from([(SIGNATURE.to_owned(), signature)]);
        let pem = |der: &Vec<u8>| encode_pem("CERTIFICATE", der);
        if let Some(certificate) = &self.certificate {
            map.insert(CERTIFICATE.to_owned(), pem(certificate));
            map.insert(CHAIN.to_owned(), self.chain.iter().map(pem).collect());
        }
        if let Some(entry) = &self.entry {
            map.insert(BUNDLE.to_owned(), write_entry(entry));
        }
        if let Some(response) = &self.timestamp {
            let timestamp = format!(r#"{{"SignedRFC3161Timestamp":"{}"}}"#, base64_text(response));
            map.insert(TIMESTAMP.to_owned(), timestamp);
        }
        map
    }
}

/// Exactly one PEM block, a certificate, with nothing but blanks around it.
fn read_certificate(text: &str) -> Result<Vec<u8>, AnnotationsError> {
    match decode_pem(text.as_bytes()) {
        Ok((pem, rest))
            if pem.label == "CERTIFICATE"
                && text.trim_start().starts_with("-----BEGIN CERTIFICATE-----")
                && rest.trim_ascii().is_empty() =>
        {
            Ok(pem.contents)
        }
        _ => Err(AnnotationsError::Certificate),
    }
}

/// As many certificates as a bundle could have.
fn read_chain(text: &str) -> Vec<Vec<u8>> {
    let mut rest = text.as_bytes();
    let next = || {
        let (pem, after) = decode_pem(rest).ok()?;
        rest = after;
        (pem.label == "CERTIFICATE").then_some(pem.contents)
    };
    std::iter::from_fn(next).take(MAX_CERTIFICATES).collect()
}

fn read_entry(text: &str) -> Result<TransparencyLogEntry, AnnotationsError> {
    let (promise, payload) = read_promise(text).map_err(AnnotationsError::Entry)?;
    let log_id = hex::decode(&payload.log_id)
        .map_err(|_| AnnotationsError::LogId(excerpt(&payload.log_id)))?;
    Ok(TransparencyLogEntry {
        log_index: payload.log_index,
        log_id,
        kind_version: kind(&payload.body),
        integrated_time: payload.integrated_time,
        inclusion_promise: Some(promise),
        inclusion_proof: None,
        canonicalized_body: payload.body,
    })
}

/// The kind of a body, which stands nowhere else. One that cannot be read is for the verifier to refuse.
fn kind(body: &[u8]) -> KindVersion {
    Body::parse(body).map(|body| body.kind_version()).unwrap_or_default()
}

/// What a promise is over.
struct Payload {
    body: Vec<u8>,
    integrated_time: i64,
    log_index: u64,
    log_id: String,
}

fn read_promise(text: &str) -> Result<(Vec<u8>, Payload), JsonError> {
    let mut object = json::parse(text.as_bytes(), MAX_ANNOTATION)?.into_object()?;
    let promise = object.required("SignedEntryTimestamp", Json::into_bytes)?;
    let payload = object.required("Payload", |value| {
        let mut object = value.into_object()?;
        let payload = Payload {
            body: object.required("body", Json::into_bytes)?,
            integrated_time: object.required("integratedTime", Json::into_i64)?,
            log_index: object.required("logIndex", Json::into_u64)?,
            log_id: object.required("logID", Json::into_string)?,
        };
        object.finish(Unknown::Refused)?;
        Ok(payload)
    })?;
    object.finish(Unknown::Refused)?;
    Ok((promise, payload))
}

fn read_timestamp(text: &str) -> Result<Vec<u8>, JsonError> {
    let mut object = json::parse(text.as_bytes(), MAX_ANNOTATION)?.into_object()?;
    let response = object.required("SignedRFC3161Timestamp", Json::into_bytes)?;
    object.finish(Unknown::Refused)?;
    Ok(response)
}

fn write_entry(entry: &TransparencyLogEntry) -> String {
    #[derive(Serialize)]
    struct Written<'a> {
        #[serde(rename = "SignedEntryTimestamp", serialize_with = "json::base64")]
        promise: &'a [u8],
        #[serde(rename = "Payload")]
        payload: WrittenPayload<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct WrittenPayload<'a> {
        #[serde(serialize_with = "json::base64")]
        body: &'a [u8],
        integrated_time: i64,
        log_index: u64,
        #[serde(rename = "logID")]
        log_id: String,
    }
    let written = Written {
        promise: entry.inclusion_promise.as_deref().unwrap_or_default(),
        payload: WrittenPayload {
            body: &entry.canonicalized_body,
            integrated_time: entry.integrated_time,
            log_index: entry.log_index,
            log_id: hex::encode(&entry.log_id),
        },
    };
    serde_json::to_string(&written).expect("it has only strings and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations(members: &[(&str, &str)]) -> BTreeMap<String, String> {
        members.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn error(name: &str, text: &str) -> AnnotationsError {
        Annotations::read(&annotations(&[(name, text)])).expect_err("this should be refused")
    }

    fn entry() -> TransparencyLogEntry {
        TransparencyLogEntry {
            log_index: 7,
            log_id: vec![0xab; 32],
            kind_version: KindVersion::default(),
            integrated_time: 1_795_521_316,
            inclusion_promise: Some(vec![1, 2]),
            inclusion_proof: None,
            canonicalized_body: b"{}".to_vec(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let written = Annotations {
            signature: Some(vec![1]),
            certificate: Some(vec![0x30, 0]),
            chain: vec![vec![0x30, 1], vec![0x30, 2]],
            entry: Some(Box::new(entry())),
            timestamp: Some(vec![0x30, 0]),
        };
        let map = written.to_map();
        let log_id = "ab".repeat(32);
        let expected = format!(
            r#"{{"SignedEntryTimestamp":"AQI=","Payload":{{"body":"e30=","integratedTime":1795521316,"logIndex":7,"logID":"{log_id}"}}}}"#
        );
        assert_eq!(map[BUNDLE], expected);
        assert_eq!(map[TIMESTAMP], r#"{"SignedRFC3161Timestamp":"MAA="}"#);
        assert_eq!(Annotations::read(&map), Ok(written));
    }

    #[test]
    fn a_chain_is_read_as_far_as_it_is_one() {
        let pem = |byte| encode_pem("CERTIFICATE", &[0x30, byte]);
        let key = encode_pem("PUBLIC KEY", &[0x30, 0]);
        let chain = |text: &str| {
            let map = annotations(&[(CERTIFICATE, &pem(0)), (CHAIN, text)]);
            Annotations::read(&map).expect("nobody has to trust it").chain
        };
        let both = vec![vec![0x30, 1], vec![0x30, 2]];
        assert_eq!(chain(&format!("{}{}", pem(1), pem(2))), both);
        assert_eq!(chain(&format!("{}{key}{}", pem(1), pem(2))), both[..1]);
        assert!(chain("null").is_empty());
        assert_eq!(chain(&pem(1).repeat(MAX_CERTIFICATES + 1)).len(), MAX_CERTIFICATES);
        let alone = annotations(&[(CHAIN, &pem(1))]);
        assert!(Annotations::read(&alone).expect("it is above nothing").chain.is_empty());
    }

    #[test]
    fn an_empty_annotation_is_none() {
        let names = [SIGNATURE, CERTIFICATE, CHAIN, BUNDLE, TIMESTAMP];
        let empty = names.map(|name| (name, ""));
        assert_eq!(Annotations::read(&annotations(&empty)), Ok(Annotations::default()));
    }

    #[test]
    fn a_certificate_is_nothing_else_and_alone() {
        let pem = encode_pem("CERTIFICATE", &[0x30, 0]);
        let key = encode_pem("PUBLIC KEY", &[0x30, 0]);
        for text in [
            " ",
            "\n\n",
            &key,
            &format!("{pem}{pem}"),
            &format!("{pem}{key}"),
            &format!("x{pem}"),
            "null",
        ] {
            assert_eq!(error(CERTIFICATE, text), AnnotationsError::Certificate, "{text}");
        }
        let blanks = annotations(&[(CERTIFICATE, &format!("\n{pem}\n"))]);
        assert!(Annotations::read(&blanks).expect("blanks are let pass").certificate.is_some());
    }

    #[test]
    fn a_log_entry_of_another_form_is_refused() {
        let good = write_entry(&entry());
        let read = |text: &str| Annotations::read(&annotations(&[(BUNDLE, text)]));
        read(&good).expect("it is good");
        for bad in [
            "null".to_owned(),
            "{}".to_owned(),
            "[]".to_owned(),
            r#"{"SignedEntryTimestamp":null,"Payload":null}"#.to_owned(),
            good.replace(r#""e30=""#, r#"{"a":1}"#),
            good.replace(r#""e30=""#, "null"),
            good.replace(r#""logIndex":7"#, r#""logIndex":-7"#),
            good.replace(r#""logIndex":7"#, r#""logIndex":7e1"#),
            good.replace(r#""logIndex":7"#, r#""logIndex":7,"logIndex":8"#),
            good.replace(r#""logIndex":7"#, r#""logIndex":7,"more":8"#),
            good.clone() + "{}",
        ] {
            assert!(matches!(read(&bad), Err(AnnotationsError::Entry(_))), "{bad}");
        }
        let bad = good.replace("abab", "xyxy");
        assert!(matches!(read(&bad), Err(AnnotationsError::LogId(_))));
    }

    #[test]
    fn a_signature_is_base64() {
        assert_eq!(error(SIGNATURE, "!"), AnnotationsError::Signature);
        assert_eq!(error(SIGNATURE, "\n"), AnnotationsError::Signature);
        assert!(matches!(error(TIMESTAMP, "{}"), AnnotationsError::Timestamp(_)));
    }
}
