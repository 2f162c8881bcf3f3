//! Authorization codes: used once, soon, by whoever asked for them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::expiring::{Expiring, Full};
use super::{RedirectUri, SignedIn};

/// How long a code lives that a browser takes back to a program on the same machine.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long a code lives that a person copies.
const COPIED_LIFETIME: Duration = Duration::from_mins(5);

/// How many codes may wait to be redeemed. Each was given to somebody who had signed in.
const CAPACITY: usize = 10_000;

/// What a code stands for.
#[derive(Clone)]
pub(super) struct Authorized {
    pub(super) who: SignedIn,
    /// As it was sent, because the token request must repeat it exactly (RFC 6749 §4.1.3).
    pub(super) redirect_uri: String,
    pub(super) challenge: Challenge,
    pub(super) nonce: Option<String>,
}

/// A PKCE challenge, method S256 (RFC 7636 §4.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Challenge([u8; 32]);

impl Challenge {
    /// Reads a challenge: 43 characters of base64url.
    pub(super) fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Whether `verifier` is the secret behind it. RFC 7636 §4.1: 43 to 128 unreserved characters.
    pub(super) fn fits(self, verifier: &str) -> bool {
        let unreserved = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(unreserved)
            && crypto::sha256(verifier.as_bytes()) == self.0
    }
}

/// The codes that wait to be redeemed.
pub(super) struct Codes(Expiring<[u8; 32], Authorized>);

impl Codes {
    pub(super) fn new() -> Self {
        Self(Expiring::new(CAPACITY))
    }

    /// Makes a code for `authorized`.
    pub(super) fn issue(
        &mut self,
        now: Timestamp,
        redirect: &RedirectUri,
        authorized: Authorized,
    ) -> Result<String, Full> {
        let lifetime = match redirect {
            RedirectUri::Loopback(_) => LIFETIME,
            RedirectUri::OutOfBand => COPIED_LIFETIME,
        };
        let code = URL_SAFE_NO_PAD.encode(crypto::random_array::<32>());
        self.0.insert(now, crypto::sha256(code.as_bytes()), authorized, now + lifetime)?;
        Ok(code)
    }

    /// Takes what `code` stands for. There is no second time, also if what follows fails: a code that somebody tries with a
    /// wrong verifier has been stolen.
    pub(super) fn take(&mut self, now: Timestamp, code: &str) -> Option<Authorized> {
        self.0.remove(now, &crypto::sha256(code.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_fits_its_verifier_only() {
        // RFC 7636 appendix B.
        let challenge = Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.fits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.fits("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert!(!challenge.fits("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    }

    #[test]
    fn short_long_and_odd_verifiers_are_refused() {
        let fits = |verifier: &str| {
            let hash = crypto::sha256(verifier.as_bytes());
            Challenge(hash).fits(verifier)
        };
        assert!(fits(&"a".repeat(43)) && fits(&"~".repeat(128)));
        assert!(!fits(&"a".repeat(42)) && !fits(&"a".repeat(129)) && !fits(&" ".repeat(43)));
    }

    #[test]
    fn a_challenge_has_32_bytes() {
        for text in [
            "",
            "AA",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
        ] {
            assert_eq!(Challenge::parse(text), None, "{text}");
        }
    }
}
