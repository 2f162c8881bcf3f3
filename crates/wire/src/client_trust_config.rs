//! client_trust_config.
