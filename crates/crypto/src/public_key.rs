//! Public keys, and the verification of signatures.

use aws_lc_rs::signature::{self as backend, VerificationAlgorithm};
use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use der_reader::Spki;
use sha2::digest::consts::U64;
use sha2::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};

use crate::{Digest, HashAlgorithm, KeyKind, Scheme, SignatureError, decode_pem, encode_pem};

/// The largest RSA modulus that is used: verification time grows with its square.
const MAX_RSA_BITS: usize = 8192;
/// The smallest RSA modulus that is read at all. What is strong enough is each role's own rule.
const MIN_RSA_BITS: usize = 1024;
/// The longest `SubjectPublicKeyInfo`: an RSA key of 8192 bits has 1,062 bytes.
const MAX_SPKI: usize = 4096;

/// A public key that was read and found to be of a kind that can be used.
///
/// It keeps the `SubjectPublicKeyInfo` byte for byte, because log and key identifiers are hashes of it.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct PublicKey {
    kind: KeyKind,
    spki: Vec<u8>,
    /// The contents of `subjectPublicKey`: a point, an `RSAPublicKey`, or 32 bytes.
    raw: Vec<u8>,
}

/// Why a public key cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PublicKeyError {
    /// It is not a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7), or has bytes after it.
    #[error("the public key is not a well-formed SubjectPublicKeyInfo")]
    Malformed,
    /// Its algorithm or curve is not one of those that are used.
    #[error("the public key's algorithm {0} is not supported")]
    Unsupported(String),
    /// Its RSA modulus is too short or too long to be used at all.
    #[error("an RSA key of {0} bits is not between {MIN_RSA_BITS} and {MAX_RSA_BITS}")]
    RsaSize(usize),
    /// Its RSA exponent is even, or less than 3, or does not fit in 32 bits.
    #[error("the RSA key's public exponent is not usable")]
    RsaExponent,
    /// Its point is not on the curve.
    #[error("the public key is not a point of its curve")]
    NotOnCurve,
    /// It is an Ed25519 key of small order: anyone can make signatures that it verifies.
    #[error("the Ed25519 public key has a small order")]
    SmallOrder,
    /// It is not a PEM block with the label `PUBLIC KEY`.
    #[error("there is no PEM block with the label PUBLIC KEY")]
    NotPem,
}

impl PublicKey {
    /// Reads a DER `SubjectPublicKeyInfo`.
    ///
    /// Curves are named, points uncompressed.
    ///
    /// # Errors
    ///
    /// See [`PublicKeyError`].
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, PublicKeyError> {
        if spki.len() > MAX_SPKI {
            return Err(PublicKeyError::Malformed);
        }
        let parsed = Spki::read(spki).ok_or(PublicKeyError::Malformed)?;
        let raw = parsed.key.to_vec();
        let kind = match parsed.algorithm {
            rfc5912::ID_EC_PUBLIC_KEY => {
                let curve = parsed.curve.ok_or(PublicKeyError::Malformed)?;
                curve_kind(curve).ok_or_else(|| PublicKeyError::Unsupported(curve.to_string()))?
            }
            rfc5912::RSA_ENCRYPTION => rsa_kind(&raw)?,
            rfc8410::ID_ED_25519 if !parsed.has_parameters && raw.len() == 32 => KeyKind::Ed25519,
            rfc8410::ID_ED_25519 => return Err(PublicKeyError::Malformed),
            other => return Err(PublicKeyError::Unsupported(other.to_string())),
        };
        let key = Self { kind, spki: spki.to_vec(), raw };
        if kind.is_ecdsa() {
            // An uncompressed point: 0x04 and two coordinates.
            if key.raw.first() != Some(&4) {
                return Err(PublicKeyError::Malformed);
            }
            key.parsed(Scheme::default_for(kind)).ok_or(PublicKeyError::NotOnCurve)?;
        }
        if kind == KeyKind::Ed25519 {
            let point = key.ed25519_point().ok_or(PublicKeyError::NotOnCurve)?;
            if point.is_weak() {
                return Err(PublicKeyError::SmallOrder);
            }
        }
        Ok(key)
    }

    /// Reads a PEM block `PUBLIC KEY`. Text around it is passed over.
    ///
    /// # Errors
    ///
    /// [`PublicKeyError::NotPem`] if there is no such block; else as [`Self::from_spki_der`].
    pub fn from_pem(text: &[u8]) -> Result<Self, PublicKeyError> {
        let (pem, _) = decode_pem(text).map_err(|_| PublicKeyError::NotPem)?;
        if pem.label != "PUBLIC KEY" {
            return Err(PublicKeyError::NotPem);
        }
        Self::from_spki_der(&pem.contents)
    }

