//! The seventy cases of sigstore-conformance, each by path and by digest, and the bundles of a local
//! deployment of the existing servers.
//!
//! A case is a directory. The table says what the verifier must answer to those that must be refused: the
//! check that the case's README names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crypto::{HashAlgorithm, PublicKey, PublicKeyError};
use merkle::note::{NoteError, VerifyNoteError};
use merkle::{CheckpointError, InclusionError};
use pki::sct::SctError;
use verify::{
    Artifact, CertifyError, Digests, EntryError, Expected, LogError, MaterialError, Policy,
    SignatureError, TimeError, Verified, VerifyError, verify,
};
use wire::bundle::{Bundle, BundleError};
use wire::json::{JsonError, Problem};
use wire::trusted_root::{TrustedRoot, TrustedRootError};

const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// What the verifier answers.
#[derive(Debug)]
enum Answer {
    Verified,
    /// The bundle cannot be read.
    Bundle(BundleError),
    /// The trusted root cannot be read.
    TrustedRoot(TrustedRootError),
    /// The key that is given cannot be used.
    Key(PublicKeyError),
    /// The verifier refuses.
    Refused(VerifyError),
}

/// A case that must be refused.
struct Row {
    case: &'static str,
    /// The variant that refuses it, as it is written below.
    variant: &'static str,
    is: fn(&Answer) -> bool,
}

/// Makes a table of cases and variants.
macro_rules! refused {
    ($($case:literal => $variant:pat,)*) => {
        /// Every case that must be refused.
        const REFUSED: &[Row] = &[$(Row {
            case: $case,
            variant: stringify!($variant),
            is: |answer| matches!(answer, $variant),
        }),*];
    };
}

refused! {
    // What cannot be read.
    "bundle-malformed-json_fail" => Answer::Bundle(BundleError::Json(JsonError { problem: Problem::Syntax(_), .. })),
    "bundle-invalid-base64-signature_fail" => Answer::Bundle(BundleError::Json(JsonError { problem: Problem::Base64, .. })),
    "bundle-negative-log-index_fail" => Answer::Bundle(BundleError::Json(JsonError { problem: Problem::Negative(_), .. })),
    "bundle-unknown-version_fail" => Answer::Bundle(BundleError::MediaType(_)),
    "bundle-empty-certificate-chain_fail" => Answer::Bundle(BundleError::EmptyChain),
    "trust-root-tlog-missing-validity-start_fail" => Answer::TrustedRoot(TrustedRootError::NoValidityStart { .. }),
    // Whose key it is.
    "bundle-with-root-cert_fail" => Answer::Refused(VerifyError::Material(MaterialError::RootInBundle { .. })),
    "managed-key-no-key_fail" => Answer::Refused(VerifyError::Material(MaterialError::KeyNeeded { .. })),
    // The signature, and what is signed.
    "message-digest-mismatch_fail" => Answer::Refused(VerifyError::Signature(SignatureError::OtherArtifact { .. })),
    "wrong-material_fail" => Answer::Refused(VerifyError::Signature(SignatureError::OtherArtifact { .. })),
    "signature-mismatch_fail" => Answer::Refused(VerifyError::Signature(SignatureError::Invalid)),
    "managed-key-wrong-key_fail" => Answer::Key(PublicKeyError::NotOnCurve),
    "dsse-invalid-sig_fail" => Answer::Refused(VerifyError::Signature(SignatureError::Invalid)),
    "rekor2-dsse-invalid-sig_fail" => Answer::Refused(VerifyError::Signature(SignatureError::Invalid)),
    // What the log is said to hold.
    "dsse-mismatch-sig_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherSignature, .. }),
    "rekor2-dsse-mismatch-sig_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherSignature, .. }),
    "dsse-mismatch-envelope_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherDigest { .. }, .. }),
    "rekor2-dsse-mismatch-envelope_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherDigest { .. }, .. }),
    "wrong-hashedrekord-artifact_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherDigest { .. }, .. }),
    // The entry is about the same payload, and another signature of it.
    "intoto-log-entry-mismatch_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherSignature, .. }),
    "incorrect-public-key_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherCertificate, .. }),
    "wrong-hashedrekord-cert-and-sig_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherCertificate, .. }),
    "wrong-hashedrekord-entry_fail" => Answer::Refused(VerifyError::Entry { source: EntryError::OtherDigest { .. }, .. }),
    // That the log holds it.
    "bundle-from-wrong-instance_fail" => Answer::Refused(VerifyError::Log(LogError::UnknownLog { .. })),
    "set-invalid-signature_fail" => Answer::Refused(VerifyError::Log(LogError::Promise)),
    "intoto-missing-inclusion-proof_fail" => Answer::Refused(VerifyError::Log(LogError::NoProof)),
    "rekor2-no-inclusion-proof_fail" => Answer::Refused(VerifyError::Log(LogError::NoProof)),
    "inclusion-proof-corrupted-hash_fail" => Answer::Refused(VerifyError::Log(LogError::Inclusion(InclusionError::Root { .. }))),
    "invalid-inclusion-proof_fail" => Answer::Refused(VerifyError::Log(LogError::Inclusion(InclusionError::Root { .. }))),
    "checkpoint-bad-keyhint_fail" => Answer::Refused(VerifyError::Log(LogError::Unsigned(VerifyNoteError::Missing))),
    "invalid-checkpoint-signature_fail" => Answer::Refused(VerifyError::Log(LogError::Unsigned(VerifyNoteError::Wrong(_)))),
    "checkpoint-wrong-roothash_fail" => Answer::Refused(VerifyError::Log(LogError::Root)),
    "rekor2-checkpoint-missing-log-signature_fail" => Answer::Refused(VerifyError::Log(LogError::Note(NoteError::Unsigned))),
    "rekor2-checkpoint-missing-origin_fail" => Answer::Refused(VerifyError::Log(LogError::Checkpoint(CheckpointError::Size))),
    "rekor2-checkpoint-missing-size_fail" => Answer::Refused(VerifyError::Log(LogError::Checkpoint(CheckpointError::Size))),
    "rekor2-checkpoint-missing-root-hash_fail" => Answer::Refused(VerifyError::Log(LogError::Checkpoint(CheckpointError::Root))),
    "rekor2-checkpoint-no-matching-signature_fail" => Answer::Refused(VerifyError::Log(LogError::Origin { .. })),
    // When.
    "rekor2-no-timestamp_fail" => Answer::Refused(VerifyError::Time(TimeError::None)),
    "rekor2-timestamp-payload-mismatch_fail" => Answer::Refused(VerifyError::Time(TimeError::OtherSignature { .. })),
    "rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail" => Answer::Refused(VerifyError::Time(TimeError::UnknownAuthority)),
    "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail" => Answer::Refused(VerifyError::Time(TimeError::UnknownAuthority)),
    "rekor2-timestamp-outside-tsa-cert-validity_fail" => Answer::Refused(VerifyError::Time(TimeError::CertificateValidity { .. })),
    "rekor2-timestamp-outside-trust-root-tsa-validity_fail" => Answer::Refused(VerifyError::Time(TimeError::AuthorityValidity { .. })),
    // Who vouched.
    "integrated-time-in-future_fail" => Answer::Refused(VerifyError::Certificate(CertifyError::Validity { .. })),
    "intoto-set-outside-signing-cert-validity_fail" => Answer::Refused(VerifyError::Certificate(CertifyError::Validity { .. })),
    "intoto-tsa-timestamp-outside-cert-validity_fail" => Answer::Refused(VerifyError::Certificate(CertifyError::Validity { .. })),
    "rekor2-timestamp-with-incorrect-time_fail" => Answer::Refused(VerifyError::Certificate(CertifyError::Validity { .. })),
    // The certificate is of 2030, the log's promise of 2023.
    "intoto-expired-certificate_fail" => Answer::Refused(VerifyError::Certificate(CertifyError::Validity { .. })),
    // The trusted root has another key in the place of the certificate log's.
    "invalid-ct-key_fail" => Answer::Refused(VerifyError::Certificate(CertifyError::Sct(SctError::UnknownLog))),
}

