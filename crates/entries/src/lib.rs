//! entries.
