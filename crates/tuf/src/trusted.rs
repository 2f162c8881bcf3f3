//! What a client trusts at a moment, and the rules by which that changes (TUF specification §5.3–§5.6).
//!
//! Nothing is fetched here. Files are offered one by one, in the order of the specification, and each is taken only if
//! it follows from those taken before.

use std::collections::BTreeMap;

use crate::{
    Delegation, Key, KeyId, MetaFile, MismatchError, ParseError, Role, RoleKeys, Root, Snapshot,
    Targets, Timestamp, Unverified, Verified, VerifyError,
};

/// What to do with metadata that have expired.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expiry {
    /// Refuse them: a client that updates must not be kept at an old state (freeze attack).
    Refuse {
        /// The time now.
        now: jiff::Timestamp,
    },
    /// Use them. Whoever does so reads [`TrustedSet::roles`] and says how old they are.
    Use,
}

/// Verified metadata of all roles, as far as they were offered.
#[derive(Debug)]
pub struct TrustedSet {
    expiry: Expiry,
    root: Verified<Root>,
    timestamp: Option<Verified<Timestamp>>,
    snapshot: Option<Verified<Snapshot>>,
    /// Targets roles by name; the top one is `targets`.
    targets: BTreeMap<String, Verified<Targets>>,
}

/// How long a role's metadata are good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleExpiry {
    /// The role.
    pub role: String,
    /// The version of its metadata.
    pub version: u64,
    /// When they expire, or did.
    pub expires: jiff::Timestamp,
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It is no metadata file.
    #[error("the {role} metadata cannot be read")]
    Parse {
        /// The role it was offered for.
        role: String,
        /// What is wrong.
        #[source]
        source: ParseError,
    },
    /// Too few of the right keys have signed it.
    #[error("the {role} metadata are not signed as they must be")]
    Signature {
        /// The role it was offered for.
        role: String,
        /// How many have signed.
        #[source]
        source: VerifyError,
    },
    /// It is not the file that the metadata before it describe.
    #[error("the {role} metadata are not those that were announced")]
    Mismatch {
        /// The role it was offered for.
        role: String,
        /// In what they differ.
        #[source]
        source: MismatchError,
    },
    /// It has another version than the one that was announced or must come next.
    #[error("the {role} metadata have version {found} and not {expected}")]
    Version {
        /// The role it was offered for.
        role: String,
        /// The version that it must have.
        expected: u64,
        /// The version that it has.
        found: u64,
    },
    /// It is older than what is trusted already.
    #[error(
        "version {found} of the {role} metadata is older than {trusted}, which is trusted already"
    )]
    Rollback {
        /// The role that would go back.
        role: String,
        /// The version that is trusted.
        trusted: u64,
        /// The version that was offered; zero if the role was left out.
        found: u64,
    },
    /// It has expired.
    #[error("the {role} metadata expired at {expires}")]
    Expired {
        /// The role.
        role: String,
        /// When.
        expires: jiff::Timestamp,
    },
    /// The snapshot says nothing of this role.
    #[error("the snapshot has no {role} metadata")]
    NotInSnapshot {
        /// The role.
        role: String,
    },
    /// What must come before it was not offered.
    #[error("the {role} metadata came before those that they depend on")]
    TooEarly {
        /// The role.
        role: String,
    },
}

impl TrustedSet {
    /// Begins with a root whose bytes are trusted.
    #[must_use]
    pub const fn new(root: Verified<Root>, expiry: Expiry) -> Self {
        Self { expiry, root, timestamp: None, snapshot: None, targets: BTreeMap::new() }
    }

    /// Begins with the bytes of a root that are trusted, because they are embedded or their fingerprint was given.
    ///
    /// # Errors
    ///
    /// [`TrustError::Parse`], or [`TrustError::Signature`] if it has not signed itself.
    pub fn from_root(bytes: &[u8], expiry: Expiry) -> Result<Self, TrustError> {
        let root = parse::<Root>(Root::TYPE, bytes)?;
        let root = root.trust_first().map_err(|source| unsigned(Root::TYPE, source))?;
        Ok(Self::new(root, expiry))
    }

