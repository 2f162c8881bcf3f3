//! The keys of a new directory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crypto::{PublicKey, SigningKey, SigningKeyError};

use super::{InitError, offline_roles};
use crate::keys::{KeyDirectory, KeyRole, OfflineKey, OnlineKey, Passphrase};

/// Which keys there are to be.
pub(super) struct NewKeys {
    /// Whether there is an authority for the server's own TLS certificates.
    pub(super) tls: bool,
    /// How many holders of TUF keys.
    pub(super) holders: u8,
}

/// The keys of a new directory, all of them.
pub(super) struct Keys {
    online: BTreeMap<OnlineKey, Arc<SigningKey>>,
    offline: BTreeMap<OfflineKey, Arc<SigningKey>>,
}

impl NewKeys {
    /// Makes the keys that are not there, and reads those that an interrupted run has made.
    ///
    /// The RSA key takes longer to make than all others together, so it has a thread of its own.
    pub(super) fn establish(
        &self,
        online: (&Path, &Passphrase),
        offline: (&Path, &Passphrase),
    ) -> Result<Keys, InitError> {
        let online: KeyDirectory<OnlineKey> = KeyDirectory::make(online.0, online.1)?;
        let offline: KeyDirectory<OfflineKey> = KeyDirectory::make(offline.0, offline.1)?;
        let slow = OnlineKey::IdentityProvider;
        let roles = OnlineKey::ALL.iter().copied().filter(|role| *role != slow);
        let tls = self.tls.then_some(OnlineKey::TlsAuthority);
        std::thread::scope(|scope| {
            let rsa = scope.spawn(|| establish(&online, [slow].into_iter()));
            let mut keys = Keys {
                offline: establish(&offline, offline_roles(self.holders))?,
                online: establish(&online, roles.chain(tls))?,
            };
            let rsa = rsa.join().unwrap_or(Err(InitError::Generate(SigningKeyError::Kind)))?;
            keys.online.extend(rsa);
            Ok(keys)
        })
    }
}

fn establish<R: KeyRole + Ord>(
    directory: &KeyDirectory<R>,
    roles: impl Iterator<Item = R>,
) -> Result<BTreeMap<R, Arc<SigningKey>>, InitError> {
    let mut keys = BTreeMap::new();
    for role in roles {
        let key = if directory.contains(role) {
            directory.load(role)?
        } else {
            let key = SigningKey::generate(role.kind())?;
            directory.keep(role, &key)?;
            key
        };
        keys.insert(role, Arc::new(key));
    }
    Ok(keys)
}

impl Keys {
    pub(super) fn online(&self, role: OnlineKey) -> Arc<SigningKey> {
        Arc::clone(&self.online[&role])
    }

    pub(super) fn offline(&self, role: OfflineKey) -> Arc<SigningKey> {
        Arc::clone(&self.offline[&role])
    }

    /// The authority of the server's own TLS certificates, if there is to be one.
    pub(super) fn tls_authority(&self) -> Option<&SigningKey> {
        self.online.get(&OnlineKey::TlsAuthority).map(AsRef::as_ref)
    }

    /// The public half of an online key.
    pub(super) fn public(&self, role: OnlineKey) -> &PublicKey {
        self.online[&role].public_key()
    }

    /// The keys of the TUF holders.
    pub(super) fn holders(&self) -> impl Iterator<Item = &SigningKey> {
        let holder = |role: &OfflineKey| matches!(role, OfflineKey::TufHolder(_));
        self.offline.iter().filter(move |(role, _)| holder(role)).map(|(_, key)| key.as_ref())
    }
}
