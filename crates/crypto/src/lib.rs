//! Signatures, hashes, keys and randomness: the only crate that names a cryptographic backend.
//!
//! It draws randomness (for new keys and for ECDSA) and does nothing else with the world: no files, no
//! clock. It knows no certificate and no JSON but the one of an encrypted key file.
//!
//! Start reading at [`PublicKey`] and [`SigningKey`]. [`Scheme`] says how a signature is made;
//! [`KeyDetails`] is the registry of names that the Sigstore formats have for pairs of key and scheme.

mod contents;
pub mod cosign_key;
mod digest;
mod key_details;
pub mod key_file;
mod key_kind;
mod mac;
mod pem;
mod public_key;
mod random;
mod recurring;
mod scheme;
mod signing_key;

pub use contents::{ContentDigest, ContentHash, PartHasher, PartOutcome, Parts};
pub use digest::{Digest, DigestLengthError, HashAlgorithm, Hasher, sha256, sha384, sha512};
pub use key_details::KeyDetails;
pub use key_kind::KeyKind;
pub use mac::hmac_sha256;
pub use pem::{Pem, PemError, decode_pem, encode_pem};
pub use public_key::{PublicKey, PublicKeyError, ecdsa_der_of_raw};
pub use random::{fill_random, random_array};
pub use scheme::{Scheme, SignatureError};
pub use signing_key::{SigningKey, SigningKeyError};