#[test]
fn acceptance_2_every_conformance_case_gets_the_answer_it_expects() {
    let Some(data) = testdata::path("") else { return };
    let mut wrong = Vec::new();
    let (mut asked, mut right) = (0, 0);
    for path in cases(&data) {
        let name = path.file_name().expect("a case has a name").to_string_lossy().into_owned();
        let row = REFUSED.iter().find(|row| row.case == name);
        assert_eq!(name.ends_with("_fail"), row.is_some(), "{name}");
        let case = Case::read(&data, &path);
        for given in [Given::Path, Given::Digest] {
            let answer = case.answer(given);
            asked += 1;
            if row.map_or_else(|| matches!(answer, Answer::Verified), |row| (row.is)(&answer)) {
                right += 1;
            } else {
                let expected = row.map_or("Answer::Verified", |row| row.variant);
                wrong.push(format!("{name} by {given:?}: {answer:?}, not {expected}"));
            }
        }
    }
    testdata::report(&format!("conformance: {right} of {asked}"));
    assert_eq!(wrong, [""; 0]);
    assert_eq!(asked, 140);
}

#[test]
fn acceptance_2_unrelated_checks_share_no_variant() {
    // A variant that stands in the table twice is one check, which the cases reach by different roads.
    let mut roads: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in REFUSED {
        roads.entry(row.variant).or_default().push(row.case);
    }
    roads.retain(|_, cases| cases.len() > 1);
    let shared: Vec<_> = roads.keys().map(|variant| last_names(variant)).collect();
    assert_eq!(
        shared,
        [
            // The certificate is not valid at a trusted time, whoever's word the time is.
            "CertifyError::Validity",
            // The log holds another certificate.
            "EntryError::OtherCertificate",
            // The log holds something about another artifact, payload or envelope.
            "EntryError::OtherDigest",
            // The log holds another signature.
            "EntryError::OtherSignature",
            // The second line of the checkpoint is not a size: without an origin, the root stands there.
            "CheckpointError::Size",
            // The path leads to another root.
            "InclusionError::Root",
            // There is no proof.
            "LogError::NoProof",
            // The signature is not by the key.
            "SignatureError::Invalid",
            // The artifact is not the one the bundle was made for.
            "SignatureError::OtherArtifact",
            // Nobody whom the trusted root names made the timestamp.
            "TimeError::UnknownAuthority",
        ]
    );
}

