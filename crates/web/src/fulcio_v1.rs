//! fulcio_v1.
