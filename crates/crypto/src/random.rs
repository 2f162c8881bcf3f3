//! Randomness from the operating system's generator.

/// Fills `bytes` with randomness fit for keys.
pub fn fill_random(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the system's random generator answers once it is seeded");
}

/// `N` random bytes.
#[must_use]
pub fn random_array<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}
