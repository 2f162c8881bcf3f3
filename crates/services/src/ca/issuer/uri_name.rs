//! URIs as names in certificates (`uniformResourceIdentifier`, RFC 5280 §4.2.1.6).

use pki::fulcio::San;

use super::ContentsError;
use crate::ca::go::Url;

/// The longest domain, and the longest of its labels (RFC 1035 §2.3.4).
const MAX_DOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

/// The name that the existing server makes of `text`: parsed and written again as Go does it.
///
/// The host, if there is one, must consist of labels of printable ASCII; nothing else is asked of it.
pub(in crate::ca) fn uri_name(text: &str) -> Result<San, ContentsError> {
    let url = Url::parse(text)?;
    let uri = url.to_string();
    if !uri.is_ascii() {
        return Err(ContentsError::NotIa5 { name: uri });
    }
    if !url.host().is_empty() && !is_domain(url.host()) {
        return Err(ContentsError::InvalidDomain { uri });
    }
    Ok(San::Uri(uri))
}

fn is_domain(host: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        (1..=MAX_LABEL).contains(&label.len()) && label.iter().all(u8::is_ascii_graphic)
    };
    host.len() <= MAX_DOMAIN && host.split(|byte| *byte == b'.').all(is_label)
}
