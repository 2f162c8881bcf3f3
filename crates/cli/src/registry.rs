//! How registries are reached, for all commands about images: the flags, and what failures mean.

mod failure;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use client::file;
use client::image::Image;
use net::{ClientIdentity, ExpectedName, TlsTrust};
use oci::{
    Access, Credential, Credentials, Layout, Mirror, OwnTls, Reference, Registries, Settings,
    Store, Target,
};
use zeroize::Zeroizing;

pub(crate) use failure::{
    access_failure, access_hint, attach_failure, fetch_failure, fetch_hint, hinted, push_failure,
    push_hint,
};

use crate::failure::{Failure, OrFail};

/// The largest file with TLS authorities: the list of a whole system has a quarter of a megabyte.
const MAX_AUTHORITIES: u64 = 4 << 20;

/// How registries are reached.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Registries")]
pub(crate) struct RegistryArgs {
    /// The repository with signatures and attestations, where they are not beside the image
    #[arg(long, value_name = "REPOSITORY", env = "COSIGN_REPOSITORY", hide_env_values = true)]
    signature_repository: Option<String>,
    /// Speak to registries on other machines without TLS, too
    #[arg(long)]
    allow_http_registry: bool,
    /// Speak to registries whatever their TLS certificate says, and also without TLS
    #[arg(long)]
    allow_insecure_registry: bool,
    /// Trust these TLS authorities too: a PEM file
    #[arg(long, value_name = "FILE")]
    registry_cacert: Option<PathBuf>,
    /// Show this certificate to the registry of the image: a PEM file
    #[arg(long, value_name = "FILE", requires = "registry_client_key")]
    registry_client_cert: Option<PathBuf>,
    /// The private key that belongs to it, unencrypted: a PEM file
    #[arg(long, value_name = "FILE", requires = "registry_client_cert")]
    registry_client_key: Option<PathBuf>,
    /// The name that the certificate of the registry of the image must have, where that is not its own
    #[arg(long, value_name = "NAME")]
    registry_server_name: Option<ExpectedName>,
    /// Read from a mirror first: REGISTRY[/PATH]=MIRROR[/PATH]; may be given several times
    #[arg(long, value_name = "REGISTRY=MIRROR")]
    registry_mirror: Vec<Mirror>,
    /// The user's name for the registry of the image, instead of what docker login or podman login keep
    #[arg(long, value_name = "NAME", env = "BULLA_REGISTRY_USERNAME", hide_env_values = true)]
    registry_username: Option<String>,
    /// The password that belongs to it
    #[arg(long, value_name = "PASSWORD", env = "BULLA_REGISTRY_PASSWORD", hide_env_values = true)]
    registry_password: Option<String>,
    /// A bearer token for the registry of the image
    #[arg(long, value_name = "TOKEN", env = "BULLA_REGISTRY_TOKEN", hide_env_values = true)]
    registry_token: Option<String>,
}

/// One image, in a registry or on this machine.
#[derive(Debug, clap::Args)]
pub(crate) struct ImageArgs {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The image is a directory or archive on this machine, laid out as OCI says
    #[arg(long)]
    local_image: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

impl ImageArgs {
    /// What is meant.
    pub(crate) fn image(&self, access: Access) -> Result<Image, Failure> {
        if self.local_image {
            local_image(&self.image)
        } else {
            self.registry.image(&self.image, access)
        }
    }

    /// The repository where signatures and attestations of `image` are.
    pub(crate) fn beside_name(&self, image: &Image) -> Result<String, Failure> {
        Ok(self.registry.beside()?.map_or_else(|| image.name.clone(), |beside| beside.name()))
    }
}

impl RegistryArgs {
    /// The way to all registries. Credentials that were typed are for the registry of `image` and for no other.
    pub(crate) fn registries_for(&self, image: &Reference) -> Result<Registries, Failure> {
        let further = match &self.registry_cacert {
            Some(path) => {
                let pem = file::read(path, MAX_AUTHORITIES).map_err(Failure::undecided)?;
                TlsTrust::roots_from_pem(&pem)
                    .or_undecided(format!("{} cannot be used", path.display()))?
            }
            None => Vec::new(),
        };
        let tls = match self.allow_insecure_registry {
            true => TlsTrust::DangerouslyUnverified,
            false => TlsTrust::System { further },
        };
        let allow_http = self.allow_http_registry || self.allow_insecure_registry;
        let credentials = match self.credential() {
            Some(typed) => Credentials::of_user().with(image.registry(), typed),
            None => Credentials::of_user(),
        };
        let mirrors = self.registry_mirror.clone();
        let own_tls = self.own_tls(image.registry())?;
        Ok(Registries::new(Settings { credentials, allow_http, tls, mirrors, own_tls }))
    }

