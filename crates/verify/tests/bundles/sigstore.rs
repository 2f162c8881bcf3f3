//! A small Sigstore: an authority, a certificate log, two transparency logs and a timestamp authority, all
//! in memory. What it signs is good; tests then damage one thing.

use std::sync::Arc;

use crypto::{HashAlgorithm, KeyDetails, KeyKind, Scheme, SigningKey, random_array};
use jiff::{SignedDuration, Timestamp};
use merkle::note::{KeyId, Signature};
use merkle::{Checkpoint, Hash, SignedNote, TreeSize};
use pki::chain::Purpose;
use pki::fulcio::{self, LeafContents, San};
use pki::issue::{self, Issuer, LeafRequest, Serial, Validity};
use pki::sct::Sct;
use pki::tsp::{Policy as TimestampPolicy, Request, TokenSigner};
use pki::{Certificate, DistinguishedName};
use wire::body::{
    Body, DsseV1, DsseV1Signature, HashedRekordV1, HashedRekordV2, SignatureV2, Verifier,
    VerifierMaterial,
};
use wire::bundle::{
    Bundle, Content, InclusionProof, MediaType, MessageSignature, SignerMaterial,
    TransparencyLogEntry, VerificationMaterial,
};
use wire::dsse::{self, Envelope, IN_TOTO};
use wire::json::base64_text;
use wire::trusted_root::{Authority, LogInstance, TimeRange, TrustedRoot};

/// Who signs.
pub(crate) const NAME: &str = "signer@example.com";
/// Who vouches for the signer's name.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// Where the signer's source is, by an extension of the certificate.
pub(crate) const SOURCE: &str = "https://example.com/source";
/// What is signed.
pub(crate) const ARTIFACT: &[u8] = b"an artifact";

const LOG_V1: &str = "log-v1.example";
const LOG_V2: &str = "log-v2.example";

/// When the instance began.
pub(crate) fn began() -> Timestamp {
    time("2026-01-01T00:00:00Z")
}

/// When the signer's certificate was issued.
pub(crate) fn issued() -> Timestamp {
    time("2026-06-01T12:00:00Z")
}

/// When the signature was made, and logged.
pub(crate) fn signed() -> Timestamp {
    time("2026-06-01T12:01:00Z")
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("the tests know how to write times")
}

/// The API of the log that holds a signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Api {
    V1,
    V2,
}

/// The whole instance.
pub(crate) struct Sigstore {
    pub(crate) trust: TrustedRoot,
    pub(crate) root: Issuer,
    pub(crate) intermediate: Issuer,
    certificate_log: SigningKey,
    log_v1: SigningKey,
    log_v2: SigningKey,
    timestamps: TokenSigner,
}

/// A signer with a certificate.
pub(crate) struct Signer {
    pub(crate) key: SigningKey,
    pub(crate) certificate: Certificate,
}

fn key(kind: KeyKind) -> SigningKey {
    SigningKey::generate(kind).expect("keys can be generated")
}

fn serial() -> Serial {
    Serial::from_random(random_array())
}

fn subject(name: &str) -> DistinguishedName {
    DistinguishedName::new("example", name).expect("the name is short")
}

fn issuer(certificate: Certificate, key: &Arc<SigningKey>) -> Issuer {
    Issuer::new(certificate, Arc::clone(key)).expect("the key is the certificate's")
}

fn years(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * 365 * count)
}

