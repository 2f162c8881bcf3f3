//! fulcio_v2.
