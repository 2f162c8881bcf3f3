//! rekor_v1.
