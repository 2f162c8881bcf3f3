//! The agent: a process of the user's that holds a signer's key for as long as its certificate lasts, so that a rebase of
//! fifty commits asks for one sign-in.
//!
//! - **It signs; the key never leaves it.** No request asks for a private key, and nothing here encodes one.
//! - **Memory only.** No file but the socket, no core dumps, no debugger; locked into memory where the system allows
//!   that without a limit (elsewhere the ten minutes' key may be swapped).
//! - **For its user only.** The socket is in a directory that nobody else can enter, and whoever connects as another
//!   user is hung up on.
//! - **It knows nobody.** It asks no server, knows no token and trusts no root: a client signs in, asks for the
//!   certificate with the agent's proof of possession, and gives it to the agent to be kept.
//! - **It forgets everything when the machine sleeps**, and ten minutes are ten minutes by a clock that nobody sets.
//! - **It ends by itself** once it keeps nothing.
//!
//! Keys are kept by *slot*: a name that the client makes of all that a sign-in depends on. While one client signs in for
//! a slot, others wait for the outcome.

mod clock;
mod connection;
mod keys;
mod place;
mod protocol;
mod server;
#[cfg(test)]
mod tests;

pub use connection::{Agent, AgentError, HeldKey, NewKey, Taken};
pub use place::{Place, PlaceError};
pub use protocol::KeptKey;
pub use server::{ServeError, serve};

/// A request as the agent reads it, for the fuzzer.
#[cfg(feature = "fuzzing")]
pub fn fuzz(line: &[u8]) {
    let _ = protocol::decode::<protocol::Request>(line);
    let _ = protocol::decode::<protocol::Answer>(line);
}