    /// Takes the next root: signed by the old keys and by its own, and one version further (§5.3.3–§5.3.5).
    /// Whether a root on the way has expired does not matter; only the last one's expiry does.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn update_root(&mut self, bytes: &[u8]) -> Result<(), TrustError> {
        let offered = parse::<Root>(Root::TYPE, bytes)?;
        let next =
            offered.verify_successor(&self.root).map_err(|source| unsigned(Root::TYPE, source))?;
        exactly(Root::TYPE, version(&next), version(&self.root).saturating_add(1))?;
        self.root = next;
        Ok(())
    }

    /// Takes a timestamp, and says whether it is newer than the one before (§5.4).
    ///
    /// An expired timestamp is kept to check the next one against it, and refused all the same.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn update_timestamp(&mut self, bytes: &[u8]) -> Result<bool, TrustError> {
        // No timestamp was looked at before the root was final.
        self.refuse_expired(Root::TYPE, &self.root)?;
        let offered = parse::<Timestamp>(Timestamp::TYPE, bytes)?;
        let next = self.verify(Timestamp::TYPE, offered, &self.root.roles.timestamp)?;
        if let Some(trusted) = &self.timestamp {
            not_older(Timestamp::TYPE, version(trusted), version(&next))?;
            if version(&next) == version(trusted) {
                return Ok(false);
            }
            let (old, new) = (&trusted.meta.snapshot, &next.meta.snapshot);
            not_older(Snapshot::TYPE, old.version.get(), new.version.get())?;
        }
        let next = self.timestamp.insert(next);
        check_expiry(self.expiry, Timestamp::TYPE, next)?;
        Ok(true)
    }

    /// Takes a snapshot (§5.5). `announced` is false for one from the client's own store, whose bytes may be those of an
    /// older version; it is kept to check the next one against it, and refused all the same.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn update_snapshot(&mut self, bytes: &[u8], announced: bool) -> Result<(), TrustError> {
        let meta = self.announced_snapshot()?.clone();
        if announced {
            meta.check(bytes).map_err(|source| mismatch(Snapshot::TYPE, source))?;
        }
        let offered = parse::<Snapshot>(Snapshot::TYPE, bytes)?;
        let next = self.verify(Snapshot::TYPE, offered, &self.root.roles.snapshot)?;
        if let Some(trusted) = &self.snapshot {
            for (name, old) in &trusted.meta {
                let found = next.meta.get(name).map_or(0, |new| new.version.get());
                not_older(name, old.version.get(), found)?;
            }
        }
        self.snapshot = Some(next);
        self.final_snapshot().map(|_| ())
    }

    /// Takes the metadata of the top targets role (§5.6).
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn update_targets(&mut self, bytes: &[u8]) -> Result<(), TrustError> {
        let rule = self.root.roles.targets.clone();
        let keys = self.root.keys.clone();
        self.take_targets(Targets::TYPE, bytes, &keys, &rule)
    }

    /// Takes the metadata of the role that `delegation` of the role `parent` names (§5.6.7). They are verified against
    /// this delegation, whichever other one may have led to them before.
    ///
    /// # Errors
    ///
    /// See [`TrustError`].
    pub fn update_delegated(
        &mut self,
        parent: &str,
        delegation: &Delegation,
        bytes: &[u8],
    ) -> Result<(), TrustError> {
        let keys = self
            .targets
            .get(parent)
            .and_then(|parent| parent.delegations.as_ref())
            .map(|delegations| delegations.keys.clone())
            .ok_or_else(|| TrustError::TooEarly { role: delegation.name.clone() })?;
        self.take_targets(&delegation.name, bytes, &keys, &delegation.keys)
    }

    fn take_targets(
        &mut self,
        role: &str,
        bytes: &[u8],
        keys: &BTreeMap<KeyId, Key>,
        rule: &RoleKeys,
    ) -> Result<(), TrustError> {
        let meta = self.announced_targets(role)?;
        meta.check(bytes).map_err(|source| mismatch(role, source))?;
        let next = parse::<Targets>(role, bytes)?
            .verify(role, keys, rule)
            .map_err(|source| unsigned(role, source))?;
        exactly(role, version(&next), meta.version.get())?;
        check_expiry(self.expiry, role, &next)?;
        self.targets.insert(role.to_owned(), next);
        Ok(())
    }

    /// The root.
    #[must_use]
    pub const fn root(&self) -> &Verified<Root> {
        &self.root
    }

    /// The timestamp, once taken.
    #[must_use]
    pub const fn timestamp(&self) -> Option<&Verified<Timestamp>> {
        self.timestamp.as_ref()
    }

    /// The snapshot, once taken.
    #[must_use]
    pub const fn snapshot(&self) -> Option<&Verified<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// The metadata of a targets role, once taken.
    #[must_use]
    pub fn targets(&self, role: &str) -> Option<&Verified<Targets>> {
        self.targets.get(role)
    }

    /// Version and expiry of every role that was taken.
    #[must_use]
    pub fn roles(&self) -> Vec<RoleExpiry> {
        fn row<T: Role>(role: &str, metadata: &Verified<T>) -> RoleExpiry {
            let header = metadata.header();
            RoleExpiry {
                role: role.to_owned(),
                version: header.version.get(),
                expires: header.expires,
            }
        }
        let mut rows = vec![row(Root::TYPE, &self.root)];
        rows.extend(self.timestamp.as_ref().map(|timestamp| row(Timestamp::TYPE, timestamp)));
        rows.extend(self.snapshot.as_ref().map(|snapshot| row(Snapshot::TYPE, snapshot)));
        rows.extend(self.targets.iter().map(|(role, targets)| row(role, targets)));
        rows
    }

    /// The snapshot that the timestamp announces.
    ///
    /// # Errors
    ///
    /// [`TrustError::TooEarly`] without a timestamp, [`TrustError::Expired`] if it has expired.
    pub fn announced_snapshot(&self) -> Result<&MetaFile, TrustError> {
        let timestamp = self.timestamp.as_ref();
        let timestamp =
            timestamp.ok_or_else(|| TrustError::TooEarly { role: Snapshot::TYPE.to_owned() })?;
        self.refuse_expired(Timestamp::TYPE, timestamp)?;
        Ok(&timestamp.meta.snapshot)
    }

    /// The metadata of the role `role` that the snapshot announces.
    ///
    /// # Errors
    ///
    /// [`TrustError::TooEarly`] without a snapshot, [`TrustError::NotInSnapshot`], or what is wrong with the snapshot.
    pub fn announced_targets(&self, role: &str) -> Result<MetaFile, TrustError> {
        let snapshot = self.final_snapshot()?;
        snapshot
            .meta
            .get(&format!("{role}.json"))
            .cloned()
            .ok_or_else(|| TrustError::NotInSnapshot { role: role.to_owned() })
    }

    /// The snapshot, if it is the one that the timestamp announces and has not expired.
    fn final_snapshot(&self) -> Result<&Verified<Snapshot>, TrustError> {
        let expected = self.announced_snapshot()?.version.get();
        let snapshot = self.snapshot.as_ref();
        let snapshot =
            snapshot.ok_or_else(|| TrustError::TooEarly { role: Targets::TYPE.to_owned() })?;
        self.refuse_expired(Snapshot::TYPE, snapshot)?;
        exactly(Snapshot::TYPE, version(snapshot), expected)?;
        Ok(snapshot)
    }

    fn verify<T: Role>(
        &self,
        role: &str,
        offered: Unverified<T>,
        rule: &RoleKeys,
    ) -> Result<Verified<T>, TrustError> {
        offered.verify(role, &self.root.keys, rule).map_err(|source| unsigned(role, source))
    }

    fn refuse_expired<T: Role>(
        &self,
        role: &str,
        metadata: &Verified<T>,
    ) -> Result<(), TrustError> {
        check_expiry(self.expiry, role, metadata)
    }
}

