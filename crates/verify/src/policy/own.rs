//! Trust of the verifier's own: the roots of a company, say, instead of those that a trusted root names.
//!
//! Nobody asks such an authority to publish what it issues, so that no certificate log is demanded, unless it is a Fulcio:
//! who trusts a private one by its root is protected by its log as much as others are. The certificates may last for years, so that where nobody says when the signature was made, they must be valid at the present.

use jiff::Timestamp;
use pki::Certificate;
use pki::chain::{self, PathError, Purpose, VerifiedPath};
use pki::fulcio::Known;

use super::Expected;

/// Whose signature counts, by roots of the verifier's own.
#[derive(Clone, Debug)]
pub struct OwnPolicy {
    /// Who must vouch for the signer.
    pub roots: OwnRoots,
    /// For whom.
    pub holder: Holder,
    /// Who vouched for the holder towards the authority, as Fulcio's certificates say it.
    pub issuer: Option<Expected>,
    /// What further extensions of Fulcio must say.
    pub extensions: Vec<(Known, Expected)>,
    /// When the certificates must be valid, where neither a timestamp nor a log says when the signature was made: now, as
    /// the verifier's clock has it.
    pub present: Timestamp,
}

impl OwnPolicy {
    /// The same, with further intermediate certificates, of which nobody has said that they are any.
    pub(super) fn by_way_of(&self, certificates: &[Vec<u8>]) -> Self {
        let mut policy = self.clone();
        let readable = certificates.iter().filter_map(|der| Certificate::from_der(der).ok());
        policy.roots.intermediates.extend(readable);
        policy
    }
}

/// For whom the roots must vouch.
#[derive(Clone, Debug)]
pub enum Holder {
    /// Whoever has a certificate for signing. Where no alternative name can be read, the subject is the name.
    Anyone,
    /// Whom one of the certificate's alternative names names so or, where it has none, its subject. The subject counts for an
    /// exact expectation only: a pattern for e-mail addresses would match `CN=ceo@corp.example` too, a text that holders may
    /// choose and that an authority's name constraints do not bind.
    Named(Expected),
}

/// Certificate authorities that the verifier trusts by itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnRoots {
    roots: Vec<Certificate>,
    intermediates: Vec<Certificate>,
}

/// Why certificates are no roots of one's own.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OwnRootsError {
    /// There is none.
    #[error("there is no root certificate")]
    None,
    /// One is not an authority's.
    #[error("the certificate of {subject} is not that of a certificate authority")]
    NotAnAuthority {
        /// Whose it is.
        subject: String,
    },
    /// A chain is not in its order.
    #[error("the certificates of the chain are not each issued by the next")]
    Order(#[source] PathError),
}

impl OwnRoots {
    /// Any of `roots`. To them lead `intermediates`, of which the bundle may have more; both in any order.
    ///
    /// # Errors
    ///
    /// [`OwnRootsError::None`], [`OwnRootsError::NotAnAuthority`].
    pub fn new(
        roots: Vec<Certificate>,
        intermediates: Vec<Certificate>,
    ) -> Result<Self, OwnRootsError> {
        if roots.is_empty() {
            return Err(OwnRootsError::None);
        }
        if let Some(other) = roots.iter().find(|root| !root.is_ca()) {
            return Err(OwnRootsError::NotAnAuthority { subject: other.subject() });
        }
        Ok(Self { roots, intermediates })
    }

    /// The last certificate of a chain in which each is issued by the next. The first one is that of the authority that
    /// issues to signers, or of a signer.
    ///
    /// # Errors
    ///
    /// See [`OwnRootsError`].
    pub fn of_chain(mut chain: Vec<Certificate>) -> Result<Self, OwnRootsError> {
        chain::check_order(&chain, Purpose::Signing).map_err(OwnRootsError::Order)?;
        let root = chain.pop().ok_or(OwnRootsError::None)?;
        Self::new(vec![root], chain)
    }

    /// The certificates between signers and roots.
    #[must_use]
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// Finds a path from `leaf` to one of the roots that holds at `time`, also over certificates that came with the leaf.
    ///
    /// # Errors
    ///
    /// See [`PathError`].
    pub fn path(
        &self,
        leaf: &Certificate,
        further: &[Certificate],
        time: Timestamp,
    ) -> Result<VerifiedPath, PathError> {
        let intermediates = [self.intermediates.as_slice(), further].concat();
        chain::verify_path(leaf, &intermediates, &self.roots, time, Purpose::Signing)
    }
}
