//! The public-good instance: trusted when nothing was added.
//!
//! Its trusted root and signing config ship inside the crate `sigstore-trust-root`. That is what is used, however old,
//! until the user updates: an update begins with the root whose fingerprint stands here.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use sigstore_trust_root::{SIGSTORE_PRODUCTION_SIGNING_CONFIG, SIGSTORE_PRODUCTION_TRUSTED_ROOT};

use super::Trust;
use super::instance::Anchor;

/// Its name.
pub const NAME: &str = "sigstore.dev";
/// Its TUF repository.
pub(super) const URL: &str = "https://tuf-repo-cdn.sigstore.dev/";
/// The root with which an update begins: version 15 of May 2026, of which five people hold the keys.
pub(super) const ROOT_VERSION: u64 = 15;
/// The fingerprint of the root with which an update of the public-good instance begins, its version 15.
pub const ROOT_FINGERPRINT: &str =
    "SHA256:73747011d0857ada15479a16c4cae0f3ed03aac698b523b97e1de314ac9d9ca8";
/// When what is embedded was published: 23 October 2026, the day of version 0.15.1 of the crate.
const EMBEDDED: i64 = 1_792_713_600;
/// After so long, a key may have been rotated: the public-good instance's logs change about every half a year.
const OLD: SignedDuration = SignedDuration::from_hours(180 * 24);

/// The root with which an update of the public-good instance begins.
pub(super) fn anchor() -> Anchor {
    Anchor::parse(ROOT_VERSION, ROOT_FINGERPRINT).expect("the constant is a fingerprint")
}

/// What is embedded.
pub(super) fn embedded(now: Timestamp) -> Trust {
    let published = Timestamp::from_second(EMBEDDED).unwrap_or(Timestamp::UNIX_EPOCH);
    let age = now.duration_since(published);
    let warnings = if age > OLD {
        vec![format!(
            "the embedded trust root of {NAME} is {} days old; hint: bulla trust update {NAME}",
            age.as_hours() / 24
        )]
    } else {
        Vec::new()
    };
    Trust {
        signing_config_rekor_v2: None,
        name: NAME.to_owned(),
        trusted_root: Bytes::from_static(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes()),
        signing_config: Some(Bytes::from_static(SIGSTORE_PRODUCTION_SIGNING_CONFIG.as_bytes())),
        signing_config_rekor_v1: None,
        tls_ca: None,
        warnings,
    }
}
