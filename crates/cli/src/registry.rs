//! How registries are reached, for all commands about images: the flags, and what failures mean.

mod failure;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use client::file;
use client::image::Image;
use net::TlsTrust;
use oci::{Access, Credentials, Layout, Reference, Registries, Settings, Store, Target};

pub(crate) use failure::{attach_failure, fetch_failure, fetch_hint, hinted, push_hint};

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
}

impl RegistryArgs {
    /// The way to all registries.
    pub(crate) fn registries(&self) -> Result<Registries, Failure> {
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
        let credentials = Credentials::of_user();
        Ok(Registries::new(Settings { credentials, allow_http, tls, ..Settings::default() }))
    }

    /// The images of these names, with the place of their signatures, which are only read, or also written.
    pub(crate) fn images(&self, names: &[String], writing: bool) -> Result<Vec<Image>, Failure> {
        let registries = self.registries()?;
        let beside = self.beside()?;
        let access = if writing { Access::Push } else { Access::Pull };
        let image = |name: &String| {
            let reference = parse(name)?;
            let store =
                |reference, access| Store::Registry(registries.repository(reference, access));
            let (images, attachments) = match &beside {
                None => {
                    let both = store(&reference, access);
                    (both.clone(), both)
                }
                Some(beside) => (store(&reference, Access::Pull), store(beside, access)),
            };
            let (name, target) = (reference.name(), reference.target());
            Ok(Image { name, target, store: images, attachments })
        };
        names.iter().map(image).collect()
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
    let layout = Layout::open(Path::new(path)).map_err(failure::access_failure)?;
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
