//! `signing-config create`: which services signers shall use, with cosign's flags.

use std::path::PathBuf;
use std::str::FromStr;

use client::file;
use wire::signing_config::{Selector, Service, SigningConfig};

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::output::print_text;
use crate::specification::{Specification, SpecificationError};
use crate::trusting;

/// Make a signing config file
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Write a signing config from descriptions of services
    Create(CreateArgs),
}

/// How services are described.
const NOTES: &str = "\
SERVICE:  url=URL,api-version=N,operator=NAME,start-time=TIME[,end-time=TIME]
TIME:     as in 2026-01-01T00:00:00Z
Each of these flags can be given several times.";

/// What was typed after `create`.
#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct CreateArgs {
    /// A certificate authority, by its base URL
    #[arg(long, value_name = "SERVICE")]
    fulcio: Vec<Specification>,
    /// A transparency log, by its base URL
    #[arg(long, value_name = "SERVICE")]
    rekor: Vec<Specification>,
    /// How many logs to use: ANY, ALL or EXACT:n
    #[arg(long, value_name = "SELECTOR")]
    rekor_config: Option<SelectorArg>,
    /// An OIDC issuer
    #[arg(long, value_name = "SERVICE")]
    oidc_provider: Vec<Specification>,
    /// A timestamp authority, by the whole URL that requests are posted to
    #[arg(long, value_name = "SERVICE")]
    tsa: Vec<Specification>,
    /// How many timestamp authorities to use: ANY, ALL or EXACT:n
    #[arg(long, value_name = "SELECTOR")]
    tsa_config: Option<SelectorArg>,
    /// Begin with the services of the Sigstore that is trusted (see --trust)
    #[arg(long)]
    with_default_services: bool,
    /// Leave out the certificate authorities of the default services
    #[arg(long, requires = "with_default_services")]
    no_default_fulcio: bool,
    /// Leave out the logs of the default services
    #[arg(long, requires = "with_default_services")]
    no_default_rekor: bool,
    /// Leave out the issuers of the default services
    #[arg(long, requires = "with_default_services")]
    no_default_oidc: bool,
    /// Leave out the timestamp authorities of the default services
    #[arg(long, requires = "with_default_services")]
    no_default_tsa: bool,
    /// Write to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How many operators' services to use, as cosign writes it.
#[derive(Clone, Copy, Debug)]
struct SelectorArg(Selector);

impl FromStr for SelectorArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mode, count) = text.split_once(':').map_or((text, None), |(m, n)| (m, Some(n)));
        match (mode.to_ascii_uppercase().as_str(), count.map(str::parse)) {
            ("ANY", None) => Ok(Self(Selector::Any)),
            ("ALL", None) => Ok(Self(Selector::All)),
            ("EXACT", Some(Ok(count @ 1..))) => Ok(Self(Selector::Exact(count))),
            _ => Err("it is one of ANY, ALL, EXACT:1, EXACT:2, …".to_owned()),
        }
    }
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let Args::Create(args) = args;
    let config = create(args, globals)?.to_json();
    match &args.out {
        Some(path) => file::write(path, config.as_bytes(), file::Readers::Everyone)
            .map_err(Failure::undecided),
        None => print_text(&config).or_undecided("the signing config cannot be printed"),
    }
}

fn create(args: &CreateArgs, globals: &Globals) -> Result<SigningConfig, Failure> {
    let mut config = if args.with_default_services {
        defaults(args, trusting::load(globals, None)?.signing_config(None)?)
    } else {
        SigningConfig::default()
    };
    config.ca_urls.extend(services("--fulcio", &args.fulcio)?);
    config.oidc_urls.extend(services("--oidc-provider", &args.oidc_provider)?);
    config.rekor_tlog_urls.extend(services("--rekor", &args.rekor)?);
    config.tsa_urls.extend(services("--tsa", &args.tsa)?);
    if let Some(SelectorArg(selector)) = args.rekor_config {
        config.rekor_tlog_config = Some(selector);
    }
    if let Some(SelectorArg(selector)) = args.tsa_config {
        config.tsa_config = Some(selector);
    }
    if !config.rekor_tlog_urls.is_empty() && config.rekor_tlog_config.is_none() {
        return Err(Failure::usage("--rekor needs --rekor-config: ANY, ALL or EXACT:n"));
    }
    if !config.tsa_urls.is_empty() && config.tsa_config.is_none() {
        return Err(Failure::usage("--tsa needs --tsa-config: ANY, ALL or EXACT:n"));
    }
    Ok(config)
}

fn defaults(args: &CreateArgs, mut config: SigningConfig) -> SigningConfig {
    if args.no_default_fulcio {
        config.ca_urls.clear();
    }
    if args.no_default_oidc {
        config.oidc_urls.clear();
    }
    if args.no_default_rekor {
        config.rekor_tlog_urls.clear();
        config.rekor_tlog_config = None;
    }
    if args.no_default_tsa {
        config.tsa_urls.clear();
        config.tsa_config = None;
    }
    config
}

fn services(flag: &str, specifications: &[Specification]) -> Result<Vec<Service>, Failure> {
    let services = specifications.iter().map(service).collect::<Result<_, _>>();
    services.or_usage(format!("a service given with {flag} cannot be understood"))
}

fn service(specification: &Specification) -> Result<Service, SpecificationError> {
    specification.check_keys(&["url", "api-version", "start-time", "end-time", "operator"])?;
    Ok(Service {
        url: specification.url()?.to_owned(),
        major_api_version: specification.number("api-version")?,
        valid_for: specification.period(None)?,
        operator: specification.required("operator")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_says_any_all_or_exactly_how_many() {
        let parse = |text: &str| text.parse::<SelectorArg>().map(|SelectorArg(selector)| selector);
        assert_eq!(parse("any"), Ok(Selector::Any));
        assert_eq!(parse("EXACT:2"), Ok(Selector::Exact(2)));
        for text in ["", "SOME", "EXACT", "EXACT:0", "EXACT:x", "ANY:1"] {
            parse(text).unwrap_err();
        }
    }
}
