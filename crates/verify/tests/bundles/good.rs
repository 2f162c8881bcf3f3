//! What honest signers make, in all its variety, is accepted.

use crypto::{Digest, HashAlgorithm, KeyDetails, KeyKind, PublicKey, Scheme, SigningKey};
use merkle::SignedNote;
use merkle::note::Signature;
use verify::{
    Artifact, EntryError, Expected, Policy, SignatureError, Signer, TimeSource, VerifyError, danger,
};
use wire::body::{
    Body, DsseV2, HashedRekordV1, HashedRekordV2, IntotoSignature, IntotoV1, IntotoV2, SignatureV2,
    Verifier, VerifierMaterial,
};
use wire::bundle::{
    Bundle, Content, MediaType, MessageSignature, SignerMaterial, VerificationMaterial,
};
use wire::dsse::{self, Envelope, IN_TOTO};
use wire::json::{base64_text, decode_base64};

use crate::sigstore::{ARTIFACT, Api, ISSUER, NAME, Sigstore, signed};

fn policy() -> Policy {
    let exactly = |text| Expected::exactly(text).expect("it is not empty");
    Policy::identity(exactly(NAME), exactly(ISSUER))
}

fn artifact() -> Artifact<'static> {
    Artifact::from_bytes(ARTIFACT)
}

fn key(kind: KeyKind) -> SigningKey {
    SigningKey::generate(kind).expect("a key")
}

/// The artifact signed with a key in this scheme, and logged with this digest.
fn key_signed(sigstore: &Sigstore, key: &SigningKey, scheme: Scheme, digest: Digest) -> Bundle {
    let signature = key.sign_with(scheme, ARTIFACT).expect("the key can sign");
    logged(sigstore, key.public_key(), signature, digest)
}

/// A signature of the artifact, logged with this digest.
fn logged(sigstore: &Sigstore, key: &PublicKey, signature: Vec<u8>, digest: Digest) -> Bundle {
    let body = Body::HashedRekordV1(HashedRekordV1 {
        hash: digest.into(),
        signature: signature.clone(),
        public_key: key.to_pem().into_bytes(),
    });
    let material = VerificationMaterial {
        signer: SignerMaterial::PublicKey { hint: String::new() },
        entries: vec![sigstore.log_v1(&body, signed())],
        timestamps: Vec::new(),
    };
    let content = Content::Message(MessageSignature { digest: Some(digest), signature });
    Bundle { media_type: MediaType::V0_3, material, content }
}

#[test]
fn every_pair_of_key_and_hash_that_signers_use_is_verified() {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    let sigstore = Sigstore::new();
    let pairs = [
        (KeyKind::EcdsaP256, Scheme::Ecdsa(Sha256), Sha256),
        (KeyKind::EcdsaP384, Scheme::Ecdsa(Sha384), Sha384),
        (KeyKind::EcdsaP521, Scheme::Ecdsa(Sha512), Sha512),
        (KeyKind::Rsa { bits: 2048 }, Scheme::RsaPkcs1(Sha256), Sha256),
        (KeyKind::Rsa { bits: 3072 }, Scheme::RsaPss(Sha256), Sha256),
        (KeyKind::Ed25519, Scheme::Ed25519ph, Sha512),
    ];
    for (kind, scheme, hash) in pairs {
        let key = key(kind);
        let digest = hash.digest(ARTIFACT);
        let mut bundle = key_signed(&sigstore, &key, scheme, digest);
        let policy = Policy::key(key.public_key().clone());
        assert!(policy.algorithms(&bundle).contains(&hash), "{kind} {scheme:?}");
        let streamed = || Artifact::from_digest(digest);
        verify::verify(&streamed(), &bundle, &policy, &sigstore.trust)
            .unwrap_or_else(|error| panic!("{kind} {scheme:?}: {error:?}"));
        // The bundle's digest is a hint, and may be left out.
        let Content::Message(message) = &mut bundle.content else { panic!("it was signed") };
        message.digest = None;
        verify::verify(&artifact(), &bundle, &policy, &sigstore.trust)
            .unwrap_or_else(|error| panic!("{kind} {scheme:?} without hint: {error:?}"));
    }
}

