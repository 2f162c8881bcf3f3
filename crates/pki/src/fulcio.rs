//! What Fulcio writes into certificates: identity and extensions under 1.3.6.1.4.1.57264.1.
//!
//! Source: sigstore/fulcio, docs/oid-info.md.

use crate::asn1::{self, Reader, tag};
use crate::name::form;
use crate::{Certificate, GeneralName, Oid};

/// The `otherName` type of user names.
pub const OTHER_NAME: Oid = Oid::new_unwrap("1.3.6.1.4.1.57264.1.7");
/// The issuer of the token (deprecated), raw text.
pub const ISSUER: Known =
    Known { oid: known_oid(1), name: "Issuer", encoding: Encoding::Raw, yaml_key: None };
/// The issuer of the token.
pub const ISSUER_V2: Known = Known {
    oid: known_oid(8),
    name: "Issuer (V2)",
    encoding: Encoding::Utf8String,
    yaml_key: None,
};
/// The subject of the token.
pub const TOKEN_SUBJECT: Known = Known {
    oid: known_oid(24),
    name: "Token Subject",
    encoding: Encoding::Utf8String,
    yaml_key: None,
};

/// How an extension's text is encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// The bytes of the text, without DER.
    Raw,
    /// A DER `UTF8String`.
    Utf8String,
}

/// One of Fulcio's extensions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known {
    /// Its object identifier.
    pub oid: Oid,
    /// Its name for people, such as `Source Repository URI`.
    pub name: &'static str,
    /// How its text is encoded.
    pub encoding: Encoding,
    /// Its key in the `ci-provider` configuration, such as `source-repository-uri`; `None` for the
    /// three that always come from the token.
    pub yaml_key: Option<&'static str>,
}

/// Every extension, in the order in which Fulcio emits them.
pub const KNOWN: &[Known] = &[
    ISSUER,
    raw(2, "GitHub Workflow Trigger", "github-workflow-trigger"),
    raw(3, "GitHub Workflow SHA", "github-workflow-sha"),
    raw(4, "GitHub Workflow Name", "github-workflow-name"),
    raw(5, "GitHub Workflow Repository", "github-workflow-repository"),
    raw(6, "GitHub Workflow Ref", "github-workflow-ref"),
    ISSUER_V2,
    utf8(9, "Build Signer URI", "build-signer-uri"),
    utf8(10, "Build Signer Digest", "build-signer-digest"),
    utf8(11, "Runner Environment", "runner-environment"),
    utf8(12, "Source Repository URI", "source-repository-uri"),
    utf8(13, "Source Repository Digest", "source-repository-digest"),
    utf8(14, "Source Repository Ref", "source-repository-ref"),
    utf8(15, "Source Repository Identifier", "source-repository-identifier"),
    utf8(16, "Source Repository Owner URI", "source-repository-owner-uri"),
    utf8(17, "Source Repository Owner Identifier", "source-repository-owner-identifier"),
    utf8(18, "Build Config URI", "build-config-uri"),
    utf8(19, "Build Config Digest", "build-config-digest"),
    utf8(20, "Build Trigger", "build-trigger"),
    utf8(21, "Run Invocation URI", "run-invocation-uri"),
    utf8(22, "Source Repository Visibility At Signing", "source-repository-visibility-at-signing"),
    utf8(23, "Deployment Environment", "deployment-environment"),
    TOKEN_SUBJECT,
];

const fn raw(number: u32, name: &'static str, yaml_key: &'static str) -> Known {
    Known { oid: known_oid(number), name, encoding: Encoding::Raw, yaml_key: Some(yaml_key) }
}

const fn utf8(number: u32, name: &'static str, yaml_key: &'static str) -> Known {
    Known { oid: known_oid(number), name, encoding: Encoding::Utf8String, yaml_key: Some(yaml_key) }
}

/// The arc of Fulcio's extensions.
const ARC: Oid = Oid::new_unwrap("1.3.6.1.4.1.57264.1");

const fn known_oid(number: u32) -> Oid {
    match ARC.push_arc(number) {
        Ok(oid) => oid,
        // One more arc always fits here; the tests see that each identifier is its own.
        Err(_) => ARC,
    }
}

/// The extension that the `ci-provider` configuration calls `yaml_key`.
#[must_use]
pub fn by_yaml_key(yaml_key: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.yaml_key == Some(yaml_key))
}

