//! Identity tokens for signing: found in the environment, or by signing in.

mod token;

pub use token::{IdentityToken, IdentityTokenError, Subject};
