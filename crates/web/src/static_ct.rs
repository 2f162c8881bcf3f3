//! static_ct.
