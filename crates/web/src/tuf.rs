//! tuf.