/// What `openssl dgst -sha256 -sign` made of the artifact with keys that were thrown away: key and signature.
/// Nothing of ours signs like this any more.
const P384_SHA256: [&str; 2] = [
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEUZ7/WNOxNj5nNVknSXKDlv4qGIBBySUFDGU5e+zTbFJBlSFxImtihBVVUMWdLWaZHpqQV1cLC2TtOsfztLCQNvOGhYwXV/oPb1Bpa2PREoJNPQcNeJVSSGCuXAIPvrJL",
    "MGYCMQCl03ftAaRbVY9M9MxASpJVM5DhUdh0+abhieiqWT49BgRL0BGwVIXkm3VENB55s8oCMQCe48j0/2tU9eql/Wn3M3HfB9pcL6A1E4pqnZfYZpwsGFjHKn4rbevXkudkxlnZd54=",
];
const P521_SHA256: [&str; 2] = [
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBLmTfg/go74LMPnINK/lVnyTsT7Lj/mLvcoid0cHeiQ2qZxRV5jP3Iyq/yyyCNt7X2K8k50/OFACx7iiLUVqDdL0AZQZ4d9RyvZBHDgVfI/syeyXf6IRdpbYiDWculpy5mD9dUSv0e4BaTuWULpo4AtMcad218oGe36QN1u7p46Vc3oU=",
    "MIGHAkEeG3NQzeT/OTc8pPA3z4coFTrC9HGIyrk0WaHPatlJ00qbqD4RMqIMvTQDBB6tQTQBfKv/fjZepjV2eD3KWaOSMgJCAIod8GBplCERK6P63KADC+oggAYGUVLjMcQNhWpSqSK7eTKceWkrshXa2eyBm3MeFpEQyrFaWA21ggbys/FUe2x8",
];
const RSA_1024: [&str; 2] = [
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/EhjwP2ZftMbNP054svK59eBHJic3ecExjCqR3PaO40LlxAya6yAwb2fRmF4Q2dD8pvAXQTp7ym3kG2pqYRhpbr4fIowmSq2Y3WK0deGdDQamDTYHvsBfo1T9l9/1RDcaEYru09kMJ17Prl0Mo7ZdBbfVo4sm+kLFGnUq1D2w1QIDAQAB",
    "ODA021fFwIp0GUudKqVQ+zjJ+cy/BCdf4u9sYB0l6NV00JhJbdEbgq0tJeAaGqOanYCsiSwJVuGe00PpuLsXeD2bwktNygQ+ambBpwJxrucVKpy5A9hwykGf2MZ6KFoDzd0Vv1sIMAAf5NJIZgb6QT6R6jeMrc/Y58Mu2r/y2mc=",
];

/// The bundle of a key and signature of old, and the policy for the key.
fn of_old(sigstore: &Sigstore, [key, signature]: [&str; 2]) -> (Bundle, Policy) {
    let key = PublicKey::from_spki_der(&decode_base64(key).expect("base64")).expect("a key");
    let signature = decode_base64(signature).expect("base64");
    let bundle = logged(sigstore, &key, signature, HashAlgorithm::Sha256.digest(ARTIFACT));
    (bundle, Policy::key(key))
}

#[test]
fn the_pairs_that_cpython_signed_with_are_verified() {
    let sigstore = Sigstore::new();
    for pair in [P384_SHA256, P521_SHA256] {
        let (bundle, policy) = of_old(&sigstore, pair);
        let artifact = Artifact::from_digest(HashAlgorithm::Sha256.digest(ARTIFACT));
        verify::verify(&artifact, &bundle, &policy, &sigstore.trust).expect("it is good");
    }
}

#[test]
fn a_short_rsa_key_is_too_weak_whatever_it_signed() {
    let sigstore = Sigstore::new();
    let (bundle, policy) = of_old(&sigstore, RSA_1024);
    let refusal = verify::verify(&artifact(), &bundle, &policy, &sigstore.trust);
    assert_eq!(
        refusal.expect_err("the key is too weak"),
        VerifyError::Signature(SignatureError::WeakKey(KeyKind::Rsa { bits: 1024 }))
    );
}

#[test]
fn a_pure_ed25519_signature_needs_the_artifact_itself() {
    let sigstore = Sigstore::new();
    let key = key(KeyKind::Ed25519);
    let policy = Policy::key(key.public_key().clone());
    let digest = HashAlgorithm::Sha256.digest(ARTIFACT);
    let bundle = key_signed(&sigstore, &key, Scheme::Ed25519, digest);
    verify::verify(&artifact(), &bundle, &policy, &sigstore.trust).expect("the artifact is there");
    let digests = policy.algorithms(&bundle).into_iter().map(|hash| hash.digest(ARTIFACT));
    let refusal = verify::verify(&digests.collect(), &bundle, &policy, &sigstore.trust);
    assert_eq!(
        refusal.expect_err("only digests are there"),
        VerifyError::Signature(SignatureError::ArtifactNeeded)
    );
}

