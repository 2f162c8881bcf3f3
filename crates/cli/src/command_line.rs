//! The list of commands, and the flags that all of them have.

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::output::Format;
use crate::{
    attach, attest, attest_blob, bundle, clean, completion, condition, config_show, copy, download,
    env, generate_key_pair, git, import_key_pair, init, initialize, load, login, logout,
    public_key, quickstart, save, serve, sign, sign_blob, sign_model, signing_config, tree,
    triangulate, trust, trusted_root, user, verify, verify_attestation, verify_blob,
    verify_blob_attestation, verify_model, version,
};

/// Signs software, verifies it, and runs the servers behind it: all of Sigstore in one program.
#[derive(Debug, Parser)]
#[command(name = "bulla", version, help_template = HELP, max_term_width = 100, propagate_version = true)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where help shows what every command has: behind what it is about, and before help itself, which clap has at 999.
const AFTER_THE_COMMANDS_OWN: usize = 900;

/// Flags of every command.
#[derive(Debug, clap::Args)]
pub(crate) struct Globals {
    /// Print results for people (text) or for programs (json)
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true,
        display_order = AFTER_THE_COMMANDS_OWN
    )]
    pub(crate) output: Format,
    /// Whom to trust: a name given to `trust add`, sigstore.dev, or a trusted root or client trust config file
    #[arg(
        long,
        global = true,
        env = "BULLA_TRUST",
        value_name = "NAME|FILE",
        hide_env_values = true,
        display_order = AFTER_THE_COMMANDS_OWN
    )]
    pub(crate) trust: Option<String>,
    /// Tell on stderr what is done, step by step
    #[arg(long, short, global = true, display_order = AFTER_THE_COMMANDS_OWN)]
    pub(crate) verbose: bool,
}

/// What can be done. Each line has its own file, where its arguments begin with what it does.
#[derive(Debug, Subcommand)]
// The flags of the other commands are not made: that was a quarter of what starting a process costs.
#[command(defer = true)]
#[allow(clippy::large_enum_variant, reason = "there is one, made from the command line")]
pub(crate) enum Command {
    Quickstart(quickstart::Args),

    SignBlob(sign_blob::Args),
    VerifyBlob(verify_blob::Args),
    AttestBlob(attest_blob::Args),
    VerifyBlobAttestation(verify_blob_attestation::Args),
    SignModel(sign_model::Args),
    VerifyModel(verify_model::Args),
    Git(git::Args),

    Sign(sign::Args),
    Verify(verify::Args),
    Attest(attest::Args),
    VerifyAttestation(verify_attestation::Args),
    Attach(attach::Args),
    Tree(tree::Args),
    #[command(subcommand)]
    Download(download::Args),
    Copy(copy::Args),
    Save(save::Args),
    Load(load::Args),
    Clean(clean::Args),
    Triangulate(triangulate::Args),

    Login(login::Args),
    Logout(logout::Args),

    #[command(subcommand)]
    Bundle(bundle::Args),

    GenerateKeyPair(generate_key_pair::Args),
    ImportKeyPair(import_key_pair::Args),
    PublicKey(public_key::Args),

    #[command(subcommand)]
    Trust(trust::Args),
    Initialize(initialize::Args),
    #[command(subcommand)]
    TrustedRoot(trusted_root::Args),
    #[command(subcommand)]
    SigningConfig(signing_config::Args),
    Env(env::Args),

    Init(init::Args),
    Serve(serve::Args),
    #[command(subcommand)]
    Config(config_show::Args),
    #[command(subcommand)]
    User(user::Args),

    Version(version::Args),
    Completion(completion::Args),
    /// Judge conditions, as a process that can be ended
    #[command(hide = true)]
    JudgeConditions,
}

