//! What the commands that verify have in common: the flags, the policy, the verdict.

use std::fmt;
use std::path::{Path, PathBuf};

use crypto::Digest;
use pki::Certificate;
use serde::Serialize;
use verify::{
    Artifact, LeftOut, Policy, SignatureError, TimeSource, Verified, VerifyError, danger,
};
use wire::bundle::Bundle;
use wire::statement::Subject;
use wire::trusted_root::TrustedRoot;

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::input::Input;
use crate::policy;
use crate::refusal;
use crate::signer::Signer;
use crate::trusting;

/// What evidence there is, and how much of it is asked for.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Evidence")]
pub(crate) struct EvidenceArgs {
    /// The bundle; by default the file's name with .sigstore.json or .sigstore added
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
    #[command(flatten)]
    demands: DemandArgs,
}

/// How much evidence is asked for, wherever it comes from.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Evidence")]
pub(crate) struct DemandArgs {
    /// The trusted root, instead of the one that --trust chooses
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Accept signatures that are in no transparency log, if the trusted root names none
    #[arg(long)]
    private_infrastructure: bool,
    /// Accept signatures that are in no transparency log
    #[arg(long)]
    insecure_ignore_tlog: bool,
    /// Accept certificates that are in no certificate transparency log
    #[arg(long)]
    insecure_ignore_sct: bool,
    /// Without effect: verifying never goes online
    #[arg(long, hide = true)]
    offline: bool,
}

/// One verification, as it is meant.
pub(crate) struct Job<'a> {
    pub(crate) input: &'a Input,
    pub(crate) path: &'a Path,
    pub(crate) bundle: &'a Bundle,
    pub(crate) policy: &'a Policy,
}

impl DemandArgs {
    /// What is demanded of `signer`'s signatures.
    pub(crate) fn policy(&self, signer: &Signer) -> Result<Policy, Failure> {
        Ok(self.weaken(policy::of(signer)?))
    }

    /// `policy` without what need not be there.
    pub(crate) fn weaken(&self, mut policy: Policy) -> Policy {
        if self.private_infrastructure {
            policy = danger::private_infrastructure(policy);
        }
        if self.insecure_ignore_tlog {
            policy = danger::ignore_transparency_logs(policy);
        }
        if self.insecure_ignore_sct {
            policy = danger::ignore_certificate_logs(policy);
        }
        policy
    }

    /// These, with what `other` says besides.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self {
            trusted_root: self.trusted_root.or(other.trusted_root),
            private_infrastructure: self.private_infrastructure || other.private_infrastructure,
            insecure_ignore_tlog: self.insecure_ignore_tlog || other.insecure_ignore_tlog,
            insecure_ignore_sct: self.insecure_ignore_sct || other.insecure_ignore_sct,
            offline: self.offline || other.offline,
        }
    }

    /// Whom to trust.
    pub(crate) fn trusted_root(&self, globals: &Globals) -> Result<TrustedRoot, Failure> {
        trusting::load(globals, self.trusted_root.as_deref())?.root()
    }
}

impl EvidenceArgs {
    /// What is demanded of `signer`'s signatures.
    pub(crate) fn policy(&self, signer: &Signer) -> Result<Policy, Failure> {
        self.demands.policy(signer)
    }

    /// The trusted root that was chosen. Opens no socket.
    pub(crate) fn trusted_root(&self, globals: &Globals) -> Result<TrustedRoot, Failure> {
        self.demands.trusted_root(globals)
    }

    /// Verifies. Opens no socket.
    pub(crate) fn verify(&self, job: &Job<'_>, globals: &Globals) -> Result<Verified, Failure> {
        let trust = self.trusted_root(globals)?;
        judge(job, &trust).map(|judged| judged.verified).map_err(|error| error.about(job))
    }

    /// Verifies what is known to be about `artifact` by other means than the job's input. Opens no socket.
    pub(crate) fn judge(
        &self,
        job: &Job<'_>,
        artifact: &Artifact<'_>,
        globals: &Globals,
    ) -> Result<Verified, Failure> {
        let trust = self.demands.trusted_root(globals)?;
        verify::verify(artifact, job.bundle, job.policy, &trust)
            .map_err(|error| refusal::failure(&job.input.to_string(), error))
    }
}

/// Why there is no verdict, or not the one that was hoped for.
pub(crate) enum JudgeError {
    /// The artifact cannot be read.
    Input(Failure),
    /// The verifier said no.
    Refused(VerifyError),
}

impl JudgeError {
    /// What it means for the user.
    pub(crate) fn about(self, job: &Job<'_>) -> Failure {
        match self {
            Self::Input(failure) => failure,
            Self::Refused(error) => refusal::failure(&job.input.to_string(), error),
        }
    }
}

/// What was verified, and the digests by which it was.
pub(crate) struct Judged {
    pub(crate) verified: Verified,
    pub(crate) digests: Vec<Digest>,
}

impl Judged {
    /// The names that the statement has for what was verified.
    pub(crate) fn names(&self) -> Vec<&str> {
        let subjects = self.verified.statement.iter().flat_map(|statement| &statement.subject);
        let same = |subject: &&Subject| self.digests.iter().any(|digest| subject.has(digest));
        subjects.filter(same).map(|subject| subject.name.as_str()).collect()
    }
}

