//! fulcio.
