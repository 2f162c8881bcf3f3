//! The messages of Fulcio's API, versions 1 and 2, in their JSON form.
//!
//! Requests are read as the gateway of the existing server reads them; answers are written as it writes
//! them, with every member present, also the empty ones.

mod answer;
mod request;

pub use answer::{
    CertificateChain, Configuration, IssuerName, OidcIssuer, SigningCertificate, Status,
    TrustBundle,
};
pub use request::{CertificateRequest, LegacyCertificateRequest, RequestedKey};
