//! `bulla.toml`: what an operator can say about a server, and what holds when nothing is said.
//!
//! What was written ([`Config`]) is checked once, when it is read; unknown keys are refused, so that a typing
//! error is not a silent default. `bulla config show` prints it with every default filled in.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The version of the format. A newer one is refused.
pub(crate) const FORMAT: u32 = 1;
/// The largest configuration file: a hundred times what `init` writes.
const MAX_BYTES: u64 = 1 << 20;

/// The whole file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Version of this format.
    pub format: u32,
    /// The address under which clients reach the server, fixed by `init`: names in logs and certificates
    /// are made of it. Without a path.
    pub url: url::Url,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The parts that run.
    #[serde(default = "every_role")]
    pub roles: BTreeSet<Role>,
    /// More host names under which requests are taken.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Addresses or networks of proxies that end TLS and name the client in `X-Forwarded-For`.
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    #[serde(default)]
    pub tls: Tls,
    #[serde(default)]
    pub clock: Clock,
    #[serde(default)]
    pub idp: Idp,
    #[serde(default)]
    pub ca: Ca,
    #[serde(default)]
    pub tsa: Tsa,
    #[serde(default)]
    pub admin: Admin,
    #[serde(default)]
    pub rates: Rates,
    #[serde(default)]
    pub logging: Logging,
}

/// A part of the server that can run alone.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// The identity provider.
    Idp,
    /// The certificate authority.
    Ca,
    /// The CT log.
    Ct,
    /// The transparency log, API of Rekor v1.
    RekorV1,
    /// The transparency log, API of Rekor v2.
    RekorV2,
    /// The timestamp authority.
    Tsa,
    /// The TUF trust repository.
    Tuf,
}

impl Role {
    /// Every role, in the order in which they are shown.
    pub(crate) const ALL: &[Self] =
        &[Self::Idp, Self::Ca, Self::Ct, Self::RekorV1, Self::RekorV2, Self::Tsa, Self::Tuf];

    /// The name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Idp => "idp",
            Self::Ca => "ca",
            Self::Ct => "ct",
            Self::RekorV1 => "rekor-v1",
            Self::RekorV2 => "rekor-v2",
            Self::Tsa => "tsa",
            Self::Tuf => "tuf",
        }
    }
}

fn every_role() -> BTreeSet<Role> {
    Role::ALL.iter().copied().collect()
}

/// Transport security of the public port.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Tls {
    /// Plain HTTP: only on loopback, or behind one of `trusted_proxies`.
    #[default]
    None,
    /// A certificate from the CA that `init` made for this; clients learn it from the trust repository.
    SelfMade,
    /// Certificate chain and key in PEM files; they are read again when they change.
    Files {
        /// The chain, leaf first.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

/// When the time can be trusted.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Clock {
    /// Refuse to sign while the kernel says that its clock is not synchronised.
    pub require_sync: bool,
}

/// The identity provider.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Idp {
    /// The file with the local users, relative to the directory.
    pub users: PathBuf,
}

impl Default for Idp {
    fn default() -> Self {
        Self { users: "users.toml".into() }
    }
}

/// The certificate authority.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ca {
    /// Whose tokens are taken: a Fulcio configuration file (YAML or JSON), relative to the directory.
    pub issuers: PathBuf,
    /// A CT log elsewhere, with its prefix; by default the `ct` role of this server.
    pub ct_log_url: Option<url::Url>,
    /// The public key of that log, a PEM file.
    pub ct_log_key: Option<PathBuf>,
}

impl Default for Ca {
    fn default() -> Self {
        Self { issuers: "fulcio.yaml".into(), ct_log_url: None, ct_log_key: None }
    }
}

/// The timestamp authority.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tsa {
    /// The policy of tokens for which none was asked.
    pub default_policy: String,
    /// Further policies that may be asked for.
    pub accepted_policies: Vec<String>,
    /// Put the whole chain into a token for which certificates were asked.
    pub include_chain: bool,
    /// Copy extensions of a request into the token.
    pub allow_extensions: bool,
}

impl Default for Tsa {
    fn default() -> Self {
        Self {
            default_policy: "1.3.6.1.4.1.57264.2".into(),
            accepted_policies: Vec::new(),
            include_chain: false,
            allow_extensions: false,
        }
    }
}

/// Administration and metrics.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Admin {
    /// The Unix socket, relative to the directory. Only its owner can use it.
    pub socket: PathBuf,
    /// An address of its own for metrics and readiness, for scrapers that cannot read a socket.
    pub metrics: Option<SocketAddr>,
}

impl Default for Admin {
    fn default() -> Self {
        Self { socket: "admin.sock".into(), metrics: None }
    }
}

/// How much one client may ask for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rates {
    /// Writing requests per second and client address; 0 is no limit. By default 50, or none where only
    /// loopback is served.
    pub writes_per_second: Option<u32>,
}

/// What is written to standard error.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Logging {
    /// `text` or `json`.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`, or a filter such as `info,tlog=debug`.
    pub level: String,
}

