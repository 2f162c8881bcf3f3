//! What the verifier demands: whose signature, and how much evidence.

pub mod danger;
mod expected;
mod own;

use std::borrow::Cow;

use crypto::{HashAlgorithm, PublicKey, Scheme};
use pki::fulcio::Known;
use wire::bundle::{Bundle, Content};
use wire::statement::Statement;

pub use expected::{Expected, PolicyError};
pub use own::{Holder, OwnPolicy, OwnRoots, OwnRootsError};

use crate::material;

/// What the verifier demands.
///
/// One log, one trusted time and one certificate log unless more is asked for; less only through
/// [`danger`]. There is no policy without a signer.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) signer: SignerPolicy,
    pub(crate) predicate_type: Option<Expected>,
    pub(crate) logs: Threshold,
    pub(crate) times: usize,
    pub(crate) ct_logs: Threshold,
}

/// Whose signature counts.
#[derive(Clone, Debug)]
pub enum SignerPolicy {
    /// That of the holder of this key.
    Key(PublicKey),
    /// That of somebody for whom a certificate authority of the trusted root vouched.
    Identity(IdentityPolicy),
    /// That of somebody for whom an authority of the verifier's own vouched.
    Own(OwnPolicy),
}

/// For whom a certificate authority must have vouched.
#[derive(Clone, Debug)]
pub struct IdentityPolicy {
    /// The name in the certificate: an e-mail address, a URI or a user name.
    pub name: Expected,
    /// Who vouched for the name: the issuer of the signer's identity token.
    pub issuer: Expected,
    /// What further extensions of Fulcio must say.
    pub extensions: Vec<(Known, Expected)>,
}

/// How many independent witnesses are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Threshold {
    /// So many, always.
    AtLeast(usize),
    /// One, unless the trusted root names none at all.
    WhereTrusted,
    /// One for certificates of Fulcio, which logs what it issues; none for those of other authorities.
    OfFulcio,
    /// None; those that are there must still hold.
    None,
}

impl Threshold {
    /// How many are needed, with a trusted root that names so many.
    pub(crate) const fn needed(self, trusted: usize) -> usize {
        match self {
            Self::AtLeast(count) => count,
            Self::OfFulcio => 1,
            Self::WhereTrusted if trusted > 0 => 1,
            Self::WhereTrusted | Self::None => 0,
        }
    }
}

impl Policy {
    /// A signature with this key, logged in one transparency log.
    #[must_use]
    pub const fn key(key: PublicKey) -> Self {
        Self {
            signer: SignerPolicy::Key(key),
            predicate_type: None,
            logs: Threshold::AtLeast(1),
            // The key is valid without regard to time.
            times: 0,
            ct_logs: Threshold::AtLeast(1),
        }
    }

    /// A signature by somebody with this name, for whom this issuer vouched.
    #[must_use]
    pub const fn identity(name: Expected, issuer: Expected) -> Self {
        let identity = IdentityPolicy { name, issuer, extensions: Vec::new() };
        Self {
            signer: SignerPolicy::Identity(identity),
            predicate_type: None,
            logs: Threshold::AtLeast(1),
            times: 1,
            ct_logs: Threshold::AtLeast(1),
        }
    }

    /// A signature with the key of a certificate by an authority of the verifier's own, logged in one transparency log. A
    /// certificate of Fulcio must be in a certificate log, whoever runs that Fulcio.
    #[must_use]
    pub const fn own(policy: OwnPolicy) -> Self {
        Self {
            signer: SignerPolicy::Own(policy),
            predicate_type: None,
            logs: Threshold::AtLeast(1),
            // Where nobody says when, it is the present.
            times: 0,
            ct_logs: Threshold::OfFulcio,
        }
    }

    /// Also asks for what one of Fulcio's extensions says. Without effect for a key.
    #[must_use]
    pub fn with_extension(mut self, known: Known, value: Expected) -> Self {
        match &mut self.signer {
            SignerPolicy::Key(_) => {}
            SignerPolicy::Identity(identity) => identity.extensions.push((known, value)),
            SignerPolicy::Own(own) => own.extensions.push((known, value)),
        }
        self
    }

