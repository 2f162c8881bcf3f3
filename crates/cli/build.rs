//! How the program is linked.

/// Without symbols, as `strip = "symbols"` says, which cargo forgets for a package that has a profile of its own.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if is_linux && is_release {
        println!("cargo::rustc-link-arg-bins=-Wl,--strip-all");
    }
}
