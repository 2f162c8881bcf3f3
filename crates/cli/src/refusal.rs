//! What a refusal of the verifier means, for people: the check that failed, what was expected, what was found, and what
//! to do. The names of the checks are part of the interface of `--output json`.

use pki::sct::SctError;
use verify::{
    CertifyError, EntryError, IdentityError, LogError, MaterialError, SignatureError, TimeError,
    VerifyError,
};

use crate::failure::Failure;
use crate::own_authority;

/// What a refusal means.
#[derive(Debug, Eq, PartialEq)]
struct Meaning {
    check: &'static str,
    expected: Option<String>,
    found: Option<String>,
    hint: Option<&'static str>,
}

/// Tells why `what` was not verified.
pub(crate) fn failure(what: &str, error: VerifyError) -> Failure {
    let Meaning { check, expected, found, hint } = meaning(&error);
    let mut failure =
        Failure::because(format!("{what} is not verified"), error).fact("check", check);
    if let Some(expected) = expected {
        failure = failure.fact("expected", expected);
    }
    if let Some(found) = found {
        failure = failure.fact("found", found);
    }
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

const TAMPERED: &str =
    "the bundle was changed or put together from parts; get it again from where it was made";
const OTHER_ROOT: &str = "the bundle may come from another Sigstore: choose it with --trust NAME, or update the keys \
     with bulla trust update";
const BROKEN_ROOT: &str = "get the trusted root again: bulla trust update";

impl Meaning {
    const fn new(check: &'static str) -> Self {
        Self { check, expected: None, found: None, hint: None }
    }

    fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

fn meaning(error: &VerifyError) -> Meaning {
    match error {
        VerifyError::Material(error) => material(error),
        VerifyError::Signature(error) => signature(error),
        VerifyError::Entry { source, .. } => entry(source),
        VerifyError::Log(error) => log(error),
        VerifyError::Time(error) => time(error),
        VerifyError::Certificate(error) => certificate(error),
        VerifyError::Identity(error) => identity(error),
    }
}

fn material(error: &MaterialError) -> Meaning {
    match error {
        MaterialError::KeyNeeded { hint } => Meaning::new("signer")
            .expected("a certificate")
            .found(format!("a signature with a key (hint {hint})"))
            .hint("give the public key of the signer with --key FILE"),
        MaterialError::CertificateInsteadOfKey => Meaning::new("signer")
            .expected("a signature with the given key")
            .found("a certificate")
            .hint("name the signer with --certificate-identity and --certificate-oidc-issuer instead of --key"),
        MaterialError::Certificate { .. } => Meaning::new("certificate-format").hint(TAMPERED),
        MaterialError::ChainInVersion3 => Meaning::new("certificate-chain")
            .expected("a single certificate")
            .found("a chain")
            .hint("if an authority of your own issued it, give its root with --certificate-chain FILE or --ca-roots FILE"),
        MaterialError::RootInBundle { .. } => Meaning::new("root-in-bundle")
            .expected("the signer's certificate only")
            .hint("trust never comes from a bundle; the signer must make it again without the root"),
    }
}

fn signature(error: &SignatureError) -> Meaning {
    match error {
        SignatureError::OtherArtifact { signed, found } => Meaning::new("artifact-digest")
            .expected(signed)
            .found(found)
            .hint("the file is not the one that was signed, or the bundle belongs to another file"),
        SignatureError::DigestNeeded(algorithm) => Meaning::new("artifact-digest")
            .expected(format!("the {} digest", algorithm.name()))
            .hint("give the file itself, or its digest with this algorithm"),
        SignatureError::ArtifactNeeded => Meaning::new("artifact-digest")
            .expected("the file itself")
            .hint("give the file instead of a digest"),
        SignatureError::WeakKey(kind) => Meaning::new("key-strength").found(kind.to_string()),
        SignatureError::Invalid => Meaning::new("signature")
            .hint("the file, the bundle or the key is not the one of the signer"),
        SignatureError::PayloadType(found) => {
            Meaning::new("payload-type").expected("application/vnd.in-toto+json").found(found)
        }
        SignatureError::Statement(_) => Meaning::new("statement").expected("an in-toto statement"),
        SignatureError::OtherSubject => Meaning::new("statement-subject")
            .expected("a statement about this file")
            .hint("the file is not the one that the statement is about"),
        SignatureError::PredicateType { expected, found } => Meaning::new("predicate-type")
            .expected(expected)
            .found(found)
            .hint("say which type of statement is wanted with --type NAME|URI"),
        SignatureError::NoStatement { expected } => Meaning::new("predicate-type")
            .expected(expected)
            .found("a signature of the file itself")
            .hint("verify it with bulla verify-blob"),
    }
}

fn entry(error: &EntryError) -> Meaning {
    let meaning = Meaning::new("log-entry-binding").hint(TAMPERED);
    match error {
        EntryError::Kind { said, found } => {
            meaning.expected(said.to_string()).found(found.to_string())
        }
        EntryError::UnfitKind { found } => meaning.found(found.to_string()),
        EntryError::OtherDigest { found } => meaning.expected("what was signed").found(found),
        EntryError::SignatureCount { found } => {
            meaning.expected("1 signature").found(found.to_string())
        }
        EntryError::OtherKey => meaning
            .expected("the given key")
            .found("another key")
            .hint("the key is not the one of the signer"),
        EntryError::Body(_)
        | EntryError::OtherSignature
        | EntryError::OtherCertificate
        | EntryError::NotCanonical => meaning,
    }
}

fn log(error: &LogError) -> Meaning {
    match error {
        LogError::NoEntry { needed } => Meaning::new("log-entry")
            .expected(format!("{needed} log entry or more"))
            .found("none")
            .hint("for a Sigstore that has no log by design, say --private-infrastructure"),
        LogError::UnknownLog { log_id } => {
            Meaning::new("log-known").found(hex::encode(log_id)).hint(OTHER_ROOT)
        }
        LogError::TooFewLogs { found, needed } => {
            Meaning::new("log-count").expected(needed.to_string()).found(found.to_string())
        }
        LogError::NoTrustedLog => Meaning::new("log-known")
            .hint("for a Sigstore that has no log by design, say --private-infrastructure"),
        LogError::Key { .. } => Meaning::new("trusted-root").hint(BROKEN_ROOT),
        LogError::Repeated { .. } => Meaning::new("log-entry-repeated").hint(TAMPERED),
        LogError::NoPromise | LogError::Promise | LogError::PromisedTime(_) => {
            Meaning::new("inclusion-promise").hint(TAMPERED)
        }
        LogError::Index { entry, proof } => Meaning::new("inclusion-proof")
            .expected(entry.to_string())
            .found(proof.to_string())
            .hint(TAMPERED),
        LogError::NoProof | LogError::Inclusion(_) => {
            Meaning::new("inclusion-proof").hint(TAMPERED)
        }
        LogError::Origin { origin, log } => {
            Meaning::new("checkpoint-origin").expected(log).found(origin).hint(OTHER_ROOT)
        }
        LogError::Size { checkpoint, proof } => Meaning::new("checkpoint")
            .expected(proof.to_string())
            .found(checkpoint.to_string())
            .hint(TAMPERED),
        LogError::LogId { .. } => Meaning::new("log-id").hint(TAMPERED),
        LogError::NoCheckpoint
        | LogError::Note(_)
        | LogError::Checkpoint(_)
        | LogError::Unsigned(_)
        | LogError::Root => Meaning::new("checkpoint").hint(TAMPERED),
    }
}

fn time(error: &TimeError) -> Meaning {
    match error {
        TimeError::None => Meaning::new("trusted-time").expected("a timestamp").found("none").hint(
            "the signer must use a timestamp authority, or a log that says when it took the entry",
        ),
        TimeError::UnknownAuthority => Meaning::new("timestamp-authority-known").hint(OTHER_ROOT),
        TimeError::TooFew { found, needed } => {
            Meaning::new("trusted-time").expected(needed.to_string()).found(found.to_string())
        }
        TimeError::Format { .. }
        | TimeError::OtherSignature { .. }
        | TimeError::Timestamp { .. } => Meaning::new("timestamp").hint(TAMPERED),
        TimeError::CertificateValidity { .. } => Meaning::new("timestamp-certificate"),
        TimeError::AuthorityValidity { range, time, .. } => {
            Meaning::new("timestamp-authority-validity")
                .expected(range.to_string())
                .found(time.to_string())
                .hint(OTHER_ROOT)
        }
        TimeError::LogValidity { range, time, .. } => Meaning::new("log-validity")
            .expected(range.to_string())
            .found(time.to_string())
            .hint(OTHER_ROOT),
        TimeError::Authority { .. } => Meaning::new("trusted-root").hint(BROKEN_ROOT),
    }
}

fn certificate(error: &CertifyError) -> Meaning {
    match error {
        CertifyError::Validity { time, not_before, not_after, .. } => Meaning::new(
            "certificate-validity",
        )
        .expected(format!("{not_before} to {not_after}"))
        .found(time.to_string())
        .hint("the signature was made after the certificate ended; the signer must sign again"),
        CertifyError::AuthorityValidity { range, time, .. } => Meaning::new("authority-validity")
            .expected(range.to_string())
            .found(time.to_string())
            .hint(OTHER_ROOT),
        CertifyError::NotValidAtPresent { present, not_before, not_after } => Meaning::new(
            "certificate-validity",
        )
        .expected(format!("{not_before} to {not_after}"))
        .found(present.to_string())
        .hint("the signer must sign again, with a timestamp if the signature shall outlive the certificate"),
        CertifyError::Path(_) | CertifyError::NoAuthority { .. } => {
            Meaning::new("certificate-path").hint(OTHER_ROOT)
        }
        CertifyError::OwnPath(error) => {
            Meaning::new("certificate-path").hint(own_authority::from_authority(error))
        }
        CertifyError::Authority { .. } | CertifyError::CtLogKey { .. } => {
            Meaning::new("trusted-root").hint(BROKEN_ROOT)
        }
        CertifyError::NoCtLog => Meaning::new("certificate-log").hint(
            "for a Sigstore that has no certificate log by design, say --insecure-ignore-sct",
        ),
        CertifyError::Sct(SctError::Missing) => Meaning::new("certificate-log").hint(
            "Fulcio's certificates are logged; if this one comes from a Fulcio without a certificate log, say --insecure-ignore-sct",
        ),
        CertifyError::Sct(_) => Meaning::new("certificate-log").hint(OTHER_ROOT),
        CertifyError::TooFewCtLogs { found, needed } => {
            Meaning::new("certificate-log").expected(needed.to_string()).found(found.to_string())
        }
    }
}

fn identity(error: &IdentityError) -> Meaning {
    match error {
        IdentityError::NoName => Meaning::new("identity"),
        IdentityError::OtherName { expected, found } => Meaning::new("identity")
            .expected(expected)
            .found(found.join(", "))
            .hint("if the one found is whom you trust, name it with --certificate-identity"),
        IdentityError::Extension(_) => Meaning::new("certificate-format"),
        IdentityError::NoIssuer => Meaning::new("issuer").hint(
            "authorities of one's own name no issuer as a rule: leave out --certificate-oidc-issuer for them",
        ),
        IdentityError::TwoIssuers { old, new } => Meaning::new("issuer").expected(old).found(new),
        IdentityError::OtherIssuer { expected, found } => Meaning::new("issuer")
            .expected(expected)
            .found(found)
            .hint("if the one found is whom you trust, name it with --certificate-oidc-issuer"),
        IdentityError::OtherExtension { expected, found, .. } => Meaning::new("certificate-claim")
            .expected(expected)
            .found(found.as_deref().unwrap_or("nothing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_check_what_was_expected_and_what_was_found() {
        let error = VerifyError::Identity(IdentityError::OtherIssuer {
            expected: "https://a.example".into(),
            found: "https://b.example".into(),
        });
        let text = failure("a.txt", error).to_text();
        assert_eq!(
            text,
            "error: a.txt is not verified\n\
             \x20 cause: the signer is not the one expected\n\
             \x20 cause: https://b.example vouched for the signer, not https://a.example\n\
             \x20 check: issuer\n\
             \x20 expected: https://a.example\n\
             \x20 found: https://b.example\n\
             hint: if the one found is whom you trust, name it with --certificate-oidc-issuer\n"
        );
    }
}
