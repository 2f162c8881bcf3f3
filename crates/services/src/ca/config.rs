//! Fulcio's configuration file: whose tokens are taken, and what becomes of them.
//!
//! The file is read as the existing server reads it, YAML or JSON, so that a deployment can be moved
//! without touching it. What the existing server notices only when a token comes, such as a template
//! function that does not exist here, is noticed here when the file is read.

mod file;
mod pattern;
mod subject_domain;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::claim_path::{ClaimPath, ClaimPathError};
use super::issuer::{self, CiProvider, CiProviderError, IssuerType};
use super::key_source::KnownBy;
use file::{File, IssuerEntry};
use pattern::Pattern;

pub(super) use file::CiMetadata;
pub use file::FileError;
pub use subject_domain::SubjectDomainError;
pub(super) use subject_domain::{
    check_uri as check_uri_domain, check_username as check_username_domain,
};

/// The issuers whose tokens are taken.
#[derive(Clone, Debug, Default)]
pub struct Config {
    exact: BTreeMap<String, Arc<Issuer>>,
    /// The most specific pattern first.
    patterns: Vec<(Pattern, Arc<Issuer>)>,
}

/// One entry of `oidc-issuers` or `meta-issuers`, checked.
#[derive(Debug)]
pub(super) struct Issuer {
    /// `issuer-url`, which the existing server does not hold against the key of the entry.
    url: String,
    /// `client-id`.
    pub(super) audience: String,
    /// The name of the type as it is written.
    type_name: String,
    /// The type, if it is one that is known.
    pub(super) issuer_type: Option<&'static dyn IssuerType>,
    /// `challenge-claim`, or the type's own. It is told to clients and decides nothing.
    challenge_claim: String,
    /// `issuer-claim`.
    pub(super) issuer_claim: Option<ClaimPath>,
    /// `subject-domain`.
    pub(super) subject_domain: String,
    spiffe_trust_domain: String,
    /// `skip-email-verification`.
    pub(super) skip_email_verification: bool,
    /// The entry of `ci-issuer-metadata` that `ci-provider` names, if there is one.
    pub(super) ci_provider: Option<Arc<CiProvider>>,
    /// `ca-cert`.
    pub(super) ca_certificates: Option<String>,
}

/// An issuer that the configuration has for a token.
pub(super) struct Match<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) known: KnownBy,
}

/// Why a configuration file cannot be used. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    File(#[source] FileError),
    /// An entry cannot be used.
    #[error("the issuer {issuer:?} cannot be used")]
    Issuer {
        /// The key of the entry: a URL or a pattern.
        issuer: String,
        /// What is wrong with it.
        #[source]
        source: IssuerConfigError,
    },
    /// A mapping of `ci-issuer-metadata` cannot be used.
    #[error("the CI provider {provider:?} cannot be used")]
    CiProvider {
        /// Its name.
        provider: String,
        /// What is wrong with it.
        #[source]
        source: CiProviderError,
    },
}

/// Why an entry for an issuer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IssuerConfigError {
    /// The type is unknown, and there is no challenge claim that would say what is meant.
    #[error("the type {type_name:?} is not known, and there is no challenge-claim")]
    UnknownType {
        /// The type as it is written.
        type_name: String,
    },
    /// Only tokens of the type `email` can say who really issued them.
    #[error("only issuers of the type email can have an issuer-claim")]
    IssuerClaimNotEmail,
    /// The issuer claim is not a path of a form that is known.
    #[error("the issuer-claim cannot be used")]
    IssuerClaim(#[source] ClaimPathError),
    /// The subject domain does not fit the issuer.
    #[error("the subject-domain cannot be used")]
    SubjectDomain(#[source] SubjectDomainError),
    /// SPIFFE demands a trust domain, and takes no patterns.
    #[error("an issuer of the type spiffe must be named exactly and have a spiffe-trust-domain")]
    Spiffe,
    /// There is no certificate in `ca-cert`.
    #[error("the ca-cert is not a PEM certificate")]
    CaCertificate,
    /// The pattern has more wildcards, or is longer, than is matched.
    #[error("the pattern is too long")]
    Pattern,
}

/// Something in a configuration that works, but probably not as it was meant. For the operator to read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Concern {
    /// No token of this issuer will be taken.
    #[error("tokens of {issuer} will be refused: the type {type_name:?} is not supported")]
    UnsupportedType {
        /// The key of the entry.
        issuer: String,
        /// Its type.
        type_name: String,
    },
    /// No certificate can be made for tokens of this issuer.
    #[error(
        "tokens of {issuer} will be refused: its ci-provider has no entry in ci-issuer-metadata"
    )]
    NoCiProvider {
        /// The key of the entry.
        issuer: String,
    },
    /// The existing server serves the entry under its key, and so do we.
    #[error("the issuer-url of {issuer} is {url:?}, which is not what it is found under")]
    OtherUrl {
        /// The key of the entry.
        issuer: String,
        /// What stands in it.
        url: String,
    },
}

