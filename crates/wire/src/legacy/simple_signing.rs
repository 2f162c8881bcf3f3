//! The "simple signing" payload: which image was signed, and under which name.
//!
//! containers-signature(5), "JSON data format", with cosign's type.

use crypto::{Digest, HashAlgorithm};
use serde_json::{Map, Value, json};

use crate::json::{self, Json, JsonError, Problem, Unknown, excerpt};

/// The `critical.type` of payloads that cosign and its successors sign.
pub const COSIGN_TYPE: &str = "cosign container image signature";

/// The longest payload: real ones have half a kilobyte, annotations may make them longer.
pub const MAX_SIMPLE_SIGNING: usize = 1 << 20;

/// What a signer says about an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SimpleSigning {
    /// The name that the signer gives the image, such as `registry.example/app`. Whether it is the name under which
    /// somebody asks for the image is not said.
    pub reference: String,
    /// The digest of the image's manifest or index.
    pub digest: Digest,
    /// What else the signer says: annotations.
    pub optional: Map<String, Value>,
}

/// Why bytes are not a payload that says which image was signed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SimpleSigningError {
    /// They are not the JSON of a payload.
    #[error("the signed payload cannot be read: {0}")]
    Json(JsonError),
    /// It is a payload of another kind, which may mean anything.
    #[error("the signed payload is of the type {0:?}, not {COSIGN_TYPE:?}")]
    Type(String),
    /// What stands for the digest is none.
    #[error("the signed payload names an image by {0:?}, which is not a digest")]
    Digest(String),
}

impl From<JsonError> for SimpleSigningError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl SimpleSigning {
    /// Reads a payload. Members that are not known are refused where they are called critical.
    ///
    /// # Errors
    ///
    /// See [`SimpleSigningError`].
    pub fn parse(payload: &[u8]) -> Result<Self, SimpleSigningError> {
        let mut object = json::parse(payload, MAX_SIMPLE_SIGNING)?.into_object()?;
        let critical = object.required("critical", read_critical)?;
        object.take_exact("optional");
        object.finish(Unknown::Refused)?;
        if critical.signature_type != COSIGN_TYPE {
            return Err(SimpleSigningError::Type(excerpt(&critical.signature_type)));
        }
        let digest = read_digest(&critical.digest)
            .ok_or_else(|| SimpleSigningError::Digest(excerpt(&critical.digest)))?;
        Ok(Self { reference: critical.reference, digest, optional: read_optional(payload)? })
    }

    /// The payload, byte for byte as cosign writes it: members in this order, `optional` null where there is nothing.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let text = |text: &str| go_json(&Value::from(text));
        let optional = match self.optional.is_empty() {
            true => "null".to_owned(),
            false => go_json(&sorted(&self.optional)),
        };
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":{}}},"image":{{"docker-manifest-digest":{}}},"type":{}}},"optional":{optional}}}"#,
            text(&self.reference),
            text(&self.digest.to_string()),
            text(COSIGN_TYPE),
        )
        .into_bytes()
    }

    /// What verifiers print for people and programs, as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "critical": {
                "identity": { "docker-reference": self.reference },
                "image": { "docker-manifest-digest": self.digest.to_string() },
                "type": COSIGN_TYPE,
            },
            "optional": self.optional,
        })
    }
}

struct Critical {
    reference: String,
    digest: String,
    signature_type: String,
}

fn read_critical(value: Json<'_>) -> Result<Critical, JsonError> {
    let mut object = value.into_object()?;
    let reference = object.required("identity", |value| only_text(value, "docker-reference"))?;
    let digest = object.required("image", |value| only_text(value, "docker-manifest-digest"))?;
    let signature_type = object.required("type", Json::into_string)?;
    object.finish(Unknown::Refused)?;
    Ok(Critical { reference, digest, signature_type })
}

/// An object with one member, a text.
fn only_text(value: Json<'_>, name: &'static str) -> Result<String, JsonError> {
    let mut object = value.into_object()?;
    let text = object.required(name, Json::into_string)?;
    object.finish(Unknown::Refused)?;
    Ok(text)
}

/// `sha256:…`, in lower case: that is how registries name manifests.
fn read_digest(text: &str) -> Option<Digest> {
    let (name, digits) = text.split_once(':')?;
    let digest = Digest::new(HashAlgorithm::by_name(name)?, &hex::decode(digits).ok()?).ok()?;
    (digest.to_string() == text).then_some(digest)
}

