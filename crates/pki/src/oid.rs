//! The object identifiers that certificates and timestamps are made of.

use crate::Oid;

/// `keyUsage`, RFC 5280 §4.2.1.3.
pub const KEY_USAGE: Oid = Oid::new_unwrap("2.5.29.15");
/// `extKeyUsage`, RFC 5280 §4.2.1.12.
pub const EXTENDED_KEY_USAGE: Oid = Oid::new_unwrap("2.5.29.37");
/// `basicConstraints`, RFC 5280 §4.2.1.9.
pub const BASIC_CONSTRAINTS: Oid = Oid::new_unwrap("2.5.29.19");
/// `subjectKeyIdentifier`, RFC 5280 §4.2.1.2.
pub const SUBJECT_KEY_IDENTIFIER: Oid = Oid::new_unwrap("2.5.29.14");
/// `authorityKeyIdentifier`, RFC 5280 §4.2.1.1.
pub const AUTHORITY_KEY_IDENTIFIER: Oid = Oid::new_unwrap("2.5.29.35");
/// `subjectAltName`, RFC 5280 §4.2.1.6.
pub const SUBJECT_ALT_NAME: Oid = Oid::new_unwrap("2.5.29.17");
/// `nameConstraints`, RFC 5280 §4.2.1.10.
pub const NAME_CONSTRAINTS: Oid = Oid::new_unwrap("2.5.29.30");
/// The list of SCTs in a certificate, RFC 6962 §3.3.
pub const SCT_LIST: Oid = Oid::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
/// The poison of a precertificate, RFC 6962 §3.1.
pub const POISON: Oid = Oid::new_unwrap("1.3.6.1.4.1.11129.2.4.3");

/// The purpose `id-kp-codeSigning`.
pub const CODE_SIGNING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.3");
/// The purpose `id-kp-timeStamping`.
pub const TIME_STAMPING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.8");
/// The purpose `id-kp-serverAuth`.
pub const SERVER_AUTH: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.1");