    /// What TLS with the registry of the image asks for, if anything.
    fn own_tls(&self, registry: &str) -> Result<Option<OwnTls>, Failure> {
        let read = |path| file::read(path, MAX_AUTHORITIES).map_err(Failure::undecided);
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

    fn credential(&self) -> Option<Credential> {
        if let Some(token) = &self.registry_token {
            return Some(Credential::RegistryToken(token.clone().into()));
        }
        let (user, password) = (self.registry_username.clone()?, self.registry_password.clone()?);
        Some(Credential::Password { user, password: password.into() })
    }

    /// The image of this name, with the place of what is attached to it.
    pub(crate) fn image(&self, name: &str, access: Access) -> Result<Image, Failure> {
        let reference = parse(name)?;
        let registries = self.registries_for(&reference)?;
        self.image_in(&registries, &reference, access)
    }

    /// What the names stand for: images in registries, or on this machine. `access` is wanted where their signatures are.
    pub(crate) fn find(
        &self,
        names: &[String],
        local: bool,
        access: Access,
    ) -> Result<Vec<Image>, Failure> {
        if local {
            names.iter().map(|path| local_image(path)).collect()
        } else {
            self.images(names, access)
        }
    }

    fn images(&self, names: &[String], access: Access) -> Result<Vec<Image>, Failure> {
        let references = names.iter().map(|name| parse(name)).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = references.first() else { return Ok(Vec::new()) };
        let registries = self.registries_for(first)?;
        references.iter().map(|reference| self.image_in(&registries, reference, access)).collect()
    }

    pub(crate) fn image_in(
        &self,
        registries: &Registries,
        reference: &Reference,
        access: Access,
    ) -> Result<Image, Failure> {
        let store = |reference, access| Store::Registry(registries.repository(reference, access));
        let (images, attachments) = match &self.beside()? {
            None => {
                let both = store(reference, access);
                (both.clone(), both)
            }
            Some(beside) => (store(reference, Access::Pull), store(beside, access)),
        };
        let (name, target) = (reference.name(), reference.target());
        Ok(Image { name, target, store: images, attachments })
    }

    fn beside(&self) -> Result<Option<Reference>, Failure> {
        let named = self.signature_repository.as_deref().filter(|name| !name.is_empty());
        named
            .map(Reference::parse_repository)
            .transpose()
            .or_usage("the repository for signatures cannot be understood")
    }
}

/// Reads the name of an image.
pub(crate) fn parse(name: &str) -> Result<Reference, Failure> {
    Reference::from_str(name).or_usage(format!("{name} is no name of an image")).map_err(
        |failure| {
            failure.hint("write [REGISTRY/]REPOSITORY[:TAG] or [REGISTRY/]REPOSITORY@sha256:…")
        },
    )
}

/// The image in a directory or archive that is laid out as OCI says: the only one, or the one whose digest follows after @.
pub(crate) fn local_image(path: &str) -> Result<Image, Failure> {
    let (path, digest) = match path.rsplit_once('@') {
        Some((path, digest)) if digest.starts_with("sha256:") => {
            (path, Some(digest.parse().or_usage(format!("{digest} is no digest"))?))
        }
        _ => (path, None),
    };
    let layout = Layout::open(Path::new(path)).map_err(access_failure)?;
    let target = match digest {
        Some(digest) => Target::Digest(digest),
        None => only_image(path, &layout)?,
    };
    let store = Store::Layout(layout);
    Ok(Image { name: path.to_owned(), target, store: store.clone(), attachments: store })
}

fn only_image(path: &str, layout: &Layout) -> Result<Target, Failure> {
    let images = layout.images().map_err(fetch_failure)?;
    match images.as_slice() {
        [image] => Ok(Target::Digest(image.digest)),
        [] => Err(Failure::undecided(format!("there is no image in {path}"))),
        several => {
            let there = several.iter().map(|image| image.digest.to_string());
            Err(Failure::usage(format!("there are {} images in {path}", several.len()))
                .fact("found", there.collect::<Vec<_>>().join(", "))
                .hint(format!("say which one: {path}@sha256:…")))
        }
    }
}
