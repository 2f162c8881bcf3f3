//! Images with what cosign attached to them, in both forms, and with what nobody honest would attach.
//!
//! `cosign.json` was written by cosign 3.1.3 and 2.6.5 against a server of ours. Every hostile test damages one thing of it,
//! and has a twin without the damage that is accepted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

mod deadlines;
#[allow(dead_code, reason = "what the registry's own tests need of it, too")]
#[path = "../../../oci/tests/registry/fake.rs"]
mod fake;
mod good;
mod hostile;
#[path = "../../../oci/tests/registry/hurry.rs"]
mod hurry;
mod moving;
mod own;
mod place;
mod replace;
mod table;
