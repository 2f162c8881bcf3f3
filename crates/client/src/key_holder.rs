//! Whoever holds a private key and signs with it: this process, or an agent.

use std::error::Error;

use crypto::{Digest, PublicKey, Scheme, SigningKey, SigningKeyError};

/// Holds a private key and signs with it. What the key is never leaves it.
pub trait KeyHolder: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs a message of which only the digest is known.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    fn sign_digest(&self, scheme: Scheme, digest: &Digest) -> Result<Vec<u8>, KeyError>;

    /// Signs `message` with `scheme`.
    ///
    /// # Errors
    ///
    /// [`KeyError`]; as a rule for schemes that do not sign a digest.
    fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let hash = scheme.hash().ok_or(SigningKeyError::Scheme)?;
        self.sign_digest(scheme, &hash.digest(message))
    }
}

/// Why a key does not sign.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key cannot.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// Whoever holds it does not.
    #[error("whoever holds the key does not sign")]
    Holder(#[source] Box<dyn Error + Send + Sync>),
}

impl KeyHolder for SigningKey {
    fn public_key(&self) -> &PublicKey {
        self.public_key()
    }

    fn sign_digest(&self, scheme: Scheme, digest: &Digest) -> Result<Vec<u8>, KeyError> {
        Ok(self.sign_digest(scheme, digest)?)
    }

    fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(self.sign_with(scheme, message)?)
    }
}
