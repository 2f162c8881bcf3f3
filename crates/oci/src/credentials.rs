//! The user's credentials for registries, as Docker keeps them.

/// Where the credentials for a registry come from.
#[derive(Clone, Debug, Default)]
pub struct Credentials {}

/// Credentials cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {}

impl Credentials {
    /// Those of Docker's configuration (`$DOCKER_CONFIG/config.json`, `~/.docker/config.json`) and of podman's
    /// (`$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`), read when a registry asks for them.
    #[must_use]
    pub fn of_user() -> Self {
        Self {}
    }
}
