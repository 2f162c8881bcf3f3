//! What a hostile tester would try against the certificate authority. Each refusal is shown by its variant,
//! beside a twin that differs in one thing and gets a certificate.

mod infrastructure;
mod log;
mod possession;
mod subject;
mod table;
mod token;
