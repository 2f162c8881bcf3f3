//! OpenSSF Model Signing 1.0: one statement about all files of a model or a data set.
//!
//! The statement has one subject, the model, whose SHA-256 is over the digests of its *resources* one after the other. A
//! resource is a file, or a shard of one; the predicate lists them all. Reading accepts the experimental form 0.1 as well,
//! in which each file is a subject.
//!
//! Start reading at [`Manifest`]. Whether a manifest was signed, and whether a directory is as it says, is judged by
//! `verify`.

mod name;
mod read;
mod serialization;
mod write;

use crypto::{ContentDigest, Digest, HashAlgorithm, Hasher};

pub use name::{ModelPath, PathError, ResourceName};
pub use read::ManifestError;
pub use serialization::{DEFAULT_SHARD_SIZE, Method, Serialization};

/// The type of predicates to write.
pub const SIGNATURE_V1: &str = "https://model_signing/signature/v1.0";
/// The type of predicates that experimental signers wrote.
pub const DIGESTS_V0_1: &str = "https://model_signing/Digests/v0.1";

/// What belongs to the history of a model, not to the model: not signed unless that is wanted.
pub const GIT_PATHS: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// The most resources of one manifest. Each has some hundred bytes in the statement, and a bundle has a limit.
pub const MAX_RESOURCES: usize = 500_000;

/// Everything that a model consists of.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The name of the model: of its directory, when it was signed. Only for people.
    pub model: String,
    /// How the files were hashed.
    pub serialization: Serialization,
    /// The resources in the order of their names, or in the order in which a signer listed them; no name comes twice.
    resources: Vec<Resource>,
}

/// A file of a model, or a shard of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    /// Its name.
    pub name: ResourceName,
    /// Its digest.
    pub digest: ContentDigest,
}

impl Manifest {
    /// The manifest of a model on this machine.
    ///
    /// The resources are put in the order in which signers list them: by the components of their paths, then by where a
    /// shard begins.
    #[must_use]
    pub fn new(model: String, serialization: Serialization, mut resources: Vec<Resource>) -> Self {
        resources.sort_by(|one, other| one.name.cmp(&other.name));
        Self { model, serialization, resources }
    }

    /// The files, or their shards.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The digest of the whole model: SHA-256 over the resources' digests in their order, whatever function made those.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut hasher = Hasher::new(HashAlgorithm::Sha256);
        for resource in &self.resources {
            hasher.update(resource.digest.as_bytes());
        }
        hasher.finish()
    }
}
