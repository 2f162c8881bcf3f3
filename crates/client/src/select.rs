//! Which services of a signing config are used. Pure: the time and the user's wish are arguments.
//!
//! The rules are those of `SigningConfig` in `sigstore_trustroot.proto`, as the reference clients read them:
//! services that are in their time and speak a version we know; of CA and issuer one; of logs and timestamp
//! authorities at most one for each operator, all of the same, highest version, as many as the selector says.

use jiff::Timestamp;
use url::Url;
use wire::signing_config::{Selector, Service, SigningConfig};

/// The versions of the certificate authority's API that we speak. (The version 1 of the signing config is
/// Fulcio's HTTP API at `/api/v2`.)
const CA_VERSIONS: &[u32] = &[1];
/// The versions of OpenID Connect.
const OIDC_VERSIONS: &[u32] = &[1];
/// The versions of the timestamp authority's API that we speak.
const TSA_VERSIONS: &[u32] = &[1];

/// Which version of the log's API the user prefers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RekorVersion {
    /// The highest that the signing config has.
    #[default]
    Highest,
    /// Version 1 only.
    V1,
    /// Version 2 only.
    V2,
}

impl RekorVersion {
    const fn versions(self) -> &'static [u32] {
        match self {
            Self::Highest => &[2, 1],
            Self::V1 => &[1],
            Self::V2 => &[2],
        }
    }
}

/// The services of one signing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Services {
    /// The base URL of the certificate authority.
    pub ca: Option<Url>,
    /// The URL of the issuer of identity tokens.
    pub issuer: Option<String>,
    /// The logs, at least as many as the config asks for.
    pub logs: Vec<Log>,
    /// The timestamp authorities: whole URLs, not base URLs.
    pub timestamp_authorities: Vec<Url>,
}

/// A transparency log and the API it speaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Log {
    /// Rekor v1 at this base URL.
    V1(Url),
    /// Rekor v2 at this base URL.
    V2(Url),
}

/// A part of a Sigstore, for messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Certificate authority.
    CertificateAuthority,
    /// Issuer of identity tokens.
    Issuer,
    /// Transparency log.
    Log,
    /// Timestamp authority.
    TimestampAuthority,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CertificateAuthority => "certificate authority",
            Self::Issuer => "OIDC issuer",
            Self::Log => "transparency log",
            Self::TimestampAuthority => "timestamp authority",
        })
    }
}

/// Why no set of services follows from the signing config. All are to be fixed by whoever wrote the config, or by
/// asking for another version.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SelectError {
    /// The config lists services of the role but does not say how many to use.
    #[error("the signing config does not say how many of its services to use as {role}")]
    NoSelector {
        /// The role.
        role: Role,
    },
    /// There are not as many operators as must be used.
    #[error(
        "the signing config asks for {wanted} operators of a {role}, and {found} can be used now"
    )]
    TooFew {
        /// The role.
        role: Role,
        /// How many are asked for.
        wanted: usize,
        /// How many have a service that is in its time and of a known version.
        found: usize,
    },
    /// There is none that is in its time and of a version that is known and wanted.
    #[error("the signing config has no {role} that can be used now")]
    None {
        /// The role.
        role: Role,
    },
    /// Rekor v2 does not say when; without a timestamp, a certificate's signature could never be verified.
    #[error(
        "the log speaks Rekor v2, which needs a timestamp authority, and the signing config has none"
    )]
    NoTimestamp,
    /// What is written there is no URL.
    #[error("the URL of a {role} cannot be read: {url}")]
    Url {
        /// The role.
        role: Role,
        /// What is written.
        url: String,
    },
}

