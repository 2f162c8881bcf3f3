//! The certificate authority, whole: its API over its router, in front of a CT log and an issuer that are
//! played by the tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, in its helpers too")]

mod authority;
mod golden;
mod hostile;
mod issued;
