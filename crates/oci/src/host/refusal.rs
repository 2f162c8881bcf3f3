//! What registries say when they say no.

use net::{Retry, StatusCode, Streamed, Url};
use serde::Deserialize;

use super::Host;
use crate::AccessError;

/// How much of a refusal is read.
const MAX_REFUSAL: usize = 64 * 1024;
/// How much of it is shown. A registry that says more is not explaining.
const MAX_MESSAGE: usize = 400;

/// The body of a refusal (OCI Distribution Specification, Error Codes).
#[derive(Deserialize)]
struct Errors {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

impl Host {
    /// What an answer means that is not the one that was hoped for.
    pub(crate) async fn refused(&self, answer: Streamed) -> AccessError {
        let (registry, status) = (self.name.clone(), answer.status);
        let retry_after = Retry::asked(&answer.headers).unwrap_or_default();
        let place = place(&answer.url);
        let message = said(answer).await;
        match status {
            StatusCode::FORBIDDEN => AccessError::Forbidden { registry, message },
            StatusCode::TOO_MANY_REQUESTS => AccessError::Busy { registry, retry_after, message },
            _ => AccessError::Refused { place, status: status.as_u16(), message },
        }
    }

    pub(super) async fn unauthorized(&self, answer: Streamed, offered: bool) -> AccessError {
        let message = said(answer).await;
        AccessError::Unauthorized { registry: self.name.clone(), offered, message }
    }
}

/// What a refusal says. A body that cannot be read says nothing: the status is what counts.
pub(super) async fn said(answer: Streamed) -> String {
    let body = answer.whole(MAX_REFUSAL).await.map(|answer| answer.body);
    message(&body.unwrap_or_default())
}

pub(super) fn message(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Errors>(body) {
        Ok(Errors { errors }) => errors.iter().map(Reason::text).collect::<Vec<_>>().join("; "),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    // What others wrote must not move the cursor of our user's terminal.
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
    if text.is_empty() { "(nothing said)".to_owned() } else { text }
}

impl Reason {
    fn text(&self) -> String {
        match self.message.as_deref().unwrap_or_default() {
            "" => self.code.clone(),
            message => format!("{} ({})", message, self.code),
        }
    }
}

/// `url` without what may be secret: query and fragment.
pub(crate) fn place(url: &Url) -> String {
    let mut place = url.clone();
    place.set_query(None);
    place.set_fragment(None);
    place.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_why() {
        let json = br#"{"errors":[{"code":"DENIED","message":"no","detail":[]},{"code":"X"}]}"#;
        assert_eq!(message(json), "no (DENIED); X");
        assert_eq!(message(b"404 page not found\n"), "404 page not found");
        assert_eq!(message(b""), "(nothing said)");
    }

    #[test]
    fn a_refusal_cannot_write_to_the_terminal() {
        assert_eq!(message(b"\x1b[31mred"), "[31mred");
        assert_eq!(message(&[b'x'; 5000]).len(), MAX_MESSAGE);
    }
}
