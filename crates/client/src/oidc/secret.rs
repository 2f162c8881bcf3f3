//! Values that nobody can guess, for one sign-in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// 128 characters that nobody can guess: a `state` or a `nonce`.
pub(super) fn token() -> String {
    URL_SAFE_NO_PAD.encode(crypto::random_array::<96>())
}

/// A PKCE secret (RFC 7636 §4.1) and what may be known of it.
pub(super) struct Pkce {
    pub(super) verifier: Zeroizing<String>,
    /// Method S256.
    pub(super) challenge: String,
}

impl Pkce {
    pub(super) fn new() -> Self {
        let verifier = Zeroizing::new(URL_SAFE_NO_PAD.encode(crypto::random_array::<32>()));
        let challenge = URL_SAFE_NO_PAD.encode(crypto::sha256(verifier.as_bytes()));
        Self { verifier, challenge }
    }
}
