//! What becomes of signatures of images: in which form they are attached, or whether a file has them.

use std::path::PathBuf;

use clap::ArgAction;
use client::file::{self, Readers};
use client::image::signing::Format;
use oci::Access;
use wire::bundle::Bundle;

use crate::failure::Failure;
use crate::proof_place;

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct DeliveryArgs {
    /// Sign one statement that names all images, and attach its one bundle to each: one entry in the log
    #[arg(long)]
    together: bool,
    /// How to attach: as a bundle; in the older form (legacy), which podman, CRI-O and many admission controllers read; or
    /// both
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    format: FormatArg,
    /// Write the bundle to this file, too
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// With =false, attach nothing: only the file of --bundle has the signature, and bulla attach can attach it later
    #[arg(
        long,
        value_name = "true|false",
        default_value_t = true,
        default_missing_value = "true",
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true,
        hide_possible_values = true
    )]
    upload: bool,
    /// The same as --upload=false
    #[arg(long, hide = true)]
    no_upload: bool,
}

/// In which form signatures are attached.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
enum FormatArg {
    /// Bundles in referrers.
    #[default]
    Bundle,
    /// Layers under tags.
    Legacy,
    /// Both.
    Both,
}

/// What is meant.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) format: Format,
    /// The file for the bundle.
    pub(crate) bundle: Option<PathBuf>,
    /// Whether all images share one statement.
    pub(crate) together: bool,
    /// Whether older attestations of the type give way.
    pub(crate) replace: bool,
}

impl DeliveryArgs {
    /// What is meant.
    pub(crate) fn delivery(&self) -> Result<Delivery, Failure> {
        let format = match (self.upload && !self.no_upload, self.format) {
            (true, FormatArg::Bundle) => Format::Bundle,
            (true, FormatArg::Legacy) if self.bundle.is_some() => {
                return Err(Failure::usage("the older form is no bundle that a file could have")
                    .hint("leave out --bundle, or make both forms with --format both"));
            }
            (true, FormatArg::Legacy) => Format::Legacy,
            (true, FormatArg::Both) => Format::Both,
            (false, FormatArg::Bundle) if self.bundle.is_some() => Format::Detached,
            (false, FormatArg::Bundle) => {
                return Err(Failure::usage("the signature would be nowhere")
                    .hint("say which file is to have it with --bundle FILE"));
            }
            (false, _) => {
                return Err(Failure::usage("only a bundle can be kept without being attached")
                    .hint("leave out --format, or attach with --upload=true"));
            }
        };
        let (bundle, together) = (self.bundle.clone(), self.together);
        Ok(Delivery { format, bundle, together, replace: false })
    }
}

impl Delivery {
    /// The same, which also takes away older attestations of the type.
    pub(crate) fn replacing(self) -> Result<Self, Failure> {
        match self.format {
            Format::Detached => {
                Err(Failure::usage("what is not attached cannot take the place of anything")
                    .hint("leave out --replace, or attach with --upload=true"))
            }
            _ => Ok(Self { replace: true, ..self }),
        }
    }

    /// What must be allowed where signatures lie.
    pub(crate) fn access(&self) -> Access {
        match self.format {
            Format::Detached => Access::Pull,
            _ if self.replace => Access::Delete,
            _ => Access::Push,
        }
    }

    /// Checks that so many images have one bundle, if that is to be in one file, and that it can be written.
    pub(crate) fn check_bundle(&self, images: usize) -> Result<(), Failure> {
        let Some(bundle) = &self.bundle else { return Ok(()) };
        if self.together || images == 1 {
            return proof_place::check(bundle, 0);
        }
        Err(Failure::usage(format!("{images} images have {images} bundles, and not one"))
            .hint("sign them --together, or one at a time"))
    }

    /// Writes the bundle to its file, if that is wanted.
    pub(crate) fn keep(&self, bundle: &Bundle) -> Result<(), Failure> {
        let Some(path) = &self.bundle else { return Ok(()) };
        file::write(path, bundle.to_json().as_bytes(), Readers::Everyone)
            .map_err(Failure::undecided)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: DeliveryArgs,
    }

    fn meant(typed: &str) -> Result<Delivery, Failure> {
        let words = std::iter::once("bulla").chain(typed.split_whitespace());
        CommandLine::try_parse_from(words).unwrap().args.delivery()
    }

    #[test]
    fn what_is_not_attached_is_in_a_file() {
        for typed in ["--upload=false --bundle x", "--no-upload --bundle x"] {
            let delivery = meant(typed).unwrap();
            assert_eq!((delivery.format, delivery.access()), (Format::Detached, Access::Pull));
            delivery.replacing().unwrap_err();
        }
        for typed in ["--upload=false", "--no-upload", "--upload=false --format both --bundle x"] {
            meant(typed).unwrap_err();
        }
    }

    #[test]
    fn who_replaces_must_be_allowed_to_delete() {
        assert_eq!(meant("").unwrap().access(), Access::Push);
        assert_eq!(meant("--upload").unwrap().replacing().unwrap().access(), Access::Delete);
    }

    #[test]
    fn one_file_has_one_bundle() {
        let directory = tempfile::tempdir().unwrap();
        let bundle = format!("--bundle {}", directory.path().join("x").display());
        let apart = meant(&bundle).unwrap();
        apart.check_bundle(1).unwrap();
        apart.check_bundle(2).unwrap_err();
        meant(&format!("{bundle} --together")).unwrap().check_bundle(2).unwrap();
        meant("--bundle nowhere/x").unwrap().check_bundle(1).unwrap_err();
        meant("--format legacy --bundle x").unwrap_err();
    }
}
