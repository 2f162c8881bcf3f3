//! The outer form of a signed token: JWS Compact Serialization (RFC 7515 §7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest token that is looked at. Tokens of CI providers have two to four thousand bytes; a limit before
/// anything is split keeps a token of a million dots from costing anything (GHSA-f83f-xpx7-ffpw).
pub const MAX_TOKEN: usize = 16 * 1024;

/// A token taken apart. Nothing about it is verified.
pub struct CompactJwt<'a> {
    /// What the signature is over: header and payload as they came.
    pub signed: &'a str,
    /// The decoded header, JSON if all is well.
    pub header: Vec<u8>,
    /// The decoded payload, JSON if all is well.
    pub payload: Vec<u8>,
    /// The decoded signature.
    pub signature: Vec<u8>,
}

/// A text is no signed token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwtError {
    /// Longer than [`MAX_TOKEN`].
    #[error("a token has at most {MAX_TOKEN} bytes, this one {length}")]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// Not three parts.
    #[error("a signed token has three parts, divided by two dots")]
    Parts,
    /// A part is not base64url without padding.
    #[error("a part of the token is not base64url")]
    Encoding,
}

impl<'a> CompactJwt<'a> {
    /// Takes `token` apart.
    ///
    /// # Errors
    ///
    /// See [`JwtError`].
    pub fn parse(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_TOKEN {
            return Err(JwtError::TooLong { length: token.len() });
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Parts)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtError::Parts)?;
        if payload.contains('.') {
            return Err(JwtError::Parts);
        }
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Encoding);
        Ok(Self {
            signed,
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: &str) -> Option<JwtError> {
        CompactJwt::parse(token).err()
    }

    #[test]
    fn a_token_has_three_parts() {
        let token = CompactJwt::parse("e30.W10.AQ").unwrap();
        assert_eq!(token.signed, "e30.W10");
        assert_eq!(
            (&token.header[..], &token.payload[..], &token.signature[..]),
            (&b"{}"[..], &b"[]"[..], &[1][..])
        );
        for other in ["", "e30", "e30.W10", "e30.W10.AQ.AQ", "e30.W10.AQ.AQ.AQ"] {
            assert_eq!(check(other), Some(JwtError::Parts), "{other}");
        }
    }

    #[test]
    fn other_encodings_are_refused() {
        for other in ["e30=.W10.AQ", "e3+.W10.AQ", "e30.W1 0.AQ", "e30.W10.AR"] {
            assert_eq!(check(other), Some(JwtError::Encoding), "{other}");
        }
    }

    #[test]
    fn a_token_of_a_million_dots_is_refused_by_its_length() {
        assert_eq!(check(&".".repeat(1_000_000)), Some(JwtError::TooLong { length: 1_000_000 }));
    }
}
