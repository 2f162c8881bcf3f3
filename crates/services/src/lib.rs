//! services.

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
