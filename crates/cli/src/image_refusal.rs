//! What it means that an image is not verified, for people: nothing attached, nothing by the one expected, something lost.

use client::image::candidate::CandidateError;
use client::image::verifying::{Rejected, Rejection, Signatory, VerifyImageError, Wanted};
use oci::FetchError;
use pki::chain::PathError;
use verify::{CertifyError, IdentityError, MaterialError, SignatureError, VerifyError};

use crate::failure::Failure;
use crate::image_signing::select_failure;
use crate::{refusal, registry};

/// How many of the things that do not count are told.
const TOLD: usize = 10;

const MIRROR: &str = "if this is a mirror or a copy, it may have left out what is attached to images: ask the registry where \
     the image was pushed, copy it with bulla copy, or name the repository with --signature-repository";

/// Tells why the image called `name` is not verified.
pub(crate) fn failure(name: &str, wanted: &Wanted, error: VerifyImageError) -> Failure {
    match error {
        VerifyImageError::Select(error) => select_failure(name, error),
        VerifyImageError::List(error) => {
            let hint = registry::fetch_hint(&error);
            let doing = format!("what is attached to {name} cannot be listed");
            registry::hinted(Failure::undecided_about(doing, error), hint)
        }
        VerifyImageError::Nothing(_) => nothing(name, wanted),
        VerifyImageError::Late { .. } => {
            Failure::undecided_about(format!("{name} is not verified"), error)
                .hint("try again, or ask a registry that is nearer")
        }
        VerifyImageError::TooMany { .. } => {
            Failure::because(format!("{name} is not verified"), error)
                .fact("check", "referrers")
                .hint("remove what is not needed with bulla clean")
        }
        VerifyImageError::Rejected { rejected, .. } => rejected_failure(name, wanted, rejected),
    }
}

/// Whether somebody who asks for something else wants to know that this does not count. Other signers and other types are
/// nothing unusual.
pub(crate) fn is_worth_telling(rejected: &Rejected) -> bool {
    !is_another_signer(rejected) && !is_another_kind(rejected)
}

const fn thing(wanted: &Wanted) -> &'static str {
    match wanted {
        Wanted::Signature { .. } => "signature",
        Wanted::Attestation => "attestation",
    }
}

fn nothing(name: &str, wanted: &Wanted) -> Failure {
    let check = thing(wanted);
    Failure::refused(format!("{name} has no {check}")).fact("check", check).hint(MIRROR)
}

fn rejected_failure(name: &str, wanted: &Wanted, rejected: Vec<Rejected>) -> Failure {
    let (others, mut rejected): (Vec<_>, Vec<_>) = rejected.into_iter().partition(is_another_kind);
    if rejected.is_empty() {
        return other_kinds(name, wanted, &others);
    }
    if let Some(at) = rejected.iter().position(is_unavailable) {
        return unavailable(name, rejected.swap_remove(at));
    }
    if rejected.iter().all(is_lost) {
        return lost(name, wanted, &rejected);
    }
    if let Some(at) = rejected.iter().position(is_another_signer) {
        let there = signers(&rejected);
        return another_signer(name, wanted, rejected.swap_remove(at), there);
    }
    let more = rejected.len() - 1;
    let nearest = rejected.iter().position(|rejected| !is_lost(rejected)).unwrap_or(0);
    let failure = one(name, rejected.swap_remove(nearest));
    if more > 0 { failure.fact("also rejected", format!("{more} more")) } else { failure }
}

/// There are statements of other types, or signatures where a statement is wanted.
fn other_kinds(name: &str, wanted: &Wanted, others: &[Rejected]) -> Failure {
    let mut there: Vec<String> = others.iter().filter_map(kind_of).collect();
    if there.is_empty() {
        return nothing(name, wanted);
    }
    there.sort();
    there.dedup();
    there.truncate(TOLD);
    let failure = match wanted {
        Wanted::Signature { .. } => {
            Failure::refused(format!("{name} has attestations, but no signature"))
                .hint("verify a statement with bulla verify-attestation --type NAME|URI")
        }
        Wanted::Attestation => {
            Failure::refused(format!("{name} has no statement of the type that is asked for"))
                .hint("ask for one of the types that are there with --type")
        }
    };
    failure.fact("check", "predicate-type").fact("found", there.join(", "))
}

fn kind_of(rejected: &Rejected) -> Option<String> {
    match &rejected.reason {
        Rejection::Verify(VerifyError::Signature(SignatureError::PredicateType {
            found, ..
        })) => Some(found.clone()),
        _ => None,
    }
}

fn unavailable(name: &str, rejected: Rejected) -> Failure {
    let hint = match &rejected.reason {
        Rejection::Candidate(CandidateError::Unavailable(error)) => registry::access_hint(error),
        _ => None,
    };
    let doing = format!("{}, which may sign {name}, cannot be read", rejected.source);
    registry::hinted(Failure::undecided_about(doing, rejected.reason), hint)
}

