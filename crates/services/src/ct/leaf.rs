//! A leaf of the log and what is kept beside it, in the forms that the read APIs give it.

use pki::sct::{Sct, SctFormatError, TlsReader, leaf_index_extension, put_u16_list, put_u24_list};
use tlog::LoggedEntry;

use super::issuers::Fingerprint;

/// The first bytes of a `MerkleTreeLeaf`: version v1, type timestamped_entry.
const LEAF_HEADER: usize = 2;
/// `LogEntryType` precert_entry, RFC 6962 §3.1.
const PRECERT_ENTRY: u16 = 1;
/// `LogEntryType` x509_entry.
const X509_ENTRY: u16 = 0;

/// What is kept beside a leaf.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Metadata {
    /// The SCT's `DigitallySigned`.
    pub(super) digitally_signed: Vec<u8>,
    /// For a precertificate, the certificate with its poison.
    pub(super) precertificate: Option<Vec<u8>>,
    /// The fingerprints of its issuers, up to the root.
    pub(super) issuers: Vec<Fingerprint>,
}

impl Metadata {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_u16_list(&mut bytes, &self.digitally_signed);
        put_u24_list(&mut bytes, self.precertificate.as_deref().unwrap_or_default());
        put_u16_list(&mut bytes, &self.issuers.concat());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, SctFormatError> {
        let mut reader = TlsReader::new(bytes);
        let digitally_signed = reader.u16_list()?.to_vec();
        let precertificate = reader.u24_list()?.to_vec();
        let precertificate = Some(precertificate).filter(|der| !der.is_empty());
        let issuers = fingerprints(reader.u16_list()?)?;
        reader.finish()?;
        Ok(Self { digitally_signed, precertificate, issuers })
    }
}

fn fingerprints(bytes: &[u8]) -> Result<Vec<Fingerprint>, SctFormatError> {
    let mut reader = TlsReader::new(bytes);
    let mut fingerprints = Vec::new();
    while !reader.is_empty() {
        fingerprints.push(reader.array()?);
    }
    Ok(fingerprints)
}

/// A leaf of a log of ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogLeaf {
    pub(super) index: u64,
    pub(super) time_ms: u64,
    pub(super) merkle_tree_leaf: Vec<u8>,
    pub(super) metadata: Metadata,
}

impl LogLeaf {
    /// Reads what the engine keeps; `None` if it is not what this log wrote.
    #[must_use]
    pub fn read(logged: &LoggedEntry) -> Option<Self> {
        Some(Self {
            index: logged.index.get(),
            time_ms: u64::try_from(logged.time.as_millisecond()).ok()?,
            merkle_tree_leaf: logged.entry.to_vec(),
            metadata: Metadata::decode(&logged.metadata).ok()?,
        })
    }

    /// The promise that was given for it, byte for byte.
    #[must_use]
    pub fn sct(&self, log_id: [u8; 32]) -> Sct {
        Sct {
            log_id,
            timestamp_ms: self.time_ms,
            extensions: leaf_index_extension(self.index),
            digitally_signed: self.metadata.digitally_signed.clone(),
        }
    }

    /// The `MerkleTreeLeaf`: `leaf_input` of `get-entries`.
    #[must_use]
    pub fn merkle_tree_leaf(&self) -> &[u8] {
        &self.merkle_tree_leaf
    }

    /// The fingerprints of its issuers, the issuing one first.
    #[must_use]
    pub fn issuers(&self) -> &[Fingerprint] {
        &self.metadata.issuers
    }

    /// The `extra_data` of `get-entries`, RFC 6962 §4.6: the chain, and before it the precertificate.
    #[must_use]
    pub fn extra_data(&self, chain: &[&[u8]]) -> Vec<u8> {
        let mut issuers = Vec::new();
        for der in chain {
            put_u24_list(&mut issuers, der);
        }
        let mut bytes = Vec::new();
        if let Some(precertificate) = &self.metadata.precertificate {
            put_u24_list(&mut bytes, precertificate);
        }
        put_u24_list(&mut bytes, &issuers);
        bytes
    }

    /// The `TileLeaf` of a data tile, C2SP static-ct-api "Log Entries".
    #[must_use]
    pub fn tile_leaf(&self) -> Vec<u8> {
        let timestamped_entry = self.merkle_tree_leaf.get(LEAF_HEADER..).unwrap_or_default();
        let mut bytes = timestamped_entry.to_vec();
        if let Some(precertificate) = &self.metadata.precertificate {
            put_u24_list(&mut bytes, precertificate);
        }
        put_u16_list(&mut bytes, &self.metadata.issuers.concat());
        bytes
    }
}

/// An entry of a data tile of any static-ct-api log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TileLeaf {
    /// The bytes that are hashed into the tree: `MerkleTreeLeaf`.
    pub merkle_tree_leaf: Vec<u8>,
    /// Its time in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// The certificate, or for a precertificate the one with its poison.
    pub certificate: Vec<u8>,
    /// Whether it is a precertificate.
    pub is_precertificate: bool,
    /// `CtExtensions`, which hold the index.
    pub extensions: Vec<u8>,
    /// The fingerprints of its issuers.
    pub issuers: Vec<Fingerprint>,
}

impl TileLeaf {
    /// Reads all entries of a data tile.
    ///
    /// # Errors
    ///
    /// [`SctFormatError`] if they are not whole `TileLeaf`s, or more than 256.
    pub fn read_tile(bytes: &[u8]) -> Result<Vec<Self>, SctFormatError> {
        let mut reader = TlsReader::new(bytes);
        let mut leaves = Vec::new();
        while !reader.is_empty() {
            if leaves.len() == 256 {
                return Err(SctFormatError);
            }
            leaves.push(Self::read(&mut reader)?);
        }
        Ok(leaves)
    }

    fn read(reader: &mut TlsReader<'_>) -> Result<Self, SctFormatError> {
        let start = *reader;
        let timestamp_ms = u64::from_be_bytes(reader.array()?);
        let kind = u16::from_be_bytes(reader.array()?);
        let is_precertificate = match kind {
            X509_ENTRY => false,
            PRECERT_ENTRY => true,
            _ => return Err(SctFormatError),
        };
        if is_precertificate {
            // issuer_key_hash
            reader.array::<32>()?;
        }
        let body = reader.u24_list()?;
        let extensions = reader.u16_list()?.to_vec();
        let entry = start.up_to(reader);
        let certificate = if is_precertificate { reader.u24_list()? } else { body }.to_vec();
        let issuers = fingerprints(reader.u16_list()?)?;
        let merkle_tree_leaf = [&[0; LEAF_HEADER], entry].concat();
        Ok(Self {
            merkle_tree_leaf,
            timestamp_ms,
            certificate,
            is_precertificate,
            extensions,
            issuers,
        })
    }
}
