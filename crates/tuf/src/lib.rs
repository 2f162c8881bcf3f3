//! The Update Framework 1.0: metadata, their signatures, a publisher and a client.
//!
//! The crate knows no clock, no network and no directory: time is an argument, bytes come from a [`Fetch`] and are kept
//! in a [`MetadataStore`]. It knows nothing of Sigstore either: targets are names and bytes.
//!
//! Metadata come in two types. [`Unverified`] is what a file says; only [`Unverified::verify`] (and its kin for roots)
//! makes a [`Verified`] of it, and everything that decides takes that.
//!
//! Start reading at [`metadata`](Root) for the files, [`publish`] for making them, [`TrustedSet`] for the client's rules
//! and [`refresh`] for the client's procedure.

mod canonical;
mod delegation;
mod fetch;
mod file_hash;
mod key;
mod metadata;
mod name;
pub mod publish;
mod trusted;
mod update;
mod verify;

pub use canonical::{CanonicalError, canonical_json};
pub use delegation::{Delegation, Delegations};
pub use fetch::{Fetch, MemoryStore, MetadataStore};
pub use file_hash::{FileHashes, MismatchError};
pub use key::{Key, KeyId};
pub use metadata::{MetaFile, Role, RoleKeys, Root, Snapshot, TargetFile, Targets, Timestamp};
pub use name::{TargetName, TargetNameError};
pub use trusted::{Expiry, RoleExpiry, TrustError, TrustedSet};
pub use update::{UpdateError, download, find_target, load, refresh};
pub use verify::{ParseError, Unverified, Verified, VerifyError};

/// The version of the specification that metadata of ours follow. Go clients look at the first component only;
/// python-tuf wants two or three.
pub const SPEC_VERSION: &str = "1.0.31";