/// What is optional may have any form. The payload has been read once, so that it is JSON without repeats.
fn read_optional(payload: &[u8]) -> Result<Map<String, Value>, JsonError> {
    let mut whole: Map<String, Value> = serde_json::from_slice(payload)
        .map_err(|error| Problem::Syntax(error.to_string()).here())?;
    match whole.remove("optional") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(optional)) => Ok(optional),
        Some(_) => Err(Problem::Type { expected: "an object", found: "something else" }
            .here()
            .within("optional")),
    }
}

/// The object with its members in the order of their names, whatever the map's own order is.
fn sorted(object: &Map<String, Value>) -> Value {
    let members: std::collections::BTreeMap<_, _> = object.iter().collect();
    json!(members)
}

/// JSON as Go's `encoding/json` writes it: characters that mean something in HTML are escaped.
#[must_use]
pub fn go_json(value: &Value) -> String {
    let plain = value.to_string();
    let mut text = String::with_capacity(plain.len());
    for character in plain.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:a8ed1207f78b8baa1aef5eb9284618e1f92c81d006569508f38b3d3a74c24b73";

    /// What cosign v3.1.3 signed for `-a env=prod -a 'b=x<y>&é'`.
    fn real() -> String {
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"localhost:5911/c/keyless"}},"image":{{"docker-manifest-digest":"{DIGEST}"}},"type":"cosign container image signature"}},"optional":{{"b":"x\u003cy\u003e\u0026é","env":"prod"}}}}"#
        )
    }

    fn error(payload: &str) -> SimpleSigningError {
        SimpleSigning::parse(payload.as_bytes()).expect_err("this should be refused")
    }

    #[test]
    fn a_payload_of_cosign_is_read_and_written_byte_for_byte() {
        let payload = SimpleSigning::parse(real().as_bytes()).expect("it is a payload");
        assert_eq!(payload.reference, "localhost:5911/c/keyless");
        assert_eq!(payload.digest.to_string(), DIGEST);
        assert_eq!(payload.optional["b"], "x<y>&é");
        assert_eq!(String::from_utf8(payload.to_json()).expect("it is text"), real());
        let bare = SimpleSigning { optional: Map::new(), ..payload };
        assert!(bare.to_json().ends_with(br#","optional":null}"#));
        assert_eq!(SimpleSigning::parse(&bare.to_json()), Ok(bare));
    }

    #[test]
    fn what_is_optional_may_have_any_form() {
        let text = real().replace(r#""prod""#, r#"{"created":[1,2.5,null]}"#);
        let payload = SimpleSigning::parse(text.as_bytes()).expect("it is a payload");
        assert_eq!(payload.optional["env"]["created"][1], 2.5);
        let text = real().replace(r#","optional":{"#, r#","optional":null,"x":{"#);
        assert!(matches!(error(&text), SimpleSigningError::Json(_)), "unknown members are refused");
        let text = real().replace(r#"{"b":"x\u003cy\u003e\u0026é","env":"prod"}"#, "[1]");
        assert!(matches!(error(&text), SimpleSigningError::Json(_)));
    }

    #[test]
    fn a_payload_of_another_kind_is_refused() {
        let text = real().replace(COSIGN_TYPE, "atomic container signature");
        assert_eq!(error(&text), SimpleSigningError::Type("atomic container signature".into()));
    }

    #[test]
    fn a_digest_is_written_in_one_way_only() {
        for other in [
            "sha256:A8ED1207F78B8BAA1AEF5EB9284618E1F92C81D006569508F38B3D3A74C24B73",
            "sha256:a8ed",
            "a8ed1207f78b8baa1aef5eb9284618e1f92c81d006569508f38b3d3a74c24b73",
            "md5:a8ed1207f78b8baa1aef5eb9284618e1",
            "",
        ] {
            let text = real().replace(DIGEST, other);
            assert_eq!(error(&text), SimpleSigningError::Digest(other.into()), "{other}");
        }
    }

    #[test]
    fn what_means_two_things_or_nothing_is_refused() {
        for text in [
            String::new(),
            "null".into(),
            "[]".into(),
            r#"{"critical":null,"optional":{}}"#.into(),
            r#"{"critical":{"identity":null,"image":null,"type":null},"optional":null}"#.into(),
            real().replacen(r#""critical":"#, r#""critical":{},"critical":"#, 1),
            real().replacen(r#""env":"#, r#""b":"#, 1),
            real() + "x",
            real().replacen(r#""docker-reference":"#, r#""other":1,"docker-reference":"#, 1),
            real().replacen(r#""localhost:5911/c/keyless""#, "7", 1),
        ] {
            assert!(matches!(error(&text), SimpleSigningError::Json(_)), "{text}");
        }
    }
}
