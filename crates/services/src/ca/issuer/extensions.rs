//! The extensions under 1.3.6.1.4.1.57264.1 of a certificate.

use pki::Oid;
use pki::fulcio::{self, Known};

use super::ContentsError;

/// Writes the extensions in their order, without the empty ones. `ci` says the text of those that describe a
/// CI job.
pub(super) fn extensions(
    issuer: &str,
    subject: &str,
    ci: impl Fn(&Known) -> Result<String, ContentsError>,
) -> Result<Vec<(Oid, Vec<u8>)>, ContentsError> {
    let mut extensions = Vec::new();
    for known in fulcio::KNOWN {
        let text = match *known {
            fulcio::ISSUER | fulcio::ISSUER_V2 => issuer.to_owned(),
            fulcio::TOKEN_SUBJECT => subject.to_owned(),
            _ => ci(known)?,
        };
        if !text.is_empty() {
            extensions.push((known.oid, known.encode(&text)));
        }
    }
    if issuer.is_empty() { Err(ContentsError::NoIssuer) } else { Ok(extensions) }
}

/// The extensions of a person: issuer and subject.
pub(super) fn of_person(issuer: &str, subject: &str) -> Result<Vec<(Oid, Vec<u8>)>, ContentsError> {
    extensions(issuer, subject, |_| Ok(String::new()))
}
