//! The fields and extensions of certificates of ours, byte for byte as Go's `x509.CreateCertificate`
//! writes them: that is what clients have seen so far.

use crypto::{PublicKey, SigningKey};

use super::{IssueError, Serial, ServerName, Validity};
use crate::asn1::{self, tag, x509_time};
use crate::name::form;
use crate::{Certificate, Oid, oid, signature};

/// `digitalSignature`.
pub(crate) const KEY_USAGE_SIGNATURE: [u8; 4] = [tag::BIT_STRING, 2, 7, 0x80];
/// `keyCertSign` and `cRLSign`.
pub(crate) const KEY_USAGE_AUTHORITY: [u8; 4] = [tag::BIT_STRING, 2, 1, 0x06];

/// The fields of a certificate that are not extensions.
#[derive(Clone, Copy)]
pub(crate) struct Template<'a> {
    pub(crate) serial: Serial,
    pub(crate) issuer: &'a [u8],
    pub(crate) validity: Validity,
    pub(crate) subject: &'a [u8],
    pub(crate) spki: &'a [u8],
}

impl Template<'_> {
    /// Adds `extensions` in their order, and signs.
    pub(crate) fn sign(
        &self,
        extensions: &[Vec<u8>],
        key: &SigningKey,
    ) -> Result<Certificate, IssueError> {
        let (scheme, algorithm) = signature::identifier(key.kind());
        let tbs = self.tbs(&algorithm, extensions);
        sign(&tbs, scheme, &algorithm, key)
    }

    fn tbs(&self, algorithm: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
        let validity = asn1::sequence(&[
            &x509_time(self.validity.not_before()),
            &x509_time(self.validity.not_after()),
        ]);
        asn1::sequence(&[
            // v3
            &asn1::explicit(0, &asn1::integer(2)),
            &asn1::unsigned(&self.serial.0),
            algorithm,
            self.issuer,
            &validity,
            self.subject,
            self.spki,
            &asn1::explicit(3, &asn1::tlv(tag::SEQUENCE, &slices(extensions))),
        ])
    }
}

/// Signs a TBS whose algorithm is that of `key`.
pub(crate) fn sign(
    tbs: &[u8],
    scheme: crypto::Scheme,
    algorithm: &[u8],
    key: &SigningKey,
) -> Result<Certificate, IssueError> {
    let signature = key.sign_with(scheme, tbs).map_err(IssueError::Sign)?;
    let der = asn1::sequence(&[tbs, algorithm, &asn1::bit_string(&signature)]);
    Certificate::from_der(&der).map_err(IssueError::Contents)
}

fn slices(parts: &[Vec<u8>]) -> Vec<&[u8]> {
    parts.iter().map(Vec::as_slice).collect()
}

/// An `Extension`.
pub(crate) fn extension(oid: Oid, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { asn1::boolean_true() } else { Vec::new() };
    asn1::sequence(&[&asn1::oid(oid), &critical, &asn1::octet_string(value)])
}

pub(crate) fn key_usage(bits: [u8; 4]) -> Vec<u8> {
    extension(oid::KEY_USAGE, true, &bits)
}

pub(crate) fn purpose(purpose: Oid, critical: bool) -> Vec<u8> {
    extension(oid::EXTENDED_KEY_USAGE, critical, &asn1::sequence(&[&asn1::oid(purpose)]))
}

/// `basicConstraints` of an authority.
pub(crate) fn authority(path_len: Option<u64>) -> Vec<u8> {
    let path_len = path_len.map(asn1::integer).unwrap_or_default();
    let value = asn1::sequence(&[&asn1::boolean_true(), &path_len]);
    extension(oid::BASIC_CONSTRAINTS, true, &value)
}

/// The identifier of a key: the first 160 bits of SHA-256 of its bits (RFC 7093 §2, method 1).
pub(crate) fn key_id(key: &PublicKey) -> Vec<u8> {
    crypto::sha256(key.raw())[..20].to_vec()
}

pub(crate) fn subject_key_id(id: &[u8]) -> Vec<u8> {
    extension(oid::SUBJECT_KEY_IDENTIFIER, false, &asn1::octet_string(id))
}

pub(crate) fn authority_key_id(id: &[u8]) -> Vec<u8> {
    let value = asn1::sequence(&[&asn1::tlv(tag::context(0), &[id])]);
    extension(oid::AUTHORITY_KEY_IDENTIFIER, false, &value)
}

/// `subjectAltName`, critical because the subject is empty (RFC 5280 §4.2.1.6).
pub(crate) fn critical_san(value: &[u8]) -> Vec<u8> {
    extension(oid::SUBJECT_ALT_NAME, true, value)
}

/// The names of a TLS server; `None` if there are none, or one is not ASCII.
pub(crate) fn server_names(names: &[ServerName]) -> Option<Vec<u8>> {
    let name = |name: &ServerName| match name {
        ServerName::Dns(host) if host.is_ascii() && !host.is_empty() => {
            Some(asn1::tlv(tag::context(form::DNS), &[host.as_bytes()]))
        }
        ServerName::Dns(_) => None,
        ServerName::Ip(std::net::IpAddr::V4(ip)) => {
            Some(asn1::tlv(tag::context(form::IP), &[&ip.octets()]))
        }
        ServerName::Ip(std::net::IpAddr::V6(ip)) => {
            Some(asn1::tlv(tag::context(form::IP), &[&ip.octets()]))
        }
    };
    let names: Vec<Vec<u8>> = names.iter().map(name).collect::<Option<_>>()?;
    (!names.is_empty()).then(|| critical_san(&asn1::tlv(tag::SEQUENCE, &slices(&names))))
}