impl Sigstore {
    pub(crate) fn new() -> Self {
        let ten_years = Validity::starting(began(), years(10));
        let root_key = Arc::new(key(KeyKind::EcdsaP256));
        let root = issue::root(&root_key, &subject("root"), ten_years, serial()).expect("a root");
        let root = issuer(root, &root_key);
        let ca_key = Arc::new(key(KeyKind::EcdsaP256));
        let ca = root.intermediate(
            ca_key.public_key(),
            &subject("intermediate"),
            Purpose::CodeSigning,
            Validity::starting(began(), years(5)),
            serial(),
        );
        let intermediate = issuer(ca.expect("an intermediate"), &ca_key);
        let timestamps = timestamp_authority(&root);
        let (ct, v1, v2) =
            (key(KeyKind::EcdsaP256), key(KeyKind::EcdsaP256), key(KeyKind::Ed25519));
        let chain = [intermediate.certificate(), root.certificate()].map(|c| c.der().to_vec());
        let trust = TrustedRoot {
            tlogs: vec![
                log(LOG_V1, &v1, KeyId::of_key(v1.public_key())),
                log(LOG_V2, &v2, KeyId::for_key(LOG_V2, v2.public_key())),
            ],
            ctlogs: vec![log("ct.example", &ct, KeyId::of_key(ct.public_key()))],
            certificate_authorities: vec![authority("ca.example", chain.to_vec())],
            timestamp_authorities: vec![authority(
                "tsa.example",
                timestamps.chain().iter().map(|c| c.der().to_vec()).collect(),
            )],
            ..TrustedRoot::default()
        };
        Self { trust, root, intermediate, certificate_log: ct, log_v1: v1, log_v2: v2, timestamps }
    }

    /// Somebody with a new key and a certificate for it.
    pub(crate) fn signer(&self) -> Signer {
        self.signer_with(KeyKind::EcdsaP256, &contents(&San::Email(NAME.into()), ISSUER))
    }

    /// Somebody with a new key of this kind and a certificate that says this.
    pub(crate) fn signer_with(&self, kind: KeyKind, contents: &LeafContents) -> Signer {
        let key = key(kind);
        let certificate = self.certify(&self.intermediate, &key, contents, issued());
        Signer { key, certificate }
    }

    /// Issues a certificate, and promises to log it.
    pub(crate) fn certify(
        &self,
        by: &Issuer,
        key: &SigningKey,
        contents: &LeafContents,
        from: Timestamp,
    ) -> Certificate {
        let validity = Validity::starting(from, SignedDuration::from_mins(10));
        let request = LeafRequest { key: key.public_key(), contents, serial: serial(), validity };
        let precertificate = by.precertificate(&request).expect("the request is good");
        let millis = u64::try_from(from.as_millisecond()).expect("it is after 1970");
        let (entry, log) = (precertificate.entry(), &self.certificate_log);
        let sct = Sct::sign(log, entry, millis, Vec::new()).expect("the log can sign");
        let promise = sct.verify(entry, log.public_key()).expect("the log signed");
        precertificate.finish(&promise).expect("it is the same certificate")
    }

    /// Signs the artifact.
    pub(crate) fn sign(&self, signer: &Signer, api: Api) -> Bundle {
        self.sign_artifact(signer, api, ARTIFACT)
    }

    /// Signs some artifact.
    pub(crate) fn sign_artifact(&self, signer: &Signer, api: Api, artifact: &[u8]) -> Bundle {
        let digest = HashAlgorithm::Sha256.digest(artifact);
        let signature = signer.sign(artifact);
        let body = match api {
            Api::V1 => Body::HashedRekordV1(HashedRekordV1 {
                hash: digest.into(),
                signature: signature.clone(),
                public_key: signer.certificate.to_pem().into_bytes(),
            }),
            Api::V2 => Body::HashedRekordV2(HashedRekordV2 {
                data: digest,
                signature: signer.logged_signature(&signature),
            }),
        };
        let content = MessageSignature { digest: Some(digest), signature };
        self.bundle(signer, api, Content::Message(content), &body)
    }

    /// Signs a statement.
    pub(crate) fn attest(&self, signer: &Signer, api: Api, payload: &[u8]) -> Bundle {
        let signature = signer.sign(&dsse::pae(IN_TOTO, payload));
        self.attest_with(signer, api, IN_TOTO, payload, signature)
    }