impl Known {
    /// Writes `text` as the contents of `extnValue`.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u8> {
        match self.encoding {
            Encoding::Raw => text.as_bytes().to_vec(),
            Encoding::Utf8String => asn1::tlv(tag::UTF8_STRING, &[text.as_bytes()]),
        }
    }

    /// The text of this extension; `None` if the certificate has it not.
    ///
    /// # Errors
    ///
    /// [`ExtensionError`] if it is not UTF-8, or not exactly one `UTF8String` with nothing after it.
    pub fn read(&self, certificate: &Certificate) -> Result<Option<String>, ExtensionError> {
        let Some(extension) = certificate.extension(self.oid) else { return Ok(None) };
        let refused = ExtensionError { oid: self.oid };
        let text = match self.encoding {
            Encoding::Raw => std::str::from_utf8(extension.value).map_err(|_| refused)?,
            Encoding::Utf8String => {
                let mut reader = Reader::new(extension.value);
                let text = reader.utf8().map_err(|_| refused)?;
                reader.finish().map_err(|_| refused)?;
                text
            }
        };
        Ok(Some(text.to_owned()))
    }
}

/// An extension of Fulcio's is not what its definition says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the Fulcio extension {oid} is malformed")]
pub struct ExtensionError {
    /// Which.
    pub oid: Oid,
}

/// Whether the certificate has any extension of Fulcio's, well-formed or not, as no other authority's have.
#[must_use]
pub fn has_extension(certificate: &Certificate) -> bool {
    KNOWN.iter().any(|known| certificate.extension(known.oid).is_some())
}

/// The OIDC issuer: extension .8, else .1.
///
/// # Errors
///
/// [`ExtensionError`].
pub fn issuer(certificate: &Certificate) -> Result<Option<String>, ExtensionError> {
    match ISSUER_V2.read(certificate)? {
        Some(issuer) => Ok(Some(issuer)),
        None => ISSUER.read(certificate),
    }
}

/// Who a certificate says its holder is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum San {
    /// An e-mail address.
    Email(String),
    /// A URI.
    Uri(String),
    /// A user name (`otherName`).
    OtherName(String),
}

impl San {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Email(text) | Self::Uri(text) | Self::OtherName(text) => text,
        }
    }

    /// The contents of the `subjectAltName` extension with this one name.
    ///
    /// # Errors
    ///
    /// [`SanError`] if the text cannot be written as an `IA5String`.
    pub fn extension_value(&self) -> Result<Vec<u8>, SanError> {
        let ia5 = |form, text: &str| {
            if text.is_ascii() {
                Ok(asn1::tlv(tag::context(form), &[text.as_bytes()]))
            } else {
                Err(SanError { text: text.to_owned() })
            }
        };
        let name = match self {
            Self::Email(text) => ia5(form::EMAIL, text)?,
            Self::Uri(text) => ia5(form::URI, text)?,
            Self::OtherName(text) => {
                let value = asn1::explicit(0, &asn1::tlv(tag::UTF8_STRING, &[text.as_bytes()]));
                asn1::tlv(tag::constructed(form::OTHER), &[&asn1::oid(OTHER_NAME), &value])
            }
        };
        Ok(asn1::sequence(&[&name]))
    }
}

/// A name has characters outside ASCII. The text is what Go's encoder says, which clients print.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("x509: {text:?} cannot be encoded as an IA5String")]
pub struct SanError {
    /// The text.
    pub text: String,
}

/// The names of the certificate that can be identities: e-mail, URI, Fulcio's `otherName`, in their order.
#[must_use]
pub fn identities(certificate: &Certificate) -> Vec<San> {
    let identity = |name: &GeneralName| match name {
        GeneralName::Email(text) => Some(San::Email(text.clone())),
        GeneralName::Uri(text) => Some(San::Uri(text.clone())),
        GeneralName::FulcioOther(text) => Some(San::OtherName(text.clone())),
        _ => None,
    };
    certificate.sans().iter().filter_map(identity).collect()
}

/// What is said of a certificate's holder: all of a leaf's contents that come from the ID token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeafContents {
    /// The identity.
    pub san: San,
    /// The extensions in the order in which they are written: identifier, and contents of `extnValue`.
    pub extensions: Vec<(Oid, Vec<u8>)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_those_of_the_registry() {
        assert_eq!(ISSUER.oid.to_string(), "1.3.6.1.4.1.57264.1.1");
        assert_eq!(TOKEN_SUBJECT.oid.to_string(), "1.3.6.1.4.1.57264.1.24");
        assert_eq!(KNOWN.len(), 23, "1 to 24 without 7, which is no extension");
    }

    #[test]
    fn the_oldest_extensions_are_plain_text_and_the_others_are_der() {
        assert_eq!(ISSUER.encode("https://x"), b"https://x");
        assert_eq!(ISSUER_V2.encode("https://x"), b"\x0c\x09https://x");
    }

    #[test]
    fn a_name_outside_ascii_is_refused_but_for_user_names() {
        San::Email("ä@b.c".to_owned()).extension_value().unwrap_err();
        San::OtherName("ä!b.c".to_owned()).extension_value().unwrap();
        let der = San::Email("alice@example.com".to_owned()).extension_value().unwrap();
        assert_eq!(hex::encode(der), "30138111616c696365406578616d706c652e636f6d");
    }
}
