//! tlog.
