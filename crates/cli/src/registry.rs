//! How registries are reached, for all commands about images: the flags, and what failures mean.

mod connection;
mod failure;

use std::path::Path;
use std::str::FromStr;

use client::image::Image;
use oci::{
    Access, Credential, Credentials, Layout, Mirror, Reference, Registries, Settings, Store, Target,
};

pub(crate) use connection::ConnectionArgs;
pub(crate) use failure::{
    access_failure, access_hint, attach_failure, fetch_failure, fetch_hint, hinted, push_failure,
    push_hint,
};

use crate::failure::{Failure, OrFail};

/// How registries are reached.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Registries")]
pub(crate) struct RegistryArgs {
    /// The repository with signatures and attestations, where they are not beside the image
    #[arg(long, value_name = "REPOSITORY", env = "COSIGN_REPOSITORY", hide_env_values = true)]
    signature_repository: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Read from a mirror first: REGISTRY[/PATH]=MIRROR[/PATH]; may be given several times
    #[arg(long, value_name = "REGISTRY=MIRROR")]
    registry_mirror: Vec<Mirror>,
    /// The user's name for the registry of the image, instead of what bulla login keeps
    #[arg(
        long,
        value_name = "NAME",
        env = "BULLA_REGISTRY_USERNAME",
        hide_env_values = true,
        requires = "registry_password"
    )]
    registry_username: Option<String>,
    /// The password that belongs to it
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "BULLA_REGISTRY_PASSWORD",
        hide_env_values = true,
        requires = "registry_username"
    )]
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
        let credentials = match self.credential()? {
            Some(typed) => Credentials::of_user().with(image.registry(), typed),
            None => Credentials::of_user(),
        };
        let mirrors = self.registry_mirror.clone();
        let settings = self.connection.settings(image, credentials)?;
        Ok(Registries::new(Settings { mirrors, ..settings }))
    }

    fn credential(&self) -> Result<Option<Credential>, Failure> {
        if let Some(token) = &self.registry_token {
            return Ok(Some(Credential::RegistryToken(token.clone().into())));
        }
        let (Some(user), Some(password)) = (&self.registry_username, &self.registry_password)
        else {
            return Ok(None);
        };
        user_name(user)?;
        let password = password.clone().into();
        Ok(Some(Credential::Password { user: user.clone(), password }))
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

/// Refuses what cannot be a user's name: it goes before a colon, and whoever reads it takes the first (RFC 7617 §2).
pub(crate) fn user_name(typed: &str) -> Result<(), Failure> {
    let wrong = match typed {
        "" => "the user's name is empty".to_owned(),
        name if name.contains(':') => format!("{name} is no user's name: there is a colon in it"),
        _ => return Ok(()),
    };
    Err(Failure::usage(wrong).hint("give the name alone, without the password"))
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
