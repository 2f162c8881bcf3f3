//! The private keys of a server, each in an encrypted file of its own.
//!
//! Keys that serve and keys that only change trust are apart: a [`KeyDirectory`] of [`OnlineKey`]s is what `serve`
//! opens; [`OfflineKey`]s live in a directory of their own, which the operator moves away.

mod directory;
mod passphrase;

use crypto::KeyKind;

pub use directory::{KeyDirectory, KeyDirectoryError};
pub use passphrase::{Passphrase, PassphraseError};

/// What a key is for: it has a file name and a kind.
pub trait KeyRole: Copy {
    /// The name of its file, without `.pem`.
    fn name(self) -> String;

    /// The kind of key that the role has.
    fn kind(self) -> KeyKind;
}

/// A key that a running server signs with.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OnlineKey {
    /// Signs certificates: the intermediate's.
    CertificateAuthority,
    /// Signs SCTs and tree heads of the CT log.
    CtLog,
    /// Signs entries (SET) and checkpoints of the Rekor v1 log.
    RekorV1,
    /// Signs checkpoints of the Rekor v2 log.
    RekorV2,
    /// Signs timestamps.
    TimestampAuthority,
    /// Signs ID tokens.
    IdentityProvider,
    /// Signs the TUF snapshot.
    TufSnapshot,
    /// Signs the TUF timestamp.
    TufTimestamp,
    /// Issues the server's own TLS certificate, where `init` was asked for one.
    TlsAuthority,
}

/// A key that changes what clients trust, and that no server needs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OfflineKey {
    /// Signs the certificate authority's intermediate.
    CertificateRoot,
    /// Signs the timestamp authority's certificate.
    TimestampRoot,
    /// Signs TUF root and targets: the key of the holder with this number, counted from one.
    TufHolder(u8),
}

impl OnlineKey {
    /// Every online key of a server with all roles. [`OnlineKey::TlsAuthority`] is not among them: only some have it.
    pub const ALL: &[Self] = &[
        Self::CertificateAuthority,
        Self::CtLog,
        Self::RekorV1,
        Self::RekorV2,
        Self::TimestampAuthority,
        Self::IdentityProvider,
        Self::TufSnapshot,
        Self::TufTimestamp,
    ];
}

impl KeyRole for OnlineKey {
    fn name(self) -> String {
        let name = match self {
            Self::CertificateAuthority => "ca",
            Self::CtLog => "ct",
            Self::RekorV1 => "rekor-v1",
            Self::RekorV2 => "rekor-v2",
            Self::TimestampAuthority => "tsa",
            Self::IdentityProvider => "idp",
            Self::TufSnapshot => "tuf-snapshot",
            Self::TufTimestamp => "tuf-timestamp",
            Self::TlsAuthority => "tls-ca",
        };
        name.to_owned()
    }

    fn kind(self) -> KeyKind {
        match self {
            Self::RekorV2 => KeyKind::Ed25519,
            // The strictest client decides: ID tokens are RS256.
            Self::IdentityProvider => KeyKind::Rsa { bits: 2048 },
            // CT and v1 log keys must be P-256 for all clients; the rest is P-256 because every client reads it.
            _ => KeyKind::EcdsaP256,
        }
    }
}

impl KeyRole for OfflineKey {
    fn name(self) -> String {
        match self {
            Self::CertificateRoot => "ca-root".to_owned(),
            Self::TimestampRoot => "tsa-root".to_owned(),
            Self::TufHolder(number) => format!("tuf-{number}"),
        }
    }

    fn kind(self) -> KeyKind {
        KeyKind::EcdsaP256
    }
}
