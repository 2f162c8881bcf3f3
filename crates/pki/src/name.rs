//! Names in certificates: distinguished names and alternative names.

use std::net::IpAddr;

use crate::Oid;

/// A subject alternative name, RFC 5280 §4.2.1.6.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GeneralName {
    /// `rfc822Name`: ASCII only, with its case.
    Email(String),
    /// `dNSName`.
    Dns(String),
    /// `uniformResourceIdentifier`. It may be empty.
    Uri(String),
    /// `iPAddress` of 4 or 16 octets.
    Ip(IpAddr),
    /// `otherName` of the type 1.3.6.1.4.1.57264.1.7: Fulcio's user names, UTF-8.
    FulcioOther(String),
    /// An `otherName` of another type: the DER of its value.
    Other {
        /// The type.
        oid: Oid,
        /// The contents of `[0] EXPLICIT`.
        value: Vec<u8>,
    },
    /// `directoryName`: the DER of the name.
    Directory(Vec<u8>),
    /// Any other form of name: its context tag and contents.
    Unknown {
        /// The number of the context-specific tag.
        tag: u8,
        /// The contents.
        value: Vec<u8>,
    },
}

/// A distinguished name that is the subject of a certificate of ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DistinguishedName {
    der: Vec<u8>,
}

/// A text cannot be part of a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a part of a certificate's name must have 1 to 64 characters")]
pub struct NameError;

impl DistinguishedName {
    /// The name `O=…, CN=…`, each as a `PrintableString` where it fits, else as a `UTF8String`.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a part that is empty or longer than RFC 5280's upper bound of 64.
    pub fn new(organization: &str, common_name: &str) -> Result<Self, NameError> {
        todo!("{organization}{common_name}")
    }

    /// The DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}
