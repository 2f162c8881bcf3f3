//! Whose signatures a repository trusts: a file of ours, as `allowed_signers` is for SSH.
//!
//! ```toml
//! [[signer]]
//! identity = "alice@example.com"
//! issuer = "https://accounts.example.com"
//! # She left. What she signed before stays good.
//! valid-until = "2026-06-30T00:00:00Z"
//!
//! [[signer]]
//! identity-regexp = "https://ci\\.example\\.com/release/.*"
//! issuer = "https://ci.example.com"
//! objects = ["tag"]
//! ```
//!
//! `identity` and `issuer` are compared exactly, `identity-regexp` and `issuer-regexp` are matched as a whole. `objects`
//! are `commit`, `tag` and `push-certificate`; all three where it is left out. `valid-from` and `valid-until` (both
//! inclusive) are held against the times that a log or a timestamp authority signed, not against what the object says.
//!
//! Where the file is, whoever verifies says: in their own configuration, never in what they verify.

use jiff::Timestamp;
use pki::fulcio;
use serde::Deserialize;
use verify::{Expected, IdentityError, Policy, PolicyError, Verified, VerifyError};
use wire::trusted_root::TrustedRoot;

use super::BoundSignature;
use super::object::ObjectKind;

/// The longest file: a thousand signers with comments.
pub const MAX_FILE: usize = 1 << 18;
/// The most signers. Every one of them may have to be tried.
const MAX_SIGNERS: usize = 1000;

/// Everybody whose signatures count.
#[derive(Clone, Debug)]
pub struct AllowedSigners(Vec<AllowedSigner>);

