//! Encrypted private keys on disk: PKCS#8 `ENCRYPTED PRIVATE KEY` (RFC 5958 §3) under PBES2 (RFC 8018 §6.2)
//! with scrypt (RFC 7914 §7) and AES-256-CBC, as `openssl pkcs8 -scrypt` writes them and reads them.
//!
//! All files of a directory share salt and cost, each has an initialisation vector of its own. A [`Keyring`]
//! derives one key per salt and cost, so that a server that reads ten files pays for one derivation.

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use der::asn1::OctetStringRef;
use der::{Decode, Encode};
use pkcs8::pkcs5::EncryptionScheme as PasswordScheme;
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Salt, ScryptParams};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use crate::{SigningKey, decode_pem, encode_pem, random_array};

/// The label of the PEM block.
pub const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// log2 of scrypt's N for a passphrase that a person chose: 16 MiB and about 50 ms a try. It is what OpenSSL writes,
/// and twice as much would be more memory than OpenSSL agrees to use for reading.
const CHOSEN_LOG_N: u8 = 14;
/// log2 of scrypt's N for a passphrase of 256 random bits: the derivation adds nothing, and takes 3 ms.
const RANDOM_LOG_N: u8 = 10;
/// The largest N that is worked with: 64 MiB, cosign's cost. A file that asks for more is refused before any memory
/// is taken.
const MAX_N: u64 = 1 << 16;
/// scrypt's r and p, the same in every tool of this field.
const BLOCK_SIZE: u16 = 8;
const PARALLELISM: u16 = 1;
/// The longest encrypted key: RSA of 4096 bits takes 2,400 bytes.
const MAX_CIPHERTEXT: usize = 16 << 10;

/// How much work it takes to try one passphrase.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cost {
    /// For a passphrase that a person chose.
    Chosen,
    /// For 256 random bits, which nobody guesses, whatever a try costs.
    Random,
}

/// A passphrase and the keys that were derived from it.
pub struct Keyring {
    passphrase: Zeroizing<Vec<u8>>,
    cost: Cost,
    derived: Vec<DerivedKey>,
}

/// An AES-256 key, and what it was derived with.
struct DerivedKey {
    parameters: ScryptParams,
    key: Zeroizing<[u8; 32]>,
}

/// Why an encrypted private key cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyFileError {
    /// There is no PEM block [`LABEL`], or its contents are not an `EncryptedPrivateKeyInfo`.
    #[error("this is not a PEM file with an encrypted private key")]
    Malformed,
    /// The key is encrypted in another way than with scrypt and AES-256-CBC.
    #[error("the private key is not encrypted with scrypt and AES-256-CBC")]
    Unsupported,
    /// Deriving the key would take more memory or time than any file of ours asks for.
    #[error("the private key's scrypt parameters are beyond the limit")]
    Cost,
    /// The passphrase is another one, or the file was damaged.
    #[error("the passphrase does not open the private key")]
    Passphrase,
    /// What was decrypted is not a private key of a kind that is used.
    #[error("the decrypted private key cannot be read")]
    Key,
}

impl Keyring {
    /// A ring that opens files with `passphrase` and seals new ones at `cost`.
    #[must_use]
    pub const fn new(passphrase: Zeroizing<Vec<u8>>, cost: Cost) -> Self {
        Self { passphrase, cost, derived: Vec::new() }
    }

    /// Encrypts `key` as a PEM block, with the salt of the files opened or sealed before.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Key`] if the key cannot be encoded.
    pub fn seal(&mut self, key: &SigningKey) -> Result<String, KeyFileError> {
        let parameters = match self.derived.first() {
            Some(derived) => derived.parameters,
            None => self.cost.parameters()?,
        };
        let plaintext = key.to_pkcs8_der().map_err(|_| KeyFileError::Key)?;
        let (ciphertext, iv) = encrypt(self.derive(parameters)?, &plaintext)?;
        let info = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: PasswordScheme::Pbes2(Parameters {
                kdf: Kdf::Scrypt(parameters),
                encryption: EncryptionScheme::Aes256Cbc { iv },
            }),
            encrypted_data: OctetStringRef::new(&ciphertext).map_err(|_| KeyFileError::Key)?,
        };
        Ok(encode_pem(LABEL, &info.to_der().map_err(|_| KeyFileError::Key)?))
    }

    /// Decrypts the private key in `pem`.
    ///
    /// # Errors
    ///
    /// See [`KeyFileError`].
    pub fn open(&mut self, pem: &[u8]) -> Result<SigningKey, KeyFileError> {
        let (pem, _) = decode_pem(pem).map_err(|_| KeyFileError::Malformed)?;
        if pem.label != LABEL || pem.has_headers {
            return Err(KeyFileError::Malformed);
        }
        let info = EncryptedPrivateKeyInfoRef::from_der(&pem.contents)
            .map_err(|_| KeyFileError::Malformed)?;
        let (parameters, iv) = accept(&info.encryption_algorithm)?;
        let ciphertext = info.encrypted_data.as_bytes();
        if ciphertext.len() > MAX_CIPHERTEXT {
            return Err(KeyFileError::Malformed);
        }
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let plaintext = decrypt(self.derive(parameters)?, iv, &mut buffer)?;
        // One wrong passphrase in 256 leaves a padding that looks right; what is inside then is noise.
        PrivateKeyInfoRef::from_der(plaintext).map_err(|_| KeyFileError::Passphrase)?;
        SigningKey::from_pkcs8_der(plaintext).map_err(|_| KeyFileError::Key)
    }

    /// The AES key for `parameters`, derived when it is first asked for.
    fn derive(&mut self, parameters: ScryptParams) -> Result<&[u8; 32], KeyFileError> {
        let known = self.derived.iter().position(|derived| derived.parameters == parameters);
        let position = match known {
            Some(position) => position,
            None => {
                let key = scrypt_key(&self.passphrase, &parameters)?;
                self.derived.push(DerivedKey { parameters, key });
                self.derived.len() - 1
            }
        };
        self.derived.get(position).map(|derived| &*derived.key).ok_or(KeyFileError::Key)
    }
}

