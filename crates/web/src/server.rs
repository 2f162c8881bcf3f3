//! The public port: connections, TLS, limits, and what every request goes through.
//!
//! Each request gets an id, a client address (through declared proxies only, past which there is no plain HTTP), a
//! check of its `Host` against the configured names, a rate if it writes, a share of the memory if its body is long, a
//! deadline, one line in the log and one count in the metrics.

mod bodies;
mod client_address;
mod gate;
mod host;
mod life;
mod listen;
mod rate;
mod share;
mod socket;
mod tls;

pub use client_address::{ClientAddress, Network, NetworkError};
pub use gate::{Gate, RequestId, guard};
pub use host::expected_hosts_only;
pub use listen::{Listener, serve};
pub use rate::Rate;
pub use socket::{Socket, serve_socket};
pub use tls::{TlsConfig, TlsError, tls_from_pem};
