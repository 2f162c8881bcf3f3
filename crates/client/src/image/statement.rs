//! What is signed for an image.

use std::collections::BTreeMap;

use oci::Digest;
use serde_json::value::RawValue;
use wire::legacy::SimpleSigning;
use wire::statement::{Statement, Subject};

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
}

impl Claim {
    /// The type of the predicate.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        match self {
            Self::Signature { .. } => SIGNATURE,
            Self::Attestation { predicate_type, .. } => predicate_type,
        }
    }

    /// The statement about the image with this digest in the repository called `name`, byte for byte as it is signed. A
    /// signature names no image: one digest is one image, wherever it is copied to.
    #[must_use]
    pub fn statement(&self, name: &str, digest: &Digest) -> Vec<u8> {
        let digest = crypto::Digest::from(*digest);
        let statement = match self {
            Self::Signature { annotations, .. } => {
                let subject =
                    Subject { annotations: annotations.clone(), ..Subject::new("", &digest) };
                signature(vec![subject])
            }
            Self::Attestation { predicate_type, predicate } => {
                Statement::new(vec![Subject::new(name, &digest)], predicate_type, predicate.clone())
            }
        };
        statement.to_json()
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
        let statement = claim.statement("registry.example/app", &digest.parse().unwrap());
        // Captured from cosign v3.1.3.
        let expected = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"bd4d5dcc5007cc8cccd853f94ec1e6613923b21e277ccfd057a32d3c64f80677"},"annotations":{"b":"x<y>&é","env":"prod"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#;
        assert_eq!(String::from_utf8(statement).unwrap(), expected);
    }
}