/// The innermost `Type::Variant` of a pattern.
fn last_names(pattern: &str) -> &str {
    let end = pattern.find([' ', ')'].as_slice()).map_or(pattern.len(), |_| {
        let inner = pattern.rfind("Error::").expect("a pattern names an error");
        let rest = &pattern[inner + "Error::".len()..];
        let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        inner + "Error::".len() + length
    });
    let start =
        pattern[..end].rfind(|c: char| !c.is_alphanumeric() && c != ':').map_or(0, |at| at + 1);
    &pattern[start..end]
}

#[test]
fn acceptance_2_bundles_of_a_local_deployment_are_accepted() {
    let Some(data) = testdata::path("") else { return };
    let artifact = fs::read(data.join("local-deployment/hello.txt")).expect("the artifact");
    let mut accepted = 0;
    for api in ["v1", "v2"] {
        let directory = data.join("local-deployment").join(api);
        let root = fs::read(directory.join("trusted_root.json")).expect("the trusted root");
        let root = TrustedRoot::parse(&root).expect("the trusted root is good");
        for entry in fs::read_dir(&directory).expect("the directory") {
            let path = entry.expect("the directory").path();
            if !path.to_string_lossy().ends_with(".sigstore.json") {
                continue;
            }
            let bundle = Bundle::parse(&fs::read(&path).expect("the bundle")).expect("it is good");
            let policy = identity("user1@example.com", "http://127.0.0.1:8888");
            let verified = verify(&Artifact::from_bytes(&artifact), &bundle, &policy, &root);
            let verified = verified.unwrap_or_else(|error| panic!("{path:?}: {error:?}"));
            assert_eq!(verified.entries.len(), 1, "{path:?}");
            assert_eq!(verified.left_out, [], "{path:?}");
            accepted += 1;
        }
    }
    testdata::report(&format!("local deployment: {accepted} bundles accepted"));
    assert_eq!(accepted, 6);
}

/// How the artifact is given.
#[derive(Clone, Copy, Debug)]
enum Given {
    Path,
    Digest,
}

/// The files of a case, unread: reading them is part of what is asked.
struct Case {
    bundle: Vec<u8>,
    trusted_root: Vec<u8>,
    artifact: Vec<u8>,
    signer: Signer,
}

/// Whose signature a case expects.
enum Signer {
    Identity { name: String, issuer: String },
    Key(Vec<u8>),
}

impl Case {
    fn read(data: &Path, case: &Path) -> Self {
        let text = |name: &str, default: &str| {
            fs::read_to_string(case.join(name))
                .map_or(default.to_owned(), |text| text.trim().into())
        };
        let bytes = |name: &str, default: PathBuf| {
            fs::read(case.join(name)).or_else(|_| fs::read(default)).expect("the case is whole")
        };
        let signer = match fs::read(case.join("key.pub")) {
            Ok(pem) => Signer::Key(pem),
            Err(_) => Signer::Identity {
                name: text("identity", IDENTITY),
                issuer: text("issuer", ISSUER),
            },
        };
        Self {
            bundle: fs::read(case.join("bundle.sigstore.json")).expect("every case has a bundle"),
            trusted_root: bytes("trusted_root.json", data.join("trust/trusted_root.json")),
            artifact: bytes("artifact", data.join("conformance/bundle-verify/a.txt")),
            signer,
        }
    }

    fn answer(&self, given: Given) -> Answer {
        self.ask(given).err().unwrap_or(Answer::Verified)
    }

    fn ask(&self, given: Given) -> Result<Verified, Answer> {
        let bundle = Bundle::parse(&self.bundle).map_err(Answer::Bundle)?;
        let root = TrustedRoot::parse(&self.trusted_root).map_err(Answer::TrustedRoot)?;
        let policy = match &self.signer {
            Signer::Identity { name, issuer } => identity(name, issuer),
            Signer::Key(pem) => Policy::key(PublicKey::from_pem(pem).map_err(Answer::Key)?),
        };
        let artifact = match given {
            Given::Digest => Artifact::from_digest(HashAlgorithm::Sha256.digest(&self.artifact)),
            Given::Path => {
                let mut digests = Digests::new(&policy.algorithms(&bundle));
                self.artifact.chunks(7).for_each(|chunk| digests.update(chunk));
                digests.finish()
            }
        };
        verify(&artifact, &bundle, &policy, &root).map_err(Answer::Refused)
    }
}

fn identity(name: &str, issuer: &str) -> Policy {
    let expected = |text| Expected::exactly(text).expect("it is not empty");
    Policy::identity(expected(name), expected(issuer))
}

fn cases(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("conformance/bundle-verify")).expect("the cases");
    let paths = entries.map(|entry| entry.expect("the cases").path());
    let mut cases: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}