    /// Also takes these certificates, DER, on the way to roots of the verifier's own, as if a bundle had them; those that cannot
    /// be read lead nowhere. Without effect for other signers.
    #[must_use]
    pub fn by_way_of(&self, certificates: &[Vec<u8>]) -> Cow<'_, Self> {
        let SignerPolicy::Own(own) = &self.signer else { return Cow::Borrowed(self) };
        let signer = SignerPolicy::Own(own.by_way_of(certificates));
        Cow::Owned(Self { signer, ..self.clone() })
    }

    /// Also asks for a statement with a predicate of this type.
    #[must_use]
    pub fn with_predicate_type(mut self, predicate_type: Expected) -> Self {
        self.predicate_type = Some(predicate_type);
        self
    }

    /// Asks for entries in so many logs, each run by somebody else.
    ///
    /// # Errors
    ///
    /// [`PolicyError::ZeroThreshold`]; to ask for none see [`danger`].
    pub fn with_logs(mut self, count: usize) -> Result<Self, PolicyError> {
        self.logs = Threshold::AtLeast(at_least_one(count)?);
        Ok(self)
    }

    /// Asks for so many trusted times, each by somebody else.
    ///
    /// # Errors
    ///
    /// [`PolicyError::ZeroThreshold`].
    pub fn with_times(mut self, count: usize) -> Result<Self, PolicyError> {
        self.times = at_least_one(count)?;
        Ok(self)
    }

    /// Asks for timestamps of the certificate by so many certificate logs.
    ///
    /// # Errors
    ///
    /// [`PolicyError::ZeroThreshold`]; to ask for none see [`danger`].
    pub fn with_certificate_logs(mut self, count: usize) -> Result<Self, PolicyError> {
        self.ct_logs = Threshold::AtLeast(at_least_one(count)?);
        Ok(self)
    }

    /// The digests of the artifact that verifying `bundle` needs: what to stream it through.
    ///
    /// It is a list of what may be needed, made from a bundle that nobody has verified.
    #[must_use]
    pub fn algorithms(&self, bundle: &Bundle) -> Vec<HashAlgorithm> {
        let mut needed = Vec::new();
        match &bundle.content {
            Content::Message(message) => {
                needed.extend(message.digest.map(|digest| digest.algorithm()));
                let material = material::read(bundle, self);
                let schemes = material.map(|material| schemes(material.key(), false));
                needed.extend(schemes.into_iter().flatten().filter_map(Scheme::hash));
            }
            Content::Dsse(envelope) => {
                let statement = Statement::parse(&envelope.payload);
                let subjects = statement.iter().flat_map(|statement| &statement.subject);
                let names = subjects.flat_map(|subject| subject.digest.keys());
                needed.extend(names.filter_map(|name| HashAlgorithm::by_name(name)));
            }
        }
        needed.sort_unstable();
        needed.dedup();
        needed
    }
}

const fn at_least_one(count: usize) -> Result<usize, PolicyError> {
    if count == 0 { Err(PolicyError::ZeroThreshold) } else { Ok(count) }
}

/// The schemes in which Sigstore's signers use a key, the likeliest first (algorithm registry).
///
/// For Ed25519 they differ with what is signed: an envelope at hand, or the digest of an artifact.
pub(crate) fn schemes(key: &PublicKey, envelope: bool) -> Vec<Scheme> {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    use crypto::KeyKind;
    match key.kind() {
        KeyKind::EcdsaP256 => vec![Scheme::Ecdsa(Sha256)],
        // CPython's releases have signatures over SHA-256 with these keys, and Rekor v1 takes no others
        // for envelopes.
        KeyKind::EcdsaP384 => vec![Scheme::Ecdsa(Sha384), Scheme::Ecdsa(Sha256)],
        KeyKind::EcdsaP521 => vec![Scheme::Ecdsa(Sha512), Scheme::Ecdsa(Sha256)],
        KeyKind::Rsa { bits } if bits < MIN_RSA_BITS => Vec::new(),
        KeyKind::Rsa { .. } => vec![Scheme::RsaPkcs1(Sha256), Scheme::RsaPss(Sha256)],
        KeyKind::Ed25519 if envelope => vec![Scheme::Ed25519, Scheme::Ed25519ph],
        KeyKind::Ed25519 => vec![Scheme::Ed25519ph, Scheme::Ed25519],
    }
}

/// The shortest RSA modulus of the algorithm registry.
const MIN_RSA_BITS: usize = 2048;
