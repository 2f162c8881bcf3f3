//! Putting a signature together anew, with other parts.

use crypto::{decode_pem, encode_pem};
use pki::Oid;
use pki::asn1::{self, Reader, explicit, octet_string, sequence, set, tag, tlv};
use wire::bundle::TransparencyLogEntry;

pub(crate) const LOG_ENTRY: Oid = Oid::new_unwrap("1.3.6.1.4.1.57264.3.1");

/// The parts of a signature that a forger would change.
pub(crate) struct Forgery {
    head: Vec<Vec<u8>>,
    /// The embedded certificates, DER.
    pub(crate) bag: Vec<Vec<u8>>,
    /// The signer up to its signature.
    signer: Vec<Vec<u8>>,
    /// The unsigned attributes, DER.
    pub(crate) unsigned: Vec<Vec<u8>>,
}

fn elements(mut reader: Reader<'_>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !reader.is_empty() {
        found.push(reader.any().unwrap().der().to_vec());
    }
    found
}

fn contents(der: &[u8]) -> Vec<Vec<u8>> {
    elements(Reader::new(der).any().unwrap().reader())
}

impl Forgery {
    /// Takes a signature apart.
    pub(crate) fn of(armored: &str) -> Self {
        let (block, _) = decode_pem(armored.as_bytes()).unwrap();
        let info = contents(&block.contents);
        let data = contents(&contents(&info[1])[0]);
        let mut signer = contents(&contents(&data[4])[0]);
        let unsigned = contents(&signer.pop().unwrap());
        Self { head: data[..3].to_vec(), bag: contents(&data[3]), signer, unsigned }
    }

    /// Puts it together again.
    pub(crate) fn armored(&self) -> String {
        let parts = |parts: &[Vec<u8>]| parts.concat();
        let unsigned = tlv(tag::constructed(1), &[&parts(&self.unsigned)]);
        let signer = sequence(&[&parts(&self.signer), &unsigned]);
        let bag = tlv(tag::constructed(0), &[&parts(&self.bag)]);
        let data = sequence(&[&parts(&self.head), &bag, &set(&[&signer])]);
        let signed_data = Oid::new_unwrap("1.2.840.113549.1.7.2");
        encode_pem("SIGNED MESSAGE", &sequence(&[&asn1::oid(signed_data), &explicit(0, &data)]))
    }

    /// Replaces the log entry.
    pub(crate) fn with_entry(mut self, entry: &TransparencyLogEntry) -> Self {
        self.unsigned.retain(|attribute| contents(attribute)[0] != asn1::oid(LOG_ENTRY));
        self.unsigned.push(attribute(&octet_string(&entry.to_protobuf())));
        self
    }

    /// The log entry, as it is stored.
    pub(crate) fn entry(&self) -> TransparencyLogEntry {
        let is_entry = |attribute: &&Vec<u8>| contents(attribute)[0] == asn1::oid(LOG_ENTRY);
        let found = self.unsigned.iter().find(is_entry).unwrap();
        let value = &contents(&contents(found)[1])[0];
        let message = Reader::new(value).expect(tag::OCTET_STRING).unwrap().content();
        TransparencyLogEntry::from_protobuf(message).unwrap()
    }
}

/// An attribute of log entries with this value.
pub(crate) fn attribute(value: &[u8]) -> Vec<u8> {
    sequence(&[&asn1::oid(LOG_ENTRY), &set(&[value])])
}
