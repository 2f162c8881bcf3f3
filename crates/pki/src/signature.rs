//! Signature algorithms as `AlgorithmIdentifier` (RFC 5280 §4.1.1.2) names them.

use crypto::{HashAlgorithm, KeyKind, Scheme};

use crate::Oid;
use crate::asn1::{self, DerError, Reader, tag};

/// A signature algorithm is unknown, weak (SHA-1, MD5), or has parameters that do not belong to it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature algorithm {oid} is not accepted")]
pub struct AlgorithmError {
    /// The algorithm in dotted form, or `?` if it is not even an identifier.
    pub oid: String,
}

pub(crate) const RSA_ENCRYPTION: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: Oid = Oid::new_unwrap("1.2.840.113549.1.1.10");
const MGF1: Oid = Oid::new_unwrap("1.2.840.113549.1.1.8");
pub(crate) const ED25519: Oid = Oid::new_unwrap("1.3.101.112");

/// The algorithms without parameters that mean anything: ECDSA of RFC 5758 §3.2, RSA of RFC 4055 §5,
/// Ed25519 of RFC 8410.
const SIMPLE: [(Oid, Scheme); 7] = [
    (Oid::new_unwrap("1.2.840.10045.4.3.2"), Scheme::Ecdsa(HashAlgorithm::Sha256)),
    (Oid::new_unwrap("1.2.840.10045.4.3.3"), Scheme::Ecdsa(HashAlgorithm::Sha384)),
    (Oid::new_unwrap("1.2.840.10045.4.3.4"), Scheme::Ecdsa(HashAlgorithm::Sha512)),
    (Oid::new_unwrap("1.2.840.113549.1.1.11"), Scheme::RsaPkcs1(HashAlgorithm::Sha256)),
    (Oid::new_unwrap("1.2.840.113549.1.1.12"), Scheme::RsaPkcs1(HashAlgorithm::Sha384)),
    (Oid::new_unwrap("1.2.840.113549.1.1.13"), Scheme::RsaPkcs1(HashAlgorithm::Sha512)),
    (ED25519, Scheme::Ed25519),
];

const HASHES: [(Oid, HashAlgorithm); 3] = [
    (Oid::new_unwrap("2.16.840.1.101.3.4.2.1"), HashAlgorithm::Sha256),
    (Oid::new_unwrap("2.16.840.1.101.3.4.2.2"), HashAlgorithm::Sha384),
    (Oid::new_unwrap("2.16.840.1.101.3.4.2.3"), HashAlgorithm::Sha512),
];

/// An `AlgorithmIdentifier` taken apart: what, and the DER of the parameters.
pub(crate) struct Algorithm<'a> {
    pub(crate) oid: Oid,
    pub(crate) parameters: &'a [u8],
}

impl<'a> Algorithm<'a> {
    /// Reads the DER of an `AlgorithmIdentifier`, with nothing after it.
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, DerError> {
        let mut reader = Reader::only(der, tag::SEQUENCE)?;
        let oid = reader.oid()?;
        let parameters = if reader.is_empty() { &[][..] } else { reader.any()?.der() };
        reader.finish()?;
        Ok(Self { oid, parameters })
    }

    /// Whether there are no parameters, or they are `NULL`.
    pub(crate) fn has_no_parameters(&self) -> bool {
        matches!(self.parameters, [] | [tag::NULL, 0])
    }

    pub(crate) fn refused(&self) -> AlgorithmError {
        AlgorithmError { oid: self.oid.to_string() }
    }
}

/// The scheme that the DER of an `AlgorithmIdentifier` names.
pub(crate) fn scheme(der: &[u8]) -> Result<Scheme, AlgorithmError> {
    let algorithm = Algorithm::read(der).map_err(|_| AlgorithmError { oid: "?".to_owned() })?;
    if algorithm.oid == RSA_PSS {
        let hash = pss_hash(algorithm.parameters).map_err(|_| algorithm.refused())?;
        return Ok(Scheme::RsaPss(hash));
    }
    SIMPLE
        .iter()
        .find(|(oid, _)| *oid == algorithm.oid)
        .filter(|_| algorithm.has_no_parameters())
        .map(|(_, scheme)| *scheme)
        .ok_or_else(|| algorithm.refused())
}

