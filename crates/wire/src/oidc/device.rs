//! Signing in with another device (RFC 8628).

use serde::{Deserialize, Serialize};

/// The answer of the device authorization endpoint (RFC 8628 §3.2).
#[derive(Clone, Deserialize, Serialize)]
pub struct DeviceAuthorization {
    /// The secret with which the device asks for its token.
    pub device_code: String,
    /// What the person types: `BDWP-HQPK`.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: String,
    /// The same with the code already in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_uri_complete: Option<String>,
    /// How many seconds both codes live.
    pub expires_in: u64,
    /// How many seconds to wait between questions; 5 if it is not said.
    #[serde(default = "five")]
    pub interval: u64,
}

const fn five() -> u64 {
    5
}