    /// Reads a PKCS#1 `RSAPublicKey` (RFC 8017 §A.1.1).
    ///
    /// # Errors
    ///
    /// As [`Self::from_spki_der`].
    pub fn from_rsa_pkcs1_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        rsa_kind(der)?;
        Self::from_spki_der(&der_reader::rsa_spki(der))
    }

    /// The kind of key.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The DER `SubjectPublicKeyInfo`, byte for byte as it was read.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The contents of `subjectPublicKey`: for Ed25519 the 32 bytes of RFC 8032.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The key as a PEM block `PUBLIC KEY`, with a final newline.
    #[must_use]
    pub fn to_pem(&self) -> String {
        encode_pem("PUBLIC KEY", &self.spki)
    }

    /// SHA-256 of the `SubjectPublicKeyInfo`: the log id of Rekor v1 and of RFC 6962 §3.2.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        crate::sha256(&self.spki)
    }

    /// The RSA public exponent, if it is an RSA key.
    #[must_use]
    pub fn rsa_exponent(&self) -> Option<u64> {
        match self.kind {
            KeyKind::Rsa { .. } => der_reader::rsa_parts(&self.raw).map(|(_, exponent)| exponent),
            _ => None,
        }
    }

    /// The big-endian RSA modulus without leading zeros, if it is an RSA key.
    #[must_use]
    pub fn rsa_modulus(&self) -> Option<&[u8]> {
        match self.kind {
            KeyKind::Rsa { .. } => der_reader::rsa_parts(&self.raw).map(|(modulus, _)| modulus),
            _ => None,
        }
    }

    /// Checks that `signature` was made over `message` by the holder of this key.
    ///
    /// # Errors
    ///
    /// [`SignatureError`], also when the scheme does not fit the key.
    pub fn verify(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if scheme == Scheme::Ed25519ph {
            return self.verify_ed25519ph(&HashAlgorithm::Sha512.digest(message), signature);
        }
        let key = self.parsed(scheme).ok_or(SignatureError)?;
        key.verify_sig(message, signature).map_err(|_| SignatureError)
    }

    /// Checks that `signature` was made over a message whose digest is `digest`.
    ///
    /// # Errors
    ///
    /// [`SignatureError`], also when the scheme does not fit the key, signs the message itself, or signs
    /// another kind of digest.
    pub fn verify_digest(
        &self,
        scheme: Scheme,
        digest: &Digest,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if scheme.hash() != Some(digest.algorithm()) {
            return Err(SignatureError);
        }
        if scheme == Scheme::Ed25519ph {
            return self.verify_ed25519ph(digest, signature);
        }
        let key = self.parsed(scheme).ok_or(SignatureError)?;
        key.verify_digest_sig(digest.backend(), signature).map_err(|_| SignatureError)
    }

    fn parsed(&self, scheme: Scheme) -> Option<backend::ParsedPublicKey> {
        backend::ParsedPublicKey::new(algorithm(self.kind, scheme)?, &self.raw).ok()
    }

    fn ed25519_point(&self) -> Option<ed25519_dalek::VerifyingKey> {
        let raw: &[u8; 32] = self.raw.as_slice().try_into().ok()?;
        ed25519_dalek::VerifyingKey::from_bytes(raw).ok()
    }

    fn verify_ed25519ph(&self, digest: &Digest, signature: &[u8]) -> Result<(), SignatureError> {
        let key = self.ed25519_point().ok_or(SignatureError)?;
        let signature =
            ed25519_dalek::Signature::from_slice(signature).map_err(|_| SignatureError)?;
        key.verify_prehashed_strict(Prehashed::new(digest), None, &signature)
            .map_err(|_| SignatureError)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({}, {})", self.kind, hex::encode(self.id()))
    }
}

/// Turns an ECDSA signature that is the two numbers `r` and `s` side by side into DER.
///
/// The existing servers of Sigstore take such signatures wherever DER does not parse: any even length up
/// to 132 bytes, with leading zeros. `None` if it is not of that form.
#[must_use]
pub fn ecdsa_der_of_raw(raw: &[u8]) -> Option<Vec<u8>> {
    /// Two coordinates of P-521.
    const MAX_RAW: usize = 132;
    if raw.is_empty() || raw.len() > MAX_RAW || !raw.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = raw.split_at(raw.len() / 2);
    Some(der_reader::sequence_of_integers(r, s))
}

