//! What Fulcio writes into certificates: identity and extensions under 1.3.6.1.4.1.57264.1.

use crate::{Certificate, Oid};

/// The `otherName` type of user names.
pub const OTHER_NAME: Oid = Oid::new_unwrap("1.3.6.1.4.1.57264.1.7");
/// Issuer (deprecated): raw text.
pub const ISSUER: Oid = Oid::new_unwrap("1.3.6.1.4.1.57264.1.1");
/// Issuer V2: a DER `UTF8String`.
pub const ISSUER_V2: Oid = Oid::new_unwrap("1.3.6.1.4.1.57264.1.8");
/// The token's subject: a DER `UTF8String`.
pub const TOKEN_SUBJECT: Oid = Oid::new_unwrap("1.3.6.1.4.1.57264.1.24");

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
pub const KNOWN: &[Known] = &[];

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
        todo!()
    }
}

/// A name has characters outside ASCII.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("x509: {text:?} cannot be encoded as an IA5String")]
pub struct SanError {
    /// The text.
    pub text: String,
}

/// What is said of a certificate's holder: all of a leaf's contents that come from the ID token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeafContents {
    /// The identity.
    pub san: San,
    /// The extensions in the order in which they are written: identifier, and contents of `extnValue`.
    pub extensions: Vec<(Oid, Vec<u8>)>,
}

/// Writes `text` as the contents of the extension `known`.
#[must_use]
pub fn encode(known: &Known, text: &str) -> Vec<u8> {
    todo!("{known:?}{text}")
}

/// An extension of Fulcio's is not what its definition says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the Fulcio extension {oid} is malformed")]
pub struct ExtensionError {
    /// Which.
    pub oid: Oid,
}

/// The text of one of Fulcio's extensions; `None` if the certificate has it not.
///
/// # Errors
///
/// [`ExtensionError`] if it is not UTF-8, or not exactly one `UTF8String` with nothing after it.
pub fn text(certificate: &Certificate, known: &Known) -> Result<Option<String>, ExtensionError> {
    todo!("{certificate:?}{known:?}")
}

/// The OIDC issuer: extension .8, else .1.
///
/// # Errors
///
/// [`ExtensionError`].
pub fn issuer(certificate: &Certificate) -> Result<Option<String>, ExtensionError> {
    todo!("{certificate:?}")
}

/// The names of the certificate that can be identities: e-mail, URI, Fulcio's `otherName`, in their order.
#[must_use]
pub fn identities(certificate: &Certificate) -> Vec<San> {
    todo!("{certificate:?}")
}
