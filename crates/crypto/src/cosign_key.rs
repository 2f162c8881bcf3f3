//! cosign's encrypted key format: scrypt and NaCl's secretbox around a PKCS#8 key, as JSON in a PEM block.
//! (`go-securesystemslib/encrypted`; `cosign generate-key-pair` writes it as `cosign.key`.)

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{SigningKey, decode_pem, encode_pem, random_array};

/// The label that is written, and the older one that is also read.
const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
const OLD_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";

/// The only costs in use: sigstore-rs writes 2^15, Go writes 2^16 ("Standard"). A strict list is the defence against a
/// file that asks for a terabyte.
const LOG_N: [u8; 2] = [15, 16];
/// The cost that is written.
const WRITTEN_LOG_N: u8 = 16;
const R: u32 = 8;
const P: u32 = 1;
const KDF: &str = "scrypt";
const CIPHER: &str = "nacl/secretbox";
const SALT_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;

/// Why a key file of cosign's cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CosignKeyError {
    /// There is no PEM block with either label, or its contents are not the JSON that they should be.
    #[error("this is not an encrypted key in cosign's format")]
    Malformed,
    /// The scrypt parameters are not one of the two sets that are in use.
    #[error("the key file's scrypt parameters are not those that cosign writes")]
    Parameters,
    /// The password is another one, or the file was damaged.
    #[error("the password does not open the key")]
    Password,
    /// What was decrypted is not a private key of a kind that is used.
    #[error("the decrypted private key cannot be read")]
    Key,
}

/// The JSON in the PEM block. Members that are not known are passed over, as by Go.
#[derive(Deserialize, Serialize)]
struct Envelope {
    kdf: KdfParameters,
    cipher: CipherParameters,
    ciphertext: String,
}

#[derive(Deserialize, Serialize)]
struct KdfParameters {
    name: String,
    params: ScryptCost,
    salt: String,
}

#[derive(Deserialize, Serialize)]
struct ScryptCost {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize, Serialize)]
struct CipherParameters {
    name: String,
    nonce: String,
}

/// Whether `pem` begins with a block in this format, whatever is in it.
#[must_use]
pub fn is_cosign_key(pem: &[u8]) -> bool {
    decode_pem(pem).is_ok_and(|(pem, _)| pem.label == LABEL || pem.label == OLD_LABEL)
}