impl Default for Logging {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a configuration cannot be used. The operator's to fix.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is larger than {MAX_BYTES} bytes")]
    TooLarge { path: PathBuf },
    #[error("{path} cannot be understood")]
    Syntax { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{path} has format {found}; this program knows {FORMAT} and older ones")]
    Newer { path: PathBuf, found: u32 },
    #[error("`url` is {url}, but it must be http(s)://host[:port] without a path")]
    Url { url: url::Url },
    #[error("[tls] encrypts connections, but `url` is {url}: clients would speak plain HTTP")]
    PlainUrl { url: url::Url },
    #[error(
        "plain HTTP on {listen} would be open to anyone on the way; only loopback is served so"
    )]
    PlainHttp { listen: SocketAddr },
    #[error(
        "the role `ca` needs a CT log: add the role `ct`, or set ca.ct_log_url and ca.ct_log_key"
    )]
    NoCtLog,
    #[error("`roles` is empty: there is nothing to serve")]
    NoRoles,
    #[error("`{0}` in trusted_proxies is not an address or a network such as 10.0.0.0/8")]
    Proxy(String),
}

impl ConfigError {
    /// What the operator can do.
    pub(crate) const fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "make the directory with `bulla init DIR`",
            Self::TooLarge { .. } | Self::Syntax { .. } => {
                "`bulla init` in an empty directory writes a commented example"
            }
            Self::Newer { .. } => "use a newer bulla; a directory is never downgraded",
            Self::Url { .. } => {
                "set it to the address that clients use, for example https://sigstore.example.com"
            }
            Self::PlainUrl { .. } => {
                "begin the URL with https://, or leave TLS off (mode = \"none\")"
            }
            Self::PlainHttp { .. } => {
                "set [tls], listen on 127.0.0.1, or declare the proxy that ends TLS in trusted_proxies"
            }
            Self::NoCtLog | Self::NoRoles | Self::Proxy(_) => "see the comments in bulla.toml",
        }
    }
}

impl Config {
    /// Reads and checks `DIR/bulla.toml`.
    pub(crate) fn read(directory: &Path) -> Result<Self, ConfigError> {
        let path = directory.join("bulla.toml");
        let size = std::fs::metadata(&path)
            .map_err(|source| ConfigError::Read { path: path.clone(), source })?
            .len();
        if size > MAX_BYTES {
            return Err(ConfigError::TooLarge { path });
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        Self::parse(&text, &path)
    }

    /// Reads and checks the text of a configuration file.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|source| ConfigError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        if config.format > FORMAT {
            return Err(ConfigError::Newer { path: path.to_owned(), found: config.format });
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let plain = matches!(self.url.scheme(), "http" | "https")
            && self.url.host_str().is_some()
            && matches!(self.url.path(), "" | "/")
            && self.url.query().is_none()
            && self.url.fragment().is_none()
            && self.url.username().is_empty();
        if !plain {
            return Err(ConfigError::Url { url: self.url.clone() });
        }
        if !matches!(self.tls, Tls::None) && self.url.scheme() == "http" {
            return Err(ConfigError::PlainUrl { url: self.url.clone() });
        }
        if matches!(self.tls, Tls::None)
            && !self.listen.ip().is_loopback()
            && self.trusted_proxies.is_empty()
        {
            return Err(ConfigError::PlainHttp { listen: self.listen });
        }
        if self.roles.is_empty() {
            return Err(ConfigError::NoRoles);
        }
        let external_ct = self.ca.ct_log_url.is_some() && self.ca.ct_log_key.is_some();
        if self.runs(Role::Ca) && !self.runs(Role::Ct) && !external_ct {
            return Err(ConfigError::NoCtLog);
        }
        self.proxies().map(|_| ())
    }

    /// Whether the part runs.
    pub(crate) fn runs(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The public URL without a final slash.
    pub(crate) fn base_url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The public host name.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The declared proxies.
    pub(crate) fn proxies(&self) -> Result<Vec<web::server::Network>, ConfigError> {
        self.trusted_proxies
            .iter()
            .map(|text| text.parse().map_err(|_| ConfigError::Proxy(text.clone())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "format = 1\nurl = 'http://localhost:8700'\nlisten = '127.0.0.1:8700'\n";

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("bulla.toml"))
    }

    #[test]
    fn three_lines_are_a_whole_configuration() {
        let config = parse(SMALL).unwrap();
        assert_eq!(config.roles.len(), Role::ALL.len());
        assert_eq!(config.base_url(), "http://localhost:8700");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = format!("{SMALL}lissten = '127.0.0.1:1'\n");
        assert!(matches!(parse(&text), Err(ConfigError::Syntax { .. })));
    }

    #[test]
    fn a_newer_format_is_refused() {
        let text = SMALL.replace("format = 1", "format = 2");
        assert!(matches!(parse(&text), Err(ConfigError::Newer { found: 2, .. })));
    }

    #[test]
    fn plain_http_is_for_loopback_or_a_declared_proxy() {
        let open = SMALL.replace("127.0.0.1:8700'\n", "0.0.0.0:8700'\n");
        assert!(matches!(parse(&open), Err(ConfigError::PlainHttp { .. })));
        parse(&format!("{open}trusted_proxies = ['10.0.0.0/8']\n")).unwrap();
        let encrypted = format!("{open}[tls]\nmode = 'self-made'\n");
        assert!(matches!(parse(&encrypted), Err(ConfigError::PlainUrl { .. })));
        parse(&encrypted.replace("http://", "https://")).unwrap();
    }

    #[test]
    fn a_certificate_authority_needs_a_ct_log() {
        let alone = format!("{SMALL}roles = ['ca']\n");
        assert!(matches!(parse(&alone), Err(ConfigError::NoCtLog)));
        parse(&format!("{SMALL}roles = ['ca', 'ct']\n")).unwrap();
    }

    #[test]
    fn every_default_can_be_written_out_and_read_again() {
        let config = parse(SMALL).unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::to_string(&parse(&text).unwrap()).unwrap(), text);
    }
}