    /// Logs an envelope with a signature that was made elsewhere, good or not.
    pub(crate) fn attest_with(
        &self,
        signer: &Signer,
        api: Api,
        payload_type: &str,
        payload: &[u8],
        signature: Vec<u8>,
    ) -> Bundle {
        let body = match api {
            Api::V1 => Body::DsseV1(DsseV1 {
                envelope_hash: HashAlgorithm::Sha256.digest(b"the text is not kept").into(),
                payload_hash: HashAlgorithm::Sha256.digest(payload).into(),
                signatures: vec![DsseV1Signature {
                    signature: base64_text(&signature),
                    verifier: signer.certificate.to_pem().into_bytes(),
                }],
            }),
            Api::V2 => Body::HashedRekordV2(HashedRekordV2 {
                data: HashAlgorithm::Sha256.digest(&dsse::pae(payload_type, payload)),
                signature: signer.logged_signature(&signature),
            }),
        };
        let envelope = Envelope {
            payload: payload.to_vec(),
            payload_type: payload_type.to_owned(),
            signatures: vec![dsse::Signature { signature, key_id: String::new() }],
        };
        self.bundle(signer, api, Content::Dsse(envelope), &body)
    }

    fn bundle(&self, signer: &Signer, api: Api, content: Content, body: &Body) -> Bundle {
        let (entry, timestamps) = match api {
            Api::V1 => (self.log_v1(body, signed()), Vec::new()),
            Api::V2 => (self.log_v2(body), vec![self.timestamp(content.signature(), signed())]),
        };
        let signer = SignerMaterial::Certificate(signer.certificate.der().to_vec());
        Bundle {
            media_type: MediaType::V0_3,
            material: VerificationMaterial { signer, entries: vec![entry], timestamps },
            content,
        }
    }

    /// A timestamp for `message`.
    pub(crate) fn timestamp(&self, message: &[u8], time: Timestamp) -> Vec<u8> {
        timestamp_by(&self.timestamps, message, time)
    }

    /// Takes an entry into the log of version 1.
    pub(crate) fn log_v1(&self, body: &Body, time: Timestamp) -> TransparencyLogEntry {
        let body_bytes = body.to_canonical();
        let (proof, _) = prove(&body_bytes, "log-v1.example - 42", LOG_V1, &self.log_v1);
        let mut entry = TransparencyLogEntry {
            // Three shards before this one had a thousand entries.
            log_index: 1000 + proof.log_index,
            log_id: self.log_v1.public_key().id().to_vec(),
            kind_version: body.kind_version(),
            integrated_time: time.as_second(),
            inclusion_promise: None,
            inclusion_proof: Some(proof),
            canonicalized_body: body_bytes,
        };
        entry.inclusion_promise = Some(self.promise(&entry));
        entry
    }

    /// The promise of the log of version 1 for what `entry` says.
    pub(crate) fn promise(&self, entry: &TransparencyLogEntry) -> Vec<u8> {
        let signed = serde_json_text(entry);
        self.log_v1.sign(signed.as_bytes()).expect("the log can sign")
    }

    /// Takes an entry into the log of version 2.
    pub(crate) fn log_v2(&self, body: &Body) -> TransparencyLogEntry {
        let body_bytes = body.to_canonical();
        let (proof, id) = prove(&body_bytes, LOG_V2, LOG_V2, &self.log_v2);
        TransparencyLogEntry {
            log_index: proof.log_index,
            log_id: id.as_bytes().to_vec(),
            kind_version: body.kind_version(),
            integrated_time: 0,
            inclusion_promise: None,
            inclusion_proof: Some(proof),
            canonicalized_body: body_bytes,
        }
    }

    /// A checkpoint with this text, signed by the log of version 2 under `name`.
    pub(crate) fn sign_note(&self, name: &str, text: &str) -> String {
        note(text, name, &self.log_v2)
    }
}

impl Signer {
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign_with(Scheme::default_for(self.key.kind()), message).expect("it can sign")
    }

    pub(crate) fn logged_signature(&self, signature: &[u8]) -> SignatureV2 {
        SignatureV2 {
            content: signature.to_vec(),
            verifier: Verifier {
                key_details: KeyDetails::EcdsaP256Sha256,
                material: VerifierMaterial::Certificate(self.certificate.der().to_vec()),
            },
        }
    }
}

