//! `sign-model`: signs all files of a model or data set with one signature (OpenSSF Model Signing 1.0).

use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;

use client::file::{self, Readers};
use client::model::ModelFiles;
use client::sign::KeyHint;
use crypto::ContentHash;
use serde::Serialize;
use wire::model::{DEFAULT_SHARD_SIZE, MAX_RESOURCES, Method, Serialization};
use wire::statement::MAX_STATEMENT;

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::model::{self, FilesArgs};
use crate::online::{self, Threads};
use crate::output::{progress, say};
use crate::proof_place;
use crate::signing::{Publication, SigningArgs, failure, recorded};

/// Sign all files of a model or data set at once
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory of the model, or its only file
    #[arg(value_name = "DIR|FILE")]
    model: PathBuf,
    /// Where to write the signature; by default model.sig in the directory, or the file's name with .sig added
    #[arg(long, visible_alias = "signature", value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    hashing: HashingArgs,
    #[command(flatten)]
    files: FilesArgs,
    #[command(flatten)]
    signing: SigningArgs,
}

/// How the files are hashed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How to hash")]
struct HashingArgs {
    /// What gets a digest of its own: files, or shards of them
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "files|shards",
        hide_possible_values = true
    )]
    method: MethodArg,
    /// The hash function
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "sha256|blake2b|blake3",
        hide_possible_values = true
    )]
    hash: HashArg,
    /// The length of a shard, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_SHARD_SIZE)]
    shard_size: NonZeroU64,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
enum MethodArg {
    #[default]
    Files,
    Shards,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
enum HashArg {
    #[default]
    Sha256,
    Blake2b,
    Blake3,
}

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    model: PathBuf,
    bundle: PathBuf,
    /// The digest of the whole model.
    digest: String,
    files: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bundle.display().fmt(f)
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let bundle = args.bundle.clone().unwrap_or_else(|| model::bundle_of(&args.model));
    let ignored = args.files.ignored(&args.model, &bundle)?;
    let serialization = Serialization {
        ignore_paths: ignored.clone(),
        allow_symlinks: args.files.allow_symlinks,
        ..args.hashing.serialization()?
    };
    let files = args.files.find(&args.model, &ignored)?;
    check(&files, &serialization)?;
    let preparation = args.signing.prepare(globals)?;
    // Hashing comes before the sign-in: a token does not last as long as a large model takes.
    let manifest = model::hash(&files, serialization)?;
    let statement = manifest.to_statement().to_json();
    if manifest.resources().len() > MAX_RESOURCES || statement.len() > MAX_STATEMENT {
        return Err(too_long(statement.len()));
    }
    proof_place::check(&bundle, statement.len())?;
    let signed = online::run(Threads::One, async {
        let what = "the digest of the list of files (neither the files nor their names)";
        let signer = args.signing.signer(preparation, &Publication { what }).await?;
        let signer = signer.with_key_hint(KeyHint::Pem);
        let bar = progress(1, "signing");
        let signed = signer.attest(statement).await.map_err(failure);
        bar.finish_and_clear();
        signed
    })?;
    file::write(&bundle, signed.bundle.to_json().as_bytes(), Readers::Everyone)
        .map_err(Failure::undecided)?;
    say(format!("signed {}: {}", args.model.display(), recorded(&signed)));
    globals.output.print(&Report {
        model: args.model.clone(),
        bundle,
        digest: manifest.root().to_string(),
        files: files.paths().count(),
    })
}

/// No verifier would read it.
fn too_long(length: usize) -> Failure {
    let told = format!(
        "the list of files has {length} bytes; {MAX_STATEMENT} bytes and {MAX_RESOURCES} digests are the most that is verified"
    );
    Failure::usage(told)
        .hint("make the shards longer with --shard-size, or sign parts of the model by themselves")
}

/// A signature that says nothing is not made, and one that says less than it seems to comes with a warning.
fn check(files: &ModelFiles, serialization: &Serialization) -> Result<(), Failure> {
    if files.paths().next().is_none() {
        return Err(Failure::usage("there are no files to sign"));
    }
    let empty = files.empty().count();
    if empty == 0 || serialization.method == Method::Files {
        return Ok(());
    }
    if empty == files.paths().count() {
        return Err(Failure::usage("all files are empty, and empty files have no shards")
            .hint("use --method files"));
    }
    say(format!(
        "warning: {empty} empty files have no shards, so that the signature does not cover them"
    ));
    Ok(())
}

impl HashingArgs {
    fn serialization(&self) -> Result<Serialization, Failure> {
        let hash = match self.hash {
            HashArg::Sha256 => ContentHash::Sha256,
            HashArg::Blake2b => ContentHash::Blake2b,
            HashArg::Blake3 => ContentHash::Blake3,
        };
        let method = match self.method {
            MethodArg::Files => Method::Files,
            MethodArg::Shards if hash == ContentHash::Blake3 => {
                return Err(Failure::usage(
                    "BLAKE3 hashes a file on all processors without shards",
                )
                .hint("use --method files: other verifiers know no shards with blake3"));
            }
            MethodArg::Shards => Method::Shards(self.shard_size),
        };
        Ok(Serialization { method, hash, allow_symlinks: false, ignore_paths: Vec::new() })
    }
}
