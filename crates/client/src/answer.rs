//! What servers answer: refusals put into words that are safe to show, and URLs of an API.

use net::{Response, StatusCode};
use url::Url;

/// How much of a refusal is shown. A server that says more is not explaining.
const MAX_MESSAGE: usize = 400;

/// A server said no, or something else than was expected.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place} answered {status}: {message}")]
pub struct Refusal {
    /// Where: scheme, host and path.
    pub place: String,
    /// The HTTP status.
    pub status: u16,
    /// What it said, without control characters and cut to a few lines.
    pub message: String,
}

impl Refusal {
    pub(crate) fn of(response: &Response) -> Self {
        Self {
            place: place(&response.url),
            status: response.status.as_u16(),
            message: message(&response.body),
        }
    }
}

/// Passes an answer with status `wanted`.
pub(crate) fn expect(response: Response, wanted: StatusCode) -> Result<Response, Refusal> {
    if response.status == wanted { Ok(response) } else { Err(Refusal::of(&response)) }
}

/// The member `message` of a JSON body, as all Sigstore services have it, else the body.
fn message(body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let said = json.as_ref().and_then(|json| json.get("message")).and_then(|said| said.as_str());
    let text = said.map_or_else(|| String::from_utf8_lossy(body), Into::into);
    // What others wrote must not move the cursor of our user's terminal.
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
    if text.is_empty() { "(nothing said)".to_owned() } else { text }
}

/// A URL without what may be secret in it.
pub(crate) fn place(url: &Url) -> String {
    let mut place = url.clone();
    place.set_query(None);
    place.set_fragment(None);
    place.into()
}

/// The URL of `path`, which starts with a slash, under `base`, with or without a slash at its end.
pub(crate) fn endpoint(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_may_be_below_a_path() {
        for (base, whole) in [
            ("https://a.example", "https://a.example/api/v1/x"),
            ("https://a.example/", "https://a.example/api/v1/x"),
            ("https://a.example/rekor/", "https://a.example/rekor/api/v1/x"),
        ] {
            let base = Url::parse(base).unwrap();
            assert_eq!(endpoint(&base, "/api/v1/x").as_str(), whole);
        }
    }

    #[test]
    fn a_refusal_cannot_write_to_the_terminal() {
        assert_eq!(message(br#"{"code":400,"message":"no \u001b[31mred"}"#), "no [31mred");
        assert_eq!(message(b"<html>"), "<html>");
        assert_eq!(message(b""), "(nothing said)");
        assert_eq!(message(&[b'x'; 5000]).len(), MAX_MESSAGE);
    }
}