/// What a certificate says of its holder.
pub(crate) fn contents(name: &San, issuer: &str) -> LeafContents {
    let source = fulcio::by_yaml_key("source-repository-uri").expect("it is known");
    LeafContents {
        san: name.clone(),
        extensions: vec![
            (fulcio::ISSUER.oid, fulcio::ISSUER.encode(issuer)),
            (fulcio::ISSUER_V2.oid, fulcio::ISSUER_V2.encode(issuer)),
            (source.oid, source.encode(SOURCE)),
        ],
    }
}

/// A timestamp authority below `root`.
pub(crate) fn timestamp_authority(root: &Issuer) -> TokenSigner {
    let key = Arc::new(key(KeyKind::EcdsaP256));
    let validity = Validity::starting(began(), years(5));
    let leaf = root
        .timestamp_signer(key.public_key(), &subject("timestamps"), validity, serial())
        .expect("a timestamp authority");
    let chain = vec![leaf, root.certificate().clone()];
    TokenSigner::new(key, chain, Some(HashAlgorithm::Sha256), true, issued()).expect("it is good")
}

/// A timestamp for `message` by some authority.
pub(crate) fn timestamp_by(signer: &TokenSigner, message: &[u8], time: Timestamp) -> Vec<u8> {
    let request = Request {
        imprint: HashAlgorithm::Sha256.digest(message),
        policy: None,
        nonce: None,
        certificates: true,
        extensions: None,
    };
    let policy = TimestampPolicy::from_dotted("1.3.6.1.4.1.57264.2").expect("it is a policy");
    signer.grant(&request, &policy, time, random_array()).expect("the authority can sign")
}

/// An authority as a trusted root has it.
pub(crate) fn authority(host: &str, chain: Vec<Vec<u8>>) -> Authority {
    Authority {
        organization: "example".into(),
        common_name: host.into(),
        uri: format!("https://{host}"),
        chain,
        valid_for: TimeRange::since(began()),
        operator: String::new(),
    }
}

fn log(host: &str, key: &SigningKey, id: KeyId) -> LogInstance {
    LogInstance {
        base_url: format!("https://{host}"),
        hash_algorithm: HashAlgorithm::Sha256,
        public_key: key.public_key().spki_der().to_vec(),
        key_details: match key.kind() {
            KeyKind::Ed25519 => KeyDetails::Ed25519,
            _ => KeyDetails::EcdsaP256Sha256,
        },
        valid_for: TimeRange::since(began()),
        log_id: id.as_bytes().to_vec(),
        checkpoint_key_id: Vec::new(),
        operator: String::new(),
    }
}

/// What a log of version 1 promises: the four members of its signed entry timestamp.
fn serde_json_text(entry: &TransparencyLogEntry) -> String {
    let body = base64_text(&entry.canonicalized_body);
    let (time, index) = (entry.integrated_time, entry.log_index);
    let id = hex::encode(&entry.log_id);
    format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#)
}

/// The proof that a body is the third and last entry of a log.
fn prove(body: &[u8], origin: &str, name: &str, key: &SigningKey) -> (InclusionProof, KeyId) {
    let before = Hash::node(&Hash::leaf(b"first"), &Hash::leaf(b"second"));
    let root = Hash::node(&before, &Hash::leaf(body));
    let text = Checkpoint {
        origin: origin.to_owned(),
        size: TreeSize::new(3),
        root,
        extensions: Vec::new(),
    };
    let proof = InclusionProof {
        log_index: 2,
        root_hash: Some(*root.as_bytes()),
        tree_size: 3,
        hashes: vec![*before.as_bytes()],
        checkpoint: note(&text.to_string(), name, key),
    };
    (proof, KeyId::for_key(name, key.public_key()))
}

/// A text signed by a log.
pub(crate) fn note(text: &str, name: &str, key: &SigningKey) -> String {
    let bytes = key.sign(text.as_bytes()).expect("the log can sign");
    let hint = KeyId::for_key(name, key.public_key()).hint();
    let signature = Signature { name: name.to_owned(), hint, bytes };
    SignedNote::new(text.to_owned(), vec![signature]).to_string()
}
