//! Docker's credential helpers: programs that keep credentials.

use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::ser::CompactFormatter;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::{Credential, CredentialError, secret_json};

/// How long a helper may take. Some ask the user, some a cloud.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How much a helper may say: a token has some kilobytes.
const MAX_ANSWER: u64 = 256 * 1024;
/// How much of what a helper complains about is shown.
const MAX_COMPLAINT: usize = 400;
/// What helpers say when they know nothing about a registry: no failure of who asks or forgets.
const NOT_FOUND: &str = "credentials not found";
/// The user's name that says that the secret is an identity token.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: Zeroizing<String>,
}

/// Asks `docker-credential-NAME` for the credentials for `server`.
pub(super) async fn ask(name: &str, server: &str) -> Result<Option<Credential>, CredentialError> {
    match call(name, "get", server.as_bytes()).await? {
        Said::Done(answer) => parse(&answer).map_err(|reason| failed(name, reason)),
        Said::NotFound => Ok(None),
    }
}

/// Gives `docker-credential-NAME` a password for `server` to keep.
pub(super) async fn store(
    name: &str,
    server: &str,
    user: &str,
    password: &Zeroizing<String>,
) -> Result<(), CredentialError> {
    let kept = Kept { server, user, secret: password };
    let json = secret_json::write(&kept, &CompactFormatter);
    match call(name, "store", &json).await? {
        Said::Done(_) => Ok(()),
        // To whom something is given to keep has nothing to find: the password is kept nowhere.
        Said::NotFound => Err(failed(name, NOT_FOUND.to_owned())),
    }
}

/// Has `docker-credential-NAME` forget what it has for `server`. Whether it had anything.
pub(super) async fn erase(name: &str, server: &str) -> Result<bool, CredentialError> {
    // Many call it a success to forget what they do not have. One that cannot be asked may have something.
    let had = !matches!(ask(name, server).await, Ok(None));
    let said = call(name, "erase", server.as_bytes()).await?;
    Ok(had && matches!(said, Said::Done(_)))
}

/// What a helper is given to keep.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(rename = "ServerURL")]
    server: &'a str,
    #[serde(rename = "Username")]
    user: &'a str,
    #[serde(rename = "Secret")]
    secret: &'a str,
}

/// What a helper says.
enum Said {
    Done(Zeroizing<Vec<u8>>),
    /// It knows nothing about the registry.
    NotFound,
}

fn failed(name: &str, reason: String) -> CredentialError {
    CredentialError::Helper { helper: name.to_owned(), reason }
}

/// Calls `docker-credential-NAME`, which reads `input`.
async fn call(name: &str, what: &str, input: &[u8]) -> Result<Said, CredentialError> {
    // A name, and no path to some other program.
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(inner) {
        return Err(failed(name, "its name is none".to_owned()));
    }
    let late = || format!("it did not answer within {} s", TIMEOUT.as_secs());
    let (success, answer) = tokio::time::timeout(TIMEOUT, run(name, what, input))
        .await
        .map_err(|_| failed(name, late()))?
        .map_err(|error| failed(name, error.to_string()))?;
    if success {
        return Ok(Said::Done(answer));
    }
    let text = String::from_utf8_lossy(&answer);
    let text: String =
        text.trim().chars().filter(|c| !c.is_control()).take(MAX_COMPLAINT).collect();
    if text.to_lowercase().contains(NOT_FOUND) {
        Ok(Said::NotFound)
    } else {
        Err(failed(name, text))
    }
}

/// Whether it succeeded, and what it said.
async fn run(name: &str, what: &str, text: &[u8]) -> std::io::Result<(bool, Zeroizing<Vec<u8>>)> {
    let mut child = Command::new(format!("docker-credential-{name}"))
        .arg(what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read is judged by what it says.
        let _ = input.write_all(text).await;
    }
    let mut answer = Zeroizing::new(Vec::new());
    if let Some(output) = child.stdout.take() {
        output.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    }
    Ok((child.wait().await?.success(), answer))
}

fn parse(answer: &[u8]) -> Result<Option<Credential>, String> {
    let answer: Answer = serde_json::from_slice(answer)
        .map_err(|_| "its answer is no JSON as it should be".to_owned())?;
    if answer.secret.is_empty() {
        return Ok(None);
    }
    Ok(Some(if answer.username == TOKEN_USER {
        Credential::IdentityToken(answer.secret)
    } else {
        Credential::Password { user: answer.username, password: answer.secret }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_helper_is_a_name_and_no_path() {
        for name in ["", "../x", "/bin/sh", "a b", "x;y"] {
            let error = ask(name, "a.example").await.unwrap_err();
            assert!(matches!(error, CredentialError::Helper { .. }), "{name}");
        }
    }

    #[test]
    fn a_token_is_told_from_a_password_by_the_name() {
        let parse = |json: &str| parse(json.as_bytes()).unwrap();
        let token = parse(r#"{"ServerURL":"x","Username":"<token>","Secret":"s"}"#);
        assert!(matches!(token, Some(Credential::IdentityToken(_))));
        let password = parse(r#"{"Username":"alice","Secret":"s"}"#);
        assert!(matches!(password, Some(Credential::Password { .. })));
        assert!(parse("{}").is_none());
        assert!(super::parse(b"no").is_err());
    }
}