impl Cost {
    /// Parameters at this cost, with a new salt.
    fn parameters(self) -> Result<ScryptParams, KeyFileError> {
        let log_n = match self {
            Self::Chosen => CHOSEN_LOG_N,
            Self::Random => RANDOM_LOG_N,
        };
        Ok(ScryptParams {
            salt: Salt::new(random_array::<16>()).map_err(|_| KeyFileError::Cost)?,
            cost_parameter: 1 << log_n,
            block_size: BLOCK_SIZE,
            parallelization: PARALLELISM,
            key_length: None,
        })
    }
}

/// What is needed to decrypt, if it is what we work with and within the limits.
fn accept(scheme: &PasswordScheme) -> Result<(ScryptParams, [u8; 16]), KeyFileError> {
    let PasswordScheme::Pbes2(Parameters {
        kdf: Kdf::Scrypt(parameters),
        encryption: EncryptionScheme::Aes256Cbc { iv },
    }) = scheme
    else {
        return Err(KeyFileError::Unsupported);
    };
    let within = parameters.cost_parameter.is_power_of_two()
        && (2..=MAX_N).contains(&parameters.cost_parameter)
        && parameters.block_size == BLOCK_SIZE
        && parameters.parallelization == PARALLELISM
        && parameters.key_length.is_none_or(|length| length == 32);
    if within { Ok((*parameters, *iv)) } else { Err(KeyFileError::Cost) }
}

fn scrypt_key(
    passphrase: &[u8],
    parameters: &ScryptParams,
) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let log_n = u8::try_from(parameters.cost_parameter.ilog2()).map_err(|_| KeyFileError::Cost)?;
    let cost =
        scrypt::Params::new(log_n, parameters.block_size.into(), parameters.parallelization.into())
            .map_err(|_| KeyFileError::Cost)?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase, parameters.salt.as_bytes(), &cost, &mut *key)
        .map_err(|_| KeyFileError::Cost)?;
    Ok(key)
}

/// Encrypts under a new initialisation vector, which is returned.
fn encrypt(key: &[u8; 32], plaintext: &[u8]) -> Result<(Vec<u8>, [u8; 16]), KeyFileError> {
    // Room for the padding, so that the plaintext is not left behind in a vector that was outgrown.
    let mut buffer = Zeroizing::new(Vec::with_capacity(plaintext.len() + 16));
    buffer.extend_from_slice(plaintext);
    let context = UnboundCipherKey::new(&AES_256, key)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .and_then(|cipher| cipher.encrypt(&mut *buffer))
        .map_err(|_| KeyFileError::Key)?;
    let iv: &[u8] = (&context).try_into().map_err(|_| KeyFileError::Key)?;
    Ok((buffer.to_vec(), iv.try_into().map_err(|_| KeyFileError::Key)?))
}

