//! `attest`: signs a statement about container images, and attaches it to them.

use std::path::{Path, PathBuf};

use client::file;
use client::image::statement::Claim;
use client::predicate::{MAX_PREDICATE, PredicateType, statement};
use jiff::Timestamp;

use crate::command_line::Globals;
use crate::delivery::{Delivery, DeliveryArgs};
use crate::failure::{Failure, OrFail};
use crate::image_signing::{self, Order};
use crate::registry::RegistryArgs;
use crate::selection::SelectionArgs;
use crate::signing::SigningArgs;
use crate::whole_statement;

/// Sign a statement about container images, and attach it to them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The images that the statement is about, best by digest: registry.example/app@sha256:…
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// What is said about the images: JSON of the form that --type asks for
    #[arg(long, value_name = "FILE", required_unless_present = "statement")]
    predicate: Option<PathBuf>,
    /// What kind of statement it is: a URI, or slsaprovenance, slsaprovenance02, slsaprovenance1, spdx, spdxjson, cyclonedx,
    /// vuln, openvex, link or custom
    #[arg(long = "type", value_name = "NAME|URI", default_value = "custom")]
    predicate_type: PredicateType,
    /// A whole in-toto statement that names all of the images, signed as it is, instead of a predicate
    #[arg(long, value_name = "FILE", conflicts_with_all = ["predicate", "predicate_type"])]
    statement: Option<PathBuf>,
    /// Remove the attestations of the same type that the images have, by whomever they are, when the new one is attached
    #[arg(long)]
    replace: bool,
    /// The images are directories or archives on this machine, laid out as OCI says
    #[arg(long)]
    local_image: bool,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    delivery: DeliveryArgs,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(flatten)]
    signing: SigningArgs,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let delivery = args.delivery()?;
    let images = args.registry.find(&args.images, args.local_image, delivery.access())?;
    let claim = args.claim()?;
    let selection = &args.selection.selection();
    let order = Order { images, selection, claim, delivery, signing: &args.signing };
    image_signing::carry_out(order, globals)
}

impl Args {
    fn delivery(&self) -> Result<Delivery, Failure> {
        let delivery = self.delivery.delivery()?;
        // A statement that was made elsewhere is one, however many images it names.
        let together = delivery.together || self.statement.is_some();
        let delivery = Delivery { together, ..delivery };
        if self.replace { delivery.replacing() } else { Ok(delivery) }
    }

    /// What is to be signed, checked for what its type requires.
    fn claim(&self) -> Result<Claim, Failure> {
        match (&self.statement, &self.predicate) {
            (Some(path), _) => {
                let (statement, payload) = whole_statement::read(path)?;
                Ok(Claim::Statement { predicate_type: statement.predicate_type, payload })
            }
            (None, Some(path)) => self.said(path),
            (None, None) => Err(Failure::usage("it is not said what to say about the images")),
        }
    }

    /// The predicate in the form in which it is signed.
    fn said(&self, path: &Path) -> Result<Claim, Failure> {
        let predicate = file::read(path, MAX_PREDICATE).map_err(Failure::undecided)?;
        let statement = statement(Vec::new(), &self.predicate_type, &predicate, Timestamp::now())
            .or_refused("the predicate cannot be signed")?;
        let predicate = statement
            .predicate
            .ok_or_else(|| Failure::undecided("the statement has no predicate"))?;
        Ok(Claim::Attestation { predicate_type: statement.predicate_type, predicate })
    }
}
