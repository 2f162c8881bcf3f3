//! Who signs: a token that was given, that the environment has, or that comes of signing in.

use std::path::Path;

use client::file;
use client::oidc::IdentityToken;
use jiff::Timestamp;
use net::Client;

use crate::failure::{Failure, OrFail};

/// The largest file with a token: twice the largest token that a certificate authority takes.
const MAX_TOKEN: u64 = 64 * 1024;

/// Whose name to sign in.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Whose name to sign in")]
pub(crate) struct IdentityArgs {
    /// An identity token, or a file that holds one
    #[arg(
        long,
        value_name = "TOKEN|FILE",
        env = "SIGSTORE_ID_TOKEN",
        hide_env_values = true,
        conflicts_with = "key"
    )]
    identity_token: Option<String>,
    /// Where to sign in, instead of the issuer of the signing config
    #[arg(long, value_name = "URL", conflicts_with = "key")]
    oidc_issuer: Option<String>,
    /// As which application to sign in
    #[arg(long, value_name = "ID", default_value = "sigstore")]
    oidc_client_id: String,
}

/// Finds a token.
pub(crate) async fn token(
    args: &IdentityArgs,
    issuer: Option<&str>,
    http: &Client,
) -> Result<IdentityToken, Failure> {
    let _ = (issuer, http);
    let Some(given) = &args.identity_token else {
        return Err(Failure::undecided("there is no identity token"));
    };
    let text = given_token(given)?;
    IdentityToken::parse(text.trim(), &args.oidc_client_id, Timestamp::now())
        .or_undecided("the identity token cannot be used")
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
