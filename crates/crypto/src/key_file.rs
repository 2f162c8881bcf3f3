//! Encrypted private keys on disk: PKCS#8 `ENCRYPTED PRIVATE KEY` (RFC 5958 §3) under PBES2 (RFC 8018 §6.2)
//! with scrypt (RFC 7914 §7) and AES-256-CBC, as `openssl pkcs8` reads and writes them.
//!
//! All files of a directory share salt and cost, each has an initialisation vector of its own. A [`Keyring`]
//! derives one key per salt and cost, so that a server that reads ten files pays for one derivation.

use zeroize::Zeroizing;

use crate::SigningKey;

/// The label of the PEM block.
pub const LABEL: &str = "ENCRYPTED PRIVATE KEY";

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
    pub fn new(passphrase: Zeroizing<Vec<u8>>, cost: Cost) -> Self {
        let _ = cost;
        Self { passphrase }
    }

    /// Encrypts `key` as a PEM block, with the salt of the files opened or sealed before.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Key`] if the key cannot be encoded.
    pub fn seal(&mut self, key: &SigningKey) -> Result<String, KeyFileError> {
        let _ = (key, &self.passphrase);
        todo!()
    }

    /// Decrypts the private key in `pem`.
    ///
    /// # Errors
    ///
    /// See [`KeyFileError`].
    pub fn open(&mut self, pem: &[u8]) -> Result<SigningKey, KeyFileError> {
        let _ = pem;
        todo!()
    }
}
