//! Hostile proposals. Each has a twin that differs in one thing and is admitted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

mod envelope;
mod json;
mod key;
mod proposal;
mod signature;