#[derive(Clone, Debug)]
struct AllowedSigner {
    identity: Expected,
    issuer: Expected,
    objects: Option<Vec<ObjectKind>>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Why a file does not say whose signatures count.
#[derive(Debug, thiserror::Error)]
pub enum AllowedSignersError {
    /// It is longer than any that is read.
    #[error("the list of allowed signers is longer than {MAX_FILE} bytes")]
    TooLong,
    /// It is not TOML of the form that is expected.
    #[error("the list of allowed signers cannot be read")]
    Form(#[source] toml::de::Error),
    /// It is not text.
    #[error("the list of allowed signers is not UTF-8")]
    Text,
    /// There are too many.
    #[error("there are {found} allowed signers, at most {MAX_SIGNERS} are read")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// A signer is named twice or not at all.
    #[error("the allowed signer {position} needs one of {exact} and {exact}-regexp")]
    Name {
        /// Which, from one.
        position: usize,
        /// `identity` or `issuer`.
        exact: &'static str,
    },
    /// What is expected of a signer means nothing.
    #[error("the allowed signer {position} cannot be understood")]
    Expectation {
        /// Which, from one.
        position: usize,
        /// Why.
        #[source]
        source: PolicyError,
    },
}

/// Why a signature of an object does not count.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAllowed {
    /// The signature holds, but its signer is not one of those who are allowed.
    #[error("{identity} is not an allowed signer (vouched for by {issuer})")]
    Stranger {
        /// Who signed.
        identity: String,
        /// Who vouches for that.
        issuer: String,
    },
    /// The signer is allowed, but not for objects of this kind.
    #[error("{identity} is allowed to sign, but not objects of this kind")]
    Kind {
        /// Who signed.
        identity: String,
    },
    /// The signer is allowed, but was not when the signature was made.
    #[error("{identity} is allowed to sign, but was not at {time}")]
    Time {
        /// Who signed.
        identity: String,
        /// When.
        time: Timestamp,
    },
    /// The signature does not hold, whoever is allowed.
    #[error("the signature does not hold")]
    Refused(#[source] VerifyError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    signer: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    identity: Option<String>,
    identity_regexp: Option<String>,
    issuer: Option<String>,
    issuer_regexp: Option<String>,
    objects: Option<Vec<ObjectKind>>,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

impl Entry {
    fn signer(self, position: usize) -> Result<AllowedSigner, AllowedSignersError> {
        let expected = |exact, text: Option<String>, pattern: Option<String>| {
            let expected = match (text, pattern) {
                (Some(text), None) => Expected::exactly(&text),
                (None, Some(pattern)) => Expected::pattern(&pattern),
                _ => return Err(AllowedSignersError::Name { position, exact }),
            };
            expected.map_err(|source| AllowedSignersError::Expectation { position, source })
        };
        Ok(AllowedSigner {
            identity: expected("identity", self.identity, self.identity_regexp)?,
            issuer: expected("issuer", self.issuer, self.issuer_regexp)?,
            objects: self.objects,
            from: self.valid_from,
            until: self.valid_until,
        })
    }
}

impl AllowedSigners {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// See [`AllowedSignersError`].
    pub fn parse(file: &[u8]) -> Result<Self, AllowedSignersError> {
        if file.len() > MAX_FILE {
            return Err(AllowedSignersError::TooLong);
        }
        let text = std::str::from_utf8(file).map_err(|_| AllowedSignersError::Text)?;
        let File { signer } = toml::from_str(text).map_err(AllowedSignersError::Form)?;
        if signer.len() > MAX_SIGNERS {
            return Err(AllowedSignersError::TooMany { found: signer.len() });
        }
        let signers = signer.into_iter().zip(1..);
        signers.map(|(entry, position)| entry.signer(position)).collect::<Result<_, _>>().map(Self)
    }

    /// Decides whether `signature`, of an object of `kind`, is by somebody who is allowed.
    ///
    /// Each allowed signer is a policy for the verifier, with `weaken` applied to it (as a rule nothing).
    ///
    /// # Errors
    ///
    /// See [`NotAllowed`].
    pub fn judge(
        &self,
        signature: &BoundSignature,
        kind: ObjectKind,
        weaken: &dyn Fn(Policy) -> Policy,
        trust: &TrustedRoot,
    ) -> Result<Verified, NotAllowed> {
        let names = fulcio::identities(signature.certificate());
        let mut refusal = None;
        for signer in &self.0 {
            // Whom the certificate does not name need not be tried.
            if !names.iter().any(|name| signer.identity.matches(name.text())) {
                continue;
            }
            let policy = Policy::identity(signer.identity.clone(), signer.issuer.clone());
            match signature.verify(&weaken(policy), trust) {
                Ok(verified) => match signer.admits(&verified, kind) {
                    Ok(()) => return Ok(verified),
                    Err(error) => refusal = Some(error),
                },
                Err(VerifyError::Identity(_)) => {}
                Err(error) => return Err(NotAllowed::Refused(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| stranger(signature, weaken, trust)))
    }
}

impl AllowedSigner {
    fn admits(&self, verified: &Verified, kind: ObjectKind) -> Result<(), NotAllowed> {
        let identity = || name(verified).0;
        if self.objects.as_ref().is_some_and(|objects| !objects.contains(&kind)) {
            return Err(NotAllowed::Kind { identity: identity() });
        }
        // Every time at which the signature was seen counts, so that none of two can be chosen.
        let outside = |time: &Timestamp| {
            self.from.is_some_and(|from| *time < from)
                || self.until.is_some_and(|until| *time > until)
        };
        match verified.times.iter().map(|time| time.time).find(outside) {
            Some(time) => Err(NotAllowed::Time { identity: identity(), time }),
            None => Ok(()),
        }
    }
}

/// Who signed, where it is nobody who is allowed: the same judgement, with whom the certificate names.
fn stranger(
    signature: &BoundSignature,
    weaken: &dyn Fn(Policy) -> Policy,
    trust: &TrustedRoot,
) -> NotAllowed {
    match own_policy(signature) {
        Ok(policy) => match signature.verify(&weaken(policy), trust) {
            Ok(verified) => {
                let (identity, issuer) = name(&verified);
                NotAllowed::Stranger { identity, issuer }
            }
            Err(error) => NotAllowed::Refused(error),
        },
        Err(error) => NotAllowed::Refused(VerifyError::Identity(error)),
    }
}

fn own_policy(signature: &BoundSignature) -> Result<Policy, IdentityError> {
    let certificate = signature.certificate();
    let names = fulcio::identities(certificate);
    let name = names.first().ok_or(IdentityError::NoName)?;
    let issuer = fulcio::issuer(certificate)?.ok_or(IdentityError::NoIssuer)?;
    let name = Expected::exactly(name.text()).map_err(|_| IdentityError::NoName)?;
    let issuer = Expected::exactly(&issuer).map_err(|_| IdentityError::NoIssuer)?;
    Ok(Policy::identity(name, issuer))
}

/// Identity and issuer of a verified signer.
#[must_use]
pub fn name(verified: &Verified) -> (String, String) {
    match &verified.signer {
        verify::Signer::Identity { name, issuer, .. } => (name.text().to_owned(), issuer.clone()),
        _ => (String::new(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<AllowedSigners, AllowedSignersError> {
        AllowedSigners::parse(text.as_bytes())
    }

    #[test]
    fn a_signer_is_named_once_with_an_issuer() {
        let good = "[[signer]]\nidentity = 'a'\nissuer-regexp = 'i.*'\nobjects = ['tag']\nvalid-until = '2026-01-01T00:00:00Z'\n";
        assert_eq!(parse(good).unwrap().0.len(), 1);
        let half = [
            "identity = 'a'",
            "issuer = 'i'",
            "identity = 'a'\nidentity-regexp = 'a'\nissuer = 'i'",
            "identity = ''\nissuer = 'i'",
            "identity-regexp = '('\nissuer = 'i'",
            "identity = 'a'\nissuer = 'i'\nobject = ['tag']",
            "identity = 'a'\nissuer = 'i'\nobjects = ['tree']",
            "identity = 'a'\nissuer = 'i'\nvalid-until = 'soon'",
        ];
        for entry in half {
            parse(&format!("[[signer]]\n{entry}\n")).expect_err(entry);
        }
    }

    #[test]
    fn an_empty_file_allows_nobody() {
        assert!(parse("").unwrap().0.is_empty());
        parse("signers = []").unwrap_err();
    }

    #[test]
    fn a_file_longer_than_any_is_refused() {
        let long = "#".repeat(MAX_FILE + 1);
        assert!(matches!(parse(&long), Err(AllowedSignersError::TooLong)));
    }
}