fn curve_kind(curve: ObjectIdentifier) -> Option<KeyKind> {
    match curve {
        rfc5912::SECP_256_R_1 => Some(KeyKind::EcdsaP256),
        rfc5912::SECP_384_R_1 => Some(KeyKind::EcdsaP384),
        rfc5912::SECP_521_R_1 => Some(KeyKind::EcdsaP521),
        _ => None,
    }
}

fn rsa_kind(pkcs1: &[u8]) -> Result<KeyKind, PublicKeyError> {
    let (modulus, exponent) = der_reader::rsa_parts(pkcs1).ok_or(PublicKeyError::Malformed)?;
    let leading = modulus.first().map_or(8, |byte| byte.leading_zeros() as usize);
    let bits = (modulus.len() * 8).saturating_sub(leading);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(PublicKeyError::RsaSize(bits));
    }
    if exponent < 3 || exponent.is_multiple_of(2) || exponent > u64::from(u32::MAX) {
        return Err(PublicKeyError::RsaExponent);
    }
    Ok(KeyKind::Rsa { bits })
}

/// The backend's name for a scheme with a kind of key; `None` where they do not fit.
fn algorithm(kind: KeyKind, scheme: Scheme) -> Option<&'static dyn VerificationAlgorithm> {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    let short_rsa = matches!(kind, KeyKind::Rsa { bits } if bits < 2048);
    Some(match (kind, scheme) {
        (KeyKind::EcdsaP256, Scheme::Ecdsa(Sha256)) => &backend::ECDSA_P256_SHA256_ASN1,
        (KeyKind::EcdsaP256, Scheme::Ecdsa(Sha384)) => &backend::ECDSA_P256_SHA384_ASN1,
        (KeyKind::EcdsaP256, Scheme::Ecdsa(Sha512)) => &backend::ECDSA_P256_SHA512_ASN1,
        (KeyKind::EcdsaP384, Scheme::Ecdsa(Sha256)) => &backend::ECDSA_P384_SHA256_ASN1,
        (KeyKind::EcdsaP384, Scheme::Ecdsa(Sha384)) => &backend::ECDSA_P384_SHA384_ASN1,
        (KeyKind::EcdsaP384, Scheme::Ecdsa(Sha512)) => &backend::ECDSA_P384_SHA512_ASN1,
        (KeyKind::EcdsaP521, Scheme::Ecdsa(Sha256)) => &backend::ECDSA_P521_SHA256_ASN1,
        (KeyKind::EcdsaP521, Scheme::Ecdsa(Sha384)) => &backend::ECDSA_P521_SHA384_ASN1,
        (KeyKind::EcdsaP521, Scheme::Ecdsa(Sha512)) => &backend::ECDSA_P521_SHA512_ASN1,
        (KeyKind::Rsa { .. }, Scheme::RsaPkcs1(Sha256)) if short_rsa => {
            &backend::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        }
        (KeyKind::Rsa { .. }, Scheme::RsaPkcs1(Sha512)) if short_rsa => {
            &backend::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
        }
        (KeyKind::Rsa { .. }, _) if short_rsa => return None,
        (KeyKind::Rsa { .. }, Scheme::RsaPkcs1(Sha256)) => &backend::RSA_PKCS1_2048_8192_SHA256,
        (KeyKind::Rsa { .. }, Scheme::RsaPkcs1(Sha384)) => &backend::RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa { .. }, Scheme::RsaPkcs1(Sha512)) => &backend::RSA_PKCS1_2048_8192_SHA512,
        (KeyKind::Rsa { .. }, Scheme::RsaPss(Sha256)) => &backend::RSA_PSS_2048_8192_SHA256,
        (KeyKind::Rsa { .. }, Scheme::RsaPss(Sha384)) => &backend::RSA_PSS_2048_8192_SHA384,
        (KeyKind::Rsa { .. }, Scheme::RsaPss(Sha512)) => &backend::RSA_PSS_2048_8192_SHA512,
        (KeyKind::Ed25519, Scheme::Ed25519) => &backend::ED25519,
        _ => return None,
    })
}

/// A hasher that has already hashed: Ed25519ph is given the digest, not the message.
#[derive(Clone)]
pub(crate) struct Prehashed([u8; 64]);

impl Prehashed {
    /// Takes over a SHA-512 digest.
    pub(crate) fn new(digest: &Digest) -> Self {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(digest.as_bytes());
        Self(bytes)
    }
}

