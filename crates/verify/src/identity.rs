//! Step G: the certificate is for whom the policy names.

use pki::Certificate;
use pki::fulcio::{self, ExtensionError, Known, San};

use crate::Signer;
use crate::certificate::Certified;
use crate::policy::{Expected, Holder, IdentityPolicy, OwnPolicy};

/// Proof that a certificate is for whom the policy names.
#[derive(Debug)]
pub(crate) struct Identified {
    name: San,
    issuer: String,
}

/// Why the signer is not the one expected.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityError {
    /// The certificate has no name that could be an identity.
    #[error("the certificate names nobody")]
    NoName,
    /// The certificate is for somebody else.
    #[error("the certificate is for {}, not for {expected}", found.join(", "))]
    OtherName {
        /// Whom the policy names.
        expected: String,
        /// Whom the certificate names.
        found: Vec<String>,
    },
    /// An extension of Fulcio's is malformed.
    #[error("the certificate's identity cannot be read")]
    Extension(#[from] ExtensionError),
    /// The certificate does not say who vouched for the name.
    #[error("the certificate does not say which issuer vouched for the signer")]
    NoIssuer,
    /// The certificate says twice who vouched for the name, and not the same.
    #[error("the certificate names two issuers, {old:?} and {new:?}")]
    TwoIssuers {
        /// In the older extension (1.3.6.1.4.1.57264.1.1).
        old: String,
        /// In the newer extension (1.3.6.1.4.1.57264.1.8).
        new: String,
    },
    /// Somebody else vouched for the name.
    #[error("{found} vouched for the signer, not {expected}")]
    OtherIssuer {
        /// Whom the policy names.
        expected: String,
        /// Whom the certificate names.
        found: String,
    },
    /// A further extension says something else than the policy asks for, or is not there.
    #[error("the certificate's {extension} is {}, not {expected}", found.as_deref().unwrap_or("not there"))]
    OtherExtension {
        /// The extension's name.
        extension: &'static str,
        /// What the policy asks for.
        expected: String,
        /// What the certificate says.
        found: Option<String>,
    },
}

impl Identified {
    /// The verified signer.
    pub(crate) fn into_signer(self, certified: Certified) -> Signer {
        let Self { name, issuer } = self;
        Signer::Identity { name, issuer, certified: Box::new(certified) }
    }
}

/// Checks that the certificate is for whom the policy names.
pub(crate) fn check(
    certified: &Certified,
    expected: &IdentityPolicy,
) -> Result<Identified, IdentityError> {
    let leaf = &certified.path.leaf;
    let name = check_name(fulcio::identities(leaf), San::text, &expected.name)?;
    let issuer = check_issuer(leaf, &expected.issuer)?;
    check_extensions(leaf, &expected.extensions)?;
    Ok(Identified { name, issuer })
}

/// Checks the same for a certificate by an authority of the verifier's own; gives the name that counts.
pub(crate) fn check_own(
    certified: &Certified,
    expected: &OwnPolicy,
) -> Result<String, IdentityError> {
    let leaf = &certified.path.leaf;
    let name = match &expected.holder {
        Holder::Anyone => any_name(leaf).ok_or(IdentityError::NoName)?,
        Holder::Named(name) => check_own_name(leaf, name)?,
    };
    if let Some(issuer) = &expected.issuer {
        check_issuer(leaf, issuer)?;
    }
    check_extensions(leaf, &expected.extensions)?;
    Ok(name)
}

/// The first alternative name, or else the subject.
fn any_name(leaf: &Certificate) -> Option<String> {
    leaf.names().into_iter().next().or_else(|| leaf.subject_name())
}

/// A subject is not held against a pattern (see [`Holder::Named`]).
fn check_own_name(leaf: &Certificate, expected: &Expected) -> Result<String, IdentityError> {
    let found = leaf.names();
    if leaf.sans().is_empty() && !found.is_empty() && !expected.is_exact() {
        return Err(IdentityError::OtherName { expected: expected.to_string(), found });
    }
    check_name(found, String::as_str, expected)
}

/// Any one of the certificate's names may be the one: the authority vouched for all of them.
fn check_name<N>(
    names: Vec<N>,
    text: impl Fn(&N) -> &str,
    expected: &Expected,
) -> Result<N, IdentityError> {
    if names.is_empty() {
        return Err(IdentityError::NoName);
    }
    let found = names.iter().map(|name| text(name).to_owned()).collect();
    let wanted = |name: &N| expected.matches(text(name));
    names
        .into_iter()
        .find(wanted)
        .ok_or_else(|| IdentityError::OtherName { expected: expected.to_string(), found })
}

fn check_issuer(leaf: &Certificate, expected: &Expected) -> Result<String, IdentityError> {
    let found = fulcio::issuer(leaf)?.ok_or(IdentityError::NoIssuer)?;
    if let Some(old) = leaf.extension(fulcio::ISSUER.oid)
        && old.value != found.as_bytes()
    {
        let old = String::from_utf8_lossy(old.value).into_owned();
        return Err(IdentityError::TwoIssuers { old, new: found });
    }
    if !expected.matches(&found) {
        return Err(IdentityError::OtherIssuer { expected: expected.to_string(), found });
    }
    Ok(found)
}

fn check_extensions(
    leaf: &Certificate,
    expected: &[(Known, Expected)],
) -> Result<(), IdentityError> {
    for (known, value) in expected {
        let found = known.read(leaf)?;
        if !found.as_deref().is_some_and(|found| value.matches(found)) {
            let (extension, expected) = (known.name, value.to_string());
            return Err(IdentityError::OtherExtension { extension, expected, found });
        }
    }
    Ok(())
}
