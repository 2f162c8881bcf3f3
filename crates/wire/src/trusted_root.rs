//! trusted_root.
