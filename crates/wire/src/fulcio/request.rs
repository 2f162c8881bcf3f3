//! What clients ask of the certificate authority.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{self, Json, JsonError, Object, Problem, Unknown};

/// The largest request that is read; the existing server's limit for bodies.
const MAX_REQUEST: usize = 4 * 1024 * 1024;

/// `CreateSigningCertificateRequest` of version 2.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CertificateRequest {
    /// `credentials.oidcIdentityToken`; empty if it is not there.
    pub token: String,
    /// The key to be certified, and the proof that the client has it.
    pub key: RequestedKey,
}

/// `CreateSigningCertificateRequest` of version 1, whose token comes in a header.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LegacyCertificateRequest {
    /// The key to be certified, and the proof that the client has it.
    pub key: RequestedKey,
}

/// A key to be certified, and the proof that the client has it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum RequestedKey {
    /// There is none.
    #[default]
    Missing,
    /// A public key with a signature over the token's subject.
    PublicKey {
        /// PEM or DER.
        content: Vec<u8>,
        /// The signature.
        proof: Vec<u8>,
    },
    /// A PEM certificate signing request.
    SigningRequest(Vec<u8>),
}

impl CertificateRequest {
    /// Reads a body. What follows the first JSON value is not looked at; no body at all is an empty message.
    ///
    /// # Errors
    ///
    /// [`JsonError`] as the gateway refuses, too: no object, a member twice or under two names, both kinds of
    /// key, a wrong type.
    pub fn read(body: &[u8]) -> Result<Self, JsonError> {
        let Some(mut request) = first_object(body)? else { return Ok(Self::default()) };
        let token = request.or_default("credentials", |credentials| {
            let mut credentials = credentials.into_object()?;
            let token = credentials.or_default("oidcIdentityToken", Json::into_string)?;
            credentials.finish(Unknown::Tolerated).map(|()| token)
        })?;
        let public_key = request.optional("publicKeyRequest", |request| {
            let mut request = request.into_object()?;
            let content = request.or_default("publicKey", |key| {
                public_key(key, Json::into_string).map(String::into_bytes)
            })?;
            let proof = request.or_default("proofOfPossession", Json::into_bytes)?;
            Ok(RequestedKey::PublicKey { content, proof })
        })?;
        let signing_request =
            request.optional("certificateSigningRequest", Json::into_bytes)?.map(signing_request);
        let key = match (public_key, signing_request) {
            (Some(_), Some(_)) => {
                let names = ("publicKeyRequest", "certificateSigningRequest");
                return Err(Problem::TwoAlternatives(names.0, names.1).here());
            }
            (public_key, signing_request) => signing_request.or(public_key).unwrap_or_default(),
        };
        Ok(Self { token, key })
    }
}

impl LegacyCertificateRequest {
    /// Reads a body, as [`CertificateRequest::read`] does. If there are both kinds of key, the signing
    /// request counts.
    ///
    /// # Errors
    ///
    /// [`JsonError`].
    pub fn read(body: &[u8]) -> Result<Self, JsonError> {
        let Some(mut request) = first_object(body)? else { return Ok(Self::default()) };
        let content = request.optional("publicKey", |key| public_key(key, Json::into_bytes))?;
        let proof = request.or_default("signedEmailAddress", Json::into_bytes)?;
        let pem = request.or_default("certificateSigningRequest", Json::into_bytes)?;
        let key = match (signing_request(pem), content) {
            (RequestedKey::Missing, Some(content)) => RequestedKey::PublicKey { content, proof },
            (signing_request, _) => signing_request,
        };
        Ok(Self { key })
    }
}

/// An empty signing request is none.
fn signing_request(pem: Vec<u8>) -> RequestedKey {
    if pem.is_empty() { RequestedKey::Missing } else { RequestedKey::SigningRequest(pem) }
}

/// The content of a `PublicKey`. Its algorithm, of whatever name or number, is not looked at: the key says
/// what it is.
fn public_key<'a, T: Default>(
    key: Json<'a>,
    content: impl FnOnce(Json<'a>) -> Result<T, JsonError>,
) -> Result<T, JsonError> {
    let mut key = key.into_object()?;
    key.optional("algorithm", |name| name.into_enumeration(|_| Some(()), |_| Some(())))?;
    key.or_default("content", content)
}

/// The first JSON value of a body, which must be an object; `None` if there is nothing but blanks.
fn first_object(body: &[u8]) -> Result<Option<Object<'_>>, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let value = <&RawValue>::deserialize(&mut reader)
        .map_err(|error| Problem::Syntax(error.to_string()).here())?;
    json::parse(value.get().as_bytes(), MAX_REQUEST)?.into_object().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<CertificateRequest, Problem> {
        CertificateRequest::read(body.as_bytes()).map_err(|error| error.problem)
    }

    #[test]
    fn a_request_is_read_in_both_spellings() {
        let expected = CertificateRequest {
            token: "t".into(),
            key: RequestedKey::PublicKey { content: b"k".to_vec(), proof: vec![0xfb] },
        };
        for body in [
            r#"{"credentials":{"oidcIdentityToken":"t"},"publicKeyRequest":{"publicKey":{"content":"k"},"proofOfPossession":"+w=="}}"#,
            r#"{"credentials":{"oidc_identity_token":"t"},"public_key_request":{"public_key":{"content":"k","algorithm":"RSA"},"proof_of_possession":"-w"}}  trailing"#,
            r#"{"x":[1],"credentials":{"oidcIdentityToken":"t"},"publicKeyRequest":{"publicKey":{"content":"k","algorithm":99},"proofOfPossession":"+w"}}"#,
        ] {
            assert_eq!(read(body), Ok(expected.clone()), "{body}");
        }
    }

    #[test]
    fn nothing_is_an_empty_message_and_null_is_nothing() {
        for body in ["", "  ", "{}", r#"{"credentials":null,"publicKeyRequest":null}"#] {
            assert_eq!(read(body), Ok(CertificateRequest::default()), "{body}");
        }
    }

    #[test]
    fn what_the_gateway_refuses_is_refused() {
        for body in [
            "null",
            "[]",
            "{",
            r#"{"credentials":{},"credentials":{}}"#,
            r#"{"publicKeyRequest":{},"public_key_request":{}}"#,
            r#"{"publicKeyRequest":{},"certificateSigningRequest":"AAAA"}"#,
            r#"{"publicKeyRequest":"x"}"#,
            r#"{"publicKeyRequest":{"proofOfPossession":"***"}}"#,
            r#"{"credentials":{"oidcIdentityToken":1}}"#,
        ] {
            read(body).expect_err(body);
        }
    }

    #[test]
    fn in_version_1_the_signing_request_wins_and_the_key_is_base64() {
        let read = |body: &str| LegacyCertificateRequest::read(body.as_bytes()).map(|r| r.key);
        let both = r#"{"certificateSigningRequest":"AAAA","publicKey":{"content":"AAAA"}}"#;
        assert_eq!(read(both), Ok(RequestedKey::SigningRequest(vec![0, 0, 0])));
        let key = r#"{"publicKey":{"algorithm":"any","content":"AAAA"},"signedEmailAddress":"AA"}"#;
        let expected = RequestedKey::PublicKey { content: vec![0, 0, 0], proof: vec![0] };
        assert_eq!(read(key), Ok(expected));
    }
}
