//! How a connection to a registry is made: with or without TLS, whom to trust, what to show.

use std::path::{Path, PathBuf};

use client::file;
use net::{ClientIdentity, ExpectedName, TlsTrust};
use oci::{Credentials, OwnTls, Reference, Settings};
use zeroize::Zeroizing;

use crate::failure::{Failure, OrFail};

/// The largest PEM file: the list of a whole system's authorities has a quarter of a megabyte.
const MAX_PEM: u64 = 4 << 20;

/// How a connection to a registry is made.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Registries")]
pub(crate) struct ConnectionArgs {
    /// Speak to registries on other machines without TLS, too
    #[arg(long)]
    allow_http_registry: bool,
    /// Speak to registries whatever their TLS certificate says, and also without TLS
    #[arg(long)]
    allow_insecure_registry: bool,
    /// Trust these TLS authorities too: a PEM file
    #[arg(long, value_name = "FILE")]
    registry_cacert: Option<PathBuf>,
    /// Show this certificate to the registry: a PEM file. Of several images, to that of the first
    #[arg(long, value_name = "FILE", requires = "registry_client_key")]
    registry_client_cert: Option<PathBuf>,
    /// The private key that belongs to it, unencrypted: a PEM file
    #[arg(long, value_name = "FILE", requires = "registry_client_cert")]
    registry_client_key: Option<PathBuf>,
    /// The name by which TLS asks for the registry (SNI), and that its certificate must have, where that is not its own
    #[arg(long, value_name = "NAME")]
    registry_server_name: Option<ExpectedName>,
}

impl ConnectionArgs {
    /// What is allowed with registries. What is shown, and the name that is expected, are for the registry of `image` and for
    /// no other.
    pub(crate) fn settings(
        &self,
        image: &Reference,
        credentials: Credentials,
    ) -> Result<Settings, Failure> {
        let further = match &self.registry_cacert {
            Some(path) => TlsTrust::roots_from_pem(&read(path)?)
                .or_undecided(format!("{} cannot be used", path.display()))?,
            None => Vec::new(),
        };
        let tls = match self.allow_insecure_registry {
            true => TlsTrust::DangerouslyUnverified,
            false => TlsTrust::System { further },
        };
        let allow_http = self.allow_http_registry || self.allow_insecure_registry;
        let own_tls = self.own_tls(image.registry())?;
        Ok(Settings { credentials, allow_http, tls, own_tls, ..Settings::default() })
    }

    fn own_tls(&self, registry: &str) -> Result<Option<OwnTls>, Failure> {
        let identity = match (&self.registry_client_cert, &self.registry_client_key) {
            (Some(certificate), Some(key)) => {
                let (certificates, key) = (read(certificate)?, Zeroizing::new(read(key)?));
                let identity = ClientIdentity::from_pem(&certificates, &key);
                Some(identity.or_undecided("nothing can be shown to the registry")?)
            }
            _ => None,
        };
        let expected_name = self.registry_server_name.clone();
        let any = identity.is_some() || expected_name.is_some();
        Ok(any.then(|| OwnTls { registry: registry.to_owned(), identity, expected_name }))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    file::read(path, MAX_PEM).map_err(Failure::undecided)
}