fn decrypt<'b>(
    key: &[u8; 32],
    iv: [u8; 16],
    buffer: &'b mut [u8],
) -> Result<&'b [u8], KeyFileError> {
    UnboundCipherKey::new(&AES_256, key)
        .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
        .and_then(|cipher| cipher.decrypt(buffer, DecryptionContext::Iv128(FixedLength::from(iv))))
        .map(|plaintext| &*plaintext)
        .map_err(|_| KeyFileError::Passphrase)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::KeyKind;

    fn ring(passphrase: &str) -> Keyring {
        Keyring::new(Zeroizing::new(passphrase.as_bytes().to_vec()), Cost::Random)
    }

    fn sealed(passphrase: &str) -> (SigningKey, String) {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let pem = ring(passphrase).seal(&key).unwrap();
        (key, pem)
    }

    #[test]
    fn every_kind_of_key_is_opened_by_its_passphrase_and_no_other() {
        for kind in [KeyKind::EcdsaP256, KeyKind::Ed25519, KeyKind::Rsa { bits: 2048 }] {
            let key = SigningKey::generate(kind).unwrap();
            let pem = ring("right").seal(&key).unwrap();
            let opened = ring("right").open(pem.as_bytes()).unwrap();
            assert_eq!(opened.public_key(), key.public_key());
            assert_eq!(ring("wrong").open(pem.as_bytes()).err(), Some(KeyFileError::Passphrase));
        }
    }

    #[test]
    fn many_files_of_a_ring_cost_one_derivation_and_no_two_share_a_vector() {
        let key = SigningKey::generate(KeyKind::EcdsaP256).unwrap();
        let mut writer = ring("p");
        let files: Vec<String> = (0..5).map(|_| writer.seal(&key).unwrap()).collect();
        assert_eq!(writer.derived.len(), 1);
        for (n, file) in files.iter().enumerate() {
            assert!(!files[..n].contains(file));
        }
        let mut reader = ring("p");
        for file in &files {
            reader.open(file.as_bytes()).unwrap();
        }
        assert_eq!(reader.derived.len(), 1);
        // A file from elsewhere, under a salt of its own, can stand beside them.
        reader.open(sealed("p").1.as_bytes()).unwrap();
        assert_eq!(reader.derived.len(), 2);
    }

    #[test]
    fn parameters_beyond_the_limit_are_refused_before_memory_is_taken() {
        let salt = Salt::new([0; 16]).unwrap();
        let good = ScryptParams {
            salt,
            cost_parameter: 1 << 14,
            block_size: 8,
            parallelization: 1,
            key_length: None,
        };
        let check = |parameters: ScryptParams| {
            accept(&PasswordScheme::Pbes2(Parameters {
                kdf: Kdf::Scrypt(parameters),
                encryption: EncryptionScheme::Aes256Cbc { iv: [0; 16] },
            }))
            .map(|_| ())
        };
        assert_eq!(check(good), Ok(()));
        for hostile in [
            ScryptParams { cost_parameter: 1 << 31, ..good },
            ScryptParams { cost_parameter: 1 << 17, ..good },
            ScryptParams { cost_parameter: 0, ..good },
            ScryptParams { cost_parameter: 1, ..good },
            ScryptParams { cost_parameter: 12_345, ..good },
            ScryptParams { block_size: 1024, ..good },
            ScryptParams { parallelization: 1024, ..good },
            ScryptParams { key_length: Some(16), ..good },
        ] {
            assert_eq!(check(hostile), Err(KeyFileError::Cost), "{hostile:?}");
        }
    }

    #[test]
    fn what_is_no_encrypted_key_is_malformed() {
        let (key, pem) = sealed("p");
        let plain = key.to_pkcs8_pem().unwrap();
        for text in ["", "text", &plain, &pem.replace(LABEL, "PRIVATE KEY"), &pem[..pem.len() / 2]]
        {
            assert_eq!(ring("p").open(text.as_bytes()).err(), Some(KeyFileError::Malformed));
        }
    }

    #[test]
    fn a_changed_ciphertext_is_never_read_as_another_key() {
        let (key, pem) = sealed("p");
        let (block, _) = decode_pem(pem.as_bytes()).unwrap();
        for bit in 0..block.contents.len() * 8 {
            let mut contents = block.contents.clone();
            contents[bit / 8] ^= 1 << (bit % 8);
            let text = encode_pem(LABEL, &contents);
            if let Ok(read) = ring("p").open(text.as_bytes()) {
                assert_eq!(read.public_key(), key.public_key(), "bit {bit}");
            }
        }
    }

    #[test]
    fn openssl_reads_our_files_and_we_read_its_files() {
        let Ok(version) = Command::new("openssl").arg("version").output() else {
            testdata::skip("there is no openssl");
            return;
        };
        assert!(version.status.success());
        let directory = tempfile::tempdir().unwrap();
        let (ours, theirs) =
            (directory.path().join("ours.pem"), directory.path().join("theirs.pem"));
        let (key, pem) = sealed("secret");
        std::fs::write(&ours, pem).unwrap();

        let openssl = |arguments: &[&str]| {
            let output = Command::new("openssl").args(arguments).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        let public = openssl(&["pkey", "-in", &path(&ours), "-passin", "pass:secret", "-pubout"]);
        assert_eq!(String::from_utf8(public).unwrap(), key.public_key().to_pem());

        openssl(&[
            "pkcs8",
            "-topk8",
            "-in",
            &path(&ours),
            "-passin",
            "pass:secret",
            "-scrypt",
            "-v2",
            "aes256",
            "-passout",
            "pass:other",
            "-out",
            &path(&theirs),
        ]);
        let read = ring("other").open(&std::fs::read(&theirs).unwrap()).unwrap();
        assert_eq!(read.public_key(), key.public_key());
    }
}
