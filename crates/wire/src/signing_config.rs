//! signing_config.
