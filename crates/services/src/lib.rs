//! services.

pub mod ca;
pub mod clock;
pub mod ct;
mod durable;
pub mod idp;
pub mod init;
pub mod instance;
pub mod keys;
pub mod repo;
pub mod transparency;
pub mod tsa;
