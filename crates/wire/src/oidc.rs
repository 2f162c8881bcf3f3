//! OpenID Connect and OAuth 2.0 messages, as Sigstore clients and identity providers exchange them.

mod claims;
mod device;
mod discovery;
mod jwt;
mod key_set;
mod token;

pub use claims::{FederatedClaims, IdTokenClaims, UserInfo};
pub use device::DeviceAuthorization;
pub use discovery::Discovery;
pub use jwt::{CompactJwt, JwtError, MAX_TOKEN};
pub use key_set::{Jwk, JwkSet};
pub use token::{ErrorResponse, TokenResponse};

/// The client identifier that every Sigstore client has, and the audience of its tokens.
pub const CLIENT_ID: &str = "sigstore";

/// The redirect URI of a client that no browser can return to: the user copies the code.
pub const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// The grant type of RFC 8628 §3.4.
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
