//! What a signer signs with: a key of its own, or ephemeral ones that certificates vouch for.

use std::sync::Arc;

use crypto::{Digest, KeyDetails, KeyKind, PublicKey, Scheme, SigningKey};
use jiff::{SignedDuration, Timestamp};
use net::{Client, Url};
use pki::Certificate;
use pki::fulcio::{identities, issuer};
use tokio::sync::Mutex;
use verify::{Expected, Policy, PolicyError};
use wire::bundle::SignerMaterial;
use wire::trusted_root::TrustedRoot;

use super::own::{OwnCertificate, Vouched};
use super::{KeyHint, SignError};
use crate::fulcio::certify;
use crate::key_holder::{KeyError, KeyHolder};
use crate::oidc::IdentityToken;
use crate::rekor::Verifier;

/// How long a certificate must still last to be used again: the signature is timestamped after it is made.
pub(crate) const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Where keys come from.
pub(super) enum Credential {
    /// Ephemeral ones, for the holder of a token.
    Keyless {
        authority: Url,
        token: Box<IdentityToken>,
        /// Held while a certificate is asked for, so that parallel signatures ask once.
        current: Mutex<Option<Arc<Ready>>>,
    },
    /// One.
    Key(Arc<Ready>),
}

/// A private key: in this process, or held by somebody else.
pub(super) enum Key {
    Own(SigningKey),
    Held(Box<dyn KeyHolder>),
}

impl Key {
    fn holder(&self) -> &dyn KeyHolder {
        match self {
            Self::Own(key) => key,
            Self::Held(holder) => &**holder,
        }
    }

    pub(super) fn sign_digest(&self, scheme: Scheme, digest: &Digest) -> Result<Vec<u8>, KeyError> {
        self.holder().sign_digest(scheme, digest)
    }

    pub(super) fn sign_with(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.holder().sign_with(scheme, message)
    }

    fn public_key(&self) -> &PublicKey {
        self.holder().public_key()
    }
}

/// A key that can sign now.
pub(super) struct Ready {
    /// The private key. An ephemeral one is never encoded, and gone with this value.
    pub(super) key: Key,
    pub(super) details: KeyDetails,
    pub(super) verifier: Verifier,
    whose: Whose,
}

/// In whose name a key signs: what verifiers will ask for.
enum Whose {
    /// In nobody's: they have the key.
    Key,
    /// In that of whom a certificate of Fulcio's names.
    Identity { name: String, issuer: String },
    /// In that of whom a certificate by an authority of one's own names.
    Own(Box<Vouched>),
}

impl Credential {
    pub(super) fn keyless(authority: Url, token: IdentityToken) -> Self {
        Self::Keyless { authority, token: Box::new(token), current: Mutex::new(None) }
    }

    pub(super) fn key(key: SigningKey) -> Result<Self, SignError> {
        let details = KeyDetails::for_key(key.public_key()).ok_or(SignError::KeyKind)?;
        let verifier = Verifier::Key(key.public_key().clone());
        let key = Key::Own(key);
        Ok(Self::Key(Arc::new(Ready { key, details, verifier, whose: Whose::Key })))
    }

    /// A key, and the certificate for it by an authority of one's own.
    pub(super) fn own(
        key: SigningKey,
        certificate: &OwnCertificate,
        trust: &TrustedRoot,
    ) -> Result<Self, SignError> {
        let details = KeyDetails::for_key(key.public_key()).ok_or(SignError::KeyKind)?;
        let vouched = certificate.vouch(key.public_key(), trust, Timestamp::now())?;
        let verifier = Verifier::Certificate(certificate.leaf().clone());
        let (key, whose) = (Key::Own(key), Whose::Own(Box::new(vouched)));
        Ok(Self::Key(Arc::new(Ready { key, details, verifier, whose })))
    }

    /// A key that somebody else holds, and the certificate that vouches for it.
    pub(super) fn certified(
        holder: Box<dyn KeyHolder>,
        certificate: Certificate,
    ) -> Result<Self, SignError> {
        Ready::new(Key::Held(holder), certificate).map(|ready| Self::Key(Arc::new(ready)))
    }

    /// How signatures will be made. Ephemeral keys are of the kind that every certificate authority and log takes.
    pub(super) fn details(&self) -> KeyDetails {
        match self {
            Self::Keyless { .. } => KeyDetails::EcdsaP256Sha256,
            Self::Key(ready) => ready.details,
        }
    }

    /// A key with which to sign now.
    pub(super) async fn ready(
        &self,
        http: &Client,
        trust: &TrustedRoot,
    ) -> Result<Arc<Ready>, SignError> {
        let (authority, token, current) = match self {
            Self::Key(ready) => return Ok(Arc::clone(ready)),
            Self::Keyless { authority, token, current } => (authority, token, current),
        };
        let mut current = current.lock().await;
        match &*current {
            Some(ready) if ready.lasts(Timestamp::now()) => Ok(Arc::clone(ready)),
            _ => {
                let ready = Arc::new(Ready::certified(http, authority, token, trust).await?);
                *current = Some(Arc::clone(&ready));
                Ok(ready)
            }
        }
    }
}

impl Ready {
    /// Makes a key in memory and has it certified.
    async fn certified(
        http: &Client,
        authority: &Url,
        token: &IdentityToken,
        trust: &TrustedRoot,
    ) -> Result<Self, SignError> {
        let key = SigningKey::generate(KeyKind::EcdsaP256).map_err(KeyError::from)?;
        let certificate = certify(http, authority, token, &key, trust).await?;
        Self::new(Key::Own(key), certificate)
    }

    /// Signs in the name of whom the certificate names. It was checked when it was issued, and is again with every
    /// finished bundle.
    fn new(key: Key, certificate: Certificate) -> Result<Self, SignError> {
        let details = KeyDetails::for_key(key.public_key()).ok_or(SignError::KeyKind)?;
        let names = identities(&certificate);
        let name = names.first().ok_or(SignError::Nameless)?.text().to_owned();
        let issuer = issuer(&certificate).ok().flatten().ok_or(SignError::Nameless)?;
        let verifier = Verifier::Certificate(certificate);
        Ok(Self { key, details, verifier, whose: Whose::Identity { name, issuer } })
    }

    /// How the bundle names the signer.
    pub(super) fn material(&self, hint: KeyHint) -> SignerMaterial {
        match (&self.whose, &self.verifier) {
            (Whose::Own(vouched), _) => vouched.material(),
            (_, Verifier::Certificate(leaf)) => SignerMaterial::Certificate(leaf.der().to_vec()),
            (_, Verifier::Key(key)) => SignerMaterial::PublicKey { hint: hint.of(key) },
        }
    }

    /// What verifiers will ask for.
    pub(super) fn policy(&self) -> Result<Policy, PolicyError> {
        Ok(match &self.whose {
            Whose::Key => Policy::key(self.verifier.public_key().clone()),
            Whose::Identity { name, issuer } => {
                Policy::identity(Expected::exactly(name)?, Expected::exactly(issuer)?)
            }
            Whose::Own(vouched) => Policy::own(vouched.policy(Timestamp::now())),
        })
    }

    fn lasts(&self, now: Timestamp) -> bool {
        match &self.verifier {
            Verifier::Certificate(certificate) => now + MARGIN < certificate.not_after(),
            Verifier::Key(_) => true,
        }
    }
}