impl Services {
    /// The services that `config` gives for a signing at `now`.
    ///
    /// `round` chooses among operators of equal right: callers take a random number. The certificate authority
    /// and the issuer may be missing, because a signing with a key needs neither.
    ///
    /// # Errors
    ///
    /// See [`SelectError`].
    pub fn select(
        config: &SigningConfig,
        rekor: RekorVersion,
        now: Timestamp,
        round: usize,
    ) -> Result<Self, SelectError> {
        let ca = newest(&config.ca_urls, CA_VERSIONS, now);
        let issuer = newest(&config.oidc_urls, OIDC_VERSIONS, now);
        let choice = Choice { now, round };
        let logs = choice.several(
            Role::Log,
            &config.rekor_tlog_urls,
            rekor.versions(),
            config.rekor_tlog_config,
        )?;
        let authorities = choice.several(
            Role::TimestampAuthority,
            &config.tsa_urls,
            TSA_VERSIONS,
            config.tsa_config,
        )?;
        if rekor != RekorVersion::Highest && logs.is_empty() {
            return Err(SelectError::None { role: Role::Log });
        }
        Ok(Self {
            ca: ca.map(|ca| url(Role::CertificateAuthority, ca)).transpose()?,
            issuer: issuer.map(|issuer| issuer.url.clone()),
            logs: logs.into_iter().map(Log::new).collect::<Result<_, _>>()?,
            timestamp_authorities: authorities
                .into_iter()
                .map(|authority| url(Role::TimestampAuthority, authority))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Checks that signatures with certificates can be verified later: somebody must say when they were made. A key is
    /// valid without regard to time.
    ///
    /// # Errors
    ///
    /// [`SelectError::NoTimestamp`].
    pub(crate) fn check_times(&self) -> Result<(), SelectError> {
        // Client specification: with Rekor v2, a timestamp is a MUST (cosign #4683).
        let v2 = self.logs.iter().any(|log| matches!(log, Log::V2(_)));
        match v2 && self.timestamp_authorities.is_empty() {
            true => Err(SelectError::NoTimestamp),
            false => Ok(()),
        }
    }
}

impl Log {
    fn new(service: &Service) -> Result<Self, SelectError> {
        let url = url(Role::Log, service)?;
        Ok(if service.major_api_version == 1 { Self::V1(url) } else { Self::V2(url) })
    }
}

fn url(role: Role, service: &Service) -> Result<Url, SelectError> {
    Url::parse(&service.url).map_err(|_| SelectError::Url { role, url: service.url.clone() })
}

/// Whether the service may be used now. Both ends are inclusive, a missing end is open.
fn usable(service: &Service, versions: &[u32], now: Timestamp) -> bool {
    versions.contains(&service.major_api_version) && service.valid_for.contains(now)
}

/// The one to use where there is only one: of the highest version the one that started last.
fn newest<'s>(services: &'s [Service], versions: &[u32], now: Timestamp) -> Option<&'s Service> {
    services
        .iter()
        .filter(|service| usable(service, versions, now))
        .max_by_key(|service| (service.major_api_version, service.valid_for.start))
}

#[derive(Clone, Copy)]
struct Choice {
    now: Timestamp,
    round: usize,
}

impl Choice {
    /// The services of a role of which there may be several.
    fn several<'s>(
        self,
        role: Role,
        services: &'s [Service],
        versions: &[u32],
        selector: Option<Selector>,
    ) -> Result<Vec<&'s Service>, SelectError> {
        let operators = self.one_per_operator(services, versions);
        if services.is_empty() {
            return Ok(Vec::new());
        }
        if operators.is_empty() {
            return Err(SelectError::None { role });
        }
        let wanted = match selector {
            None => return Err(SelectError::NoSelector { role }),
            Some(Selector::Any) => 1,
            Some(Selector::All) => operators.len(),
            Some(Selector::Exact(count)) => usize::try_from(count).unwrap_or(usize::MAX),
        };
        if wanted == 0 || wanted > operators.len() {
            return Err(SelectError::TooFew { role, wanted, found: operators.len() });
        }
        let first = self.round % operators.len();
        Ok(operators.iter().cycle().skip(first).take(wanted).copied().collect())
    }

    /// The newest usable service of each operator, in the order of the config. Versions are never mixed: only the
    /// highest that any usable service has is taken.
    fn one_per_operator<'s>(self, services: &'s [Service], versions: &[u32]) -> Vec<&'s Service> {
        let usable = || services.iter().filter(|service| usable(service, versions, self.now));
        let Some(version) = usable().map(|service| service.major_api_version).max() else {
            return Vec::new();
        };
        let mut chosen: Vec<&Service> = Vec::new();
        for service in usable().filter(|service| service.major_api_version == version) {
            match chosen.iter_mut().find(|other| other.operator == service.operator) {
                None => chosen.push(service),
                Some(other) if other.valid_for.start < service.valid_for.start => *other = service,
                Some(_) => {}
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use wire::trusted_root::TimeRange;

    use super::*;

    const NOW: &str = "2026-06-01T00:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// `url operator version start..end`, of which the end may be missing.
    fn service(line: &str) -> Service {
        let [url, operator, version, period] =
            line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (start, end) = period.split_once("..").unwrap();
        let day = |day: &str| at(&format!("{day}T00:00:00Z"));
        Service {
            url: format!("https://{url}"),
            operator: operator.to_owned(),
            major_api_version: version.parse().unwrap(),
            valid_for: TimeRange {
                start: day(start),
                end: Some(end).filter(|end| !end.is_empty()).map(day),
            },
        }
    }

    fn config(selector: Option<Selector>, logs: &[&str]) -> SigningConfig {
        SigningConfig {
            rekor_tlog_urls: logs.iter().map(|line| service(line)).collect(),
            rekor_tlog_config: selector,
            tsa_urls: vec![service("tsa/api/v1/timestamp a 1 2026-01-01..")],
            tsa_config: Some(Selector::Any),
            ..SigningConfig::default()
        }
    }

    fn select(config: &SigningConfig, rekor: RekorVersion) -> Result<Vec<String>, SelectError> {
        let services = Services::select(config, rekor, at(NOW), 0)?;
        Ok(services
            .logs
            .iter()
            .map(|log| match log {
                Log::V1(url) => format!("v1 {}", url.host_str().unwrap()),
                Log::V2(url) => format!("v2 {}", url.host_str().unwrap()),
            })
            .collect())
    }

    fn logs(selector: Selector, logs: &[&str]) -> Result<Vec<String>, SelectError> {
        select(&config(Some(selector), logs), RekorVersion::Highest)
    }

    #[test]
    fn services_out_of_their_time_or_of_unknown_versions_are_left_out() {
        let all = [
            "past a 1 2026-01-01..2026-05-31",
            "last-day b 1 2026-01-01..2026-06-01",
            "first-day c 1 2026-06-01..",
            "future d 1 2026-06-02..",
            "new-api e 3 2026-01-01..",
        ];
        assert_eq!(logs(Selector::All, &all).unwrap(), ["v1 last-day", "v1 first-day"]);
    }

    #[test]
    fn an_operator_counts_once_with_its_newest_service() {
        let all = ["old a 2 2026-01-01..", "new a 2 2026-03-01..", "other b 2 2026-02-01.."];
        assert_eq!(logs(Selector::All, &all).unwrap(), ["v2 new", "v2 other"]);
        assert_eq!(
            logs(Selector::Exact(3), &all),
            Err(SelectError::TooFew { role: Role::Log, wanted: 3, found: 2 })
        );
    }

    #[test]
    fn versions_are_never_mixed_and_the_highest_wins_unless_the_user_says_otherwise() {
        let all = ["one a 1 2026-01-01..", "two b 2 2026-01-01.."];
        let config = config(Some(Selector::All), &all);
        assert_eq!(select(&config, RekorVersion::Highest).unwrap(), ["v2 two"]);
        assert_eq!(select(&config, RekorVersion::V1).unwrap(), ["v1 one"]);
        let only_v1 = self::config(Some(Selector::Any), &all[..1]);
        assert_eq!(select(&only_v1, RekorVersion::V2), Err(SelectError::None { role: Role::Log }));
    }

    #[test]
    fn any_goes_round_and_exact_takes_as_many_as_it_says() {
        let all = ["x a 1 2026-01-01..", "y b 1 2026-01-01..", "z c 1 2026-01-01.."];
        let any = config(Some(Selector::Any), &all);
        let picked = |round| Services::select(&any, RekorVersion::V1, at(NOW), round).unwrap().logs;
        assert_ne!(picked(0), picked(1));
        assert_eq!(picked(0), picked(3));
        assert_eq!(logs(Selector::Exact(2), &all).unwrap(), ["v1 x", "v1 y"]);
        assert_eq!(
            logs(Selector::Exact(0), &all),
            Err(SelectError::TooFew { role: Role::Log, wanted: 0, found: 3 })
        );
    }

    #[test]
    fn services_without_a_selector_are_an_error_and_no_services_are_not() {
        let one = ["x a 1 2026-01-01.."];
        assert_eq!(
            select(&config(None, &one), RekorVersion::Highest),
            Err(SelectError::NoSelector { role: Role::Log })
        );
        assert_eq!(select(&config(None, &[]), RekorVersion::Highest).unwrap(), [""; 0]);
    }

    #[test]
    fn of_authorities_the_one_that_started_last_is_used() {
        let config = SigningConfig {
            ca_urls: vec![
                service("old a 1 2026-01-01.."),
                service("new b 1 2026-02-01.."),
                service("future c 1 2027-01-01.."),
                service("api9 d 9 2026-03-01.."),
            ],
            ..SigningConfig::default()
        };
        let services = Services::select(&config, RekorVersion::Highest, at(NOW), 0).unwrap();
        assert_eq!(services.ca.unwrap().as_str(), "https://new/");
        assert_eq!(services.issuer, None);
    }

    #[test]
    fn certificates_need_a_timestamp_authority_beside_rekor_v2() {
        let without = SigningConfig {
            tsa_urls: Vec::new(),
            ..config(Some(Selector::Any), &["x a 2 2026-01-01.."])
        };
        let services = Services::select(&without, RekorVersion::Highest, at(NOW), 0).unwrap();
        assert_eq!(services.check_times(), Err(SelectError::NoTimestamp));
    }
}
