//! Timestamps, RFC 3161: requests, tokens, refusals, and whom to believe.
//!
//! [`Request::from_der`] and [`TokenSigner::grant`] are the authority's side, [`Token::from_der`] and
//! [`Token::verify`] the other.

mod authority;
mod integer;
mod policy;
mod rejection;
mod request;
mod signer;
mod token;

use crate::Oid;

pub use authority::{Authority, TokenError, VerifiedTimestamp};
pub use integer::Integer;
pub use policy::{MAX_COMPONENTS, Policy, PolicyError};
pub use rejection::{FailInfo, rejection};
pub use request::{Request, RequestError};
pub use signer::{SignerError, TokenSigner};
pub use token::{MAX_RESPONSE, Token, TokenFormatError};

/// The content type `id-ct-TSTInfo`, RFC 3161 §2.4.2.
const TST_INFO: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// The attribute `id-aa-signingCertificate`, RFC 2634 §5.4.
const SIGNING_CERTIFICATE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.2.12");
/// The attribute `id-aa-signingCertificateV2`, RFC 5035 §3.
const SIGNING_CERTIFICATE_V2: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.2.47");

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
