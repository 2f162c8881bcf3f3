//! What is signed for an image.

use std::collections::{BTreeMap, BTreeSet};

use oci::Digest;
use serde_json::value::RawValue;
use wire::legacy::SimpleSigning;
use wire::statement::{Statement, StatementError, Subject};

use crate::predicate::{SIGNATURE, signature};

/// What a signer says about an image.
#[derive(Clone, Debug)]
pub enum Claim {
    /// That it is this image.
    Signature {
        /// Notes that verifiers can ask for.
        annotations: BTreeMap<String, String>,
        /// The name that payloads of the older form give the image; by default its repository.
        identity: Option<String>,
    },
    /// Something about it.
    Attestation {
        /// The type of the predicate, a URI.
        predicate_type: String,
        /// The predicate, JSON.
        predicate: Box<RawValue>,
    },
    /// A whole statement, which names the images itself.
    Statement {
        /// The type of its predicate.
        predicate_type: String,
        /// The statement, byte for byte as it is signed.
        payload: Vec<u8>,
    },
}

/// What was given is no statement about the images. Whoever made it has to make another.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClaimError {
    /// It is no statement at all.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It does not name one of the images.
    #[error("the statement is not about {name}@{digest}")]
    NotAbout {
        /// The repository.
        name: String,
        /// The image.
        digest: Digest,
    },
}

impl Claim {
    /// The type of the predicate.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        match self {
            Self::Signature { .. } => SIGNATURE,
            Self::Attestation { predicate_type, .. } | Self::Statement { predicate_type, .. } => {
                predicate_type
            }
        }
    }

    /// The statement about all of these images, the names of their repositories and their digests, byte for byte as it is
    /// signed. A signature names no image: one digest is one image, wherever it is copied to.
    ///
    /// # Errors
    ///
    /// See [`ClaimError`]: only a statement that was made elsewhere may be about something else.
    pub fn statement<'a>(
        &self,
        images: impl IntoIterator<Item = (&'a str, &'a Digest)>,
    ) -> Result<Vec<u8>, ClaimError> {
        let subject = |name, digest: &Digest| Subject::new(name, &crypto::Digest::from(*digest));
        let mut images = images.into_iter();
        let statement = match self {
            Self::Signature { annotations, .. } => {
                let digests: BTreeSet<&Digest> = images.map(|(_, digest)| digest).collect();
                let annotated =
                    |digest| Subject { annotations: annotations.clone(), ..subject("", digest) };
                signature(digests.into_iter().map(annotated).collect())
            }
            Self::Attestation { predicate_type, predicate } => {
                let subjects = images.map(|(name, digest)| subject(name, digest)).collect();
                Statement::new(subjects, predicate_type, predicate.clone())
            }
            Self::Statement { payload, .. } => {
                let statement = Statement::parse(payload)?;
                return match images.find(|(_, digest)| !statement.is_about(&(**digest).into())) {
                    None => Ok(payload.clone()),
                    Some((name, digest)) => {
                        Err(ClaimError::NotAbout { name: name.to_owned(), digest: *digest })
                    }
                };
            }
        };
        Ok(statement.to_json())
    }
}

/// The payload of a signature in the older form.
#[must_use]
pub fn payload(
    name: &str,
    digest: &Digest,
    annotations: &BTreeMap<String, String>,
    identity: Option<&str>,
) -> SimpleSigning {
    let optional = annotations.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    SimpleSigning {
        reference: identity.unwrap_or(name).to_owned(),
        digest: (*digest).into(),
        optional: optional.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_statement_that_cosign_signs() {
        let digest = "sha256:bd4d5dcc5007cc8cccd853f94ec1e6613923b21e277ccfd057a32d3c64f80677";
        let annotations = [("env", "prod"), ("b", "x<y>&é")];
        let annotations = annotations.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let claim = Claim::Signature { annotations: annotations.into(), identity: None };
        let statement = claim.statement([("registry.example/app", &digest.parse().unwrap())]);
        // Captured from cosign v3.1.3.
        let expected = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"bd4d5dcc5007cc8cccd853f94ec1e6613923b21e277ccfd057a32d3c64f80677"},"annotations":{"b":"x<y>&é","env":"prod"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#;
        assert_eq!(String::from_utf8(statement.unwrap()).unwrap(), expected);
    }

    #[test]
    fn a_signature_names_each_digest_once() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let claim = Claim::Signature { annotations: BTreeMap::new(), identity: None };
        let images = [("x/app", &a), ("y/copy", &a), ("x/other", &b)];
        let statement = Statement::parse(&claim.statement(images).unwrap()).unwrap();
        assert_eq!(statement.subject.len(), 2);
    }

    #[test]
    fn a_statement_that_was_made_elsewhere_must_name_every_image() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let signature = Claim::Signature { annotations: BTreeMap::new(), identity: None };
        let payload = signature.statement([("x", &a), ("x", &b)]).unwrap();
        let given = |payload| Claim::Statement { predicate_type: SIGNATURE.to_owned(), payload };
        for images in [vec![("x", &a), ("y", &b)], vec![("x", &b)]] {
            assert_eq!(given(payload.clone()).statement(images), Ok(payload.clone()));
        }
        let digest = Digest::of(b"c");
        let error = given(payload).statement([("x", &a), ("y", &digest)]);
        assert_eq!(error, Err(ClaimError::NotAbout { name: "y".to_owned(), digest }));
        let error = given(b"{}".to_vec()).statement([("x", &a)]).unwrap_err();
        assert!(matches!(error, ClaimError::Statement(_)));
    }
}
