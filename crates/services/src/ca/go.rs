//! What Go's standard library does with text, where certificates and answers depend on it.
//!
//! The names in certificates went through Go's `net/url`, `fmt` and `strconv` in the existing servers, and
//! policies of verifiers were written against the results. So the same text must come out here.

mod quote;
mod url;
mod value;

pub(super) use quote::quote;
pub(super) use url::{Url, UrlError};
pub(super) use value::{decimal, print};
