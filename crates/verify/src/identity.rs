//! Step G: the certificate is for whom the policy names.

use pki::fulcio::{self, ExtensionError, San};

use crate::Signer;
use crate::certificate::Certified;
use crate::policy::{IdentityPolicy, Policy, SignerPolicy};

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
    /// The policy names a key, and keys have no certificates.
    #[error("a certificate was verified under a policy for a key")]
    KeyExpected,
}

impl Identified {
    /// The verified signer.
    pub(crate) fn into_signer(self, certified: Certified) -> Signer {
        let Self { name, issuer } = self;
        Signer::Identity { name, issuer, certified: Box::new(certified) }
    }
}

/// Checks that the certificate is for whom `policy` names.
pub(crate) fn check(certified: &Certified, policy: &Policy) -> Result<Identified, IdentityError> {
    // `material::read` takes no certificate for a key; this keeps the two from drifting apart.
    let SignerPolicy::Identity(expected) = &policy.signer else {
        return Err(IdentityError::KeyExpected);
    };
    let name = check_name(certified, expected)?;
    let issuer = check_issuer(certified, expected)?;
    for (known, value) in &expected.extensions {
        let found = known.read(&certified.path.leaf)?;
        if !found.as_deref().is_some_and(|found| value.matches(found)) {
            let (extension, expected) = (known.name, value.to_string());
            return Err(IdentityError::OtherExtension { extension, expected, found });
        }
    }
    Ok(Identified { name, issuer })
}

/// Any one of the certificate's names may be the one: the authority vouched for all of them.
fn check_name(certified: &Certified, expected: &IdentityPolicy) -> Result<San, IdentityError> {
    let names = fulcio::identities(&certified.path.leaf);
    if names.is_empty() {
        return Err(IdentityError::NoName);
    }
    let found = || names.iter().map(|name| name.text().to_owned()).collect();
    names.iter().find(|name| expected.name.matches(name.text())).cloned().ok_or_else(|| {
        IdentityError::OtherName { expected: expected.name.to_string(), found: found() }
    })
}

fn check_issuer(certified: &Certified, expected: &IdentityPolicy) -> Result<String, IdentityError> {
    let leaf = &certified.path.leaf;
    let found = fulcio::issuer(leaf)?.ok_or(IdentityError::NoIssuer)?;
    if let Some(old) = leaf.extension(fulcio::ISSUER.oid)
        && old.value != found.as_bytes()
    {
        let old = String::from_utf8_lossy(old.value).into_owned();
        return Err(IdentityError::TwoIssuers { old, new: found });
    }
    if !expected.issuer.matches(&found) {
        let expected = expected.issuer.to_string();
        return Err(IdentityError::OtherIssuer { expected, found });
    }
    Ok(found)
}