/// An envelope signed with a key, and the body that a log has of it.
fn envelope_signed(
    sigstore: &Sigstore,
    key: &SigningKey,
    scheme: Scheme,
    body: impl Fn(&[u8], Vec<u8>) -> Body,
) -> Bundle {
    let payload = crate::acceptance_6::statement(ARTIFACT);
    let pae = dsse::pae(IN_TOTO, &payload);
    let signature = key.sign_with(scheme, &pae).expect("the key can sign");
    let body = body(&payload, signature.clone());
    let entry = match &body {
        Body::IntotoV1(_) | Body::IntotoV2(_) | Body::DsseV1(_) => sigstore.log_v1(&body, signed()),
        _ => sigstore.log_v2(&body),
    };
    let material = VerificationMaterial {
        signer: SignerMaterial::PublicKey { hint: String::new() },
        entries: vec![entry],
        timestamps: Vec::new(),
    };
    let signatures = vec![dsse::Signature { signature, key_id: "whatever".into() }];
    let envelope = Envelope { payload, payload_type: IN_TOTO.into(), signatures };
    Bundle { media_type: MediaType::V0_3, material, content: Content::Dsse(envelope) }
}

fn verifier(key: &SigningKey, key_details: KeyDetails) -> Verifier {
    let material = VerifierMaterial::PublicKey(key.public_key().spki_der().to_vec());
    Verifier { key_details, material }
}

#[test]
fn an_entry_without_a_signature_is_bound_by_the_text_of_the_envelope() {
    let sigstore = Sigstore::new();
    let (p256, sha256) = (key(KeyKind::EcdsaP256), HashAlgorithm::Sha256);
    let policy = Policy::key(p256.public_key().clone());
    let ask = |text: &dyn Fn(&Envelope) -> String| {
        let body = |payload: &[u8], signature: Vec<u8>| {
            let signatures = vec![dsse::Signature { signature, key_id: "whatever".into() }];
            let payload_type = IN_TOTO.to_owned();
            let envelope = Envelope { payload: payload.to_vec(), payload_type, signatures };
            Body::IntotoV1(IntotoV1 {
                hash: sha256.digest(text(&envelope).as_bytes()).into(),
                payload_hash: Some(sha256.digest(payload).into()),
                public_key: p256.public_key().to_pem().into_bytes(),
            })
        };
        let bundle = envelope_signed(&sigstore, &p256, Scheme::Ecdsa(sha256), body);
        verify::verify(&artifact(), &bundle, &policy, &sigstore.trust)
    };
    ask(&Envelope::to_older_json).expect("it is the text that was submitted");
    let refusal = ask(&|envelope| envelope.to_older_json() + " ").expect_err("it is another text");
    let VerifyError::Entry { source, .. } = refusal else { panic!("{refusal:?}") };
    assert!(matches!(source, EntryError::OtherDigest { .. }), "{source:?}");
}

#[test]
fn envelopes_are_verified_in_every_kind_of_entry() {
    let sigstore = Sigstore::new();
    let sha256 = HashAlgorithm::Sha256;
    let check = |key: &SigningKey, bundle: &Bundle| {
        let policy = Policy::key(key.public_key().clone());
        verify::verify(&artifact(), bundle, &policy, &sigstore.trust).expect("it is good")
    };
    let p256 = key(KeyKind::EcdsaP256);
    // Rekor v1 of 2022, whose bodies have base64 in base64.
    let bundle = envelope_signed(&sigstore, &p256, Scheme::Ecdsa(sha256), |payload, signature| {
        Body::IntotoV2(IntotoV2 {
            payload: None,
            payload_type: IN_TOTO.into(),
            signatures: vec![IntotoSignature {
                key_id: String::new(),
                public_key: p256.public_key().to_pem().into_bytes(),
                signature: base64_text(&signature).into_bytes(),
            }],
            hash: sha256.digest(b"whatever the submitter said").into(),
            payload_hash: sha256.digest(payload).into(),
        })
    });
    assert!(check(&p256, &bundle).statement.is_some());
    // Rekor v2 of 2025, which took envelopes as such.
    let p256 = key(KeyKind::EcdsaP256);
    let bundle = envelope_signed(&sigstore, &p256, Scheme::Ecdsa(sha256), |payload, content| {
        let verifier = verifier(&p256, KeyDetails::EcdsaP256Sha256);
        Body::DsseV2(DsseV2 {
            payload_hash: sha256.digest(payload),
            signatures: vec![SignatureV2 { content, verifier }],
        })
    });
    check(&p256, &bundle);
    // Rekor v2 of today, with a prehashed Ed25519 signature.
    let ed25519 = key(KeyKind::Ed25519);
    let bundle = envelope_signed(&sigstore, &ed25519, Scheme::Ed25519ph, |payload, content| {
        Body::HashedRekordV2(HashedRekordV2 {
            data: HashAlgorithm::Sha512.digest(&dsse::pae(IN_TOTO, payload)),
            signature: SignatureV2 { content, verifier: verifier(&ed25519, KeyDetails::Ed25519Ph) },
        })
    });
    check(&ed25519, &bundle);
}

