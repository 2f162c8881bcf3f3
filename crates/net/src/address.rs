//! Which addresses may be reached.

/// Which addresses a [`Client`](crate::Client) may connect to. It is asked about the address that a name
/// resolved to, each time a connection is made, so that a name which changes its address gains nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressPolicy {
    /// Any address. Only with this one are the proxies of the environment used, because behind a proxy
    /// the address that is reached cannot be judged.
    Any,
    /// Addresses of the public internet and of this machine.
    PublicOrLoopback,
    /// Addresses of the public internet only.
    PublicOnly,
}
