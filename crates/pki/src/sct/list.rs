//! The SCTs inside a certificate, RFC 6962 §3.3.

use super::{Sct, SctFormatError, TlsReader, put_u16_list};
use crate::asn1::{Reader, octet_string, tag};
use crate::{Certificate, oid};

/// More SCTs in one certificate are refused: each costs a signature. Web certificates have two or three.
const MAX_SCTS: usize = 16;

/// The SCTs inside a certificate; none without the extension.
///
/// # Errors
///
/// [`SctFormatError`], also for an empty list (RFC 6962 §3.3: `<1..2^16-1>`).
pub fn embedded(certificate: &Certificate) -> Result<Vec<Sct>, SctFormatError> {
    let Some(extension) = certificate.extension(oid::SCT_LIST) else { return Ok(Vec::new()) };
    // The value is an `OCTET STRING` inside that of the extension.
    let mut outer = Reader::new(extension.value);
    let list = outer.expect(tag::OCTET_STRING).map_err(|_| SctFormatError)?.content();
    outer.finish().map_err(|_| SctFormatError)?;

    let mut reader = TlsReader::new(list);
    let mut entries = TlsReader::new(reader.u16_list()?);
    reader.finish()?;
    let mut scts = Vec::new();
    while !entries.is_empty() {
        scts.push(Sct::decode(entries.u16_list()?)?);
    }
    if (1..=MAX_SCTS).contains(&scts.len()) { Ok(scts) } else { Err(SctFormatError) }
}

/// The contents of the SCT list extension (`extnValue` without its own `OCTET STRING` header).
#[must_use]
pub fn list_extension_value(scts: &[Sct]) -> Vec<u8> {
    let mut entries = Vec::new();
    for sct in scts {
        put_u16_list(&mut entries, &sct.encode());
    }
    let mut list = Vec::with_capacity(entries.len() + 2);
    put_u16_list(&mut list, &entries);
    octet_string(&list)
}
