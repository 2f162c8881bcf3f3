//! rekor_v2.
