//! The pages that people see, and what a browser may do with them.

use std::net::IpAddr;
use std::time::Duration;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode, header};
use services::idp::{DeviceError, RedirectUri, SignInError};
use url::{Host, Url};

use crate::cause::chain;

const STYLE: &str = include_str!("../../templates/oidc/style.css");

/// What every page has around it.
pub(super) struct Frame {
    style: &'static str,
    host: String,
}

impl Frame {
    pub(super) fn new(issuer: &Url) -> Self {
        let host = issuer.host_str().unwrap_or_default();
        let host = issuer.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Self { style: STYLE, host }
    }
}

/// The page on which a person says yes or no, with a password or with a session.
#[derive(Template)]
#[template(path = "oidc/sign_in.html")]
pub(super) struct SignIn<'a> {
    pub(super) frame: &'a Frame,
    pub(super) asker: Asker<'a>,
    /// Where the form goes.
    pub(super) action: &'a str,
    pub(super) form_token: &'a str,
    /// Who is signed in.
    pub(super) session: Option<&'a str>,
    /// What is in the field already.
    pub(super) email: &'a str,
    pub(super) problem: Option<&'a str>,
}

/// Who wants to know.
#[derive(Clone, Copy)]
pub(super) enum Asker<'a> {
    /// A program on the same machine; without a target, the person copies the code.
    Program { target: Option<&'a str> },
    /// A program elsewhere.
    Device { user_code: &'a str, address: IpAddr, since: &'a str },
}

/// The page on which the code of a device is typed.
#[derive(Template)]
#[template(path = "oidc/device.html")]
pub(super) struct TypeCode<'a> {
    pub(super) frame: &'a Frame,
    pub(super) action: &'a str,
    pub(super) problem: Option<&'a str>,
}

/// The page with a code to copy.
#[derive(Template)]
#[template(path = "oidc/code.html")]
pub(super) struct CopyCode<'a> {
    pub(super) frame: &'a Frame,
    pub(super) code: &'a str,
}

/// A page that says something.
#[derive(Template)]
#[template(path = "oidc/message.html")]
pub(super) struct Message<'a> {
    pub(super) frame: &'a Frame,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
}

/// Renders a page whose forms may lead to `targets`.
pub(super) fn render(status: StatusCode, page: &impl Template, targets: &str) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (status, private(policy(targets)), Html(html)).into_response()
}

/// Sends the browser on, after a form, to `url`.
pub(super) fn redirect(url: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(url) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let policy = policy("'none'");
    (StatusCode::SEE_OTHER, private(policy), [(header::LOCATION, location)]).into_response()
}

/// Nothing is kept, nothing is told to the next page, nothing is loaded.
fn private(policy: String) -> [(HeaderName, String); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin".to_owned()),
    ]
}

fn policy(targets: &str) -> String {
    let hash = STANDARD.encode(crypto::sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action {targets}; frame-ancestors 'none'"
    )
}

/// Where the form of an authorization may lead: here, and by the redirect that follows to the program that asked.
/// Chromium holds `form-action` against redirects too (Content Security Policy Level 3 §6.4.1.1), and a policy cannot
/// name an IPv6 address, so there any plain http must do.
pub(super) fn form_targets(redirect: &RedirectUri) -> String {
    let RedirectUri::Loopback(url) = redirect else { return "'self'".to_owned() };
    match url.host() {
        Some(Host::Domain(_) | Host::Ipv4(_)) => {
            format!("'self' {}", url.origin().ascii_serialization())
        }
        _ => "'self' http:".to_owned(),
    }
}

/// The program that asked, as the person sees it.
pub(super) fn target(redirect: &RedirectUri) -> Option<String> {
    let RedirectUri::Loopback(url) = redirect else { return None };
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// A duration in words, for a person.
pub(super) fn words(duration: Duration) -> String {
    let plural = |count: u64, word| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match duration.as_secs() {
        seconds @ 0..60 => plural(seconds, "second"),
        seconds => plural(seconds / 60, "minute"),
    }
}

/// What a person is told whose sign-in fails, and the status.
pub(super) fn sign_in_problem(error: &SignInError) -> (StatusCode, String) {
    match error {
        SignInError::Wrong => {
            (StatusCode::FORBIDDEN, "The e-mail address or the password is wrong.".to_owned())
        }
        SignInError::Throttled { retry_after } => {
            (StatusCode::TOO_MANY_REQUESTS, wait(*retry_after))
        }
        SignInError::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Many people are signing in. Try again in a moment.".to_owned(),
        ),
        SignInError::Users(_) | SignInError::Clock(_) => {
            tracing::error!(error = chain(error), "nobody can sign in");
            (StatusCode::SERVICE_UNAVAILABLE, "Nobody can sign in here at the moment.".to_owned())
        }
    }
}

/// What a person is told whose device is not found, and the status.
pub(super) fn device_problem(error: &DeviceError) -> (StatusCode, String) {
    match error {
        DeviceError::Unknown => (
            StatusCode::NOT_FOUND,
            "No device waits with this code. It may have expired: begin again there.".to_owned(),
        ),
        DeviceError::Throttled { retry_after } => {
            (StatusCode::TOO_MANY_REQUESTS, wait(*retry_after))
        }
        DeviceError::Clock(_) => {
            tracing::error!(error = chain(error), "no device can be signed in");
            (StatusCode::SERVICE_UNAVAILABLE, "Nobody can sign in here at the moment.".to_owned())
        }
    }
}

fn wait(retry_after: Duration) -> String {
    // Rounded up: whoever waits as long as it says must not come too early.
    let seconds = Duration::from_secs(retry_after.as_secs() + 1);
    format!("Too many attempts. Try again in {}.", words(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_may_lead_to_the_program_that_asked_and_nowhere_else() {
        let check = |uri: &str| form_targets(&RedirectUri::parse(uri).unwrap());
        assert_eq!(check("http://localhost:1234/cb?x=;script-src"), "'self' http://localhost:1234");
        assert_eq!(check("http://127.0.0.1/cb"), "'self' http://127.0.0.1");
        assert_eq!(check("http://[::1]:1234/cb"), "'self' http:");
        assert_eq!(check("urn:ietf:wg:oauth:2.0:oob"), "'self'");
    }

    #[test]
    fn durations_are_told_in_words() {
        let check = |seconds| words(Duration::from_secs(seconds));
        assert_eq!(
            [check(0), check(1), check(60), check(599)],
            ["0 seconds", "1 second", "1 minute", "9 minutes"]
        );
    }
}
