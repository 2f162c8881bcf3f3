//! The one-shot listener to which a browser returns at the end of a sign-in (RFC 8252 §7.3).

use std::time::Duration;

/// A listener on a random port of `127.0.0.1` and `[::1]`.
pub struct Loopback {}

/// What the browser brought back.
pub struct Callback {
    /// The authorization code. It is a secret until it is redeemed.
    pub code: String,
    /// The issuer that says it sent the browser (RFC 9207), to be compared if it is there.
    pub issuer: Option<String>,
}

/// Why the browser brought no code.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// No port could be opened.
    #[error("no port of this machine can be opened for the browser to return to")]
    Bind(#[source] std::io::Error),
    /// The identity provider says no.
    #[error("the identity provider refused: {error}")]
    Refused {
        /// Its code (RFC 6749 §4.1.2.1).
        error: String,
        /// Its explanation.
        description: Option<String>,
    },
    /// Nobody came.
    #[error("the browser did not return within {} s", .after.as_secs())]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
}

impl Loopback {
    /// Opens a port. `path` is where the browser will return to, such as `/auth/callback`.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::Bind`].
    pub async fn bind(_path: &str) -> Result<Self, LoopbackError> {
        todo!()
    }

    /// The redirect URI to ask for: `http://localhost:PORT/PATH`.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        todo!()
    }

    /// Waits for the browser. A request to another path, or without the right `state`, is refused and
    /// changes nothing; the first that has it ends the wait, and the port is closed.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::Refused`], [`LoopbackError::Timeout`].
    pub async fn receive(
        self,
        _state: &str,
        _timeout: Duration,
    ) -> Result<Callback, LoopbackError> {
        todo!()
    }
}
