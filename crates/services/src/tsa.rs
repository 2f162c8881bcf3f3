//! tsa.
