//! Whom to trust for TLS.

/// Whom a [`Client`](crate::Client) trusts to vouch for a server's name. Nothing is read from the system
/// before the first TLS handshake.
#[derive(Clone)]
pub enum TlsTrust {
    /// The roots of this machine, and further ones: DER certificates.
    System {
        /// Further roots.
        further: Vec<Vec<u8>>,
    },
    /// These roots and no other: DER certificates.
    Only(Vec<Vec<u8>>),
    /// Nobody: the name of the server is not checked. Only for what is verified by other means, such as
    /// the first TUF root, whose hash is known.
    DangerouslyUnverified,
}

/// A certificate cannot be used as a root.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TlsTrustError {
    /// The file is no sequence of PEM certificates.
    #[error("the file holds no PEM certificates")]
    Pem,
}

impl TlsTrust {
    /// The roots of this machine.
    #[must_use]
    pub const fn system() -> Self {
        Self::System { further: Vec::new() }
    }

    /// Reads the certificates of a PEM file, to be used as roots.
    ///
    /// # Errors
    ///
    /// If there is none, or something else.
    pub fn roots_from_pem(_pem: &[u8]) -> Result<Vec<Vec<u8>>, TlsTrustError> {
        todo!()
    }
}
