//! foreign.
