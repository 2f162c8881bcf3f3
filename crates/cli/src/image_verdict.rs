//! What was verified about an image, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;

use client::image::Image;
use client::image::verifying::Proven;
use client::predicate::SIGNATURE;
use oci::Digest;
use serde::Serialize;
use serde_json::{Value, json};
use wire::bundle::Content;
use wire::legacy::COSIGN_TYPE;

use crate::verifying::{EntryReport, SignerReport, TimeReport, left_out};

/// One signature or attestation that holds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageVerdict {
    image: String,
    source: String,
    signer: SignerReport,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<String>,
    times: Vec<TimeReport>,
    log_entries: Vec<EntryReport>,
    /// Evidence that did not count, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

impl ImageVerdict {
    pub(crate) fn new(image: &str, digest: &Digest, proven: &Proven) -> Self {
        let verified = &proven.verified;
        let predicate_type = verified.statement.as_ref().map(|said| said.predicate_type.clone());
        Self {
            image: image.to_owned(),
            source: proven.candidate.source.to_string(),
            signer: SignerReport::new(&verified.signer),
            annotations: proven.annotations(digest),
            predicate_type: predicate_type.filter(|name| name != SIGNATURE),
            times: verified.times.iter().map(TimeReport::new).collect(),
            log_entries: verified.entries.iter().map(EntryReport::new).collect(),
            left_out: verified.left_out.iter().map(left_out).collect(),
        }
    }
}

impl fmt::Display for ImageVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "image      {}", self.image)?;
        writeln!(f, "found in   {}", self.source)?;
        write!(f, "{}", self.signer)?;
        if let Some(predicate_type) = &self.predicate_type {
            writeln!(f, "statement  {predicate_type}")?;
        }
        for (name, value) in &self.annotations {
            writeln!(f, "noted      {name}={value}")?;
        }
        for time in &self.times {
            writeln!(f, "time       {time}")?;
        }
        for entry in &self.log_entries {
            writeln!(f, "log entry  {entry}")?;
        }
        self.left_out.iter().try_for_each(|evidence| writeln!(f, "left out   {evidence}"))
    }
}

/// A signature in the shape in which cosign prints it, with what was verified beside it.
pub(crate) fn signature_json(image: &Image, digest: &Digest, proven: &Proven) -> Value {
    let verdict = ImageVerdict::new(&format!("{}@{digest}", image.name), digest, proven);
    let mut optional: BTreeMap<String, Value> = match &proven.payload {
        Some(payload) => payload.optional.clone().into_iter().collect(),
        None => verdict.annotations.clone().into_iter().map(|(k, v)| (k, json!(v))).collect(),
    };
    match &verdict.signer {
        SignerReport::Certificate { identity, issuer, .. } => {
            optional.insert("Subject".to_owned(), json!(identity));
            optional.insert("Issuer".to_owned(), json!(issuer));
        }
        SignerReport::OwnCertificate { identity, .. } => {
            optional.insert("Subject".to_owned(), json!(identity));
        }
        SignerReport::Key => {}
    }
    let (reference, kind) = match &proven.payload {
        Some(payload) => (payload.reference.clone(), COSIGN_TYPE),
        None => (image.to_string(), SIGNATURE),
    };
    json!({
        "critical": {
            "identity": { "docker-reference": reference },
            "image": { "docker-manifest-digest": digest.to_string() },
            "type": kind,
        },
        "optional": optional,
        "verified": verdict,
    })
}

/// An attestation in the shape in which cosign prints it, its envelope, with what was verified beside it.
pub(crate) fn attestation_json(image: &str, digest: &Digest, proven: &Proven) -> Value {
    let mut printed = match &proven.candidate.bundle.content {
        Content::Dsse(envelope) => json!(envelope),
        Content::Message(_) => json!({}),
    };
    printed["verified"] = json!(ImageVerdict::new(image, digest, proven));
    printed
}
