//! `download sbom`: what an image is made of, by the word of someone who is trusted.

use std::sync::{Mutex, PoisonError};

use client::image::attached::{Meaning, older_sbom};
use client::image::candidate::Candidate;
use client::image::verifying::Wanted;
use oci::Access;
use verify::Expected;
use wire::bundle::{Bundle, Content};
use wire::statement::Statement;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::image_verifying::{Question, WorkersArgs, ask};
use crate::online::{self, Threads};
use crate::output::{print_data, say};
use crate::registry::{ImageArgs, fetch_failure};
use crate::selection::PlatformArgs;
use crate::signer::{Signer, SignerArgs};
use crate::verifying::DemandArgs;

/// The types of predicates that are SBOMs, each with what versions may add to them.
const SPDX: &str = r"https://spdx\.dev/Document(/.*)?";
const CYCLONEDX: &str = r"https://cyclonedx\.org/bom(/.*)?";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageArgs,
    /// In which format
    #[arg(long = "type", value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Print what is attached, whoever attached it
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    selection: PlatformArgs,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    demands: DemandArgs,
}

/// The format of an SBOM.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Format {
    /// Whatever there is
    #[default]
    Any,
    /// SPDX, as JSON or as tag-value text
    Spdx,
    /// CycloneDX, as JSON or XML
    Cyclonedx,
}

impl Format {
    fn expected(self) -> Result<Expected, Failure> {
        let pattern = match self {
            Self::Any => format!("{SPDX}|{CYCLONEDX}"),
            Self::Spdx => SPDX.to_owned(),
            Self::Cyclonedx => CYCLONEDX.to_owned(),
        };
        Expected::pattern(&pattern).or_usage("the type cannot be expected")
    }
}

pub(super) fn run(args: Args, globals: &Globals) -> Result<(), Failure> {
    let sbom = if args.unverified { unverified(&args)? } else { verified(args, globals)? };
    print_data(&sbom).or_undecided("the SBOM cannot be printed")
}

fn verified(args: Args, globals: &Globals) -> Result<String, Failure> {
    let signer = Signer::try_from(args.signer).map_err(|error| {
        Failure::from(error)
            .hint("say whose SBOM to trust, or take whatever is attached with --unverified")
    })?;
    let image = args.image.image(Access::Pull)?;
    let question = Question {
        wanted: Wanted::Attestation,
        policy: args.demands.policy(&signer)?.with_predicate_type(args.format.expected()?),
        trust: args.demands.trusted_root(globals)?,
        workers: WorkersArgs::default(),
    };
    let answers =
        online::run(Threads::One, ask(vec![image], args.selection.selection(), question))?;
    let proven = answers.iter().flat_map(|answer| &answer.finding.proven);
    let sboms = proven.filter_map(|proven| predicate(&proven.candidate.bundle)).collect();
    say("Verified OK");
    first(sboms)
}

fn unverified(args: &Args) -> Result<String, Failure> {
    let image = args.image.image(Access::Pull)?;
    let expected = args.format.expected()?;
    say("this SBOM is not verified: anyone who can push may have attached it");
    // The first is enough: others are not kept.
    let first_found = Mutex::new(None);
    let look = |candidate: Candidate| {
        if matches!(candidate.meaning(), Meaning::Attestation(is_of) if expected.matches(&is_of)) {
            let mut found = first_found.lock().unwrap_or_else(PoisonError::into_inner);
            if found.is_none() {
                *found = predicate(&candidate.bundle);
            }
        }
    };
    let older = online::run(Threads::One, async {
        let found = super::find(&image, &args.selection.selection(), &look).await?;
        let older = older_sbom(&image.attachments, &found).await.map_err(fetch_failure)?;
        Ok(older.map(|sbom| String::from_utf8_lossy(&sbom).into_owned()))
    })?;
    let found = first_found.into_inner().unwrap_or_else(PoisonError::into_inner);
    first(found.or(older).into_iter().collect())
        .map_err(|failure| failure.fact("image", image.to_string()))
}

/// The first of several; the others are told about.
fn first(mut sboms: Vec<String>) -> Result<String, Failure> {
    sboms.dedup();
    if sboms.len() > 1 {
        say(format!("there are {} SBOMs; this is the first: see bulla tree", sboms.len()));
    }
    match sboms.into_iter().next() {
        Some(sbom) => Ok(sbom),
        None => Err(Failure::refused("there is no SBOM")
            .hint("attach one with bulla attest --type spdxjson or cyclonedx")),
    }
}

/// The predicate of a statement: the document itself, which for formats that are no JSON is in a string.
fn predicate(bundle: &Bundle) -> Option<String> {
    let Content::Dsse(envelope) = &bundle.content else { return None };
    let statement = Statement::parse(&envelope.payload).ok()?;
    let predicate = statement.predicate?;
    let text: Result<String, _> = serde_json::from_str(predicate.get());
    Some(text.unwrap_or_else(|_| predicate.get().to_owned()))
}