impl Default for Prehashed {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl HashMarker for Prehashed {}

impl OutputSizeUser for Prehashed {
    type OutputSize = U64;
}

impl Update for Prehashed {
    fn update(&mut self, _: &[u8]) {}
}

impl FixedOutput for Prehashed {
    fn finalize_into(self, out: &mut Output<Self>) {
        out.copy_from_slice(&self.0);
    }
}

/// The little DER that keys are made of. Reading it by hand keeps foreign bytes as they came.
mod der_reader {
    use const_oid::ObjectIdentifier;

    pub(super) struct Spki<'a> {
        pub(super) algorithm: ObjectIdentifier,
        pub(super) curve: Option<ObjectIdentifier>,
        pub(super) has_parameters: bool,
        pub(super) key: &'a [u8],
    }

    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    const NULL: u8 = 0x05;
    const OID: u8 = 0x06;
    const SEQUENCE: u8 = 0x30;

    impl<'a> Spki<'a> {
        pub(super) fn read(der: &'a [u8]) -> Option<Self> {
            let (body, rest) = element(SEQUENCE, der)?;
            let (identifier, key) = element(SEQUENCE, body)?;
            let (algorithm, parameters) = element(OID, identifier)?;
            let algorithm = ObjectIdentifier::from_bytes(algorithm).ok()?;
            let (key, after_key) = element(BIT_STRING, key)?;
            let (unused, key) = key.split_first()?;
            if !rest.is_empty() || !after_key.is_empty() || *unused != 0 {
                return None;
            }
            let curve = match parameters.first() {
                Some(&OID) => {
                    let (curve, rest) = element(OID, parameters)?;
                    if !rest.is_empty() {
                        return None;
                    }
                    Some(ObjectIdentifier::from_bytes(curve).ok()?)
                }
                Some(&NULL) => {
                    let (null, rest) = element(NULL, parameters)?;
                    if !null.is_empty() || !rest.is_empty() {
                        return None;
                    }
                    None
                }
                Some(_) | None => None,
            };
            Some(Self { algorithm, curve, has_parameters: !parameters.is_empty(), key })
        }
    }

    /// The modulus without leading zeros and the exponent of an `RSAPublicKey`.
    pub(super) fn rsa_parts(der: &[u8]) -> Option<(&[u8], u64)> {
        let (body, rest) = element(SEQUENCE, der)?;
        let (modulus, exponent) = element(INTEGER, body)?;
        let (exponent, after) = element(INTEGER, exponent)?;
        if !rest.is_empty() || !after.is_empty() {
            return None;
        }
        let exponent = positive(exponent)?;
        // What does not fit is no usable exponent, and the caller refuses the largest number.
        let value = if exponent.len() > 8 {
            u64::MAX
        } else {
            exponent.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
        };
        Some((positive(modulus)?, value))
    }

    /// The magnitude of a positive, minimally encoded INTEGER.
    fn positive(contents: &[u8]) -> Option<&[u8]> {
        match contents {
            [0, rest @ ..] if rest.first()? & 0x80 != 0 => Some(rest),
            [0, ..] => None,
            [first, ..] if first & 0x80 == 0 => Some(contents),
            _ => None,
        }
    }

