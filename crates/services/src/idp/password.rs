//! Passwords: argon2id, and not too many at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// How many passwords are hashed at a time. Each takes 19 MiB and tens of milliseconds of one core.
const AT_A_TIME: usize = 2;

/// How many sign-ins may wait for that. Further ones are told to come back.
const MAX_WAITING: usize = 64;

/// The shortest password that a user may be given. NIST SP 800-63B §3.1.1 asks for fifteen characters where
/// a password stands alone; throttled guessing makes twelve long enough.
pub(super) const MIN_PASSWORD: usize = 12;

/// The longest: hashing is the same for any length, reading is not.
pub(super) const MAX_PASSWORD: usize = 1024;

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// The most memory that a hash in the file may ask for, in KiB: 256 MiB.
const MAX_MEMORY_KIB: u32 = 256 * 1024;

/// The most passes that a hash in the file may ask for.
const MAX_PASSES: u32 = 16;

/// Everything that waits or works is in here.
pub(super) struct Hasher {
    working: Arc<Semaphore>,
    waiting: Semaphore,
    /// What the password of somebody unknown is compared with, so that it takes as long.
    nobody: Arc<str>,
}

/// Too many people sign in at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Busy;

impl Hasher {
    pub(super) fn new() -> Self {
        // A hash of no password: the output is random.
        let params = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1");
        let (salt, output) =
            (encode(&crypto::random_array::<16>()), encode(&crypto::random_array::<32>()));
        Self {
            working: Arc::new(Semaphore::new(AT_A_TIME)),
            waiting: Semaphore::new(MAX_WAITING),
            nobody: format!("{params}${salt}${output}").into(),
        }
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash it takes as long and says no.
    pub(super) async fn verify(
        &self,
        password: Zeroizing<String>,
        hash: Option<Arc<str>>,
    ) -> Result<bool, Busy> {
        let _waiting = self.waiting.try_acquire().map_err(|_| Busy)?;
        let place = self.working.clone().acquire_owned().await.map_err(|_| Busy)?;
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let verified = tokio::task::spawn_blocking(move || {
            // The place is kept as long as the work takes, even if nobody waits for it any more.
            let _place = place;
            is_password(&password, &hash)
        });
        verified.await.map_err(|_| Busy)
    }
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None)
        .expect("the parameters are within the limits of argon2");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The PHC string of `password`, with a new salt.
pub(super) fn hash(password: &str) -> String {
    argon2()
        .hash_password_with_salt(password.as_bytes(), &crypto::random_array::<16>())
        .expect("password and salt are within the limits of argon2")
        .to_string()
}

fn is_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Whether `hash` is a PHC string of argon2id that asks for a reasonable amount of work.
pub(super) fn is_usable(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let Ok(params) = Params::try_from(&hash) else { return false };
    hash.algorithm.as_str() == "argon2id"
        && hash.salt.is_some()
        && hash.hash.is_some()
        && params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only() {
        let hash = hash("correct horse");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(is_usable(&hash));
        assert!(is_password("correct horse", &hash));
        assert!(!is_password("correct horse ", &hash));
        assert!(!is_password("", &hash));
    }

    #[test]
    fn nobody_has_a_usable_hash() {
        assert!(is_usable(&Hasher::new().nobody));
    }

    #[test]
    fn other_hashes_are_not_usable() {
        for hash in [
            "",
            "password",
            "$2b$12$DEQkbeXQFsNJGkzWqOLFGu4KQYfCAr1Ix1iQM9qkIRLjDGYrRuROO",
            "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=4000000,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(!is_usable(hash), "{hash}");
        }
    }

    /// What takes the time is the same work: it depends on these parameters and on nothing else.
    #[tokio::test]
    async fn somebody_unknown_costs_as_much_as_somebody_known() {
        let hasher = Hasher::new();
        let known: Arc<str> = hash("correct horse").into();
        let params = |hash: &str| Params::try_from(&PasswordHash::new(hash).unwrap()).unwrap();
        assert_eq!(params(&hasher.nobody), params(&known));
        assert_eq!(hasher.verify("correct horse".to_owned().into(), Some(known)).await, Ok(true));
        assert_eq!(hasher.verify("correct horse".to_owned().into(), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_back() {
        let hasher = Hasher::new();
        let _waiting =
            hasher.waiting.try_acquire_many(u32::try_from(MAX_WAITING).unwrap()).unwrap();
        assert_eq!(hasher.verify("wrong".to_owned().into(), None).await, Err(Busy));
    }
}