#[test]
fn a_promise_without_a_proof_is_enough_in_version_0_1_only() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer();
    let mut bundle = sigstore.sign(&signer, Api::V1);
    bundle.material.signer = SignerMaterial::Chain(vec![signer.certificate.der().to_vec()]);
    bundle.media_type = MediaType::V0_1;
    bundle.material.entries[0].inclusion_proof = None;
    let verified = verify::verify(&artifact(), &bundle, &policy(), &sigstore.trust);
    assert_eq!(verified.expect("it is good").entries[0].tree, None);
    bundle.media_type = MediaType::V0_2;
    verify::verify(&artifact(), &bundle, &policy(), &sigstore.trust).expect_err("no proof");
}

#[test]
fn the_result_says_what_was_found() {
    let sigstore = Sigstore::new();
    for (api, log) in [(Api::V1, "https://log-v1.example"), (Api::V2, "https://log-v2.example")] {
        let bundle = sigstore.sign(&sigstore.signer(), api);
        let verified = verify::verify(&artifact(), &bundle, &policy(), &sigstore.trust);
        let verified = verified.expect("it is good");
        let Signer::Identity { name, issuer, certified, .. } = &verified.signer else {
            panic!("a certificate was verified")
        };
        assert_eq!((name.text(), issuer.as_str()), (NAME, ISSUER));
        assert_eq!(certified.path.issuers.last(), Some(sigstore.root.certificate()));
        assert_eq!(certified.scts.len(), 1);
        assert_eq!(verified.entries[0].log, log);
        assert_eq!(verified.entries[0].tree.as_ref().map(|(_, size)| *size), Some(3));
        let source = match api {
            Api::V1 => TimeSource::TransparencyLog(log.into()),
            Api::V2 => TimeSource::TimestampAuthority("https://tsa.example".into()),
        };
        assert_eq!(verified.times.len(), 1);
        assert_eq!((verified.times[0].time, &verified.times[0].source), (signed(), &source));
        assert_eq!(verified.left_out, []);
    }
}

#[test]
fn signatures_of_witnesses_under_a_checkpoint_are_passed_over() {
    let sigstore = Sigstore::new();
    for api in [Api::V1, Api::V2] {
        let mut bundle = sigstore.sign(&sigstore.signer(), api);
        let proof = bundle.material.entries[0].inclusion_proof.as_mut().expect("it has a proof");
        let note = SignedNote::parse(proof.checkpoint.as_bytes()).expect("it is a note");
        let witness = |n: u8| Signature {
            name: format!("witness{n}.example"),
            hint: [n; 4],
            bytes: vec![n; 72],
        };
        let log = note.signatures()[0].clone();
        let signatures = vec![witness(1), log, witness(2)];
        proof.checkpoint = SignedNote::new(note.text().to_owned(), signatures).to_string();
        verify::verify(&artifact(), &bundle, &policy(), &sigstore.trust).expect("it is good");
    }
}

#[test]
fn a_private_instance_may_have_a_timestamp_authority_only() {
    let sigstore = Sigstore::new();
    let mut bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    bundle.material.entries.clear();
    let mut trust = sigstore.trust.clone();
    (trust.tlogs, trust.ctlogs) = (Vec::new(), Vec::new());
    let private = danger::ignore_certificate_logs(danger::private_infrastructure(policy()));
    verify::verify(&artifact(), &bundle, &private, &trust).expect("it is good");
    verify::verify(&artifact(), &bundle, &policy(), &trust).expect_err("it was not asked for");
}

#[test]
fn a_trusted_root_of_version_0_2_may_name_logs_by_their_checkpoints() {
    let sigstore = Sigstore::new();
    let bundle = sigstore.sign(&sigstore.signer(), Api::V2);
    let mut trust = sigstore.trust.clone();
    let id = std::mem::take(&mut trust.tlogs[1].log_id);
    verify::verify(&artifact(), &bundle, &policy(), &trust).expect("the id can be computed");
    trust.tlogs[1].checkpoint_key_id = id;
    verify::verify(&artifact(), &bundle, &policy(), &trust).expect("the id is there");
}
