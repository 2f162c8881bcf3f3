//! The readers of what registries, users and files say, for the fuzzer.

use crate::challenge::Challenge;
use crate::credentials::fuzz_configuration;
use crate::{Digest, Document, Mirror, Platform, Reference, link, media_type};

/// Reads `data` as a document of each type; what is read and written again is the same.
pub fn document(data: &[u8]) {
    for kind in [media_type::MANIFEST, media_type::INDEX, media_type::DOCKER_MANIFEST] {
        let Ok(document) = Document::parse(kind, data.to_vec()) else { continue };
        assert_eq!(document.digest(), Digest::of(data));
        if let Some(manifest) = document.manifest() {
            let again = Document::of_manifest(manifest.clone());
            let again = Document::parse(again.media_type(), again.bytes().clone());
            assert_eq!(
                again.ok().and_then(|again| again.manifest().cloned()),
                Some(manifest.clone())
            );
        }
        let _ = document.referrer_descriptor();
    }
}

/// Reads `text` as a reference; what is read and written again is the same.
pub fn reference(text: &str) {
    if let Ok(reference) = text.parse::<Reference>() {
        assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
    }
    let _ = text.parse::<Mirror>();
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse::<Platform>(), Ok(platform));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
}

/// Reads `text` as the headers `WWW-Authenticate` and `Link`.
pub fn header(text: &str) {
    let _ = Challenge::of([text]);
    if let Some(next) = link::next(text) {
        assert!(text.contains(next));
    }
}

/// Reads `data` as a configuration of Docker or podman.
pub fn configuration(data: &[u8]) {
    fuzz_configuration(data);
}
