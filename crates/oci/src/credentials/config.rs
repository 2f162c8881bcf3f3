//! Docker's `config.json` and podman's `auth.json`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Credential, CredentialError, DOCKER_HUB};

/// How long a configuration may be. Real ones have a few kilobytes; tokens of some clouds have four each.
const MAX_CONFIGURATION: u64 = 1024 * 1024;

/// How much room reading needs to find the end of a file.
const END: usize = 64;

/// The parts of a configuration that are about credentials.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    #[serde(default, deserialize_with = "crate::descriptor::nullable")]
    auths: BTreeMap<String, Entry>,
    #[serde(default, deserialize_with = "crate::descriptor::nullable")]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

/// What is written for one registry.
#[derive(Default, Deserialize)]
struct Entry {
    auth: Option<Zeroizing<String>>,
    username: Option<String>,
    password: Option<Zeroizing<String>>,
    identitytoken: Option<Zeroizing<String>>,
    registrytoken: Option<Zeroizing<String>>,
}

impl Config {
    /// Reads a file; nothing if it is not there.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, CredentialError> {
        let Some(json) = contents(path)? else { return Ok(None) };
        let wrong = |reason| CredentialError::Configuration { path: path.to_owned(), reason };
        Self::parse(&json).map(Some).map_err(wrong)
    }

    /// Reads the text of a file.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        parse(json)
    }

    /// The helper that is named for `registry`.
    pub(super) fn helper(&self, registry: &str) -> Option<&str> {
        self.cred_helpers
            .iter()
            .find(|(key, _)| names(key, registry))
            .map(|(_, helper)| helper.as_str())
            .filter(|name| !name.is_empty())
    }

    /// The helper for all registries.
    pub(super) fn store(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|name| !name.is_empty())
    }

    /// What is written for `repository` of `registry`: the entry with the longest path that the repository is below
    /// (containers-auth.json(5)).
    pub(super) fn written(&self, registry: &str, repository: &str) -> Option<Credential> {
        self.auths
            .iter()
            .filter_map(|(key, entry)| {
                let place = Place::of_key(key)?;
                let applies = is_host(place.host, registry) && is_below(repository, place.path);
                applies.then_some((place.path.len(), entry.credential()?))
            })
            .max_by_key(|(length, _)| *length)
            .map(|(_, credential)| credential)
    }

    /// Whether anything is written for `registry`, or for a part of it.
    pub(super) fn has_any(&self, registry: &str) -> bool {
        self.auths.iter().any(|(key, entry)| {
            let place = Place::of_key(key);
            place.is_some_and(|place| is_host(place.host, registry)) && entry.credential().is_some()
        })
    }
}

/// The text of a file; nothing if it is not there.
pub(super) fn contents(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialError> {
    let failed = |source| CredentialError::File { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    // Memory that grows leaves copies of passwords behind: all that is read has room from the start, and its end, too.
    let length = file.metadata().map_or(0, |metadata| metadata.len()).min(MAX_CONFIGURATION);
    let room = usize::try_from(length).unwrap_or_default() + END;
    let mut json = Zeroizing::new(Vec::with_capacity(room));
    file.take(MAX_CONFIGURATION + 1).read_to_end(&mut json).map_err(failed)?;
    Ok(Some(json))
}

/// Reads the text of a configuration. What is wrong with it is said without anything that it holds.
pub(super) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    if json.len() as u64 > MAX_CONFIGURATION {
        return Err(format!("it is longer than {MAX_CONFIGURATION} bytes"));
    }
    // `serde_json` would quote what it found, and that may be a password.
    serde_json::from_slice(json).map_err(|error| {
        format!("the JSON is wrong in line {}, column {}", error.line(), error.column())
    })
}

/// Whether a key of a configuration names the whole of `registry`.
pub(super) fn names(key: &str, registry: &str) -> bool {
    Place::of_key(key).is_some_and(|place| place.path.is_empty() && is_host(place.host, registry))
}

/// What a key of a configuration names.
struct Place<'a> {
    host: &'a str,
    path: &'a str,
}

impl<'a> Place<'a> {
    /// `HOST`, `HOST/PATH`, or a URL, whose path `/v1/` or `/v2/` means all of the host.
    fn of_key(key: &'a str) -> Option<Self> {
        let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
        let (host, path) = bare.unwrap_or(key).split_once('/').unwrap_or((bare.unwrap_or(key), ""));
        let path = path.trim_end_matches('/');
        let path = if matches!(path, "v1" | "v2") { "" } else { path };
        (!host.is_empty()).then_some(Self { host, path })
    }
}

/// Whether the host of a key is `registry`: the whole of it, port and all (GHSA-pf56-329r-95rw).
fn is_host(host: &str, registry: &str) -> bool {
    host.eq_ignore_ascii_case(registry)
        || (DOCKER_HUB.contains(&host) && DOCKER_HUB.contains(&registry))
}

