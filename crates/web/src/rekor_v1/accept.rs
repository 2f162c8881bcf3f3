//! Which forms of an answer a client takes (RFC 9110 §12.5.1): each answer has one, and who takes another gets 406, as from
//! the existing server.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};

use super::problem::Problem;

/// The form of keys.
pub(super) const PEM: &str = "application/x-pem-file";
/// The form of everything else.
const JSON: &str = "application/json";

/// The client takes JSON.
pub(super) struct TakesJson;

/// The client takes PEM.
pub(super) struct TakesPem;

impl<S: Send + Sync> FromRequestParts<S> for TakesJson {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        check(&parts.headers, JSON).map(|()| Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TakesPem {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        check(&parts.headers, PEM).map(|()| Self)
    }
}

fn check(headers: &HeaderMap, ours: &'static str) -> Result<(), Problem> {
    let values = headers.get_all(header::ACCEPT).iter();
    // What is not text says nothing.
    let mut ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() || ranges.any(|range| takes(range, ours)) {
        return Ok(());
    }
    Err(Problem::not_acceptable(ours))
}

/// Whether a range such as `application/*;q=0.5` is wide enough for `ours`. Something with the weight 0 is not wanted.
fn takes(range: &str, ours: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let is_unwanted = parts.any(|part| {
        let weight = part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        weight.is_some_and(|(_, weight)| weight.trim().parse::<f32>() == Ok(0.0))
    });
    let (family, _) = ours.split_once('/').unwrap_or((ours, ""));
    let is_wide = match media.split_once('/') {
        Some(("*", "*")) => true,
        Some((range, "*")) => range.eq_ignore_ascii_case(family),
        _ => media.eq_ignore_ascii_case(ours),
    };
    is_wide && !is_unwanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_wide_enough_or_not() {
        for range in [
            "*/*",
            "application/*",
            "application/json",
            "Application/JSON ; q=0.1",
            "*/*;q=0.8",
            "application/json;charset=utf-8",
        ] {
            assert!(takes(range, JSON), "{range}");
        }
        for range in [
            "text/html",
            "text/*",
            "application/yaml",
            "json",
            "*",
            "*/json",
            "application/json;q=0",
            "*/*; Q=0.000",
        ] {
            assert!(!takes(range, JSON), "{range}");
        }
    }
}
