//! Container images: signing them, saying something about them, and finding out who did.
//!
//! ```text
//! reference → resolved once → digest → statement → sign::Signer → attached beside the image
//! reference → resolved once → digest → candidates, within limits → verify::verify, each → proven | rejected
//! ```
//!
//! What is attached is a bundle in a referrer of the image ([`referrer`]), or, for verifiers that read nothing else, a layer
//! under a tag of its own ([`legacy`]). Nothing here judges: a candidate of either form is a bundle, and `verify::verify`
//! says whether it holds. Start reading at [`signing::sign`] and [`verifying::verify`].

#![allow(clippy::result_large_err, reason = "errors here end a command, and have digests as facts")]

pub mod attached;
pub mod candidate;
pub mod legacy;
pub mod referrer;
pub mod replacing;
pub mod signing;
pub mod statement;
pub mod subject;
pub mod together;
mod verdict;
pub mod verifying;

use oci::{Store, Target};

/// An image, as somebody asks for it.
#[derive(Clone, Debug)]
pub struct Image {
    /// The name of its repository, such as `index.docker.io/library/alpine`; a path, where it lies on disk.
    pub name: String,
    /// The tag or the digest.
    pub target: Target,
    /// Where the image lies.
    pub store: Store,
    /// Where signatures and attestations are: beside the image, unless somebody says otherwise.
    pub attachments: Store,
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.target {
            Target::Tag(tag) => write!(f, "{}:{tag}", self.name),
            Target::Digest(digest) => write!(f, "{}@{digest}", self.name),
        }
    }
}