fn is_below(repository: &str, path: &str) -> bool {
    let rest = repository.strip_prefix(path);
    path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Entry {
    fn credential(&self) -> Option<Credential> {
        let some =
            |secret: &Option<Zeroizing<String>>| secret.clone().filter(|secret| !secret.is_empty());
        if let Some(token) = some(&self.identitytoken) {
            return Some(Credential::IdentityToken(token));
        }
        if let Some(token) = some(&self.registrytoken) {
            return Some(Credential::RegistryToken(token));
        }
        if let (Some(user), Some(password)) = (&self.username, some(&self.password)) {
            return Some(Credential::Password { user: user.clone(), password });
        }
        let (user, password) = decode(self.auth.as_ref()?)?;
        Some(Credential::Password { user, password })
    }
}

/// `auth` is base64 of `user:password`; Docker ends it with NUL bytes at times.
fn decode(auth: &str) -> Option<(String, Zeroizing<String>)> {
    let bytes = STANDARD.decode(auth).or_else(|_| STANDARD_NO_PAD.decode(auth)).ok()?;
    let text = Zeroizing::new(String::from_utf8(bytes).ok()?);
    let (user, password) = text.split_once(':')?;
    let password = password.trim_matches('\0');
    (!user.is_empty()).then(|| (user.to_owned(), Zeroizing::new(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The user's name that is found for `registry/repository`.
    fn user(config: &str, registry: &str, repository: &str) -> Option<String> {
        match Config::parse(config.as_bytes()).unwrap().written(registry, repository)? {
            Credential::Password { user, .. } => Some(user),
            Credential::IdentityToken(token) | Credential::RegistryToken(token) => {
                Some(token.to_string())
            }
        }
    }

    fn config(key: &str) -> String {
        format!(r#"{{"auths":{{"{key}":{{"auth":"YWxpY2U6cGFzcw=="}}}}}}"#)
    }

    /// <https://github.com/advisories/GHSA-pf56-329r-95rw>
    #[test]
    fn credentials_are_for_the_whole_host_and_no_other() {
        for (key, registry) in [
            ("ghcr.io", "ghcr.io.evil.example"),
            ("ghcr.io", "evil-ghcr.io"),
            ("ghcr.io", "io"),
            ("ghcr.io", "ghcr.io:5000"),
            ("ghcr.io:5000", "ghcr.io"),
            ("localhost:5000", "localhost:50000"),
            ("evil.example/ghcr.io", "ghcr.io"),
            ("https://evil.example/ghcr.io/v2/", "ghcr.io"),
            ("ghcr.io@evil.example", "ghcr.io"),
            ("", "ghcr.io"),
            ("https://", "ghcr.io"),
        ] {
            assert_eq!(user(&config(key), registry, "a/b"), None, "{key} {registry}");
        }
        for (key, registry) in [
            ("ghcr.io", "ghcr.io"),
            ("https://ghcr.io", "ghcr.io"),
            ("https://ghcr.io/v2/", "ghcr.io"),
            ("http://localhost:5000/v1/", "localhost:5000"),
            ("https://index.docker.io/v1/", "index.docker.io"),
            ("docker.io", "index.docker.io"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            assert_eq!(user(&config(key), registry, "a/b").as_deref(), Some("alice"), "{key}");
        }
    }

    #[test]
    fn a_key_with_a_path_is_for_what_lies_below() {
        let config = r#"{"auths":{
            "a.example":{"username":"all","password":"x"},
            "a.example/team":{"username":"team","password":"x"},
            "a.example/team/app":{"username":"app","password":"x"}}}"#;
        let user = |repository| user(config, "a.example", repository).unwrap();
        assert_eq!(user("other"), "all");
        assert_eq!(user("team"), "team");
        assert_eq!(user("team/x"), "team");
        assert_eq!(user("teams/x"), "all");
        assert_eq!(user("team/app"), "app");
        assert_eq!(user("team/application"), "team");
    }

    #[test]
    fn a_token_is_used_before_a_password() {
        let config = r#"{"auths":{"a.example":{"auth":"YWxpY2U6","identitytoken":"refresh"}}}"#;
        assert_eq!(user(config, "a.example", "x").as_deref(), Some("refresh"));
    }

    #[test]
    fn an_entry_without_a_secret_is_none() {
        for entry in [
            "{}",
            r#"{"auth":""}"#,
            r#"{"auth":"!"}"#,
            r#"{"auth":null}"#,
            r#"{"auth":"YWxpY2U="}"#,
        ] {
            let config = format!(r#"{{"auths":{{"a.example":{entry}}}}}"#);
            assert_eq!(user(&config, "a.example", "x"), None, "{entry}");
        }
    }

    #[test]
    fn a_wrong_configuration_is_not_quoted() {
        let error = Config::parse(br#"{"auths":{"a":{"password":12345678}}}"#).err().unwrap();
        assert!(!error.contains("12345678"), "{error}");
        assert!(Config::parse(b"[]").is_err());
        assert!(Config::parse(br#"{"auths":null,"credHelpers":null}"#).is_ok());
    }

    #[test]
    fn a_helper_is_for_the_whole_host() {
        let config =
            Config::parse(br#"{"credHelpers":{"gcr.io":"gcloud"},"credsStore":""}"#).unwrap();
        assert_eq!(config.helper("gcr.io"), Some("gcloud"));
        assert_eq!(config.helper("eu.gcr.io"), None);
        assert_eq!(config.store(), None);
    }
}