impl Config {
    /// Reads Fulcio's configuration file: JSON or YAML, whichever the text is.
    ///
    /// # Errors
    ///
    /// See [`ConfigError`].
    pub fn read(text: &[u8]) -> Result<Self, ConfigError> {
        let file = File::read(text).map_err(ConfigError::File)?;
        let providers = ci_providers(&file)?;
        let mut exact = BTreeMap::new();
        for (url, entry) in file.issuers {
            let issuer = check(&url, entry, KnownBy::ExactUrl, &providers)
                .map_err(|source| ConfigError::Issuer { issuer: url.clone(), source })?;
            exact.insert(url, Arc::new(issuer));
        }
        let mut patterns = Vec::new();
        for (text, entry) in file.meta_issuers {
            let failed = |source| ConfigError::Issuer { issuer: text.clone(), source };
            let pattern = Pattern::new(&text).ok_or_else(|| failed(IssuerConfigError::Pattern))?;
            let issuer = check(&text, entry, KnownBy::Pattern, &providers).map_err(failed)?;
            patterns.push((pattern, Arc::new(issuer)));
        }
        // The existing server takes any of several patterns that match, at random.
        patterns.sort_by(|(one, _), (other, _)| one.by_specificity(other));
        Ok(Self { exact, patterns })
    }

    /// The issuer for a token that names `url`: the one of exactly that URL, else the first pattern.
    pub(super) fn find(&self, url: &str) -> Option<Match<'_>> {
        if let Some(issuer) = self.exact.get(url) {
            return Some(Match { issuer, known: KnownBy::ExactUrl });
        }
        let (_, issuer) = self.patterns.iter().find(|(pattern, _)| pattern.matches(url))?;
        Some(Match { issuer, known: KnownBy::Pattern })
    }

    /// Whether no issuer is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }

    /// What is odd about it.
    #[must_use]
    pub fn concerns(&self) -> Vec<Concern> {
        let exact = self.exact.iter().flat_map(|(url, issuer)| {
            let other = !issuer.url.is_empty() && issuer.url != *url;
            let other =
                other.then(|| Concern::OtherUrl { issuer: url.clone(), url: issuer.url.clone() });
            issuer.concern(url).into_iter().chain(other)
        });
        let patterns =
            self.patterns.iter().filter_map(|(pattern, issuer)| issuer.concern(pattern.text()));
        exact.chain(patterns).collect()
    }

    /// What `GET /api/v2/configuration` tells about the issuers, in the order of their names.
    #[must_use]
    pub fn describe(&self) -> wire::fulcio::Configuration {
        use wire::fulcio::{IssuerName, OidcIssuer};
        let exact = self
            .exact
            .values()
            .map(|issuer| issuer.describe(IssuerName::IssuerUrl(issuer.url.clone())));
        let mut patterns: Vec<OidcIssuer> = self
            .patterns
            .iter()
            .map(|(pattern, issuer)| {
                issuer.describe(IssuerName::WildcardIssuerUrl(pattern.text().to_owned()))
            })
            .collect();
        patterns.sort_by(|one, other| one.name.text().cmp(other.name.text()));
        wire::fulcio::Configuration { issuers: exact.chain(patterns).collect() }
    }
}

