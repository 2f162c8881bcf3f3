//! The user's credentials for registries, as Docker and podman keep them.

mod config;
mod helper;
mod keeping;
mod secret_json;

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use config::Config;
pub use keeping::Keeper;

/// Who someone is for a registry.
#[derive(Clone)]
pub enum Credential {
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// A refresh token (`identitytoken`), to be shown to the registry's token server.
    IdentityToken(Zeroizing<String>),
    /// A bearer token (`registrytoken`), to be shown to the registry itself.
    RegistryToken(Zeroizing<String>),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// Where the credentials for a registry come from.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    given: Vec<(String, Credential)>,
    files: Vec<PathBuf>,
}

/// Credentials cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file cannot be read.
    #[error("{} cannot be read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no place to keep others out of a file while it is written.
    #[error("{} cannot be made", .path.display())]
    Lock {
        /// The place.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is no configuration.
    #[error("{} is no configuration of Docker or podman: {reason}", .path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong, without anything that is secret.
        reason: String,
    },
    /// A credential helper could not be run, or failed.
    #[error("the credential helper {helper} failed: {reason}")]
    Helper {
        /// Its name.
        helper: String,
        /// What it said, or why it could not be run.
        reason: String,
    },
}

/// How Docker Hub is called in configurations; one registry under four names.
const DOCKER_HUB: &[&str] = &["index.docker.io", "docker.io", "registry-1.docker.io"];
/// The name by which Docker Hub is known to credential helpers.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// How helpers and configurations call `registry`.
fn server(registry: &str) -> &str {
    if DOCKER_HUB.contains(&registry) { DOCKER_HUB_SERVER } else { registry }
}

/// A path in a variable of the environment, unless it is empty.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

impl Credentials {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Those of Docker's configuration (`$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`) and then those of podman
    /// (`$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`). The files are
    /// read when a registry asks.
    #[must_use]
    pub fn of_user() -> Self {
        let below_home = |path: &str| variable("HOME").map(|home| home.join(path));
        let configuration = variable("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
        let files = [
            Self::docker_file(),
            variable("REGISTRY_AUTH_FILE"),
            variable("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json")),
            configuration.map(|directory| directory.join("containers/auth.json")),
        ];
        Self { given: Vec::new(), files: files.into_iter().flatten().collect() }
    }

    /// Docker's configuration.
    fn docker_file() -> Option<PathBuf> {
        let directory = variable("DOCKER_CONFIG");
        let directory = directory.or_else(|| Some(variable("HOME")?.join(".docker")));
        directory.map(|directory| directory.join("config.json"))
    }

    /// Those of these files, the first that has any for a registry.
    #[must_use]
    pub const fn of_files(files: Vec<PathBuf>) -> Self {
        Self { given: Vec::new(), files }
    }

    /// Uses `credential` for `registry`, as [`Reference::registry`](crate::Reference::registry) writes it, and for no other.
    #[must_use]
    pub fn with(mut self, registry: &str, credential: Credential) -> Self {
        self.given.push((registry.to_owned(), credential));
        self
    }

    /// The credential for `repository` of `registry`, if there is one. Hosts are compared as a whole, with their port.
    ///
    /// # Errors
    ///
    /// If a file or helper that is responsible cannot be used.
    pub(crate) async fn find(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        if let Some((_, credential)) = self.given.iter().find(|(host, _)| host == registry) {
            return Ok(Some(credential.clone()));
        }
        for file in &self.files {
            let Some(config) = Config::read(file)? else { continue };
            if let Some(credential) = of_config(&config, registry, repository).await? {
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }
}

impl Credentials {
    /// The files that have credentials for `registry` or for a part of it, or name a credential helper that has some.
    ///
    /// # Errors
    ///
    /// If a file or helper that is responsible cannot be used.
    pub async fn places(&self, registry: &str) -> Result<Vec<PathBuf>, CredentialError> {
        let mut places = Vec::new();
        for file in &self.files {
            let Some(config) = Config::read(file)? else { continue };
            if config.has_any(registry) || of_config(&config, registry, "").await?.is_some() {
                places.push(file.clone());
            }
        }
        Ok(places)
    }
}

/// Reads `data` as a configuration, and asks it for everything.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_configuration(data: &[u8]) {
    if let Ok(config) = Config::parse(data) {
        for registry in ["ghcr.io", "index.docker.io", "localhost:5000"] {
            let _ = (config.helper(registry), config.written(registry, "a/b"), config.store());
        }
    }
}

/// A helper for exactly this registry decides; else the helper for all; else what is written in the file.
async fn of_config(
    config: &Config,
    registry: &str,
    repository: &str,
) -> Result<Option<Credential>, CredentialError> {
    if let Some(name) = config.helper(registry) {
        return helper::ask(name, server(registry)).await;
    }
    if let Some(written) = config.written(registry, repository) {
        return Ok(Some(written));
    }
    match config.store() {
        Some(name) => helper::ask(name, server(registry)).await,
        None => Ok(None),
    }
}
