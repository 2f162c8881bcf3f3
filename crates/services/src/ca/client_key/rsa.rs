//! RSA keys that are known to be weak.

use crypto::PublicKey;
use num_bigint::BigUint;

use super::ClientKeyError;

/// The only exponent that is taken.
const EXPONENT: u64 = 65_537;
/// No factor may be smaller than this (NIST SP 800-89 §5.3.3).
const SMALLEST_FACTOR: u16 = 752;
/// How many pairs of factors around the square root are tried (CA/Browser Forum BR §6.1.1.3: 100).
const FERMAT_ROUNDS: u32 = 100;
/// The primes modulo which a modulus with the form of CVE-2017-15361 is a power of 65537.
const ROCA_PRIMES: &[u16] = &[
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Checks exponent and modulus.
pub(super) fn check(key: &PublicKey) -> Result<(), ClientKeyError> {
    let (Some(modulus), Some(exponent)) = (key.rsa_modulus(), key.rsa_exponent()) else {
        return Ok(());
    };
    if exponent != EXPONENT {
        return Err(ClientKeyError::Exponent);
    }
    if let Some(prime) = small_factor(modulus) {
        return Err(ClientKeyError::SmallFactor { prime });
    }
    if ROCA_PRIMES.iter().all(|prime| is_power_of_exponent(remainder(modulus, *prime), *prime)) {
        return Err(ClientKeyError::Roca);
    }
    if has_close_factors(&BigUint::from_bytes_be(modulus)) {
        return Err(ClientKeyError::CloseFactors);
    }
    Ok(())
}

fn small_factor(modulus: &[u8]) -> Option<u16> {
    let is_prime = |number: &u16| {
        (2..*number).take_while(|d| d * d <= *number).all(|d| !number.is_multiple_of(d))
    };
    (2..SMALLEST_FACTOR).filter(is_prime).find(|prime| remainder(modulus, *prime) == 0)
}

/// A big-endian number modulo a small one.
fn remainder(number: &[u8], divisor: u16) -> u16 {
    let divisor = u32::from(divisor);
    let rest = number.iter().fold(0_u32, |rest, byte| (rest << 8 | u32::from(*byte)) % divisor);
    u16::try_from(rest).unwrap_or_default()
}

/// Whether a residue is a power of 65537 modulo the prime.
fn is_power_of_exponent(residue: u16, prime: u16) -> bool {
    let (prime, base) = (u64::from(prime), EXPONENT % u64::from(prime));
    let mut power = 1;
    for _ in 0..prime {
        if power == u64::from(residue) {
            return true;
        }
        power = power * base % prime;
    }
    false
}

/// Fermat: `n = a² - b²` has the factors `a + b` and `a - b`; `a` is tried upwards from the square root.
fn has_close_factors(modulus: &BigUint) -> bool {
    let first = modulus.sqrt() + 1_u8;
    (0..FERMAT_ROUNDS).any(|round| {
        let a = &first + round;
        is_square(&(&a * &a - modulus))
    })
}

fn is_square(number: &BigUint) -> bool {
    // Squares end, modulo 64, in few ways; the root is taken for one number in five.
    const RESIDUES: u64 = 0x0202_0212_0203_0213;
    let low = number.iter_u64_digits().next().unwrap_or_default() & 63;
    if RESIDUES >> low & 1 == 0 {
        return false;
    }
    let root = number.sqrt();
    &root * &root == *number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_recognised() {
        for number in 0_u32..1000 {
            let square = BigUint::from(number) * BigUint::from(number);
            assert!(is_square(&square), "{number}");
            assert!(number < 1 || !is_square(&(square + 2_u8)), "{number}");
        }
    }

    #[test]
    fn factors_that_are_close_are_found_and_others_are_not() {
        // Two primes beside 2^61, and two far apart.
        let (p, q) = (
            BigUint::from(2_305_843_009_213_693_951_u64),
            BigUint::from(2_305_843_009_213_693_921_u64),
        );
        assert!(has_close_factors(&(&p * &q)));
        assert!(!has_close_factors(&(&p * BigUint::from(65_537_u32))));
    }

    #[test]
    fn a_modulus_of_the_broken_form_is_recognised() {
        let has_form = |modulus: &[u8]| {
            ROCA_PRIMES.iter().all(|prime| is_power_of_exponent(remainder(modulus, *prime), *prime))
        };
        // A power of 65537 has the form by definition; a number next to it has not.
        let power = BigUint::from(65_537_u32).pow(128);
        assert!(has_form(&power.to_bytes_be()));
        assert!(!has_form(&(power + 1_u8).to_bytes_be()));
    }

    #[test]
    fn small_factors_are_found() {
        let number = BigUint::from(751_u32) * BigUint::from(65_537_u32).pow(40);
        assert_eq!(small_factor(&number.to_bytes_be()), Some(751));
        assert_eq!(small_factor(&BigUint::from(65_537_u32).pow(40).to_bytes_be()), None);
    }
}

#[cfg(test)]
mod whole_keys {
    //! Keys of full size, of which each but the last has one thing wrong.

    use pki::asn1;

    use super::*;
    use crate::ca::client_key::StrongKey;

    fn judge(modulus: &BigUint) -> Result<(), ClientKeyError> {
        let numbers = [asn1::unsigned(&modulus.to_bytes_be()), asn1::integer(EXPONENT)];
        let der = asn1::sequence(&[&numbers[0], &numbers[1]]);
        let key = PublicKey::from_rsa_pkcs1_der(&der).unwrap();
        StrongKey::judge(key).map(|_| ())
    }

    /// The first number from `start` on, in steps, without small factors.
    fn without_small_factors(mut number: BigUint, step: &BigUint) -> BigUint {
        while small_factor(&number.to_bytes_be()).is_some() {
            number += step;
        }
        number
    }

    fn power_of_two(exponent: u32) -> BigUint {
        BigUint::from(1_u8) << exponent
    }

    /// A number of 1024 bits that is as good as a prime for these checks.
    fn factor() -> BigUint {
        let start = power_of_two(1023) + power_of_two(1022) + 1_u8;
        without_small_factors(start, &BigUint::from(2_u8))
    }

    #[test]
    fn a_key_of_the_broken_library_is_insecure() {
        let primorial: BigUint =
            ROCA_PRIMES.iter().map(|prime| BigUint::from(*prime)).product::<BigUint>() * 2_u8;
        let residue = BigUint::from(EXPONENT).pow(77) % &primorial;
        let start = (power_of_two(2047) / &primorial + 1_u8) * &primorial + residue;
        let modulus = without_small_factors(start, &primorial);
        assert_eq!(judge(&modulus), Err(ClientKeyError::Roca));
        let other = without_small_factors(&modulus + 2_u8, &BigUint::from(2_u8));
        assert_eq!(judge(&other), Ok(()));
    }

    #[test]
    fn a_key_with_close_factors_is_insecure() {
        let p = factor();
        let close = without_small_factors(&p + power_of_two(500), &BigUint::from(2_u8));
        assert_eq!(judge(&(&p * close)), Err(ClientKeyError::CloseFactors));
        let apart = without_small_factors(&p + power_of_two(1000), &BigUint::from(2_u8));
        assert_eq!(judge(&(p * apart)), Ok(()));
    }

    #[test]
    fn a_key_with_a_small_factor_is_insecure() {
        let start = power_of_two(2047) / 751_u32 * 751_u32 + 751_u32;
        let start = if start.bit(0) { start } else { start + 751_u32 };
        let error = judge(&start).unwrap_err();
        assert!(matches!(error, ClientKeyError::SmallFactor { .. }), "{error:?}");
        let other = without_small_factors(start, &BigUint::from(2_u8));
        assert_eq!(judge(&other), Ok(()));
    }
}