impl Issuer {
    /// The name of the type as it is written.
    pub(super) fn type_name(&self) -> &str {
        &self.type_name
    }

    fn concern(&self, key: &str) -> Option<Concern> {
        let issuer = key.to_owned();
        match self.issuer_type {
            None => Some(Concern::UnsupportedType { issuer, type_name: self.type_name.clone() }),
            Some(kind) if kind.name() == "ci-provider" && self.ci_provider.is_none() => {
                Some(Concern::NoCiProvider { issuer })
            }
            Some(_) => None,
        }
    }

    fn describe(&self, name: wire::fulcio::IssuerName) -> wire::fulcio::OidcIssuer {
        wire::fulcio::OidcIssuer {
            name,
            audience: self.audience.clone(),
            challenge_claim: self.challenge_claim.clone(),
            spiffe_trust_domain: self.spiffe_trust_domain.clone(),
            issuer_type: self.type_name.clone(),
            subject_domain: self.subject_domain.clone(),
            skip_email_verification: self.skip_email_verification,
        }
    }
}

fn ci_providers(file: &File) -> Result<BTreeMap<String, Arc<CiProvider>>, ConfigError> {
    let mut providers = BTreeMap::new();
    for (name, metadata) in &file.ci_providers {
        let provider = CiProvider::new(metadata)
            .map_err(|source| ConfigError::CiProvider { provider: name.clone(), source })?;
        providers.insert(name.clone(), Arc::new(provider));
    }
    Ok(providers)
}

/// Checks one entry, as the existing server does.
fn check(
    key: &str,
    entry: IssuerEntry,
    known: KnownBy,
    providers: &BTreeMap<String, Arc<CiProvider>>,
) -> Result<Issuer, IssuerConfigError> {
    let issuer_type = issuer::by_name(&entry.issuer_type);
    if !entry.issuer_claim.is_empty() && entry.issuer_type != "email" {
        return Err(IssuerConfigError::IssuerClaimNotEmail);
    }
    if entry.issuer_type == "spiffe"
        && (known == KnownBy::Pattern || entry.spiffe_trust_domain.is_empty())
    {
        return Err(IssuerConfigError::Spiffe);
    }
    if known == KnownBy::ExactUrl
        && let Some(kind) = issuer_type
    {
        kind.check_subject_domain(key, &entry.subject_domain)
            .map_err(IssuerConfigError::SubjectDomain)?;
    }
    let issuer_claim = match entry.issuer_claim.as_str() {
        "" => None,
        path => Some(ClaimPath::parse(path).map_err(IssuerConfigError::IssuerClaim)?),
    };
    Ok(Issuer {
        challenge_claim: challenge_claim(&entry)?,
        ca_certificates: ca_certificates(entry.ca_cert)?,
        ci_provider: providers.get(&entry.ci_provider).cloned(),
        url: entry.issuer_url,
        audience: entry.client_id,
        type_name: entry.issuer_type,
        issuer_type,
        issuer_claim,
        subject_domain: entry.subject_domain,
        spiffe_trust_domain: entry.spiffe_trust_domain,
        skip_email_verification: entry.skip_email_verification,
    })
}

fn challenge_claim(entry: &IssuerEntry) -> Result<String, IssuerConfigError> {
    if !entry.challenge_claim.is_empty() {
        return Ok(entry.challenge_claim.clone());
    }
    let claim = issuer::challenge_claim(&entry.issuer_type)
        .ok_or_else(|| IssuerConfigError::UnknownType { type_name: entry.issuer_type.clone() })?;
    Ok(claim.to_owned())
}

fn ca_certificates(text: String) -> Result<Option<String>, IssuerConfigError> {
    if text.is_empty() {
        return Ok(None);
    }
    pki::Certificate::from_pem(text.as_bytes()).map_err(|_| IssuerConfigError::CaCertificate)?;
    Ok(Some(text))
}
