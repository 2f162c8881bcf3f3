//! The timestamp authority's HTTP API: media types, paths, the JSON form of a request, and refusals.
//!
//! The DER messages of RFC 3161 themselves are in `pki::tsp`.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Digest, HashAlgorithm};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Media type of a DER `TimeStampReq` (RFC 3161 §3.4).
pub const QUERY: &str = "application/timestamp-query";
/// Media type of a DER `TimeStampResp` (RFC 3161 §3.4).
pub const REPLY: &str = "application/timestamp-reply";
/// Media type of the chain at [`CHAIN_PATH`].
pub const CHAIN: &str = "application/pem-certificate-chain";
/// Where requests are posted.
pub const TIMESTAMP_PATH: &str = "/api/v1/timestamp";
/// Where the authority's chain is, leaf first and root last.
pub const CHAIN_PATH: &str = "/api/v1/timestamp/certchain";

/// The longest JSON request. GHSA-4qg8-fj49-pxjh: the existing server was exhausted by long ones.
pub const MAX_JSON_REQUEST: usize = 1024;
/// The most components of a policy OID, for the same reason.
pub const MAX_OID_COMPONENTS: usize = 129;

/// The JSON form of a request for a timestamp.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JsonRequest {
    /// The digest to be stamped.
    pub digest: Digest,
    /// Whether the token shall hold the authority's certificate.
    pub certificates: bool,
    /// The contents octets of a DER `INTEGER`, of any length and sign.
    pub nonce: Option<Vec<u8>>,
    /// The policy asked for, in dotted decimal form. It has at most [`MAX_OID_COMPONENTS`] components, all of
    /// them decimal numbers.
    pub policy: Option<String>,
}

/// Why a JSON request cannot be read. All are the requester's to fix.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonRequestError {
    /// It is longer than [`MAX_JSON_REQUEST`].
    #[error("the JSON request has {length} bytes, more than {MAX_JSON_REQUEST}")]
    TooLarge {
        /// Its length in bytes.
        length: usize,
    },
    /// It is no JSON object with members of the right types.
    #[error("the JSON request is malformed: {0}")]
    Malformed(&'static str),
    /// The hash function is known and no longer fit for use.
    #[error("the hash algorithm {0} is too weak")]
    WeakHash(String),
    /// The hash function is not known.
    #[error("the hash algorithm {0} is not known")]
    UnknownHash(String),
    /// The digest has another length than its hash function makes.
    #[error("a digest of {found} bytes is not one of {expected}")]
    DigestLength {
        /// How many bytes the hash function makes.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// The policy OID has too many components, or is no list of numbers.
    #[error("the policy OID is not a list of at most {MAX_OID_COMPONENTS} numbers")]
    Policy,
}

impl JsonRequest {
    /// Reads a request.
    ///
    /// Names of members in any case, unknown members ignored, as the existing server does.
    ///
    /// # Errors
    ///
    /// See [`JsonRequestError`].
    pub fn parse(body: &[u8]) -> Result<Self, JsonRequestError> {
        if body.len() > MAX_JSON_REQUEST {
            return Err(JsonRequestError::TooLarge { length: body.len() });
        }
        let members: HashMap<String, &RawValue> =
            serde_json::from_slice(body).map_err(|_| JsonRequestError::Malformed("no object"))?;
        let members: HashMap<String, &RawValue> = members
            .into_iter()
            .filter(|(_, value)| value.get() != "null")
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();

        let algorithm: String = member(&members, "hashAlgorithm")?.unwrap_or_default();
        let hash: String = member(&members, "artifactHash")?.unwrap_or_default();
        let policy: Option<String> = member(&members, "tsaPolicyOID")?;
        Ok(Self {
            digest: digest(&algorithm, &hash)?,
            certificates: member(&members, "certificates")?.unwrap_or_default(),
            nonce: members.get("nonce").map(|nonce| integer(nonce.get())).transpose()?,
            policy: policy.filter(|oid| !oid.is_empty()).map(checked_policy).transpose()?,
        })
    }
}

fn member<'m, T: Deserialize<'m>>(
    members: &HashMap<String, &'m RawValue>,
    name: &'static str,
) -> Result<Option<T>, JsonRequestError> {
    members
        .get(&name.to_ascii_lowercase())
        .map(|value| serde_json::from_str(value.get()))
        .transpose()
        .map_err(|_| JsonRequestError::Malformed(name))
}

fn digest(algorithm: &str, hash: &str) -> Result<Digest, JsonRequestError> {
    let algorithm = match algorithm.to_ascii_lowercase().as_str() {
        "sha256" => HashAlgorithm::Sha256,
        "sha384" => HashAlgorithm::Sha384,
        "sha512" => HashAlgorithm::Sha512,
        "sha1" => return Err(JsonRequestError::WeakHash(algorithm.to_owned())),
        _ => return Err(JsonRequestError::UnknownHash(algorithm.to_owned())),
    };
    let bytes = STANDARD.decode(hash).map_err(|_| JsonRequestError::Malformed("artifactHash"))?;
    Digest::new(algorithm, &bytes).map_err(|error| JsonRequestError::DigestLength {
        expected: algorithm.length(),
        found: error.found,
    })
}

fn checked_policy(oid: String) -> Result<String, JsonRequestError> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    // Counting first: what follows is then bounded whatever came.
    if oid.split('.').count() <= MAX_OID_COMPONENTS && oid.split('.').all(is_number) {
        Ok(oid)
    } else {
        Err(JsonRequestError::Policy)
    }
}

