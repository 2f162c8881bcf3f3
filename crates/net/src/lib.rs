//! The way out: the only crate that dials.
//!
//! [`Client`] sends HTTP requests under limits that the caller states: how many bytes a body may have, how
//! long everything may take, which addresses may be reached, whom to trust for TLS. [`Loopback`] is the
//! one-shot listener to which a browser returns at the end of a sign-in.
//!
//! What it refuses to know: what is in a body. Start reading at [`Client`].

mod address;
mod alias;
mod client;
mod loopback;
mod request;
mod retry;
mod streamed;
mod tls;
mod upload;

pub use address::{AddressPolicy, is_public_address};
pub use alias::Alias;
pub use client::{Client, PlainHttp, Redirects, Settings};
pub use loopback::{Callback, Loopback, LoopbackError};
pub use request::{Request, RequestError, Response};
pub use retry::{Retry, jitter};
pub use streamed::Streamed;
pub use tls::{
    ClientIdentity, ClientIdentityError, ExpectedName, ExpectedNameError, TlsTrust, TlsTrustError,
};
pub use upload::{Upload, UploadSender};

pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use url::Url;
