//! Decides whether a bundle proves that somebody signed an artifact.
//!
//! The decision is a pure function of the artifact's digest, the bundle, a policy and a trusted root: no
//! clock, no network, no files. It follows the Sigstore client specification §4 (steps A to J of our
//! notes), and refuses to know how bundles are fetched or verdicts shown.
//!
//! Each step gives evidence that the next one asks for, so that no step can be left out:
//!
//! ```text
//! Material → Signed → Bound → Logged → TrustedTimes → Certified → Verified
//! ```
//!
//! For models a step follows, in [`model`]: the files at hand are those that were signed.
//!
//! Start reading at [`verify`]. Everything that weakens a policy is in [`danger`].

mod artifact;
mod certificate;
mod entry;
mod identity;
mod material;
pub mod model;
mod policy;
mod signature;
mod time;
mod tlog;

use pki::fulcio::San;
use wire::bundle::Bundle;
use wire::statement::Statement;
use wire::trusted_root::TrustedRoot;

use material::Material;

pub use artifact::{Artifact, Digests};
pub use certificate::{Certified, CertifyError, check_certificate_logs};
pub use entry::EntryError;
pub use identity::IdentityError;
pub use material::MaterialError;
pub use policy::{
    Expected, Holder, IdentityPolicy, OwnPolicy, OwnRoots, OwnRootsError, Policy, PolicyError,
    SignerPolicy, danger,
};
pub use signature::SignatureError;
pub use time::{TimeError, TimeSource, TrustedTime};
pub use tlog::{LogError, LoggedEntry};

/// Decides whether `bundle` proves that whom `policy` names signed `artifact`.
///
/// # Errors
///
/// [`VerifyError`]: the first step that refused, and why.
pub fn verify(
    artifact: &Artifact<'_>,
    bundle: &Bundle,
    policy: &Policy,
    trust: &TrustedRoot,
) -> Result<Verified, VerifyError> {
    // B. Whose key it is, if all that follows holds. (A, reading, is `Bundle::parse`.)
    let material = material::read(bundle, policy)?;

    // H, I. The signature is by that key, and over this artifact.
    let signed = signature::check(artifact, bundle, &material, policy)?;

    // C.1, C.2. What the log holds is this very signature by this very key.
    let bound = entry::bind(bundle, &material, &signed, trust)?;

    // C.3, C.4. The log holds it.
    let logged = tlog::verify(bound, policy, trust)?;

    // D. When.
    let times = time::establish(bundle, &logged, policy, trust)?;

    // E, F, G. An authority vouched, at all those times, for whom the policy names; in public, unless it is the verifier's own.
    let signer = match &material {
        Material::Key(_) => Signer::Key,
        Material::Certificate(leaf, expected) => {
            let certified = certificate::certify(leaf, &times, policy, trust)?;
            identity::check(&certified, expected)?.into_signer(certified)
        }
        Material::Own(chain) => {
            let certified = certificate::certify_own(chain, &times, policy, trust)?;
            let name = identity::check_own(&certified, chain.policy)?;
            Signer::Own { name, certified: Box::new(certified) }
        }
    };

    // J.
    Ok(Verified {
        signer,
        statement: signed.into_statement(),
        entries: logged.entries,
        left_out: logged.left_out.into_iter().chain(times.left_out).collect(),
        times: times.times,
    })
}

/// Proof that [`verify`] said yes, and of what.
///
/// There is no other way to make one, and it cannot be made without the outcome of every step.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verified {
    /// Who signed.
    pub signer: Signer,
    /// What was signed, where it is a statement about the artifact and not the artifact itself.
    pub statement: Option<Statement>,
    /// The log entries that hold the signature, each verified.
    pub entries: Vec<LoggedEntry>,
    /// The times at which the signature was seen, each signed by somebody trusted.
    pub times: Vec<TrustedTime>,
    /// Evidence that did not count, because nobody whom the trusted root names made it.
    pub left_out: Vec<LeftOut>,
}

/// Who signed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Signer {
    /// The holder of the key that the policy has.
    Key,
    /// Somebody for whom a certificate authority vouched.
    #[non_exhaustive]
    Identity {
        /// The name that the policy asked for.
        name: San,
        /// Who vouched for that name.
        issuer: String,
        /// The certificate, its path and its timestamps by certificate logs.
        certified: Box<Certified>,
    },
    /// Somebody for whom an authority of the verifier's own vouched.
    #[non_exhaustive]
    Own {
        /// The name that the policy asked for, or the certificate's first.
        name: String,
        /// The certificate and its path to one of the roots.
        certified: Box<Certified>,
    },
}

/// Evidence that did not count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LeftOut {
    /// An entry of a log that the trusted root does not name.
    Entry {
        /// The log's id.
        log_id: Vec<u8>,
        /// The index that the entry says it has.
        index: u64,
    },
    /// A timestamp by an authority that the trusted root does not name.
    Timestamp {
        /// Which of the bundle's timestamps, from zero.
        position: usize,
    },
}

/// The first step that refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// The bundle does not say who signed, or says it in a way that the policy does not take.
    #[error("the bundle's signer cannot be judged")]
    Material(#[from] MaterialError),
    /// The signature is not over this artifact, or not by this key.
    #[error("the signature does not hold")]
    Signature(#[from] SignatureError),
    /// A log entry is about something else.
    #[error("log entry {position} of the bundle is not about this signature")]
    Entry {
        /// Which of the bundle's entries, from zero.
        position: usize,
        /// Why.
        #[source]
        source: EntryError,
    },
    /// A log does not hold the entry, or no log that counts does.
    #[error("the signature is not shown to be in a transparency log")]
    Log(#[from] LogError),
    /// It is not known when the signature was made.
    #[error("the time of the signature cannot be trusted")]
    Time(#[from] TimeError),
    /// No authority vouches for the key.
    #[error("the signer's certificate is not trusted")]
    Certificate(#[from] CertifyError),
    /// Somebody signed, but not whom the policy names.
    #[error("the signer is not the one expected")]
    Identity(#[from] IdentityError),
}