/// The contents octets of the DER `INTEGER` that is written `text` in JSON.
fn integer(text: &str) -> Result<Vec<u8>, JsonRequestError> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(JsonRequestError::Malformed("nonce"));
    }
    let magnitude = magnitude(digits);
    Ok(if negative { twos_complement(magnitude) } else { magnitude })
}

/// `digits` as a big-endian number with a leading zero bit. The request's length bounds the work.
fn magnitude(digits: &str) -> Vec<u8> {
    let mut little_endian = vec![0_u8];
    for digit in digits.bytes() {
        let mut carry = u16::from(digit - b'0');
        for byte in &mut little_endian {
            let [high, low] = (u16::from(*byte) * 10 + carry).to_be_bytes();
            *byte = low;
            carry = u16::from(high);
        }
        if let Ok(carry @ 1..) = u8::try_from(carry) {
            little_endian.push(carry);
        }
    }
    if little_endian.last().is_some_and(|top| top & 0x80 != 0) {
        little_endian.push(0);
    }
    little_endian.reverse();
    little_endian
}

/// Minus `magnitude`, in as few octets as X.690 §8.3.2 asks for.
fn twos_complement(mut magnitude: Vec<u8>) -> Vec<u8> {
    let mut carry = true;
    for byte in magnitude.iter_mut().rev() {
        let (sum, overflow) = (!*byte).overflowing_add(u8::from(carry));
        *byte = sum;
        carry = overflow;
    }
    let redundant =
        magnitude.windows(2).take_while(|pair| pair[0] == 0xff && pair[1] & 0x80 != 0).count();
    magnitude.drain(..redundant);
    magnitude
}

/// The body of a refusal in JSON.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Refusal {
    /// The HTTP status, or a number of the existing server's own (602: no body).
    pub code: u16,
    /// What was wrong.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = r#""artifactHash":"UpGHPE+lZMvhOQhO88hw5s1BgE5iHbzNZgMujWSVCVo=""#;

    fn parse(rest: &str) -> Result<JsonRequest, JsonRequestError> {
        JsonRequest::parse(format!("{{{HASH},{rest}}}").as_bytes())
    }

    #[test]
    fn a_request_is_read_whatever_the_case_of_its_names() {
        let request =
            parse(r#""HASHALGORITHM":"SHA256","Nonce":1234,"certificates":true,"tsaPolicyOID":"1.2.3","x":[]"#)
                .unwrap();
        assert!(request.certificates);
        assert_eq!(request.nonce.as_deref(), Some([0x04, 0xd2].as_slice()));
        assert_eq!(request.policy.as_deref(), Some("1.2.3"));
        assert_eq!(request.digest.algorithm(), HashAlgorithm::Sha256);
    }

    #[test]
    fn a_nonce_is_an_integer_of_any_size_and_sign() {
        for (text, octets) in [
            ("0", [0x00].as_slice()),
            ("127", &[0x7f]),
            ("128", &[0x00, 0x80]),
            ("-1", &[0xff]),
            ("-128", &[0x80]),
            ("-129", &[0xff, 0x7f]),
            ("-0", &[0x00]),
            ("18446744073709551616", &[1, 0, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            assert_eq!(integer(text).as_deref(), Ok(octets), "{text}");
        }
        for text in ["1.5", "\"5\"", "1e3", "-", "true"] {
            integer(text).unwrap_err();
        }
    }

    #[test]
    fn each_mistake_has_its_own_refusal() {
        let refused = |rest: &str| parse(rest).unwrap_err();
        assert_eq!(refused(r#""hashAlgorithm":"sha1""#), JsonRequestError::WeakHash("sha1".into()));
        assert_eq!(
            refused(r#""hashAlgorithm":"sha512""#),
            JsonRequestError::DigestLength { expected: 64, found: 32 }
        );
        assert_eq!(refused(r#""x":1"#), JsonRequestError::UnknownHash(String::new()));
        let long = vec!["1"; MAX_OID_COMPONENTS + 1].join(".");
        for oid in [long.as_str(), "1..2", "a", "1.-2", "1.2."] {
            let rest = format!(r#""hashAlgorithm":"sha256","tsaPolicyOID":"{oid}""#);
            assert_eq!(refused(&rest), JsonRequestError::Policy, "{oid}");
        }
        let trailing = format!("{{{HASH}}} x");
        assert_eq!(
            JsonRequest::parse(trailing.as_bytes()),
            Err(JsonRequestError::Malformed("no object"))
        );
        assert_eq!(
            JsonRequest::parse(&[b' '; MAX_JSON_REQUEST + 1]),
            Err(JsonRequestError::TooLarge { length: MAX_JSON_REQUEST + 1 })
        );
    }
}
