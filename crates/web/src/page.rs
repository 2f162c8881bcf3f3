//! The page at `/`: what runs here, how large the logs are, and what to copy to use it.
//!
//! It shows nothing that a stranger wrote: no entry, no identity. Its style is in it and is the only thing that its
//! policy allows.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{StatusCode, header};

use crate::operations::{Check, Condition, Readiness};

const STYLE: &str = include_str!("../templates/page.css");

/// What the page is about.
pub struct Page {
    /// The public URL, without a final slash.
    pub url: String,
    /// The fingerprint of `1.root.json`, where there is a trust repository.
    pub fingerprint: Option<String>,
    /// Where the server's TLS certificate is of its own authority: the SHA-256, in hexadecimal, of `tls_ca.pem` in the trust
    /// repository, which clients need before they can connect at all.
    pub tls_authority: Option<String>,
    /// Whom to ask how the parts are.
    pub readiness: Arc<Readiness>,
    /// The logs.
    pub logs: Vec<LogOnPage>,
}

/// A log on the page.
pub struct LogOnPage {
    /// What it is for.
    pub name: &'static str,
    /// Its permanent name.
    pub origin: String,
    /// Tells how many entries it has now.
    pub size: Box<dyn Fn() -> u64 + Send + Sync>,
}

/// The commands that set up one client.
struct Setup {
    title: &'static str,
    commands: String,
}

struct LogLine<'a> {
    name: &'static str,
    origin: &'a str,
    size: u64,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Html5<'a> {
    style: &'static str,
    host: &'a str,
    version: &'static str,
    fingerprint: Option<&'a str>,
    checks: Vec<Check>,
    logs: Vec<LogLine<'a>>,
    setups: Vec<Setup>,
}

/// The route of the page.
pub fn routes(page: Page) -> Router {
    Router::new().route("/", get(show)).with_state(Arc::new(page))
}

async fn show(State(page): State<Arc<Page>>) -> Response {
    let line = |log: &'_ LogOnPage| (log.size)();
    let html = Html5 {
        style: STYLE,
        host: page.url.split_once("://").map_or(page.url.as_str(), |(_, host)| host),
        version: env!("CARGO_PKG_VERSION"),
        fingerprint: page.fingerprint.as_deref(),
        checks: page.readiness.checks(),
        logs: page
            .logs
            .iter()
            .map(|log| LogLine { name: log.name, origin: &log.origin, size: line(log) })
            .collect(),
        setups: page
            .fingerprint
            .as_deref()
            .map(|print| setups(&page.url, print, page.tls_authority.as_deref()))
            .unwrap_or_default(),
    };
    let Ok(html) = html.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    ([(header::CONTENT_SECURITY_POLICY, policy())], Html(html)).into_response()
}

/// Nothing may be loaded, framed or sent; the page's own style may be used.
fn policy() -> String {
    let hash = STANDARD.encode(crypto::sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Gets the certificate authority of the server's own TLS, without which nothing can be fetched with a check: the hash is
/// the check.
fn trust_tls(url: &str, hash: &str, variable: &str) -> String {
    format!(
        "curl -ksSfo tls_ca.pem {url}/tuf/targets/{hash}.tls_ca.pem\n\
         echo '{hash}  tls_ca.pem' | sha256sum -c &&\n\
         export {variable}=$PWD/tls_ca.pem CURL_CA_BUNDLE=$PWD/tls_ca.pem\n"
    )
}

fn setups(url: &str, fingerprint: &str, tls_authority: Option<&str>) -> Vec<Setup> {
    // The variable by which each runtime is told of a certificate authority.
    let setup = |title, variable: Option<&str>, commands: String| {
        let first = tls_authority.zip(variable).map(|(hash, name)| trust_tls(url, hash, name));
        Setup { title, commands: first.unwrap_or_default() + &commands }
    };
    vec![
        setup(
            "Use it with bulla",
            None,
            format!("bulla trust add {url} --fingerprint {fingerprint}\nbulla sign-blob FILE"),
        ),
        setup(
            "Use it with cosign",
            Some("SSL_CERT_FILE"),
            format!(
                "curl -sSfo root.json {url}/tuf/1.root.json\n\
                 cosign initialize --mirror {url}/tuf --root root.json --root-checksum sha256:{}\n\
                 cosign sign-blob --bundle FILE.sigstore.json FILE",
                fingerprint.trim_start_matches("SHA256:")
            ),
        ),
        setup(
            "Use it with sigstore-python",
            Some("REQUESTS_CA_BUNDLE"),
            format!(
                "curl -sSfo root.json {url}/tuf/1.root.json\n\
                 sigstore --instance {url}/tuf trust-instance root.json\n\
                 sigstore --instance {url}/tuf sign FILE"
            ),
        ),
        setup(
            "Use it with sigstore-js",
            Some("NODE_EXTRA_CA_CERTS"),
            format!(
                "curl -sSfo root.json {url}/tuf/1.root.json\n\
                 // sign with fulcioURL and rekorURL {url}, tsaServerURL {url}; then\n\
                 await sigstore.verify(bundle, payload, {{ tufMirrorURL: \"{url}/tuf\", tufRootPath: \"root.json\" }})"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    #[tokio::test]
    async fn the_page_shows_parts_logs_and_commands_and_allows_nothing_else() {
        let mut readiness = Readiness::default();
        readiness.probe(|| Check::warning("clock", "the kernel's clock is <not> synchronised"));
        let page = Page {
            url: "https://sigstore.example.com".into(),
            fingerprint: Some("SHA256:00".into()),
            tls_authority: None,
            readiness: Arc::new(readiness),
            logs: vec![LogOnPage {
                name: "transparency log",
                origin: "sigstore.example.com".into(),
                size: Box::new(|| 42),
            }],
        };
        let request = http::Request::get("/").body(Body::empty()).unwrap();
        let answer = routes(page).oneshot(request).await.unwrap();
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let html = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            html.contains("bulla trust add https://sigstore.example.com --fingerprint SHA256:00")
        );
        assert!(html.contains("<td class=\"number\">42</td>"));
        assert!(html.contains("clock is &#60;not&#62; synchronised"));
    }

    #[test]
    fn every_foreign_client_is_first_told_of_a_self_made_authority() {
        let begins = |hash| {
            let all = setups("https://sigstore.example.com", "SHA256:00", hash);
            all.iter().filter(|setup| setup.commands.starts_with("curl -ksSfo tls_ca.pem")).count()
        };
        assert_eq!(begins(Some("ab12")), 3);
        assert_eq!(begins(None), 0);
        let commands = trust_tls("https://sigstore.example.com", "ab12", "SSL_CERT_FILE");
        assert!(
            commands
                .contains("/tuf/targets/ab12.tls_ca.pem\necho 'ab12  tls_ca.pem' | sha256sum -c")
        );
    }
}
