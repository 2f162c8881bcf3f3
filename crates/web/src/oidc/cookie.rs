//! The one cookie: which browser it is.

use http::{HeaderMap, HeaderValue, header};
use services::idp::Browser;

/// Over https. The prefix makes browsers refuse one that another host or an insecure page has set (RFC 6265bis §4.1.3.2).
const NAME: &str = "__Host-bulla";

/// Over plain http on loopback, where that prefix cannot be had.
const PLAIN_NAME: &str = "bulla";

/// The browser that sends `headers`, if it has our cookie.
pub(super) fn read(headers: &HeaderMap, secure: bool) -> Option<Browser> {
    let name = if secure { NAME } else { PLAIN_NAME };
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split("; "))
        .filter_map(|pair| pair.split_once('='))
        .find(|(found, _)| *found == name)
        .and_then(|(_, value)| Browser::from_cookie(value))
}

/// The header that gives `browser` its cookie, until it is closed.
pub(super) fn set(browser: &Browser, secure: bool) -> HeaderValue {
    let (name, attribute) = if secure { (NAME, "; Secure") } else { (PLAIN_NAME, "") };
    let value = browser.cookie();
    HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{attribute}"))
        .expect("a cookie of ours is base64url")
}
