//! `attest`: signs a statement about container images, and attaches it to them.

use std::path::PathBuf;

use client::file;
use client::image::statement::Claim;
use client::predicate::{MAX_PREDICATE, PredicateType, statement};
use jiff::Timestamp;

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::image_signing::{self, FormatArg, Order};
use crate::registry::RegistryArgs;
use crate::selection::SelectionArgs;
use crate::signing::SigningArgs;

/// What was typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The images that the statement is about, best by digest: registry.example/app@sha256:…
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// What is said about the images: JSON of the form that --type asks for
    #[arg(long, value_name = "FILE")]
    predicate: PathBuf,
    /// What kind of statement it is: a URI, or slsaprovenance, slsaprovenance02, slsaprovenance1, spdx, spdxjson, cyclonedx,
    /// vuln, openvex, link or custom
    #[arg(long = "type", value_name = "NAME|URI", default_value = "custom")]
    predicate_type: PredicateType,
    /// The images are directories or archives on this machine, laid out as OCI says
    #[arg(long)]
    local_image: bool,
    #[command(flatten)]
    selection: SelectionArgs,
    /// How to attach: as a bundle; in the older form (legacy), which many admission controllers read; or both
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    format: FormatArg,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    signing: SigningArgs,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let images = args.registry.find(&args.images, args.local_image, true)?;
    let claim = args.claim()?;
    let selection = &args.selection.selection();
    let order = Order { images, selection, claim, format: args.format, signing: &args.signing };
    image_signing::carry_out(order, globals)
}

impl Args {
    /// The predicate in the form in which it is signed, checked for what its type requires.
    fn claim(&self) -> Result<Claim, Failure> {
        let predicate = file::read(&self.predicate, MAX_PREDICATE).map_err(Failure::undecided)?;
        let statement = statement(Vec::new(), &self.predicate_type, &predicate, Timestamp::now())
            .map_err(|error| {
            Failure::because("the predicate cannot be signed".to_owned(), error)
        })?;
        let predicate = statement
            .predicate
            .ok_or_else(|| Failure::undecided("the statement has no predicate"))?;
        Ok(Claim::Attestation { predicate_type: statement.predicate_type, predicate })
    }
}
