//! Names in certificates: distinguished names and alternative names.

use std::net::IpAddr;

use crate::asn1::{self, DerError, Reader, tag};
use crate::{Oid, fulcio};

/// A subject alternative name, RFC 5280 §4.2.1.6.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GeneralName {
    /// `rfc822Name`: ASCII only, with its case.
    Email(String),
    /// `dNSName`: ASCII only, with its case.
    Dns(String),
    /// `uniformResourceIdentifier`: ASCII only. It may be empty.
    Uri(String),
    /// `iPAddress` of 4 or 16 octets.
    Ip(IpAddr),
    /// `otherName` of the type 1.3.6.1.4.1.57264.1.7: Fulcio's user names, UTF-8.
    FulcioOther(String),
    /// An `otherName` of another type.
    Other {
        /// The type.
        oid: Oid,
        /// The contents of `[0] EXPLICIT`: the DER of the value.
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

/// The numbers of the context tags of `GeneralName`.
pub(crate) mod form {
    pub(crate) const OTHER: u8 = 0;
    pub(crate) const EMAIL: u8 = 1;
    pub(crate) const DNS: u8 = 2;
    pub(crate) const DIRECTORY: u8 = 4;
    pub(crate) const URI: u8 = 6;
    pub(crate) const IP: u8 = 7;
}

impl GeneralName {
    /// Reads `GeneralNames`: at least one.
    pub(crate) fn read_all(der: &[u8]) -> Result<Vec<Self>, DerError> {
        let mut names = Vec::new();
        let mut reader = Reader::only(der, tag::SEQUENCE)?;
        while !reader.is_empty() {
            names.push(Self::read(&mut reader)?);
        }
        if names.is_empty() { Err(DerError) } else { Ok(names) }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let element = reader.any()?;
        let content = element.content();
        let number = element.tag() & 0x1f;
        let is_constructed = element.tag() == tag::constructed(number);
        if !is_constructed && element.tag() != tag::context(number) {
            return Err(DerError);
        }
        match (number, is_constructed) {
            (form::EMAIL, false) => ia5(content).map(Self::Email),
            (form::DNS, false) => ia5(content).map(Self::Dns),
            (form::URI, false) => ia5(content).map(Self::Uri),
            (form::IP, false) => ip(content).map(Self::Ip),
            (form::OTHER, true) => Self::read_other(element.reader()),
            (form::DIRECTORY, true) => {
                Reader::only(content, tag::SEQUENCE)?;
                Ok(Self::Directory(content.to_vec()))
            }
            // x400Address, ediPartyName and registeredID.
            (3 | 5, true) | (8, false) => {
                Ok(Self::Unknown { tag: number, value: content.to_vec() })
            }
            _ => Err(DerError),
        }
    }

    fn read_other(mut reader: Reader<'_>) -> Result<Self, DerError> {
        let oid = reader.oid()?;
        let value = reader.expect(tag::constructed(0))?;
        reader.finish()?;
        if oid != fulcio::OTHER_NAME {
            return Ok(Self::Other { oid, value: value.content().to_vec() });
        }
        let mut inner = value.reader();
        let text = inner.utf8()?.to_owned();
        inner.finish()?;
        Ok(Self::FulcioOther(text))
    }

    /// The name as people write it; `None` for forms that they do not.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) | Self::FulcioOther(text) => {
                Some(text.clone())
            }
            Self::Ip(address) => Some(address.to_string()),
            Self::Other { .. } | Self::Directory(_) | Self::Unknown { .. } => None,
        }
    }

    /// The number of the context tag.
    pub(crate) const fn form(&self) -> u8 {
        match self {
            Self::FulcioOther(_) | Self::Other { .. } => form::OTHER,
            Self::Email(_) => form::EMAIL,
            Self::Dns(_) => form::DNS,
            Self::Directory(_) => form::DIRECTORY,
            Self::Uri(_) => form::URI,
            Self::Ip(_) => form::IP,
            Self::Unknown { tag, .. } => *tag,
        }
    }
}

/// The text of an `IA5String`.
pub(crate) fn ia5(bytes: &[u8]) -> Result<String, DerError> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        _ => Err(DerError),
    }
}

fn ip(bytes: &[u8]) -> Result<IpAddr, DerError> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .map_err(|_| DerError)
}

/// A distinguished name that is the subject of a certificate of ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DistinguishedName {
    der: Vec<u8>,
}

/// A text cannot be part of a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a part of a certificate's name must have 1 to {MAX_ATTRIBUTE} characters")]
pub struct NameError;

/// RFC 5280 §A.1, `ub-common-name` and `ub-organization-name`.
const MAX_ATTRIBUTE: usize = 64;

const COMMON_NAME: Oid = Oid::new_unwrap("2.5.4.3");
const ORGANIZATION: Oid = Oid::new_unwrap("2.5.4.10");
pub(crate) const EMAIL_ADDRESS: Oid = Oid::new_unwrap("1.2.840.113549.1.9.1");

/// The attributes that are shown by their short name (RFC 4514 §3, and the e-mail address of PKCS #9).
const SHORT_NAMES: [(Oid, &str); 8] = [
    (COMMON_NAME, "CN"),
    (ORGANIZATION, "O"),
    (Oid::new_unwrap("2.5.4.11"), "OU"),
    (Oid::new_unwrap("2.5.4.6"), "C"),
    (Oid::new_unwrap("2.5.4.8"), "ST"),
    (Oid::new_unwrap("2.5.4.7"), "L"),
    (Oid::new_unwrap("2.5.4.5"), "serialNumber"),
    (EMAIL_ADDRESS, "emailAddress"),
];