impl Command {
    /// Does it.
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self {
            Self::Quickstart(args) => quickstart::run(&args, globals),
            Self::SignBlob(args) => sign_blob::run(&args, globals),
            Self::VerifyBlob(args) => verify_blob::run(args, globals),
            Self::AttestBlob(args) => attest_blob::run(&args, globals),
            Self::VerifyBlobAttestation(args) => verify_blob_attestation::run(args, globals),
            Self::SignModel(args) => sign_model::run(&args, globals),
            Self::VerifyModel(args) => verify_model::run(args, globals),
            Self::Git(args) => git::run(args, globals),
            Self::Sign(args) => sign::run(&args, globals),
            Self::Verify(args) => verify::run(args, globals),
            Self::Attest(args) => attest::run(&args, globals),
            Self::VerifyAttestation(args) => verify_attestation::run(args, globals),
            Self::Attach(args) => attach::run(&args, globals),
            Self::Tree(args) => tree::run(&args, globals),
            Self::Download(args) => download::run(args, globals),
            Self::Copy(args) => copy::run(&args, globals),
            Self::Save(args) => save::run(&args, globals),
            Self::Load(args) => load::run(&args, globals),
            Self::Clean(args) => clean::run(&args, globals),
            Self::Triangulate(args) => triangulate::run(&args, globals),
            Self::Login(args) => login::run(&args, globals),
            Self::Logout(args) => logout::run(&args, globals),
            Self::Bundle(args) => bundle::run(&args, globals),
            Self::GenerateKeyPair(args) => generate_key_pair::run(&args, globals),
            Self::ImportKeyPair(args) => import_key_pair::run(&args, globals),
            Self::PublicKey(args) => public_key::run(&args, globals),
            Self::Trust(args) => trust::run(&args, globals),
            Self::Initialize(args) => initialize::run(&args, globals),
            Self::TrustedRoot(args) => trusted_root::run(&args, globals),
            Self::SigningConfig(args) => signing_config::run(&args, globals),
            Self::Env(args) => env::run(&args, globals),
            Self::Init(args) => init::run(&args, globals),
            Self::Serve(args) => serve::run(&args, globals),
            Self::Config(args) => config_show::run(&args, globals),
            Self::User(args) => user::run(&args, globals),
            Self::Version(args) => version::run(&args, globals),
            Self::Completion(args) => completion::run(&args, globals),
            Self::JudgeConditions => condition::judge::run(),
        }
    }
}

/// The page that `bulla` and `bulla --help` print: commands by the job they do, not by the alphabet.
const HELP: &str = "\
{about}

Usage: bulla COMMAND [OPTIONS]

Try it:
  quickstart               Start a complete private Sigstore, sign a file and verify it

Sign and verify:
  sign-blob                Sign files
  verify-blob              Verify the signature of a file
  attest-blob              Sign a statement about a file, such as how it was built
  verify-blob-attestation  Verify a statement about a file
  sign-model               Sign all files of a model or data set at once
  verify-model             Verify that the files of a model or data set are those that were signed
  git                      Sign and verify commits and tags, as git's signing program
  bundle                   Look into bundles

Container images:
  sign                     Sign container images, and attach the signatures to them
  verify                   Verify the signatures of container images
  attest                   Sign a statement about container images, and attach it to them
  verify-attestation       Verify statements about container images
  attach                   Attach a bundle that was made elsewhere to container images
  tree                     List what is attached to an image
  download                 Print what is attached to an image: signatures, attestations, an SBOM
  copy                     Copy an image with all that is attached to it
  save                     Save an image with all that is attached to it in a directory or archive
  load                     Load a saved image with all that is attached to it into a registry
  clean                    Remove what is attached to an image
  triangulate              Print under which name something about an image is found
  login                    Keep a password for a registry
  logout                   Forget the password for a registry

Keys of your own:
  generate-key-pair        Make a key pair: cosign.key and cosign.pub
  import-key-pair          Encrypt an existing private key for use here and in cosign
  public-key               Print the public half of a key

Trust:
  trust                    Choose which Sigstore to trust, and change what an own one is trusted for
  initialize               Trust the Sigstore of a TUF repository, with cosign's flags
  trusted-root             Make a trusted root file
  signing-config           Make a signing config file
  env                      Print what another client needs to use this Sigstore

Run a Sigstore:
  init                     Make the directory of a new Sigstore
  serve                    Run the servers of a directory
  config                   Look at the configuration of a directory
  user                     Manage who can sign in at the identity provider

More:
  version                  Print the version
  completion               Print a completion script for a shell
  help                     Explain a command: bulla help sign-blob

Options:
{options}

Exit codes: 0 yes, 1 refused, 2 usage, 3 could not decide.
";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_of_all_commands_are_consistent() {
        CommandLine::command().debug_assert();
    }

    /// Was wrong: clap broke them in the middle of words that belong together.
    #[test]
    fn examples_and_notes_fit_a_terminal() {
        fn check(command: &clap::Command) {
            let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in notes.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = CommandLine::command();
        command.build();
        check(&command);
    }

    #[test]
    fn the_help_page_lists_every_command() {
        let mut command = CommandLine::command();
        command.build();
        for command in command.get_subcommands().filter(|c| !c.is_hide_set()) {
            let name = command.get_name();
            let listed = HELP.lines().find_map(|line| line.strip_prefix(&format!("  {name} ")));
            let listed = listed.unwrap_or_else(|| panic!("{name} is not listed")).trim();
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(name == "help" || about.starts_with(listed), "{name}: {about}");
        }
    }
}