/// Verifies with a trusted root that is at hand, as for each of many artifacts.
pub(crate) fn judge(job: &Job<'_>, trust: &TrustedRoot) -> Result<Judged, JudgeError> {
    let digests =
        job.input.digests(&job.policy.algorithms(job.bundle)).map_err(JudgeError::Input)?;
    let artifact: Artifact<'_> = digests.iter().copied().collect();
    let mut result = verify::verify(&artifact, job.bundle, job.policy, trust);
    if let Err(VerifyError::Signature(SignatureError::ArtifactNeeded)) = result
        && let Some(contents) = job.input.contents()
    {
        let contents = contents.map_err(JudgeError::Input)?;
        let artifact = Artifact::from_bytes(&contents);
        result = verify::verify(&artifact, job.bundle, job.policy, trust);
    }
    let verified = result.map_err(JudgeError::Refused)?;
    Ok(Judged { verified, digests })
}

/// What was verified.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    artifact: String,
    /// What the statement calls it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signed_as: Vec<String>,
    bundle: PathBuf,
    signer: SignerReport,
    times: Vec<TimeReport>,
    log_entries: Vec<EntryReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<wire::statement::Statement>,
    /// Evidence that did not count, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub(crate) enum SignerReport {
    Key,
    #[serde(rename_all = "camelCase")]
    Certificate {
        identity: String,
        issuer: String,
        serial: String,
        not_before: jiff::Timestamp,
        not_after: jiff::Timestamp,
    },
    /// A certificate by an authority of the verifier's own.
    #[serde(rename_all = "camelCase")]
    OwnCertificate {
        identity: String,
        /// The root that vouches for it.
        root: String,
        serial: String,
        not_before: jiff::Timestamp,
        not_after: jiff::Timestamp,
    },
}

#[derive(Serialize)]
pub(crate) struct TimeReport {
    pub(crate) time: jiff::Timestamp,
    pub(crate) source: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryReport {
    pub(crate) log: String,
    pub(crate) index: u64,
    pub(crate) kind: String,
}

impl Verdict {
    /// What `verified` says about the job.
    pub(crate) fn new(job: &Job<'_>, verified: &Verified) -> Self {
        Self::about(job.input.to_string(), job.path, verified)
    }

    /// The same with the names that the statement has for it.
    pub(crate) fn signed_as(mut self, names: &[&str]) -> Self {
        self.signed_as = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// What `verified` says about `artifact`, in words.
    pub(crate) fn about(artifact: String, bundle: &Path, verified: &Verified) -> Self {
        Self {
            artifact,
            signed_as: Vec::new(),
            bundle: bundle.to_owned(),
            signer: SignerReport::new(&verified.signer),
            times: verified.times.iter().map(TimeReport::new).collect(),
            log_entries: verified.entries.iter().map(EntryReport::new).collect(),
            statement: verified.statement.clone(),
            left_out: verified.left_out.iter().map(left_out).collect(),
        }
    }
}

impl SignerReport {
    pub(crate) fn new(signer: &verify::Signer) -> Self {
        match signer {
            verify::Signer::Identity { name, issuer, certified, .. } => Self::Certificate {
                identity: name.text().to_owned(),
                issuer: issuer.clone(),
                serial: hex::encode(certified.path.leaf.serial()),
                not_before: certified.path.leaf.not_before(),
                not_after: certified.path.leaf.not_after(),
            },
            verify::Signer::Own { name, certified, .. } => Self::OwnCertificate {
                identity: name.clone(),
                root: certified.path.issuers.last().map(Certificate::subject).unwrap_or_default(),
                serial: hex::encode(certified.path.leaf.serial()),
                not_before: certified.path.leaf.not_before(),
                not_after: certified.path.leaf.not_after(),
            },
            _ => Self::Key,
        }
    }
}

impl EntryReport {
    pub(crate) fn new(entry: &verify::LoggedEntry) -> Self {
        Self { log: entry.log.clone(), index: entry.index, kind: entry.kind.to_string() }
    }
}

impl TimeReport {
    pub(crate) fn new(time: &verify::TrustedTime) -> Self {
        let source = match &time.source {
            TimeSource::TimestampAuthority(name) => format!("timestamp authority {name}"),
            TimeSource::TransparencyLog(name) => format!("transparency log {name}"),
        };
        Self { time: time.time, source }
    }
}

pub(crate) fn left_out(evidence: &LeftOut) -> String {
    match evidence {
        LeftOut::Entry { log_id, index } => {
            format!("entry {index} of the unknown log {}", hex::encode(log_id))
        }
        LeftOut::Timestamp { position } => {
            format!("timestamp {position}, by an authority that is not known")
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "artifact   {}", self.artifact)?;
        for name in &self.signed_as {
            writeln!(f, "signed as  {name}")?;
        }
        writeln!(f, "bundle     {}", self.bundle.display())?;
        write!(f, "{}", self.signer)?;
        if let Some(statement) = &self.statement {
            writeln!(f, "statement  {}", statement.predicate_type)?;
        }
        for time in &self.times {
            writeln!(f, "time       {time}")?;
        }
        for entry in &self.log_entries {
            writeln!(f, "log entry  {entry}")?;
        }
        for evidence in &self.left_out {
            writeln!(f, "left out   {evidence}")?;
        }
        Ok(())
    }
}

/// Two lines, or one.
impl fmt::Display for SignerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => writeln!(f, "signer     the given key"),
            Self::Certificate { identity, issuer, .. } => {
                writeln!(f, "signer     {identity}\nissuer     {issuer}")
            }
            Self::OwnCertificate { identity, root, .. } => {
                writeln!(f, "signer     {identity}\nroot       {root}")
            }
        }
    }
}

impl fmt::Display for TimeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.time, self.source)
    }
}

impl fmt::Display for EntryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} ({})", self.index, self.log, self.kind)
    }
}