impl DistinguishedName {
    /// The name `O=…, CN=…`, each as a `PrintableString` where it fits, else as a `UTF8String`.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a part that is empty or longer than RFC 5280's upper bound of 64.
    pub fn new(organization: &str, common_name: &str) -> Result<Self, NameError> {
        let organization = attribute(ORGANIZATION, organization)?;
        let common_name = attribute(COMMON_NAME, common_name)?;
        Ok(Self { der: asn1::sequence(&[&organization, &common_name]) })
    }

    /// The name without any part: the subject of Fulcio's leaves and of TLS certificates, whose names
    /// are alternative names.
    #[must_use]
    pub fn empty() -> Self {
        Self { der: asn1::sequence(&[]) }
    }

    /// The DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// A `RelativeDistinguishedName` of one attribute.
fn attribute(oid: Oid, text: &str) -> Result<Vec<u8>, NameError> {
    if text.is_empty() || text.chars().count() > MAX_ATTRIBUTE {
        return Err(NameError);
    }
    // X.680 §41.4; Go's encoder, whose names ours equal, does not count `'`, `(` and the like out.
    let is_printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    let string = if text.bytes().all(is_printable) {
        asn1::tlv(tag::PRINTABLE_STRING, &[text.as_bytes()])
    } else {
        asn1::tlv(tag::UTF8_STRING, &[text.as_bytes()])
    };
    Ok(asn1::set(&[&asn1::sequence(&[&asn1::oid(oid), &string])]))
}

/// The attributes of a `Name` in their order. Text in other encodings than UTF-8 is read as best it can.
pub(crate) fn attributes(name_der: &[u8]) -> Result<Vec<(Oid, String)>, DerError> {
    let mut attributes = Vec::new();
    let mut sets = Reader::only(name_der, tag::SEQUENCE)?;
    while !sets.is_empty() {
        let mut set = sets.expect(tag::SET)?.reader();
        while !set.is_empty() {
            let mut pair = set.sequence()?;
            let oid = pair.oid()?;
            let text = String::from_utf8_lossy(pair.any()?.content()).into_owned();
            pair.finish()?;
            attributes.push((oid, text));
        }
    }
    Ok(attributes)
}

/// A `Name` for people, such as `O=sigstore.dev, CN=sigstore-intermediate`. A comma within a value is escaped (RFC 4514
/// §2.4), so that no value looks like two.
pub(crate) fn display(name_der: &[u8]) -> String {
    let attributes = attributes(name_der).unwrap_or_default();
    let parts = attributes.iter().map(|(oid, text)| {
        let text = text.escape_debug().to_string().replace(',', "\\,");
        match SHORT_NAMES.iter().find(|(known, _)| known == oid) {
            Some((_, short)) => format!("{short}={text}"),
            None => format!("{oid}={text}"),
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The first organisation and the first common name.
pub(crate) fn parts(name_der: &[u8]) -> (Option<String>, Option<String>) {
    let attributes = attributes(name_der).unwrap_or_default();
    let first = |oid| attributes.iter().find(|(known, _)| *known == oid).map(|(_, t)| t.clone());
    (first(ORGANIZATION), first(COMMON_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_the_existing_servers_write_it() {
        let name = DistinguishedName::new("sigstore.example", "root").unwrap();
        let expected = "302a31193017060355040a131073696773746f72652e6578616d706c65310d300b06035504031304726f6f74";
        assert_eq!(hex::encode(name.der()), expected);
        assert_eq!(display(name.der()), "O=sigstore.example, CN=root");
    }

    #[test]
    fn no_value_looks_like_two() {
        let one = DistinguishedName::new("Corp, CN=Release", "x").unwrap();
        assert_eq!(display(one.der()), "O=Corp\\, CN=Release, CN=x");
    }

    #[test]
    fn what_is_not_printable_becomes_utf_8() {
        let name = DistinguishedName::new("Bücher & Söhne", "*").unwrap();
        assert_eq!(parts(name.der()), (Some("Bücher & Söhne".to_owned()), Some("*".to_owned())));
        assert_eq!(DistinguishedName::new("", "x"), Err(NameError));
        assert_eq!(DistinguishedName::new(&"x".repeat(65), "x"), Err(NameError));
    }

    #[test]
    fn alternative_names_outside_their_alphabet_are_refused() {
        let names = |tag: u8, value: &[u8]| {
            GeneralName::read_all(&asn1::sequence(&[&asn1::tlv(tag, &[value])]))
        };
        assert_eq!(names(0x81, b"a@b.c"), Ok(vec![GeneralName::Email("a@b.c".to_owned())]));
        names(0x81, "ä@b.c".as_bytes()).unwrap_err();
        names(0x87, &[1, 2, 3]).unwrap_err();
        names(0x89, b"").unwrap_err();
        names(0xa1, b"a@b.c").unwrap_err();
        GeneralName::read_all(&asn1::sequence(&[])).unwrap_err();
    }

    #[test]
    fn a_user_name_is_one_utf8_string_and_nothing_more() {
        let other = |value: &[u8]| {
            let inner = [asn1::oid(fulcio::OTHER_NAME), asn1::explicit(0, value)].concat();
            GeneralName::read_all(&asn1::sequence(&[&asn1::tlv(0xa0, &[&inner])]))
        };
        let text = asn1::tlv(tag::UTF8_STRING, &["foo!bar.com".as_bytes()]);
        assert_eq!(other(&text), Ok(vec![GeneralName::FulcioOther("foo!bar.com".to_owned())]));
        other(&[text.as_slice(), &[5, 0]].concat()).unwrap_err();
        other(&asn1::tlv(tag::IA5_STRING, &[b"foo"])).unwrap_err();
        other(&asn1::tlv(tag::UTF8_STRING, &[&[0xff]])).unwrap_err();
    }
}