fn check_expiry<T: Role>(
    expiry: Expiry,
    role: &str,
    metadata: &Verified<T>,
) -> Result<(), TrustError> {
    let expires = metadata.header().expires;
    match expiry {
        // They are good up to and without that moment (§5.3.10).
        Expiry::Refuse { now } if now >= expires => {
            Err(TrustError::Expired { role: role.to_owned(), expires })
        }
        Expiry::Refuse { .. } | Expiry::Use => Ok(()),
    }
}

fn version<T: Role>(metadata: &Verified<T>) -> u64 {
    metadata.header().version.get()
}

fn exactly(role: &str, found: u64, expected: u64) -> Result<(), TrustError> {
    if found == expected {
        return Ok(());
    }
    Err(TrustError::Version { role: role.to_owned(), expected, found })
}

fn not_older(role: &str, trusted: u64, found: u64) -> Result<(), TrustError> {
    if found >= trusted {
        return Ok(());
    }
    Err(TrustError::Rollback { role: role.to_owned(), trusted, found })
}

fn parse<T: Role>(role: &str, bytes: &[u8]) -> Result<Unverified<T>, TrustError> {
    Unverified::parse(bytes).map_err(|source| TrustError::Parse { role: role.to_owned(), source })
}

fn unsigned(role: &str, source: VerifyError) -> TrustError {
    TrustError::Signature { role: role.to_owned(), source }
}

fn mismatch(role: &str, source: MismatchError) -> TrustError {
    TrustError::Mismatch { role: role.to_owned(), source }
}
