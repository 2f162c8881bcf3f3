//! `bundle inspect`: what a bundle says, which is not what is true.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use pki::Certificate;
use pki::fulcio::{KNOWN, issuer};
use pki::tsp::Token;
use serde::Serialize;
use wire::bundle::{Bundle, Content, SignerMaterial, TransparencyLogEntry};
use wire::statement::Statement;

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::input::read_bundle;
use crate::output::say;

/// Look into bundles
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Show what a bundle says, without verifying anything
    Inspect(InspectArgs),
}

/// What was typed after `inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The bundle
    bundle: PathBuf,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let Args::Inspect(args) = args;
    let bundle = read_bundle(&args.bundle)?;
    say("Nothing of this has been verified.");
    globals.output.print(&Inspection::of(&bundle))
}

/// What a bundle says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inspection {
    media_type: &'static str,
    signer: SignerSays,
    content: ContentSays,
    log_entries: Vec<EntrySays>,
    timestamps: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum SignerSays {
    Certificate(CertificateSays),
    Key { hint: String },
    Unreadable { reason: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateSays {
    identities: Vec<String>,
    issuer: Option<String>,
    /// The certificate authority.
    authority: String,
    /// Whose certificates the bundle has beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chain: Vec<String>,
    not_before: Timestamp,
    not_after: Timestamp,
    key: String,
    extensions: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum ContentSays {
    Signature {
        digest: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    Statement {
        predicate_type: String,
        subjects: Vec<String>,
    },
    #[serde(rename_all = "camelCase")]
    Envelope {
        payload_type: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntrySays {
    index: u64,
    log_id: String,
    kind: String,
    integrated_time: Option<Timestamp>,
    origin: Option<String>,
    promise: bool,
}

impl Inspection {
    fn of(bundle: &Bundle) -> Self {
        Self {
            media_type: bundle.media_type.name(),
            signer: SignerSays::of(&bundle.material.signer),
            content: ContentSays::of(&bundle.content),
            log_entries: bundle.material.entries.iter().map(EntrySays::of).collect(),
            timestamps: bundle.material.timestamps.iter().map(|der| timestamp(der)).collect(),
        }
    }
}

impl SignerSays {
    fn of(signer: &SignerMaterial) -> Self {
        if let SignerMaterial::PublicKey { hint } = signer {
            return Self::Key { hint: hint.clone() };
        }
        match Certificate::from_der(signer.leaf().unwrap_or_default()) {
            Ok(certificate) => Self::Certificate(CertificateSays::of(&certificate, above(signer))),
            Err(error) => Self::Unreadable { reason: error.to_string() },
        }
    }
}

impl CertificateSays {
    fn of(certificate: &Certificate, chain: Vec<String>) -> Self {
        Self {
            identities: certificate.names(),
            issuer: issuer(certificate).ok().flatten(),
            authority: certificate.issuer(),
            chain,
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            key: certificate.public_key().kind().to_string(),
            extensions: KNOWN
                .iter()
                .filter_map(|known| Some((known.name, known.read(certificate).ok()??)))
                .collect(),
        }
    }
}

/// The subjects of the certificates that a bundle has beside the signer's.
fn above(signer: &SignerMaterial) -> Vec<String> {
    let SignerMaterial::Chain(chain) = signer else { return Vec::new() };
    let subject = |der: &Vec<u8>| match Certificate::from_der(der) {
        Ok(certificate) => certificate.subject(),
        Err(error) => error.to_string(),
    };
    chain.iter().skip(1).map(subject).collect()
}

impl ContentSays {
    fn of(content: &Content) -> Self {
        let envelope = match content {
            Content::Message(message) => {
                let digest = message.digest.as_ref();
                let digest = digest.map(|d| format!("{}:{}", d.algorithm().name(), d.to_hex()));
                return Self::Signature { digest };
            }
            Content::Dsse(envelope) => envelope,
        };
        match Statement::parse(&envelope.payload) {
            Ok(statement) => Self::Statement {
                predicate_type: statement.predicate_type,
                subjects: statement.subject.into_iter().map(|subject| subject.name).collect(),
            },
            Err(_) => Self::Envelope { payload_type: envelope.payload_type.clone() },
        }
    }
}

impl EntrySays {
    fn of(entry: &TransparencyLogEntry) -> Self {
        let checkpoint = entry.inclusion_proof.as_ref().map(|proof| proof.checkpoint.as_str());
        Self {
            index: entry.log_index,
            log_id: hex::encode(&entry.log_id),
            kind: entry.kind_version.to_string(),
            integrated_time: Some(entry.integrated_time)
                .filter(|time| *time != 0)
                .and_then(|time| Timestamp::from_second(time).ok()),
            origin: checkpoint.and_then(|text| text.lines().next()).map(ToOwned::to_owned),
            promise: entry.inclusion_promise.is_some(),
        }
    }
}

fn timestamp(der: &[u8]) -> String {
    match Token::from_der(der) {
        Ok(token) => token.claimed_time().to_string(),
        Err(error) => error.to_string(),
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "format       {}", self.media_type)?;
        self.signer.fmt(f)?;
        self.content.fmt(f)?;
        for entry in &self.log_entries {
            entry.fmt(f)?;
        }
        for time in &self.timestamps {
            writeln!(f, "timestamp    {time}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SignerSays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { hint } => writeln!(f, "key          hint {hint}"),
            Self::Unreadable { reason } => writeln!(f, "certificate  {reason}"),
            Self::Certificate(certificate) => certificate.fmt(f),
        }
    }
}

impl fmt::Display for CertificateSays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for identity in &self.identities {
            writeln!(f, "identity     {identity}")?;
        }
        writeln!(f, "issuer       {}", self.issuer.as_deref().unwrap_or("not said"))?;
        let Self { not_before, not_after, key, authority, .. } = self;
        writeln!(f, "certificate  {not_before} to {not_after}, {key}, by {authority}")?;
        for subject in &self.chain {
            writeln!(f, "  beside it: {subject}")?;
        }
        for (name, value) in &self.extensions {
            writeln!(f, "  {name}: {value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ContentSays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature { digest } => {
                writeln!(
                    f,
                    "signature    over {}",
                    digest.as_deref().unwrap_or("an unnamed digest")
                )
            }
            Self::Statement { predicate_type, subjects } => {
                writeln!(f, "statement    {predicate_type}")?;
                subjects.iter().try_for_each(|name| writeln!(f, "  about {name}"))
            }
            Self::Envelope { payload_type } => {
                writeln!(f, "envelope     {payload_type}")
            }
        }
    }
}

impl fmt::Display for EntrySays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin.as_deref().unwrap_or(&self.log_id);
        write!(f, "log entry    {} in {}, {}", self.index, origin, &self.kind)?;
        match self.integrated_time {
            Some(time) => writeln!(f, ", taken {time}"),
            None => writeln!(f),
        }
    }
}
