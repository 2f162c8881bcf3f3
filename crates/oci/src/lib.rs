//! Registries of container images, and directories that are laid out like them.
//!
//! A [`Reference`] names an image. A [`Store`] is where images lie: a [`Repository`] of a registry (OCI Distribution
//! Specification 1.1) or a [`Layout`] (OCI Image Layout 1.0) on disk. It yields [`Document`]s, manifests and indexes with
//! their exact bytes, and blobs; whatever comes out of it has the digest and the length that were asked for. It takes the
//! same, and attaches documents to others as referrers, on registries that know how and on those that do not.
//!
//! What it refuses to know: signatures, and what is in a blob. Start reading at [`Store`].

mod blob;
mod challenge;
mod copy;
mod credentials;
mod descriptor;
mod digest;
mod document;
mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod host;
mod layout;
mod link;
pub mod media_type;
mod patience;
mod reference;
mod registries;
mod repository;
mod store;

pub use blob::BlobReader;
pub use copy::{Copier, CopyError, Step};
pub use credentials::{Credential, CredentialError, Credentials, Keeper};
pub use descriptor::{Descriptor, Platform, PlatformError};
pub use digest::{Digest, DigestError};
pub use document::{Content, Document, DocumentError, Index, MAX_DOCUMENT, Manifest};
pub use failure::{AccessError, AttachError, FetchError, PushError, TokenError};
pub use layout::Layout;
pub use reference::{Reference, ReferenceError, Target};
pub use registries::{Access, Mirror, MirrorError, OwnTls, Registries, Settings};
pub use repository::Repository;
pub use store::{Attached, Store};
