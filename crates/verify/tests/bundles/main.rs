//! Bundles as honest signers make them, and as hostile ones do.
//!
//! Every test signs with a small Sigstore of its own. The hostile ones then damage one thing and name the
//! variant that refuses it; what went wrong in other clients must not go wrong here. The table in
//! [`acceptance_6::table`] has a row for every advisory that our notes list, with the tests that answer it.

#![allow(clippy::panic, reason = "a test may panic, in its helpers too")]

mod acceptance_6;
mod bag;
mod good;
mod own;
mod sigstore;