/// Encrypts `key` under `password`, which may be empty, as a PEM block `ENCRYPTED SIGSTORE PRIVATE KEY`.
///
/// # Errors
///
/// [`CosignKeyError::Key`] if the key cannot be encoded.
pub fn seal(key: &SigningKey, password: &[u8]) -> Result<String, CosignKeyError> {
    let plaintext = key.to_pkcs8_der().map_err(|_| CosignKeyError::Key)?;
    let salt = random_array::<SALT_LENGTH>();
    let nonce = random_array::<NONCE_LENGTH>();
    let ciphertext = secretbox(password, &salt, WRITTEN_LOG_N)?
        .encrypt(&Nonce::from(nonce), plaintext.as_slice())
        .map_err(|_| CosignKeyError::Key)?;
    let envelope = Envelope {
        kdf: KdfParameters {
            name: KDF.to_owned(),
            params: ScryptCost { n: 1 << WRITTEN_LOG_N, r: R, p: P },
            salt: STANDARD.encode(salt),
        },
        cipher: CipherParameters { name: CIPHER.to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(ciphertext),
    };
    let json = serde_json::to_vec(&envelope).map_err(|_| CosignKeyError::Key)?;
    Ok(encode_pem(LABEL, &json))
}

/// Decrypts the key in `pem`: a block `ENCRYPTED SIGSTORE PRIVATE KEY` or `ENCRYPTED COSIGN PRIVATE KEY`.
///
/// # Errors
///
/// See [`CosignKeyError`].
pub fn open(pem: &[u8], password: &[u8]) -> Result<SigningKey, CosignKeyError> {
    let (pem, _) = decode_pem(pem).map_err(|_| CosignKeyError::Malformed)?;
    if pem.label != LABEL && pem.label != OLD_LABEL {
        return Err(CosignKeyError::Malformed);
    }
    let envelope: Envelope =
        serde_json::from_slice(&pem.contents).map_err(|_| CosignKeyError::Malformed)?;
    if envelope.kdf.name != KDF || envelope.cipher.name != CIPHER {
        return Err(CosignKeyError::Malformed);
    }
    let log_n = accept(&envelope.kdf.params)?;
    let salt = decode::<SALT_LENGTH>(&envelope.kdf.salt)?;
    let nonce = decode::<NONCE_LENGTH>(&envelope.cipher.nonce)?;
    let ciphertext =
        STANDARD.decode(&envelope.ciphertext).map_err(|_| CosignKeyError::Malformed)?;
    let plaintext = secretbox(password, &salt, log_n)?
        .decrypt(&Nonce::from(nonce), ciphertext.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| CosignKeyError::Password)?;
    SigningKey::from_pkcs8_der(&plaintext).map_err(|_| CosignKeyError::Key)
}

/// log2 of N, if the parameters are one of the sets in use.
fn accept(cost: &ScryptCost) -> Result<u8, CosignKeyError> {
    LOG_N
        .into_iter()
        .find(|log_n| cost.n == 1 << log_n && cost.r == R && cost.p == P)
        .ok_or(CosignKeyError::Parameters)
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], CosignKeyError> {
    let bytes = STANDARD.decode(text).map_err(|_| CosignKeyError::Malformed)?;
    bytes.try_into().map_err(|_| CosignKeyError::Malformed)
}

fn secretbox(password: &[u8], salt: &[u8], log_n: u8) -> Result<XSalsa20Poly1305, CosignKeyError> {
    let cost = scrypt::Params::new(log_n, R, P).map_err(|_| CosignKeyError::Parameters)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    scrypt::scrypt(password, salt, &cost, &mut *key).map_err(|_| CosignKeyError::Parameters)?;
    Ok(XSalsa20Poly1305::new((&*key).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyKind;

    #[test]
    fn a_key_is_opened_by_its_password_and_no_other_under_both_labels() {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let pem = seal(&key, b"secret").unwrap();
        assert!(is_cosign_key(pem.as_bytes()));
        let check = |pem: &str, password: &[u8]| open(pem.as_bytes(), password);
        assert_eq!(check(&pem, b"secret").unwrap().public_key(), key.public_key());
        let old = pem.replace("SIGSTORE", "COSIGN");
        assert_eq!(check(&old, b"secret").unwrap().public_key(), key.public_key());
        assert_eq!(check(&pem, b"").err(), Some(CosignKeyError::Password));
        let other = pem.replace("SIGSTORE", "OTHER");
        assert_eq!(check(&other, b"secret").err(), Some(CosignKeyError::Malformed));
    }

    #[test]
    fn only_the_two_costs_in_use_are_worked_with() {
        let check = |n: u64, r: u32, p: u32| accept(&ScryptCost { n, r, p });
        assert_eq!(check(32_768, 8, 1), Ok(15));
        assert_eq!(check(65_536, 8, 1), Ok(16));
        for (n, r, p) in [
            (1 << 31, 8, 1),
            (1 << 17, 8, 1),
            (16_384, 8, 1),
            (0, 8, 1),
            (65_536, 9, 1),
            (65_536, 8, 2),
        ] {
            assert_eq!(check(n, r, p), Err(CosignKeyError::Parameters), "{n} {r} {p}");
        }
    }

    #[test]
    fn the_json_has_the_members_that_go_reads() {
        let key = SigningKey::generate(KeyKind::Ed25519).unwrap();
        let pem = seal(&key, b"").unwrap();
        let (block, _) = decode_pem(pem.as_bytes()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&block.contents).unwrap();
        assert_eq!(json["kdf"]["name"], "scrypt");
        assert_eq!(json["kdf"]["params"], serde_json::json!({"N": 65_536, "r": 8, "p": 1}));
        assert_eq!(json["cipher"]["name"], "nacl/secretbox");
    }
}