/// The hash of `RSASSA-PSS-params` (RFC 4055 §3.1). The mask must use the same one, and the salt must be
/// as long as it: other choices are not made by anyone and not verified here.
fn pss_hash(parameters: &[u8]) -> Result<HashAlgorithm, DerError> {
    let mut reader = Reader::only(parameters, tag::SEQUENCE)?;
    let hash = hash_algorithm(reader.expect(tag::constructed(0))?.content()).ok_or(DerError)?;
    let mask = Algorithm::read(reader.expect(tag::constructed(1))?.content())?;
    let mut salt = reader.expect(tag::constructed(2))?.reader();
    let salt_length = salt.small_integer()?;
    salt.finish()?;
    reader.finish()?;
    let same = mask.oid == MGF1 && hash_algorithm(mask.parameters) == Some(hash);
    if same && salt_length == hash.length() as u64 { Ok(hash) } else { Err(DerError) }
}

/// The hash that the DER of an `AlgorithmIdentifier` names, if it is one that is used.
pub(crate) fn hash_algorithm(der: &[u8]) -> Option<HashAlgorithm> {
    let algorithm = Algorithm::read(der).ok().filter(Algorithm::has_no_parameters)?;
    hash_of(algorithm.oid)
}

/// The hash with this identifier.
pub(crate) fn hash_of(oid: Oid) -> Option<HashAlgorithm> {
    HASHES.iter().find(|(known, _)| *known == oid).map(|(_, hash)| *hash)
}

/// The identifier of a hash.
pub(crate) fn hash_oid(hash: HashAlgorithm) -> Oid {
    match hash {
        HashAlgorithm::Sha256 => HASHES[0].0,
        HashAlgorithm::Sha384 => HASHES[1].0,
        HashAlgorithm::Sha512 => HASHES[2].0,
    }
}

/// The `AlgorithmIdentifier` for signatures of a key of `kind`, and its scheme.
///
/// RSA has `NULL` parameters (RFC 4055 §5), the others none.
pub(crate) fn identifier(kind: KeyKind) -> (Scheme, Vec<u8>) {
    identifier_with(Scheme::default_for(kind))
}

/// The `AlgorithmIdentifier` of a scheme that certificates and tokens of ours are signed with.
pub(crate) fn identifier_with(scheme: Scheme) -> (Scheme, Vec<u8>) {
    let oid = SIMPLE.iter().find(|(_, known)| *known == scheme).map_or(ED25519, |(oid, _)| *oid);
    let oid = asn1::oid(oid);
    let der = match scheme {
        Scheme::RsaPkcs1(_) => asn1::sequence(&[&oid, &[tag::NULL, 0]]),
        _ => asn1::sequence(&[&oid]),
    };
    (scheme, der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha_1_and_unknown_algorithms_are_refused() {
        for oid in ["1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.2.3"] {
            let der = asn1::sequence(&[&asn1::oid(Oid::new_unwrap(oid))]);
            assert_eq!(scheme(&der), Err(AlgorithmError { oid: oid.to_owned() }));
        }
    }

    #[test]
    fn an_algorithm_is_read_as_it_is_written() {
        for kind in [KeyKind::EcdsaP384, KeyKind::Rsa { bits: 2048 }, KeyKind::Ed25519] {
            let (written, der) = identifier(kind);
            assert_eq!(scheme(&der), Ok(written));
        }
    }

    #[test]
    fn pss_has_one_hash_and_a_salt_of_its_length() {
        let params = |mask: Oid, salt: u64| {
            let hash = |oid| asn1::sequence(&[&asn1::oid(oid), &[tag::NULL, 0]]);
            let sha256 = hash_oid(HashAlgorithm::Sha256);
            let mask = asn1::sequence(&[&asn1::oid(MGF1), &hash(mask)]);
            let params = asn1::sequence(&[
                &asn1::explicit(0, &hash(sha256)),
                &asn1::explicit(1, &mask),
                &asn1::explicit(2, &asn1::integer(salt)),
            ]);
            asn1::sequence(&[&asn1::oid(RSA_PSS), &params])
        };
        let [sha256, sha384] = [HashAlgorithm::Sha256, HashAlgorithm::Sha384].map(hash_oid);
        assert_eq!(scheme(&params(sha256, 32)), Ok(Scheme::RsaPss(HashAlgorithm::Sha256)));
        scheme(&params(sha256, 20)).unwrap_err();
        scheme(&params(sha384, 32)).unwrap_err();
    }
}
