//! `trusted-root create`: which keys verifiers shall trust, with cosign's flags.

use std::path::PathBuf;

use client::file;
use crypto::{HashAlgorithm, KeyDetails, PublicKey};
use merkle::note::KeyId;
use pki::Certificate;
use wire::trusted_root::{Authority, LogInstance, TrustedRoot, TrustedRootVersion};

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::output::print_text;
use crate::own_authority::{MAX_CHAIN, read_certificates};
use crate::specification::Specification;
use crate::trusting;

/// The largest file of a key.
const MAX_FILE: u64 = 1 << 20;

/// Make a trusted root file
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Write a trusted root from descriptions of services
    Create(CreateArgs),
}

/// How services are described.
const NOTES: &str = "\
AUTHORITY: url=URL,certificate-chain=FILE[,start-time=TIME][,end-time=TIME]
LOG:       url=URL,public-key=FILE,start-time=TIME[,end-time=TIME]
           and for a Rekor v2 log also origin=NAME, as its checkpoints begin
TIME:      as in 2026-01-01T00:00:00Z
Each flag can be given several times.";

/// What was typed after `create`.
#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct CreateArgs {
    /// A certificate authority; its chain ends with the root
    #[arg(long, value_name = "AUTHORITY")]
    fulcio: Vec<Specification>,
    /// A transparency log
    #[arg(long, value_name = "LOG")]
    rekor: Vec<Specification>,
    /// A certificate transparency log
    #[arg(long, value_name = "LOG")]
    ctfe: Vec<Specification>,
    /// A timestamp authority; its chain begins with the certificate that signs and ends with the root
    #[arg(long, value_name = "AUTHORITY")]
    tsa: Vec<Specification>,
    /// Begin with the services of the Sigstore that is trusted (see --trust)
    #[arg(long)]
    with_default_services: bool,
    /// Leave out the certificate authorities of the default services
    #[arg(long, requires = "with_default_services")]
    no_default_fulcio: bool,
    /// Leave out the certificate transparency logs of the default services
    #[arg(long, requires = "with_default_services")]
    no_default_ctfe: bool,
    /// Leave out the transparency logs of the default services
    #[arg(long, requires = "with_default_services")]
    no_default_rekor: bool,
    /// Leave out the timestamp authorities of the default services
    #[arg(long, requires = "with_default_services")]
    no_default_tsa: bool,
    /// Write to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let Args::Create(args) = args;
    let root = create(args, globals)?.to_json();
    match &args.out {
        Some(path) => {
            file::write(path, root.as_bytes(), file::Readers::Everyone).map_err(Failure::undecided)
        }
        None => print_text(&root).or_undecided("the trusted root cannot be printed"),
    }
}

fn create(args: &CreateArgs, globals: &Globals) -> Result<TrustedRoot, Failure> {
    let mut root = if args.with_default_services {
        defaults(args, trusting::load(globals, None)?.root()?)
    } else {
        empty()
    };
    for specification in &args.fulcio {
        let authority = authority("--fulcio", specification, <[_]>::last)?;
        root.certificate_authorities.push(authority);
    }
    for specification in &args.tsa {
        let authority = authority("--tsa", specification, <[_]>::first)?;
        root.timestamp_authorities.push(authority);
    }
    for specification in &args.ctfe {
        root.ctlogs.push(log("--ctfe", specification)?);
    }
    for specification in &args.rekor {
        root.tlogs.push(log("--rekor", specification)?);
    }
    Ok(root)
}

fn empty() -> TrustedRoot {
    TrustedRoot {
        // The version that every client reads.
        version: TrustedRootVersion::V0_1,
        tlogs: Vec::new(),
        certificate_authorities: Vec::new(),
        ctlogs: Vec::new(),
        timestamp_authorities: Vec::new(),
        skipped: Vec::new(),
    }
}

fn defaults(args: &CreateArgs, mut root: TrustedRoot) -> TrustedRoot {
    if args.no_default_fulcio {
        root.certificate_authorities.clear();
    }
    if args.no_default_ctfe {
        root.ctlogs.clear();
    }
    if args.no_default_rekor {
        root.tlogs.clear();
    }
    if args.no_default_tsa {
        root.timestamp_authorities.clear();
    }
    root
}

/// `begins` picks the certificate whose validity is the authority's, where no time is given.
fn authority(
    flag: &str,
    specification: &Specification,
    begins: impl Fn(&[Certificate]) -> Option<&Certificate>,
) -> Result<Authority, Failure> {
    let said = format!("an authority given with {flag} cannot be understood");
    let known = ["url", "certificate-chain", "start-time", "end-time"];
    specification.check_keys(&known).or_usage(&*said)?;
    let path = specification.file("certificate-chain").or_usage(&*said)?;
    let chain = read_certificates(path, MAX_CHAIN)?;
    if flag == "--tsa" && chain.first().is_some_and(Certificate::is_ca) {
        return Err(Failure::usage(
            "the chain of a timestamp authority begins with the certificate that signs, not with a CA",
        ));
    }
    let (organization, common_name) =
        chain.last().map(Certificate::subject_parts).unwrap_or_default();
    Ok(Authority {
        organization: organization.unwrap_or_default(),
        common_name: common_name.unwrap_or_default(),
        uri: specification.url().or_usage(&*said)?.to_owned(),
        valid_for: specification
            .period(begins(&chain).map(Certificate::not_before))
            .or_usage(&*said)?,
        chain: chain.iter().map(|certificate| certificate.der().to_vec()).collect(),
        operator: String::new(),
    })
}

fn log(flag: &str, specification: &Specification) -> Result<LogInstance, Failure> {
    let said = format!("a log given with {flag} cannot be understood");
    let known: &[&str] = if flag == "--rekor" {
        &["url", "public-key", "start-time", "end-time", "origin"]
    } else {
        &["url", "public-key", "start-time", "end-time"]
    };
    specification.check_keys(known).or_usage(&*said)?;
    let path = specification.file("public-key").or_usage(&*said)?;
    let pem = file::read(path, MAX_FILE).map_err(Failure::undecided)?;
    let key = PublicKey::from_pem(&pem)
        .or_undecided(format!("{} holds no public key that can be used", path.display()))?;
    // A Rekor v2 log is known by its checkpoints' key id, others by the hash of the key.
    let id = match specification.optional("origin") {
        Some(origin) => KeyId::for_key(origin, &key).as_bytes().to_vec(),
        None => crypto::sha256(key.spki_der()).to_vec(),
    };
    Ok(LogInstance {
        base_url: specification.url().or_usage(&*said)?.to_owned(),
        hash_algorithm: HashAlgorithm::Sha256,
        key_details: details(&key).ok_or_else(|| {
            Failure::refused(format!("a key of kind {} has no name in trusted roots", key.kind()))
        })?,
        public_key: key.spki_der().to_vec(),
        valid_for: specification.period(None).or_usage(&*said)?,
        log_id: id,
        checkpoint_key_id: Vec::new(),
        operator: String::new(),
    })
}

/// How a log signs with this key: unlike signers of files, with pure Ed25519.
fn details(key: &PublicKey) -> Option<KeyDetails> {
    match KeyDetails::for_key(key) {
        Some(KeyDetails::Ed25519Ph) => Some(KeyDetails::Ed25519),
        other => other,
    }
}
