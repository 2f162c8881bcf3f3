//! cosign's encrypted key format: scrypt and NaCl's secretbox around a PKCS#8 key, as JSON in a PEM block.
//! (`go-securesystemslib/encrypted`; `cosign generate-key-pair` writes it as `cosign.key`.)

use crate::SigningKey;

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

/// Encrypts `key` under `password`, as a PEM block `ENCRYPTED SIGSTORE PRIVATE KEY`.
///
/// # Errors
///
/// [`CosignKeyError::Key`] if the key cannot be encoded.
pub fn seal(key: &SigningKey, password: &[u8]) -> Result<String, CosignKeyError> {
    let _ = (key, password);
    todo!()
}

/// Decrypts the key in `pem`: a block `ENCRYPTED SIGSTORE PRIVATE KEY` or `ENCRYPTED COSIGN PRIVATE KEY`.
///
/// # Errors
///
/// See [`CosignKeyError`].
pub fn open(pem: &[u8], password: &[u8]) -> Result<SigningKey, CosignKeyError> {
    let _ = (pem, password);
    todo!()
}
