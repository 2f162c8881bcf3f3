//! What is said over the socket: one JSON object a line, a request and then its answer.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest line. A certificate in base64 has two kilobytes.
pub(super) const MAX_LINE: usize = 1 << 16;

/// What a client asks.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Request {
    /// The key of a slot, or a new one for it. Waits while another client signs in for the slot.
    Take { slot: String },
    /// The certificate for the new key, in base64. From now on the key is kept for the slot.
    Keep { certificate: String },
    /// A signature over a SHA-256 digest, in hexadecimal digits, with the key that was taken.
    Sign { digest: String },
    /// What is kept.
    List {},
    /// An end to all keys, and to the agent.
    Forget {},
}

/// What the agent answers.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Answer {
    /// There is a key with this certificate, in base64.
    Held {
        certificate: String,
    },
    /// Here is a new key, of which this is the public half, in base64.
    New {
        #[serde(rename = "publicKey")]
        public_key: String,
    },
    /// It is kept.
    Kept {},
    /// The signature, in base64.
    Signed {
        signature: String,
    },
    Keys {
        keys: Vec<KeptKey>,
    },
    Forgotten {
        keys: usize,
    },
    /// No, and why.
    Refused {
        reason: String,
    },
}

/// A key that the agent keeps.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeptKey {
    /// Whom its certificate names.
    pub identity: String,
    /// Who vouches for that.
    pub issuer: String,
    /// When it ends.
    pub until: jiff::Timestamp,
}

/// Writes a line.
pub(super) fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads a line.
pub(super) fn decode<T: DeserializeOwned>(line: &[u8]) -> io::Result<T> {
    if line.len() > MAX_LINE || line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(line)?)
}
