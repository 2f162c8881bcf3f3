//! The cost of the cryptography alone, measured in the same run.

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use crypto::{KeyKind, Scheme, SigningKey};

/// Seconds of CPU for one operation each.
pub(crate) struct Alone {
    p256_sign: f64,
    p256_verify: f64,
    ed25519_sign: f64,
    rsa_verify: f64,
}

impl Alone {
    /// Measures each for half a second.
    #[must_use]
    pub(crate) fn measure() -> Self {
        let p256 = SigningKey::generate(KeyKind::EcdsaP256).expect("keys can be made");
        let ed25519 = SigningKey::generate(KeyKind::Ed25519).expect("keys can be made");
        let rsa = SigningKey::generate(KeyKind::Rsa { bits: 2048 }).expect("keys can be made");
        let message = [7; 300];
        let signed = |key: &SigningKey| key.sign(&message).expect("the key signs");
        let (p256_signature, rsa_signature) = (signed(&p256), signed(&rsa));
        let verify = |key: &SigningKey, signature: &[u8]| {
            let scheme = Scheme::default_for(key.kind());
            black_box(key.public_key().verify(scheme, &message, signature)).expect("it verifies");
        };
        Self {
            p256_sign: time(|| drop(black_box(signed(&p256)))),
            p256_verify: time(|| verify(&p256, &p256_signature)),
            ed25519_sign: time(|| drop(black_box(signed(&ed25519)))),
            rsa_verify: time(|| verify(&rsa, &rsa_signature)),
        }
    }

    /// What one v2 entry cannot do without: one verification.
    #[must_use]
    pub(crate) fn entry(&self) -> f64 {
        self.p256_verify
    }

    /// What one keyless signing cannot do without on the servers' side: the token (RSA), the proof of possession and
    /// the entry (verifications), precertificate, SCT, certificate, timestamp (signatures), and the check of the SCT.
    #[must_use]
    pub(crate) fn signing(&self) -> f64 {
        self.rsa_verify + 3.0 * self.p256_verify + 4.0 * self.p256_sign
    }

    /// The figures, a line each.
    #[must_use]
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("cryptography alone, operations per second on one core\n");
        for (name, seconds) in [
            ("P-256 sign", self.p256_sign),
            ("P-256 verify", self.p256_verify),
            ("Ed25519 sign", self.ed25519_sign),
            ("RSA-2048 verify", self.rsa_verify),
            ("one entry", self.entry()),
            ("one keyless signing", self.signing()),
        ] {
            let _ = writeln!(text, "  {name:24} {:>9.0}", 1.0 / seconds);
        }
        text
    }
}

fn time(mut work: impl FnMut()) -> f64 {
    const LONG: Duration = Duration::from_millis(500);
    work();
    let started = Instant::now();
    let mut times = 0_u32;
    while started.elapsed() < LONG {
        work();
        times += 1;
    }
    started.elapsed().as_secs_f64() / f64::from(times)
}
