//! bulla: all of Sigstore in one binary.
fn main() {}
