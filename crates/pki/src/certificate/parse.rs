//! Reading a certificate, field by field in the order of RFC 5280 §4.1.

use std::ops::Range;

use crypto::PublicKey;
use jiff::Timestamp;

use super::{CertificateError, ExtensionPlace, Parsed, extension};
use crate::asn1::{DerError, Element, Reader, read_time, tag};
use crate::name;

/// A certificate with more extensions is refused: Fulcio's have up to thirty.
const MAX_EXTENSIONS: usize = 100;
/// RFC 5280 §4.1.2.2 allows 20 octets; some authorities count without the sign octet.
const MAX_SERIAL: usize = 21;

/// Names the field at which reading ended.
trait At<T> {
    fn at(self, part: &'static str) -> Result<T, CertificateError>;
}

impl<T> At<T> for Result<T, DerError> {
    fn at(self, part: &'static str) -> Result<T, CertificateError> {
        self.map_err(|DerError| CertificateError::Malformed { part })
    }
}

/// The fields of `TBSCertificate` in their order.
struct Tbs {
    serial: Range<usize>,
    algorithm: Range<usize>,
    issuer: Range<usize>,
    validity: (Timestamp, Timestamp),
    subject: Range<usize>,
    spki: Range<usize>,
    extension_block: Range<usize>,
    extensions: Vec<ExtensionPlace>,
}

pub(super) fn certificate(der: &[u8]) -> Result<Parsed, CertificateError> {
    let mut outer = Reader::only(der, tag::SEQUENCE).at("certificate")?;
    let tbs_element = outer.expect(tag::SEQUENCE).at("tbsCertificate")?;
    let algorithm = outer.expect(tag::SEQUENCE).at("signatureAlgorithm")?;
    let signature = outer.bit_string().at("signatureValue")?;
    outer.finish().at("end")?;

    let tbs = tbs(&tbs_element)?;
    // RFC 5280 §4.1.1.2: the algorithm is signed too, and must be the same.
    if &der[tbs.algorithm.clone()] != algorithm.der() {
        return Err(CertificateError::Malformed { part: "signature" });
    }
    let mut known = extension::Known::default();
    for ExtensionPlace { oid, value, .. } in &tbs.extensions {
        known
            .take(*oid, &der[value.clone()])
            .map_err(|DerError| CertificateError::Extension { oid: *oid })?;
    }
    let public_key =
        PublicKey::from_spki_der(&der[tbs.spki.clone()]).map_err(CertificateError::PublicKey)?;
    Ok(Parsed {
        tbs: tbs_element.span(),
        tbs_content: tbs_element.content_span(),
        serial: tbs.serial,
        issuer: tbs.issuer,
        subject: tbs.subject,
        spki: tbs.spki,
        not_before: tbs.validity.0,
        not_after: tbs.validity.1,
        public_key,
        extension_block: tbs.extension_block,
        extensions: tbs.extensions,
        known,
        signature_algorithm: algorithm.span(),
        signature: signature.content_span(),
        der: der.to_vec(),
    })
}

fn tbs(element: &Element<'_>) -> Result<Tbs, CertificateError> {
    let mut reader = element.reader();
    let version = version(&mut reader).at("version")?;
    let serial = serial(&mut reader).at("serialNumber")?;
    let algorithm = reader.expect(tag::SEQUENCE).at("signature")?.span();
    let issuer = name(&mut reader).at("issuer")?;
    let validity = validity(&mut reader).at("validity")?;
    let subject = name(&mut reader).at("subject")?;
    let spki = reader.expect(tag::SEQUENCE).at("subjectPublicKeyInfo")?.span();
    // Unique identifiers, which nobody has used for thirty years, are passed over.
    for unique_id in [1, 2] {
        let found = reader.optional(tag::context(unique_id)).at("uniqueID")?;
        if found.is_some() && version < 2 {
            return Err(CertificateError::Malformed { part: "uniqueID" });
        }
    }
    let end = element.content_span().end;
    let (extension_block, extensions) =
        match reader.optional(tag::constructed(3)).at("extensions")? {
            Some(_) if version != 3 => {
                return Err(CertificateError::Malformed { part: "extensions" });
            }
            Some(block) => (block.span(), extensions(&block)?),
            None => (end..end, Vec::new()),
        };
    reader.finish().at("extensions")?;
    Ok(Tbs { serial, algorithm, issuer, validity, subject, spki, extension_block, extensions })
}

/// The version, counted from 1.
fn version(reader: &mut Reader<'_>) -> Result<u64, DerError> {
    let Some(explicit) = reader.optional(tag::constructed(0))? else { return Ok(1) };
    let mut inner = explicit.reader();
    let version = inner.small_integer()?;
    inner.finish()?;
    // DER leaves out the default, v1; there is no v4.
    if matches!(version, 1 | 2) { Ok(version + 1) } else { Err(DerError) }
}

fn serial(reader: &mut Reader<'_>) -> Result<Range<usize>, DerError> {
    let element = reader.integer()?;
    match element.content() {
        // RFC 5280 §4.1.2.2: positive.
        [0x80..=0xff, ..] => Err(DerError),
        serial if serial.len() > MAX_SERIAL => Err(DerError),
        _ => Ok(element.content_span()),
    }
}

fn name(reader: &mut Reader<'_>) -> Result<Range<usize>, DerError> {
    let element = reader.expect(tag::SEQUENCE)?;
    name::attributes(element.der())?;
    Ok(element.span())
}

fn validity(reader: &mut Reader<'_>) -> Result<(Timestamp, Timestamp), DerError> {
    let mut validity = reader.sequence()?;
    let not_before = read_time(&validity.any()?)?;
    let not_after = read_time(&validity.any()?)?;
    validity.finish()?;
    Ok((not_before, not_after))
}

fn extensions(block: &Element<'_>) -> Result<Vec<ExtensionPlace>, CertificateError> {
    const PART: &str = "extensions";
    let mut explicit = block.reader();
    let mut list = explicit.sequence().at(PART)?;
    explicit.finish().at(PART)?;
    let mut places: Vec<ExtensionPlace> = Vec::new();
    while !list.is_empty() {
        let place = extension_place(&mut list).at(PART)?;
        if places.iter().any(|other| other.oid == place.oid) {
            return Err(CertificateError::Extension { oid: place.oid });
        }
        places.push(place);
        if places.len() > MAX_EXTENSIONS {
            return Err(CertificateError::Malformed { part: PART });
        }
    }
    if places.is_empty() {
        return Err(CertificateError::Malformed { part: PART });
    }
    Ok(places)
}

fn extension_place(list: &mut Reader<'_>) -> Result<ExtensionPlace, DerError> {
    let whole = list.expect(tag::SEQUENCE)?;
    let mut reader = whole.reader();
    let oid = reader.oid()?;
    let critical = reader.boolean_default_false()?;
    let value = reader.expect(tag::OCTET_STRING)?;
    reader.finish()?;
    Ok(ExtensionPlace { oid, critical, whole: whole.span(), value: value.content_span() })
}
