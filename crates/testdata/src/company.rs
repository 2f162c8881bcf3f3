//! A company's certificates for signing code, made by OpenSSL and valid from the end of 2026 for a hundred years: what other
//! authorities issue and ours cannot.

/// The root, which issued the others.
pub const ROOT: &str = include_str!("fixtures/root.pem");
/// The key that the others are for. It signs nothing but tests.
pub const KEY: &str = include_str!("fixtures/key.pem");
/// No alternative name, and a subject that looks like an e-mail address: `O=Corp, CN=ceo@corp.example`.
pub const SUBJECT: &str = include_str!("fixtures/subject.pem");
/// A user principal name as the only alternative name, which is no form that we read, beside `O=Corp, CN=alice`.
pub const OTHER_NAME: &str = include_str!("fixtures/other_name.pem");
