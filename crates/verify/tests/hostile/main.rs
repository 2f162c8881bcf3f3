//! Bundles of hostile makers: what went wrong in other clients must not go wrong here.
//!
//! Every test signs with a small Sigstore of its own, shows that the good bundle is accepted, damages one
//! thing, and names the variant that refuses it. The table in [`acceptance_6::table`] has a row for every
//! advisory that our notes list, with the tests that answer it.

#![allow(clippy::panic, reason = "a test may panic, in its helpers too")]

mod acceptance_6;
mod bag;
mod sigstore;
