//! The kinds of entries that the transparency logs take.
//!
//! A kind judges what someone proposes to log, checks its signature, and makes the canonical body that is hashed
//! into the tree, the keys under which the entry can be found, and the attestation that is stored beside the
//! log. It reads no files, asks no clock, opens no connection and remembers nothing. It knows no log:
//! indices, times and proofs are the affair of others.
//!
//! Start reading at [`V1`], the list of the kinds that the API v1 takes, and [`admit_v1`]. The API v2 has one
//! kind, [`hashedrekord_v002`], by [`admit_v2`].

mod base64;
mod dsse_v001;
mod envelope;
mod hashedrekord_v001;
pub mod hashedrekord_v002;
mod intoto_v002;
pub mod json;
mod proposed;
mod refusal;
mod signature;
mod spec;
mod statement;

use wire::rekor_v2::{CreateEntryRequest, Proposal};

pub use proposed::{admit_v1, look_up_v1};
pub use refusal::{AdmitError, EntryError};

use json::Json;

/// Every kind that is proposed as `{kind, apiVersion, spec}`.
pub const V1: &[&dyn Kind] =
    &[&dsse_v001::Dsse, &hashedrekord_v001::HashedRekord, &intoto_v002::Intoto];

/// One kind of entry, at one version.
pub trait Kind: Sync {
    /// The kind as it is written in entries, such as `hashedrekord`.
    fn kind(&self) -> &'static str;

    /// The version as it is written in entries, such as `0.0.1`.
    fn version(&self) -> &'static str;

    /// Judges the `spec` of an entry that someone proposes to add.
    ///
    /// # Errors
    ///
    /// [`EntryError`]: the proposer's to fix.
    fn admit(&self, spec: Json<'_>) -> Result<Entry, EntryError>;

    /// The canonical body of an entry with this `spec`, which may be as proposed or as it stands in the log.
    /// Signatures are checked where what they sign is there.
    ///
    /// # Errors
    ///
    /// [`EntryError`].
    fn look_up(&self, spec: Json<'_>) -> Result<Vec<u8>, EntryError> {
        self.admit(spec).map(|entry| entry.body)
    }
}

/// An entry that may be added to a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The kind, as it is written in the body.
    pub kind: &'static str,
    /// The version of the kind, as it is written in the body.
    pub version: &'static str,
    /// The canonical bytes (RFC 8785) that are hashed into the tree.
    pub body: Vec<u8>,
    /// The keys under which the entry can be found, in their order; a key may be there twice. An index makes
    /// them lower-case.
    pub index_keys: Vec<String>,
    /// What is to be stored beside the log.
    pub attestation: Option<Attestation>,
}

/// Bytes that are stored beside the log and answered with their entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attestation {
    /// What the bytes are called: `sha256:` and their digest in hex.
    pub key: String,
    /// The bytes.
    pub data: Vec<u8>,
}

/// Judges a request of the API v2.
///
/// # Errors
///
/// [`AdmitError::NotHashedRekord`] if nothing or another kind is proposed, else [`AdmitError::Entry`].
pub fn admit_v2(request: CreateEntryRequest) -> Result<Entry, AdmitError> {
    match request.proposal {
        Some(Proposal::HashedRekord(proposed)) => Ok(hashedrekord_v002::admit(proposed)?),
        Some(Proposal::Dsse) | None => Err(AdmitError::NotHashedRekord),
    }
}
