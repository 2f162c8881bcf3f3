//! Who signs: a token that was given, that the environment has, or that comes of signing in.

use std::io::{self, IsTerminal};
use std::path::Path;

use client::file;
use client::oidc::ambient::Surroundings;
use client::oidc::{
    AcquireError, Flow, IdentityToken, IdentityTokenError, Invitation, Person, SignIn, acquire,
    at_hand,
};
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
            .map_err(unusable);
    }
    let sign_in = SignIn {
        // Without an issuer, what the environment offers may still do.
        issuer: args.issuer(issuer),
        client_id,
        http,
        person: &AtTerminal,
        flow: FlowArg::flow(args.fulcio_auth_flow),
    };
    acquire(sign_in, &Surroundings::of_this_process(http, client_id)).await.map_err(failure)
}

/// A token that was given or that the environment has. Nobody is asked.
pub(crate) async fn token_at_hand(
    args: &IdentityArgs,
    http: &Client,
) -> Result<Option<IdentityToken>, Failure> {
    if args.identity_token.is_some() {
        return token(args, None, http).await.map(Some);
    }
    at_hand(&Surroundings::of_this_process(http, &args.oidc_client_id)).await.map_err(failure)
}

/// Has `person` sign in at `issuer` unless another is named.
pub(crate) async fn sign_in(
    args: &IdentityArgs,
    issuer: Option<&str>,
    http: &Client,
    person: &dyn Person,
) -> Result<IdentityToken, Failure> {
    let sign_in = SignIn {
        issuer: args.issuer(issuer),
        client_id: &args.oidc_client_id,
        http,
        person,
        flow: FlowArg::flow(args.fulcio_auth_flow),
    };
    sign_in.run().await.map_err(failure)
}

impl IdentityArgs {
    /// Where to sign in.
    pub(crate) fn issuer<'a>(&'a self, of_config: Option<&'a str>) -> &'a str {
        self.oidc_issuer.as_deref().or(of_config).unwrap_or_default()
    }

    /// As which application.
    pub(crate) fn client_id(&self) -> &str {
        &self.oidc_client_id
    }

    /// Whether it is said how.
    pub(crate) const fn names_flow(&self) -> bool {
        self.fulcio_auth_flow.is_some()
    }
}

fn failure(error: AcquireError) -> Failure {
    let hint = match &error {
        AcquireError::Issuer { issuer } if issuer.is_empty() => {
            "the signing config names no issuer: give a token with --identity-token, or an issuer with --oidc-issuer"
        }
        AcquireError::Issuer { .. } => {
            "write it as in its tokens, such as https://accounts.google.com"
        }
        AcquireError::NoCode | AcquireError::Browser(_) => {
            "sign in on another device with --fulcio-auth-flow device, or give a token with --identity-token"
        }
        AcquireError::Expired => "try again, and confirm the sign-in sooner",
        _ => return Failure::undecided(error),
    };
    Failure::undecided(error).hint(hint)
}

/// What it means that a token that was given is of no use.
fn unusable(error: IdentityTokenError) -> Failure {
    let hint = match &error {
        IdentityTokenError::Expired { .. } => {
            "tokens last for minutes: get a new one; if it is new, this machine's clock is wrong"
        }
        IdentityTokenError::NotYetValid { .. } => "set this machine's clock",
        IdentityTokenError::Audience { .. } => {
            "ask for a token for this audience, or say with --oidc-client-id for whom it is"
        }
        _ => {
            "give the token itself, or the name of a file that is there and holds it and nothing else"
        }
    };
    Failure::undecided_about("the identity token cannot be used".into(), error).hint(hint)
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

/// Whether there is a desktop on which a browser could open.
///
/// Without one, as over SSH, the program that opens addresses starts, and opens nothing.
pub(crate) fn has_desktop() -> bool {
    !cfg!(target_os = "linux") || DESKTOP.iter().any(|name| std::env::var_os(name).is_some())
}

/// Opens a browser; whether that worked.
pub(crate) fn open_browser(url: &Url) -> bool {
    // Detached: it waits for the browser, and the browser waits for us.
    has_desktop() && open::that_detached(url.as_str()).is_ok()
}

/// What a person is told.
pub(crate) fn words(invitation: &Invitation<'_>) -> String {
    match invitation {
        Invitation::Browser { url } => {
            format!("Sign in with the browser that opens now; if none does, open\n  {url}")
        }
        Invitation::OutOfBand { url } => {
            format!("Open this address in any browser, sign in, and copy the code here:\n  {url}")
        }
        Invitation::Device { url, user_code, within } => format!(
            "Open this address in any browser within {} minutes, and confirm the code {user_code}:\n  {url}",
            within.as_secs() / 60,
        ),
    }
}

/// Whoever sits where the program was started.
struct AtTerminal;

#[async_trait::async_trait]
impl Person for AtTerminal {
    fn has_terminal(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn open_browser(&self, url: &Url) -> bool {
        open_browser(url)
    }

    fn invite(&self, invitation: &Invitation<'_>) {
        say(words(invitation));
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
