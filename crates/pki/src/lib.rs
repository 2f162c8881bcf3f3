//! X.509 certificates, paths, SCTs, certification requests, CMS and RFC 3161 timestamps, as Sigstore
//! uses them.
//!
//! Everything that came from outside is kept byte for byte: what was signed is what came, never a
//! re-encoding of it. The crate knows no clock, no randomness and no file: times, serial numbers and
//! trust anchors are arguments.
//!
//! Start reading at [`Certificate`]; [`chain::verify_path`] says whether one leads to an anchor,
//! [`sct`] whether a log has promised it, [`issue`] makes new ones, [`tsp`] reads and writes timestamps,
//! and [`cms`] the signatures of git objects.

pub mod asn1;
mod certificate;
pub mod chain;
pub mod cms;
pub mod csr;
pub mod fulcio;
pub mod issue;
mod name;
pub mod oid;
pub mod sct;
mod signature;
pub mod tsp;

pub use certificate::{
    Certificate, CertificateError, ChainError, Extension, KeyUsage, MAX_CERTIFICATE,
};
pub use const_oid::ObjectIdentifier as Oid;
pub use name::{DistinguishedName, GeneralName, NameError};
pub use signature::AlgorithmError;
