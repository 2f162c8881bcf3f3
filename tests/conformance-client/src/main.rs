//! The public conformance protocol, spoken by our client.
fn main() {}