    /// Reads one element with this tag: its contents, and what follows it.
    fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
        let (found, rest) = der.split_first()?;
        if *found != tag {
            return None;
        }
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81 => {
                let (length, rest) = rest.split_first()?;
                // DER lengths are minimal.
                (usize::from(*length).checked_sub(0x80)? + 0x80, rest)
            }
            0x82 => {
                let ([high, low], rest) = rest.split_first_chunk::<2>()?;
                let length = usize::from(*high) << 8 | usize::from(*low);
                (length.checked_sub(0x100)? + 0x100, rest)
            }
            _ => return None,
        };
        rest.split_at_checked(length)
    }

    /// `SEQUENCE { INTEGER, INTEGER }` of two big-endian magnitudes.
    pub(super) fn sequence_of_integers(r: &[u8], s: &[u8]) -> Vec<u8> {
        let body = [integer(r), integer(s)].concat();
        tagged(SEQUENCE, &body)
    }

    /// A `SubjectPublicKeyInfo` around an `RSAPublicKey` (RFC 3279 §2.3.1).
    pub(super) fn rsa_spki(pkcs1: &[u8]) -> Vec<u8> {
        const IDENTIFIER: &[u8] = &[
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0,
        ];
        let key = tagged(BIT_STRING, &[&[0], pkcs1].concat());
        tagged(SEQUENCE, &[IDENTIFIER, &key].concat())
    }

    fn integer(magnitude: &[u8]) -> Vec<u8> {
        let start = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
        let digits = &magnitude[start..];
        let sign = digits.first().is_none_or(|byte| byte & 0x80 != 0);
        let contents = if sign { [&[0], digits].concat() } else { digits.to_vec() };
        tagged(INTEGER, &contents)
    }

    fn tagged(tag: u8, contents: &[u8]) -> Vec<u8> {
        let mut der = vec![tag];
        let [.., high, low] = contents.len().to_be_bytes();
        match contents.len() {
            0..=0x7f => der.push(low),
            0x80..=0xff => der.extend([0x81, low]),
            _ => der.extend([0x82, high, low]),
        }
        der.extend(contents);
        der
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    #[test]
    fn a_key_is_read_back_from_its_own_spki_and_pem() {
        for kind in [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::EcdsaP521, KeyKind::Ed25519] {
            let key = SigningKey::generate(kind).unwrap().public_key().clone();
            assert_eq!(PublicKey::from_spki_der(key.spki_der()).unwrap(), key);
            assert_eq!(PublicKey::from_pem(key.to_pem().as_bytes()).unwrap(), key);
        }
    }

    #[test]
    fn bytes_after_the_key_are_refused() {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap().public_key().clone();
        let longer = [key.spki_der(), &[0]].concat();
        assert_eq!(PublicKey::from_spki_der(&longer), Err(PublicKeyError::Malformed));
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap().public_key().clone();
        let mut spki = key.spki_der().to_vec();
        *spki.last_mut().unwrap() ^= 1;
        assert_eq!(PublicKey::from_spki_der(&spki), Err(PublicKeyError::NotOnCurve));
        let zero = [&spki[..spki.len() - 64], &[0; 64]].concat();
        assert_eq!(PublicKey::from_spki_der(&zero), Err(PublicKeyError::NotOnCurve));
    }

    #[test]
    fn the_point_at_infinity_is_no_key() {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap().public_key().clone();
        // The identifier of the algorithm and the curve, and a point of one octet (SEC 1 §2.3.3).
        let identifier = &key.spki_der()[2..23];
        let infinity = [&[0x30, 25][..], identifier, &[3, 2, 0, 0]].concat();
        PublicKey::from_spki_der(&infinity).unwrap_err();
    }

    #[test]
    fn an_rsa_exponent_with_which_anyone_can_sign_is_refused() {
        let spki = |exponent: &[u8]| {
            let modulus = [&[0xff; 255][..], &[1]].concat();
            der_reader::rsa_spki(&der_reader::sequence_of_integers(&modulus, exponent))
        };
        PublicKey::from_spki_der(&spki(&[1, 0, 1])).unwrap();
        for exponent in [&[1][..], &[2], &[0xff, 0xfe], &[1, 0, 0, 0, 1], &[1; 16]] {
            let refused = PublicKey::from_spki_der(&spki(exponent));
            assert_eq!(refused, Err(PublicKeyError::RsaExponent), "{exponent:?}");
        }
    }

    /// CVE-2022-21449: with zeros such a signature held for everything.
    #[test]
    fn a_signature_of_zeros_or_of_the_order_is_refused() {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let scheme = Scheme::Ecdsa(HashAlgorithm::Sha256);
        let verify = |signature: &[u8]| key.public_key().verify(scheme, b"text", signature);
        verify(&key.sign(b"text").unwrap()).unwrap();
        let order = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        let order = order.unwrap();
        for (r, s) in [
            (&[0][..], &[0][..]),
            (&[0], &[1]),
            (&[1], &[0]),
            (&order, &[1]),
            (&[1], &order),
            (&order, &order),
        ] {
            verify(&der_reader::sequence_of_integers(r, s)).unwrap_err();
        }
    }

    #[test]
    fn an_ed25519_key_with_which_anyone_can_sign_is_refused() {
        let key = SigningKey::generate(KeyKind::Ed25519).unwrap().public_key().clone();
        let (algorithm, _) = key.spki_der().split_at(12);
        // The neutral element, and the point of order two.
        let neutral = [&[1][..], &[0; 31]].concat();
        let two = [&[0xec][..], &[0xff; 30], &[0x7f]].concat();
        for point in [neutral, two] {
            let spki = [algorithm, &point].concat();
            assert_eq!(PublicKey::from_spki_der(&spki), Err(PublicKeyError::SmallOrder));
        }
    }

    #[test]
    fn raw_signatures_become_der() {
        assert_eq!(
            ecdsa_der_of_raw(&[0, 1, 0x80, 2]).unwrap(),
            [0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 2]
        );
        assert_eq!(ecdsa_der_of_raw(&[1, 2, 3]), None);
        assert_eq!(ecdsa_der_of_raw(&[1; 134]), None);
    }
}
