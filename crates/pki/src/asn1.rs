//! DER, X.690: a strict reader that lends out the bytes it was given, and a writer.
//!
//! Certificates and timestamps are signed over bytes, so bytes are what is kept. The reader knows no
//! schema: it walks, and says where things are.

mod reader;
mod time;
mod writer;

pub use reader::{DerError, Element, Reader};
pub(crate) use time::{generalized_time, read_time, read_time_with_fraction, x509_time};
pub use writer::{
    bit_string, boolean_true, explicit, integer, octet_string, oid, sequence, set, tlv, unsigned,
};

/// The tags that are used here; only those with numbers below 31 exist.
pub mod tag {
    /// `BOOLEAN`.
    pub const BOOLEAN: u8 = 0x01;
    /// `INTEGER`.
    pub const INTEGER: u8 = 0x02;
    /// `BIT STRING`.
    pub const BIT_STRING: u8 = 0x03;
    /// `OCTET STRING`.
    pub const OCTET_STRING: u8 = 0x04;
    /// `NULL`.
    pub const NULL: u8 = 0x05;
    /// `OBJECT IDENTIFIER`.
    pub const OID: u8 = 0x06;
    /// `UTF8String`.
    pub const UTF8_STRING: u8 = 0x0c;
    /// `PrintableString`.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// `IA5String`.
    pub const IA5_STRING: u8 = 0x16;
    /// `UTCTime`.
    pub const UTC_TIME: u8 = 0x17;
    /// `GeneralizedTime`.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// `SEQUENCE`, constructed.
    pub const SEQUENCE: u8 = 0x30;
    /// `SET`, constructed.
    pub const SET: u8 = 0x31;

    /// The context-specific tag `[number]`, primitive.
    #[must_use]
    pub const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// The context-specific tag `[number]`, constructed.
    #[must_use]
    pub const fn constructed(number: u8) -> u8 {
        0xa0 | number
    }
}
