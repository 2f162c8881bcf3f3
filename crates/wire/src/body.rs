//! The bodies of the log entries that bundles carry: what is hashed into a transparency log's tree.
//!
//! A body is JSON in the canonical form of RFC 8785: no blanks, members sorted. The structs here have their
//! members in that order, and hold strings and lists only, so that writing them is canonical. What a log
//! holds is hashed as it stands and never written anew; a test holds our writing against real bodies.

mod read;
mod v1;
mod v2;

use serde::Serialize;

use crate::bundle::KindVersion;
pub use read::BodyError;
pub use v1::{
    DsseV1, DsseV1Signature, HashText, HashedRekordV1, IntotoSignature, IntotoV1, IntotoV2,
};
pub use v2::{DsseV2, HashedRekordV2, SignatureV2, Verifier, VerifierMaterial};

/// The body of a log entry, by kind and version. Kinds that no bundle carries are not here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// `hashedrekord` 0.0.1 (Rekor v1).
    HashedRekordV1(HashedRekordV1),
    /// `dsse` 0.0.1 (Rekor v1).
    DsseV1(DsseV1),
    /// `intoto` 0.0.1 (Rekor v1, what was attached to images before `dsse`).
    IntotoV1(IntotoV1),
    /// `intoto` 0.0.2 (Rekor v1, before `dsse`).
    IntotoV2(IntotoV2),
    /// `hashedrekord` 0.0.2 (Rekor v2).
    HashedRekordV2(HashedRekordV2),
    /// `dsse` 0.0.2 (Rekor v2, in its first year).
    DsseV2(DsseV2),
}

impl Body {
    /// The kind and version as they are written.
    #[must_use]
    pub const fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::HashedRekordV1(_) => ("hashedrekord", "0.0.1"),
            Self::DsseV1(_) => ("dsse", "0.0.1"),
            Self::IntotoV1(_) => ("intoto", "0.0.1"),
            Self::IntotoV2(_) => ("intoto", "0.0.2"),
            Self::HashedRekordV2(_) => ("hashedrekord", "0.0.2"),
            Self::DsseV2(_) => ("dsse", "0.0.2"),
        }
    }

    /// The kind and version as an entry of the log has them beside the body.
    #[must_use]
    pub fn kind_version(&self) -> KindVersion {
        let (kind, version) = self.names();
        KindVersion::new(kind, version)
    }

    /// The canonical bytes that are hashed into the tree.
    ///
    /// # Panics
    ///
    /// Never: a body has no member that JSON could not hold.
    #[must_use]
    pub fn to_canonical(&self) -> Vec<u8> {
        let (kind, version) = self.names();
        match self {
            Self::HashedRekordV1(spec) => write(kind, version, spec),
            Self::DsseV1(spec) => write(kind, version, spec),
            Self::IntotoV1(spec) => write(kind, version, spec),
            Self::IntotoV2(spec) => write(kind, version, spec),
            Self::HashedRekordV2(spec) => write(kind, version, &HashedRekordV002 { spec }),
            Self::DsseV2(spec) => write(kind, version, &DsseV002 { spec }),
        }
    }
}

/// What all bodies have around their `spec`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a, S> {
    api_version: &'static str,
    kind: &'static str,
    spec: &'a S,
}

/// The alternative of the protocol buffer `Spec` that Rekor v2 puts around a hashedrekord.
#[derive(Serialize)]
struct HashedRekordV002<'a> {
    #[serde(rename = "hashedRekordV002")]
    spec: &'a HashedRekordV2,
}

/// The alternative of the protocol buffer `Spec` that Rekor v2 puts around a DSSE entry.
#[derive(Serialize)]
struct DsseV002<'a> {
    #[serde(rename = "dsseV002")]
    spec: &'a DsseV2,
}

fn write<S: Serialize>(kind: &'static str, version: &'static str, spec: &S) -> Vec<u8> {
    let written = Written { api_version: version, kind, spec };
    serde_json::to_vec(&written).expect("a body has only strings, lists and objects")
}