fn lost(name: &str, wanted: &Wanted, rejected: &[Rejected]) -> Failure {
    let thing = thing(wanted);
    let sources = rejected.iter().take(TOLD).map(|rejected| rejected.source.to_string());
    Failure::refused(format!(
        "the registry lists what may be a {thing} of {name}, but does not have it"
    ))
    .fact("check", "referrers")
    .fact("missing", sources.collect::<Vec<_>>().join(", "))
    .hint(MIRROR)
}

/// Everybody who signed, as far as only the name is wrong.
fn signers(rejected: &[Rejected]) -> String {
    let mut there: Vec<String> = rejected
        .iter()
        .filter(|rejected| is_another_signer(rejected))
        .filter_map(|rejected| Some(signer(rejected.signer.as_ref()?, is_proven(rejected))))
        .collect();
    there.sort();
    there.dedup();
    there.truncate(TOLD);
    there.join(", ")
}

/// Whether the certificate was verified before its name was found to be another.
fn is_proven(rejected: &Rejected) -> bool {
    matches!(rejected.reason, Rejection::Verify(VerifyError::Identity(_)))
}

fn signer(signer: &Signatory, proven: bool) -> String {
    match signer {
        Signatory::Key => "the holder of another key".to_owned(),
        Signatory::Identity { names, issuer } => {
            let by_its_own_word = if proven { "" } else { "by its own word" };
            let notes = [issuer.as_str(), by_its_own_word];
            let notes: Vec<_> = notes.into_iter().filter(|note| !note.is_empty()).collect();
            match notes.is_empty() {
                true => names.join(" or "),
                false => format!("{} ({})", names.join(" or "), notes.join(", ")),
            }
        }
    }
}

fn another_signer(name: &str, wanted: &Wanted, rejected: Rejected, there: String) -> Failure {
    let expected = expected(&rejected.reason);
    let doing = format!("{name} has no {} by the one expected", thing(wanted));
    let failure = Failure::because(doing, rejected.reason).fact("check", "identity");
    let failure = match expected {
        Some(expected) => failure.fact("expected", expected),
        None => failure,
    };
    failure.fact("found", there).hint(
        "if one of those found is whom you trust, name them with --certificate-identity and \
         --certificate-oidc-issuer, or give their key with --key",
    )
}

fn expected(reason: &Rejection) -> Option<String> {
    match reason {
        Rejection::Verify(VerifyError::Identity(
            IdentityError::OtherName { expected, .. }
            | IdentityError::OtherIssuer { expected, .. }
            | IdentityError::OtherExtension { expected, .. },
        )) => Some(expected.clone()),
        Rejection::Verify(VerifyError::Material(MaterialError::KeyNeeded { .. })) => {
            Some("a certificate".to_owned())
        }
        Rejection::Verify(VerifyError::Material(MaterialError::CertificateInsteadOfKey)) => {
            Some("a signature with the given key".to_owned())
        }
        _ => None,
    }
}

/// What does not count for a reason of its own.
fn one(name: &str, rejected: Rejected) -> Failure {
    let source = rejected.source.to_string();
    match rejected.reason {
        Rejection::Verify(error) => refusal::failure(name, error).fact("source", source),
        reason => {
            let (check, hint) = match &reason {
                Rejection::Annotation { .. } => {
                    ("annotation", Some("ask for what the signer noted, or leave out -a"))
                }
                Rejection::OtherImage(_)
                | Rejection::Candidate(CandidateError::OtherSubject(_)) => {
                    ("subject", Some("it was attached to the wrong image: attach it again"))
                }
                _ => ("format", None),
            };
            let failure = Failure::because(format!("{name} is not verified"), reason);
            registry::hinted(failure.fact("check", check).fact("source", source), hint)
        }
    }
}

fn is_unavailable(rejected: &Rejected) -> bool {
    matches!(rejected.reason, Rejection::Candidate(CandidateError::Unavailable(_)))
}

fn is_lost(rejected: &Rejected) -> bool {
    matches!(rejected.reason, Rejection::Candidate(CandidateError::Lost))
}

/// Whether the only thing that is wrong is who signed. A wrong signature beside a certificate is a forgery, and not
/// somebody else's; beside nothing, it is that of another key.
fn is_another_signer(rejected: &Rejected) -> bool {
    let Rejection::Verify(error) = &rejected.reason else { return false };
    match error {
        VerifyError::Identity(_)
        | VerifyError::Material(
            MaterialError::KeyNeeded { .. }
            | MaterialError::CertificateInsteadOfKey
            | MaterialError::ChainInVersion3,
        )
        | VerifyError::Certificate(CertifyError::OwnPath(PathError::UnknownIssuer { .. })) => true,
        VerifyError::Signature(SignatureError::Invalid) => rejected.signer == Some(Signatory::Key),
        _ => false,
    }
}

/// What has nothing to do with what is asked for: statements of other types, signatures where a statement is wanted,
/// documents of other programs.
fn is_another_kind(rejected: &Rejected) -> bool {
    matches!(
        rejected.reason,
        Rejection::OtherKind
            | Rejection::Verify(VerifyError::Signature(SignatureError::PredicateType { .. }))
            | Rejection::Candidate(CandidateError::Unreadable(
                FetchError::Document { .. } | FetchError::TooLong { .. }
            ))
    )
}
