//! How the gateway of the existing server reads methods and headers.

use http::{HeaderMap, Method, header};

use super::problem::Problem;

/// The largest body that is read.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

/// A form that is posted stands for a GET whose query was too long, whether or not the override says so.
const FORM: &str = "application/x-www-form-urlencoded";
const METHOD_OVERRIDE: &str = "X-HTTP-Method-Override";

/// Refuses every method but GET, and what stands for it.
pub(crate) fn expect_get(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let is_form = *method == Method::POST && is_form(headers);
    if *method == Method::GET || is_form { Ok(()) } else { Err(Problem::method()) }
}

/// Refuses every method but POST.
pub(crate) fn expect_post(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let is_overridden = is_form(headers) && headers.contains_key(METHOD_OVERRIDE);
    if *method == Method::POST && !is_overridden { Ok(()) } else { Err(Problem::method()) }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value == FORM)
}

/// The token of the `Authorization` header: its text without the first `Bearer `, wherever that stands.
/// Another scheme is not recognised, and then is part of a token that will be refused.
pub(crate) fn bearer_token(headers: &HeaderMap) -> String {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().replacen("Bearer ", "", 1)
}
