//! Public keys for verifying tokens: JSON Web Keys (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::PublicKey;
use serde::{Deserialize, Serialize};

/// A JWK set (RFC 7517 §5) of RSA signature keys.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// An RSA key (RFC 7518 §6.3) for RS256.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Jwk {
    /// `RSA`.
    pub kty: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// `RS256`.
    pub alg: String,
    /// The key's thumbprint (RFC 7638), by which tokens name it.
    pub kid: String,
    /// The modulus, base64url.
    pub n: String,
    /// The exponent, base64url.
    pub e: String,
}

impl Jwk {
    /// The JWK of an RSA key; `None` for another kind.
    #[must_use]
    pub fn rs256(key: &PublicKey) -> Option<Self> {
        let n = URL_SAFE_NO_PAD.encode(unsigned(key.rsa_modulus()?));
        let e = URL_SAFE_NO_PAD.encode(unsigned(&key.rsa_exponent()?.to_be_bytes()));
        // RFC 7638 §3: the required members in the order of their names, without space.
        let thumbprint = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        Some(Self {
            kty: "RSA".to_owned(),
            usage: "sig".to_owned(),
            alg: "RS256".to_owned(),
            kid: URL_SAFE_NO_PAD.encode(crypto::sha256(thumbprint.as_bytes())),
            n,
            e,
        })
    }
}

/// RFC 7518 §2, Base64urlUInt: no zero bytes in front.
fn unsigned(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_is_the_thumbprint_of_rfc_7638() {
        // The example of RFC 7638 §3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = rsa_key(&URL_SAFE_NO_PAD.decode(n).unwrap());
        let jwk = Jwk::rs256(&key).unwrap();
        assert_eq!((jwk.n.as_str(), jwk.e.as_str()), (n, "AQAB"));
        assert_eq!(jwk.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    /// An `RSAPublicKey` (RFC 8017 §A.1.1) with exponent 65537 and a modulus of 2048 bits.
    fn rsa_key(modulus: &[u8]) -> PublicKey {
        let mut der = vec![0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
        der.extend_from_slice(modulus);
        der.extend_from_slice(&[0x02, 0x03, 0x01, 0x00, 0x01]);
        PublicKey::from_rsa_pkcs1_der(&der).unwrap()
    }
}
