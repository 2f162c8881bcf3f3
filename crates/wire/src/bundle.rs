//! Sigstore bundles: a signature with all that is needed to verify it offline.
//!
//! The messages of `sigstore_bundle.proto` and `sigstore_rekor.proto`, in their JSON form. Reading refuses
//! whatever a bundle cannot mean (client specification §2.2 A); what it means is judged by `verify`.

mod entry;
mod media_type;
mod protobuf;
mod read;
mod write;

use crypto::Digest;

use crate::dsse::Envelope;
pub use entry::{InclusionProof, KindVersion, MAX_PROOF_HASHES, TransparencyLogEntry};
pub use media_type::MediaType;
pub use read::BundleError;
pub(crate) use read::{read_certificate, read_digest};

/// The longest bundle. Attestations of the largest images hold software bills of a hundred megabytes, in base64.
pub const MAX_BUNDLE: usize = 256 << 20;
/// The most log entries in a bundle, as in sigstore-go.
pub const MAX_ENTRIES: usize = 32;
/// The most timestamps in a bundle, as in sigstore-go.
pub const MAX_TIMESTAMPS: usize = 32;
/// The most certificates in a bundle's chain, as in sigstore-go.
pub const MAX_CERTIFICATES: usize = 32;

/// A signature with all that is needed to verify it offline.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bundle {
    /// The version of the format.
    pub media_type: MediaType,
    /// Who signed, and the evidence of when.
    pub material: VerificationMaterial,
    /// What was signed, and the signature.
    pub content: Content,
}

/// Who signed, and the evidence of when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerificationMaterial {
    /// Who signed.
    pub signer: SignerMaterial,
    /// The transparency log entries.
    pub entries: Vec<TransparencyLogEntry>,
    /// RFC 3161 responses, each a DER `TimeStampResp` over the signature's bytes.
    pub timestamps: Vec<Vec<u8>>,
}

/// Who signed: the alternatives of `VerificationMaterial.content`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignerMaterial {
    /// The signer's certificate, DER. Versions 0.3 and later.
    Certificate(Vec<u8>),
    /// The signer's certificate and others, DER, the signer's first; never empty. Versions before 0.3, and later ones that
    /// were signed with a certificate of somebody's own authority.
    Chain(Vec<Vec<u8>>),
    /// A hint at a public key that the verifier has from elsewhere.
    PublicKey {
        /// Free text; often base64 of the SHA-256 of the key.
        hint: String,
    },
}

impl SignerMaterial {
    /// The signer's certificate, DER, if the bundle has one.
    #[must_use]
    pub fn leaf(&self) -> Option<&[u8]> {
        match self {
            Self::Certificate(leaf) => Some(leaf),
            Self::Chain(chain) => chain.first().map(Vec::as_slice),
            Self::PublicKey { .. } => None,
        }
    }
}

/// What was signed: the alternatives of `Bundle.content`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// A signature over an artifact that is elsewhere.
    Message(MessageSignature),
    /// A signed payload, with exactly one signature.
    Dsse(Envelope),
}

impl Content {
    /// The signature's bytes, over which timestamps are made.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        match self {
            Self::Message(message) => &message.signature,
            Self::Dsse(envelope) => {
                envelope.signatures.first().map_or(&[], |signature| &signature.signature)
            }
        }
    }
}

/// A signature over an artifact that is elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageSignature {
    /// The artifact's digest. It is a hint: never proof of anything.
    pub digest: Option<Digest>,
    /// The signature's bytes.
    pub signature: Vec<u8>,
}
