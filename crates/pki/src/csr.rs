//! Certification requests, PKCS#10 (RFC 2986), as Fulcio reads them: the key and the proof of its
//! possession, and nothing else.

use crypto::{PublicKey, PublicKeyError, Scheme, decode_pem};

use crate::Oid;
use crate::asn1::{DerError, Reader, tag};
use crate::signature::{self, Algorithm};

/// The longest request that is read: those of clients have a few hundred bytes.
const MAX_REQUEST: usize = 1 << 16;

/// Algorithms that may not sign, but of which Go can tell whether they did; with its name for each.
const REFUSED: [(Oid, &str); 2] = [
    (Oid::new_unwrap("1.2.840.113549.1.1.5"), "SHA1-RSA"),
    (Oid::new_unwrap("1.2.840.10045.4.1"), "ECDSA-SHA1"),
];

/// A certification request that was read. Subject, attributes and requested extensions are ignored.
#[derive(Clone, Debug)]
pub struct CertificationRequest {
    info: Vec<u8>,
    key: Result<PublicKey, PublicKeyError>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

/// Why text is not a certification request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CsrError {
    /// There is no PEM block `CERTIFICATE REQUEST` or `NEW CERTIFICATE REQUEST`.
    #[error("there is no PEM certification request")]
    NotPem,
    /// It is not DER, or has something after it.
    #[error("the certification request is not well-formed DER")]
    Malformed,
}

/// Why a request does not prove possession of its key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProofError {
    /// The key itself cannot be used.
    #[error("the certification request's key cannot be used")]
    Key(#[source] PublicKeyError),
    /// The signature does not verify.
    #[error("the certification request's signature does not verify")]
    Signature,
    /// The algorithm is not one that may sign; the text is its name in Go, such as `SHA256-RSAPSS`.
    #[error("unrecognized signature algorithm: {0}")]
    Algorithm(String),
}

impl CertificationRequest {
    /// Reads a PEM request. Text around the block is passed over.
    ///
    /// # Errors
    ///
    /// See [`CsrError`].
    pub fn from_pem(text: &[u8]) -> Result<Self, CsrError> {
        let (pem, _) = decode_pem(text).map_err(|_| CsrError::NotPem)?;
        if !matches!(pem.label.as_str(), "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") {
            return Err(CsrError::NotPem);
        }
        if pem.contents.len() > MAX_REQUEST {
            return Err(CsrError::Malformed);
        }
        Self::read(&pem.contents).map_err(|DerError| CsrError::Malformed)
    }

    fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut outer = Reader::only(der, tag::SEQUENCE)?;
        let info = outer.expect(tag::SEQUENCE)?;
        let algorithm = outer.expect(tag::SEQUENCE)?.der().to_vec();
        let signature = outer.bit_string()?.content().to_vec();
        outer.finish()?;

        let mut fields = info.reader();
        if fields.small_integer()? != 0 {
            return Err(DerError);
        }
        fields.expect(tag::SEQUENCE)?;
        let spki = fields.expect(tag::SEQUENCE)?.der();
        // Some software leaves out attributes where there are none.
        fields.optional(tag::constructed(0))?;
        fields.finish()?;
        let key = PublicKey::from_spki_der(spki);
        Ok(Self { info: info.der().to_vec(), key, algorithm, signature })
    }

    /// The key for which a certificate is asked, or why it cannot be used.
    ///
    /// # Errors
    ///
    /// The key's own error.
    pub const fn public_key(&self) -> Result<&PublicKey, &PublicKeyError> {
        self.key.as_ref()
    }

    /// Checks the self-signature first, and then that its algorithm may be used.
    ///
    /// Returns the scheme, so that the caller can hold pairs of key and hash against its list.
    ///
    /// # Errors
    ///
    /// See [`ProofError`].
    pub fn verify(&self) -> Result<Scheme, ProofError> {
        let key = self.key.as_ref().map_err(|error| ProofError::Key(error.clone()))?;
        let scheme = signature::scheme(&self.algorithm).map_err(|_| self.refused_algorithm())?;
        key.verify(scheme, &self.info, &self.signature).map_err(|_| ProofError::Signature)?;
        match scheme {
            Scheme::RsaPss(hash) => {
                let bits = hash.length() * 8;
                Err(ProofError::Algorithm(format!("SHA{bits}-RSAPSS")))
            }
            scheme => Ok(scheme),
        }
    }

    /// What is said of an algorithm that is not verified here. SHA-1 is not verified at all: whether its
    /// signature is good makes no difference to the refusal.
    fn refused_algorithm(&self) -> ProofError {
        let oid = Algorithm::read(&self.algorithm).map(|algorithm| algorithm.oid);
        match REFUSED.iter().find(|(known, _)| Ok(*known) == oid) {
            Some((_, name)) => ProofError::Algorithm((*name).to_owned()),
            None => ProofError::Signature,
        }
    }
}

#[cfg(test)]
mod tests {
    use crypto::{KeyKind, SigningKey, encode_pem};

    use super::*;
    use crate::asn1;

    /// A request for the key of `key`, signed by `signer`.
    fn request(key: &SigningKey, signer: &SigningKey, label: &str) -> String {
        let info = asn1::sequence(&[
            &asn1::integer(0),
            &asn1::sequence(&[]),
            key.public_key().spki_der(),
            &asn1::tlv(tag::constructed(0), &[]),
        ]);
        let (scheme, algorithm) = signature::identifier(signer.kind());
        let signature = asn1::bit_string(&signer.sign_with(scheme, &info).unwrap());
        encode_pem(label, &asn1::sequence(&[&info, &algorithm, &signature]))
    }

    #[test]
    fn a_request_proves_possession_of_its_own_key_only() {
        let [key, other] = [(); 2].map(|()| SigningKey::generate(KeyKind::EcdsaP256).unwrap());
        let good = request(&key, &key, "CERTIFICATE REQUEST");
        let read = CertificationRequest::from_pem(good.as_bytes()).unwrap();
        assert_eq!(read.public_key(), Ok(key.public_key()));
        read.verify().unwrap();

        let stolen = request(&key, &other, "NEW CERTIFICATE REQUEST");
        let read = CertificationRequest::from_pem(stolen.as_bytes()).unwrap();
        assert_eq!(read.verify(), Err(ProofError::Signature));
    }

    #[test]
    fn only_pem_with_the_right_label_is_a_request() {
        let key = SigningKey::generate(KeyKind::Ed25519).unwrap();
        let text = request(&key, &key, "CERTIFICATE");
        assert_eq!(CertificationRequest::from_pem(text.as_bytes()).err(), Some(CsrError::NotPem));
        let good = request(&key, &key, "CERTIFICATE REQUEST");
        let surrounded = format!("hello\n{good}goodbye");
        CertificationRequest::from_pem(surrounded.as_bytes()).unwrap().verify().unwrap();
        let der = decode_pem(good.as_bytes()).unwrap().0.contents;
        assert_eq!(CertificationRequest::from_pem(&der).err(), Some(CsrError::NotPem));
        let longer = encode_pem("CERTIFICATE REQUEST", &[der.as_slice(), &[0]].concat());
        let refused = CertificationRequest::from_pem(longer.as_bytes()).err();
        assert_eq!(refused, Some(CsrError::Malformed));
    }
}
