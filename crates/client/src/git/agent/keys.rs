//! The keys that the agent keeps.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::{Digest, HashAlgorithm, KeyKind, Scheme, SigningKey, SigningKeyError};
use jiff::{SignedDuration, Timestamp};
use pki::Certificate;
use pki::fulcio::{identities, issuer};
use tokio::sync::OwnedMutexGuard;

use super::clock::Clock;
use super::protocol::KeptKey;
use crate::sign::credential::MARGIN;

/// A key is kept for no longer than this, whatever its certificate says.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);
/// The most slots. A person has a handful of identities.
const MAX_SLOTS: usize = 64;
/// The longest name of a slot: a digest in hexadecimal digits.
const MAX_SLOT: usize = 64;

/// Held while somebody signs in for the slot.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Kept>>>>;

/// All slots.
#[derive(Default)]
pub(super) struct Keys {
    clock: Clock,
    slots: Mutex<HashMap<String, Slot>>,
    forgotten: Arc<AtomicU64>,
}

/// How often everything was forgotten before a key was made. Once more, and the key is used no longer, whoever has it.
struct Era {
    forgotten: Arc<AtomicU64>,
    before: u64,
}

impl Era {
    fn check(&self) -> Result<(), KeyRefusal> {
        match self.forgotten.load(Ordering::Acquire) == self.before {
            true => Ok(()),
            false => Err(KeyRefusal::Forgotten),
        }
    }
}

/// A key with its certificate.
pub(super) struct Kept {
    key: SigningKey,
    era: Era,
    certificate: Certificate,
    until: Timestamp,
}

/// A new key, for which somebody signs in.
pub(super) struct Fresh {
    key: SigningKey,
    era: Era,
    slot: OwnedMutexGuard<Option<Arc<Kept>>>,
}

/// What a client has taken.
pub(super) enum Taken {
    Kept(Arc<Kept>),
    Fresh(Fresh),
}

/// Why a client gets no key, or not this.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum KeyRefusal {
    #[error("the slot's name is too long")]
    Slot,
    #[error("there are too many slots")]
    TooMany,
    #[error("the certificate is for another key, or cannot be read")]
    Certificate,
    #[error("the certificate has ended or ends too soon")]
    Ended,
    #[error("the key was to be forgotten")]
    Forgotten,
    #[error("the key cannot sign")]
    Key(#[from] SigningKeyError),
}

impl Keys {
    /// Keeps time by `clock`.
    #[cfg(test)]
    pub(super) fn by(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// The time. If the machine has slept, everything is forgotten first: who wakes it need not be who signed in.
    pub(super) fn now(&self) -> Timestamp {
        if self.clock.has_slept() {
            self.forget();
        }
        self.clock.now()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that is kept for `slot`, or a new one.
    pub(super) async fn take(&self, slot: &str, now: Timestamp) -> Result<Taken, KeyRefusal> {
        if slot.len() > MAX_SLOT {
            return Err(KeyRefusal::Slot);
        }
        let place = {
            let mut slots = self.slots();
            if slots.len() >= MAX_SLOTS && !slots.contains_key(slot) {
                return Err(KeyRefusal::TooMany);
            }
            Arc::clone(slots.entry(slot.to_owned()).or_default())
        };
        let mut held = place.lock_owned().await;
        match &*held {
            Some(kept) if now + MARGIN < kept.until => Ok(Taken::Kept(Arc::clone(kept))),
            _ => {
                *held = None;
                let key = SigningKey::generate(KeyKind::EcdsaP256)?;
                let before = self.forgotten.load(Ordering::Acquire);
                let era = Era { forgotten: Arc::clone(&self.forgotten), before };
                Ok(Taken::Fresh(Fresh { key, era, slot: held }))
            }
        }
    }

    /// Drops what has ended; whether anything is left, or being asked for.
    pub(super) fn sweep(&self, now: Timestamp) -> bool {
        let mut slots = self.slots();
        slots.retain(|_, slot| match slot.try_lock() {
            Ok(held) => held.as_ref().is_some_and(|kept| now < kept.until),
            Err(_) => true,
        });
        !slots.is_empty()
    }

    /// Drops all keys. Those that somebody has taken, or is signing in for, sign no more.
    pub(super) fn forget(&self) -> usize {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        let mut slots = self.slots();
        let mut forgotten = 0;
        slots.retain(|_, slot| match slot.try_lock() {
            Ok(mut held) => {
                forgotten += usize::from(held.take().is_some());
                false
            }
            Err(_) => true,
        });
        forgotten
    }

    pub(super) fn list(&self, now: Timestamp) -> Vec<KeptKey> {
        let slots = self.slots();
        let kept = slots.values().filter_map(|slot| slot.try_lock().ok()?.clone());
        kept.filter(|kept| now < kept.until).map(|kept| kept.describe()).collect()
    }
}

impl Fresh {
    /// The public half, DER.
    pub(super) fn public_key(&self) -> &[u8] {
        self.key.public_key().spki_der()
    }

    pub(super) fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, KeyRefusal> {
        self.era.check()?;
        sign(&self.key, digest)
    }

    /// Keeps the key for as long as `certificate` lasts.
    pub(super) fn keep(mut self, der: &[u8], now: Timestamp) -> Result<Arc<Kept>, KeyRefusal> {
        self.era.check()?;
        let certificate = Certificate::from_der(der).map_err(|_| KeyRefusal::Certificate)?;
        if certificate.spki_der() != self.public_key() {
            return Err(KeyRefusal::Certificate);
        }
        let until = certificate.not_after().min(now + LONGEST);
        if now >= until {
            return Err(KeyRefusal::Ended);
        }
        let kept = Arc::new(Kept { key: self.key, era: self.era, certificate, until });
        *self.slot = Some(Arc::clone(&kept));
        Ok(kept)
    }
}

impl Kept {
    pub(super) fn certificate(&self) -> &[u8] {
        self.certificate.der()
    }

    pub(super) fn sign(&self, digest: &[u8], now: Timestamp) -> Result<Vec<u8>, KeyRefusal> {
        self.era.check()?;
        if now >= self.until {
            return Err(KeyRefusal::Ended);
        }
        sign(&self.key, digest)
    }

    fn describe(&self) -> KeptKey {
        let names = identities(&self.certificate);
        KeptKey {
            identity: names.first().map(|name| name.text().to_owned()).unwrap_or_default(),
            issuer: issuer(&self.certificate).ok().flatten().unwrap_or_default(),
            until: self.until,
        }
    }
}

fn sign(key: &SigningKey, digest: &[u8]) -> Result<Vec<u8>, KeyRefusal> {
    let digest =
        Digest::new(HashAlgorithm::Sha256, digest).map_err(|_| SigningKeyError::Malformed)?;
    Ok(key.sign_digest(Scheme::Ecdsa(HashAlgorithm::Sha256), &digest)?)
}
