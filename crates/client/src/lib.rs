//! What a client of Sigstore does beyond verifying: signing in, signing, and keeping what it trusts.
//!
//! Start reading at [`sign`], which is the client specification's section on signing from top to bottom. Which
//! services it talks to is [`select`]'s to say, whom it trusts [`trust`]'s, who signs [`oidc`]'s. Each service has a
//! module that speaks its API: [`fulcio`], [`tsa`], [`rekor`]. Git objects are [`git`]'s,
//! container images [`image`]'s.
//!
//! **Invariant:** the private key of a keyless signing never leaves memory; nothing here encodes one.

mod answer;
pub mod checksums;
pub mod cores;
pub mod file;
pub mod fulcio;
pub mod git;
pub mod image;
pub mod key_holder;
pub mod maven;
pub mod model;
pub mod oidc;
pub mod predicate;
pub mod rekor;
pub mod release;
pub mod select;
pub mod sign;
pub mod trust;
pub mod tsa;

pub use answer::Refusal;
