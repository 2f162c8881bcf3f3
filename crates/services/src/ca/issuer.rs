//! Types of issuers: what becomes of a token, one file per type.
//!
//! A type turns a verified token into an [`Identity`]: the text over which the client must sign, and what
//! will stand in the certificate. A new type is a file and a line in [`ALL`].

mod ci_provider;
mod email;
mod extensions;
mod uri;
mod uri_name;
mod username;

use pki::fulcio::LeafContents;

use super::config::{Issuer, SubjectDomainError};
use super::go::UrlError;
use super::template::EvaluateError;
use super::token::{ClaimError, VerifiedToken};

pub(super) use ci_provider::CiProvider;
pub use ci_provider::CiProviderError;
#[cfg(test)]
pub(super) use uri_name::uri_name;

/// Every type that makes certificates.
const ALL: &[&dyn IssuerType] =
    &[&email::Email, &uri::Uri, &username::Username, &ci_provider::CiProviderType];

/// The types that configurations may name and that make no certificates here. All of them challenge over `sub`.
const WITHOUT_CERTIFICATES: &[&str] = &[
    "buildkite-job",
    "chainguard-identity",
    "codefresh-workflow",
    "github-workflow",
    "gitlab-pipeline",
    "kubernetes",
    "spiffe",
];

/// One type of issuer. It remembers nothing.
pub(super) trait IssuerType: std::fmt::Debug + Sync {
    /// The name in configurations, such as `email`.
    fn name(&self) -> &'static str;

    /// The claim that clients are told to sign, unless the configuration says otherwise.
    fn challenge_claim(&self) -> &'static str {
        "sub"
    }

    /// Holds `subject-domain` against the URL of the issuer.
    fn check_subject_domain(&self, _issuer: &str, _domain: &str) -> Result<(), SubjectDomainError> {
        Ok(())
    }

    /// Says who a token's holder is.
    fn identify(&self, token: &VerifiedToken, issuer: &Issuer) -> Result<Identity, IdentityError>;
}

/// Who the holder of a token is.
#[derive(Debug)]
pub(super) struct Identity {
    /// The text over which the client signs to prove that it has the key.
    pub(super) challenge: String,
    /// What stands in the certificate, or why none can be made. The client learns the latter only after it
    /// has proved possession of its key.
    pub(super) contents: Result<LeafContents, ContentsError>,
}

/// Why a token, though verified, says of nobody who they are. The client's to fix, or its issuer's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityError {
    /// A claim is of the wrong type.
    #[error("a claim cannot be used")]
    Claim(#[source] ClaimError),
    /// The type of the issuer is not supported.
    #[error("tokens of issuers of the type {type_name:?} are not taken")]
    UnsupportedType {
        /// The type as it stands in the configuration.
        type_name: String,
    },
    /// There is no e-mail address.
    #[error("the token has no claim email")]
    EmailMissing,
    /// The issuer does not say that the address belongs to the holder.
    #[error("the issuer has not verified the e-mail address")]
    EmailNotVerified,
    /// It is not an e-mail address.
    #[error("the claim email is not an e-mail address")]
    NotAnEmailAddress,
    /// The claim to which `issuer-claim` leads is not there.
    #[error("the token has no claim for the issuer")]
    IssuerClaimMissing,
    /// The subject is an e-mail address, which only issuers of the type `email` may vouch for.
    #[error("the subject is an e-mail address")]
    SubjectIsEmail,
    /// The subject has the character that stands before the domain.
    #[error("the user name has a !")]
    SubjectHasBang,
    /// The subject is not a URL.
    #[error("the subject is not a URL")]
    SubjectNotAUrl,
    /// The subject is not under the domain of the configuration.
    #[error("the subject is at {found:?}, not at {expected:?}")]
    SubjectElsewhere {
        /// Scheme and host name of `subject-domain`.
        expected: String,
        /// Those of the subject.
        found: String,
    },
    /// The configuration has no mapping for the CI provider.
    #[error("there is no ci-issuer-metadata for this issuer")]
    NoCiProvider,
}

/// Why no certificate can be made for an identity. Displayed in the words of the existing server, because
/// the client is shown the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ContentsError {
    /// The issuer would be empty.
    #[error("extensions must have a non-empty issuer url")]
    NoIssuer,
    /// A name has characters outside ASCII (RFC 5280 §4.2.1.6).
    #[error("x509: {} cannot be encoded as an IA5String", super::go::quote(.name))]
    NotIa5 {
        /// The name.
        name: String,
    },
    /// The name is not a URI.
    #[error("{0}")]
    NotAUri(String),
    /// The host of a URI is not a domain.
    #[error("x509: cannot parse URI {}: invalid domain", super::go::quote(.uri))]
    InvalidDomain {
        /// The URI.
        uri: String,
    },
    /// A template cannot be written for these claims.
    #[error("{0}")]
    Template(String),
    /// The mapping names a claim that is not there.
    #[error("value <{claim}> not present in either claims or defaults. {details}")]
    ClaimMissing {
        /// The claim.
        claim: String,
        /// Issuer and extension, as JSON.
        details: String,
    },
    /// The mapping does not say what the certificate's name is to be.
    #[error("SubjectAlternativeNameTemplate should not be empty. Issuer: {issuer}")]
    NoNameTemplate {
        /// The issuer.
        issuer: String,
    },
}

impl From<UrlError> for ContentsError {
    fn from(error: UrlError) -> Self {
        Self::NotAUri(error.to_string())
    }
}

impl From<EvaluateError> for ContentsError {
    fn from(error: EvaluateError) -> Self {
        Self::Template(error.to_string())
    }
}

/// The type of that name, if it makes certificates.
pub(super) fn by_name(name: &str) -> Option<&'static dyn IssuerType> {
    ALL.iter().find(|known| known.name() == name).copied()
}

/// The claim over which clients of issuers of that type sign, if the type is known at all.
pub(super) fn challenge_claim(type_name: &str) -> Option<&'static str> {
    match by_name(type_name) {
        Some(known) => Some(known.challenge_claim()),
        None => WITHOUT_CERTIFICATES.contains(&type_name).then_some("sub"),
    }
}
