//! What the servers do, without the HTTP by which they are asked: one module for each part, and what all of them share.
//!
//! The parts are the certificate authority ([`ca`]), the CT log ([`ct`]), the transparency log in both versions
//! ([`transparency`]), the timestamp authority ([`tsa`]), the identity provider ([`idp`]) and the trust repository
//! ([`repo`]). Where one needs another, it says what it needs in a trait, such as [`ca::PrecertificateLog`], and whoever
//! starts the server joins them.
//!
//! Start reading at [`ca::CertificateAuthority::issue`], the longest way that a request goes; then at [`init`], which makes
//! the directory of a server, and [`clock`], from which all of them have the time.

pub mod ca;
pub mod clock;
pub mod ct;
mod durable;
pub mod idp;
pub mod init;
pub mod instance;
pub mod keys;
pub mod layout;
pub mod repo;
pub mod tls;
pub mod transparency;
pub mod tsa;
