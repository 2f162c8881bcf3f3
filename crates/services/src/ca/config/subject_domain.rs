//! `subject-domain`: under which domain an issuer may name its subjects.

use crate::ca::go::{Url, UrlError};

/// Why a subject domain does not fit an issuer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SubjectDomainError {
    /// There is none, and the type demands one.
    #[error("there is no subject-domain")]
    Missing,
    /// One of the two is not a URL.
    #[error("{0}")]
    NotAUrl(String),
    /// The type `username` names a domain, not a URL.
    #[error("the subject-domain of a username issuer must not have a scheme")]
    HasScheme,
    /// The schemes differ.
    #[error("the subject-domain has the scheme {subject:?}, the issuer {issuer:?}")]
    OtherScheme {
        /// Of the subject domain.
        subject: String,
        /// Of the issuer.
        issuer: String,
    },
    /// A host name has fewer than two labels.
    #[error("the host name {host:?} is too short")]
    TooShort {
        /// Which host name.
        host: String,
    },
    /// The two last labels differ.
    #[error("{subject:?} and {issuer:?} are not under the same domain")]
    OtherDomain {
        /// The host of the subject domain.
        subject: String,
        /// The host of the issuer.
        issuer: String,
    },
}

/// `uri`: a URL with the issuer's scheme, under the issuer's domain.
pub(in crate::ca) fn check_uri(issuer: &str, domain: &str) -> Result<(), SubjectDomainError> {
    if domain.is_empty() {
        return Err(SubjectDomainError::Missing);
    }
    let (issuer, subject) = (parse(issuer)?, parse(domain)?);
    if issuer.scheme() != subject.scheme() {
        return Err(SubjectDomainError::OtherScheme {
            subject: subject.scheme().to_owned(),
            issuer: issuer.scheme().to_owned(),
        });
    }
    check_hosts(&subject.hostname(), &issuer.hostname())
}

/// `username`: a domain under the issuer's.
pub(in crate::ca) fn check_username(issuer: &str, domain: &str) -> Result<(), SubjectDomainError> {
    if domain.is_empty() {
        return Err(SubjectDomainError::Missing);
    }
    if !parse(domain)?.scheme().is_empty() {
        return Err(SubjectDomainError::HasScheme);
    }
    check_hosts(domain, &parse(issuer)?.hostname())
}

fn parse(url: &str) -> Result<Url, SubjectDomainError> {
    Url::parse(url).map_err(|error: UrlError| SubjectDomainError::NotAUrl(error.to_string()))
}

/// The two last labels must be the same. (For `co.uk` and its like that is not enough; but whoever writes
/// the file chooses both.)
fn check_hosts(subject: &str, issuer: &str) -> Result<(), SubjectDomainError> {
    if subject == issuer {
        return Ok(());
    }
    if last_labels(subject)? == last_labels(issuer)? {
        return Ok(());
    }
    Err(SubjectDomainError::OtherDomain { subject: subject.to_owned(), issuer: issuer.to_owned() })
}

fn last_labels(host: &str) -> Result<(&str, &str), SubjectDomainError> {
    let mut labels = host.rsplit('.');
    match (labels.next(), labels.next()) {
        (Some(top), Some(second)) => Ok((second, top)),
        _ => Err(SubjectDomainError::TooShort { host: host.to_owned() }),
    }
}
