//! Who signs: a token that was given, that the environment has, or that comes of signing in.

use std::io::{self, IsTerminal};
use std::path::Path;

use client::file;
use client::oidc::ambient::Surroundings;
use client::oidc::{AcquireError, Flow, IdentityToken, Invitation, Person, SignIn, acquire};
use jiff::Timestamp;
use net::{Client, Url};

use crate::failure::{Failure, OrFail};
use crate::output::say;

/// The largest file with a token: twice the largest token that a certificate authority takes.
const MAX_TOKEN: u64 = 64 * 1024;

/// What is set where a browser can be opened on Linux.
const DESKTOP: &[&str] = &["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"];

/// Whose name to sign in.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Whose name to sign in")]
pub(crate) struct IdentityArgs {
    /// An identity token, or a file that holds one; by default, what the environment offers (SIGSTORE_ID_TOKEN, a CI
    /// system), else you sign in
    #[arg(long, value_name = "TOKEN|FILE", conflicts_with = "key")]
    identity_token: Option<String>,
    /// Where to sign in, instead of the issuer of the signing config
    #[arg(long, value_name = "URL", conflicts_with = "key")]
    oidc_issuer: Option<String>,
    /// As which application to sign in
    #[arg(long, value_name = "ID", default_value = "sigstore")]
    oidc_client_id: String,
    /// How to sign in: normal (a browser), device (on another device) or oob (copy a code from any browser)
    #[arg(
        long,
        value_enum,
        value_name = "FLOW",
        hide_possible_values = true,
        conflicts_with = "key"
    )]
    fulcio_auth_flow: Option<FlowArg>,
}

/// cosign's names for the ways to sign in.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FlowArg {
    Normal,
    Device,
    Oob,
}

impl FlowArg {
    const fn flow(typed: Option<Self>) -> Flow {
        match typed {
            None => Flow::Automatic,
            Some(Self::Normal) => Flow::Browser,
            Some(Self::Device) => Flow::Device,
            Some(Self::Oob) => Flow::OutOfBand,
        }
    }
}

/// Finds a token, or has somebody sign in at `issuer` unless another is named.
pub(crate) async fn token(
    args: &IdentityArgs,
    issuer: Option<&str>,
    http: &Client,
) -> Result<IdentityToken, Failure> {
    let client_id = &args.oidc_client_id;
    if let Some(given) = &args.identity_token {
        return IdentityToken::parse(given_token(given)?.trim(), client_id, Timestamp::now())
            .or_undecided("the identity token cannot be used");
    }
    let sign_in = SignIn {
        // Without an issuer, what the environment offers may still do.
        issuer: args.oidc_issuer.as_deref().or(issuer).unwrap_or_default(),
        client_id,
        http,
        person: &AtTerminal,
        flow: FlowArg::flow(args.fulcio_auth_flow),
    };
    acquire(sign_in, &Surroundings::of_this_process(http, client_id)).await.map_err(failure)
}

fn failure(error: AcquireError) -> Failure {
    let hint = match &error {
        AcquireError::Issuer { issuer } if issuer.is_empty() => {
            "the signing config names no issuer: give a token with --identity-token, or an issuer with --oidc-issuer"
        }
        AcquireError::NoCode | AcquireError::Browser(_) => {
            "sign in on another device with --fulcio-auth-flow device, or give a token with --identity-token"
        }
        AcquireError::Expired => "try again, and confirm the sign-in sooner",
        _ => return Failure::undecided(error),
    };
    Failure::undecided(error).hint(hint)
}

/// A token never is the name of a file that exists: it has two dots and hundreds of letters.
fn given_token(given: &str) -> Result<String, Failure> {
    let path = Path::new(given);
    if !path.exists() {
        return Ok(given.to_owned());
    }
    let contents = file::read(path, MAX_TOKEN).map_err(Failure::undecided)?;
    String::from_utf8(contents).or_undecided(format!("{} holds no token", path.display()))
}

/// Whoever sits where the program was started.
struct AtTerminal;

#[async_trait::async_trait]
impl Person for AtTerminal {
    fn has_terminal(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn open_browser(&self, url: &Url) -> bool {
        // Without a desktop, as over SSH, the program that opens addresses starts, and opens nothing.
        let desktop = !cfg!(target_os = "linux")
            || DESKTOP.iter().any(|name| std::env::var_os(name).is_some());
        // Detached: it waits for the browser, and the browser waits for us.
        desktop && open::that_detached(url.as_str()).is_ok()
    }

    fn invite(&self, invitation: &Invitation<'_>) {
        match invitation {
            Invitation::Browser { url } => {
                say(format!(
                    "Sign in with the browser that opens now; if none does, open\n  {url}"
                ));
            }
            Invitation::OutOfBand { url } => {
                say(format!(
                    "Open this address in any browser, sign in, and copy the code here:\n  {url}"
                ));
            }
            Invitation::Device { url, user_code, within } => say(format!(
                "Open this address in any browser within {} minutes, and confirm the code {user_code}:\n  {url}",
                within.as_secs() / 60,
            )),
        }
    }

    async fn ask_for_code(&self) -> Option<String> {
        say("Code:");
        // Reading from a terminal blocks, and nothing else would go on meanwhile.
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        });
        let line = read.await.ok()?.ok()?;
        Some(line.trim().to_owned()).filter(|code| !code.is_empty())
    }
}
