//! Signatures of git's commits, tags and push certificates, in the format that gitsign made: CMS with the evidence inside.
//!
//! Nothing here judges: a signature is turned into the bundle that it holds the parts of, and that is for `verify`.
//!
//! ```text
//! object ─ split ─► content + armored signature ─ read ─► GitSignature ─ bind ─► BoundSignature ─ verify ─► Verified
//! ```
//!
//! Whose signatures a repository trusts is [`allowed`]'s to say, what git knows [`repository`]'s; [`agent`] keeps the key
//! of a signer for the ten minutes of a certificate.

pub mod agent;
pub mod allowed;
mod armor;
pub mod object;
pub mod repository;
mod signature;
mod signing;

pub use signature::{BoundSignature, GitSignature, OtherObject, SignatureError, armored};
pub use signing::{SignObjectError, SignedObject, sign};
