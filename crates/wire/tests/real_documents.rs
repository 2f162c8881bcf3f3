//! Documents that real clients and servers wrote, read and written again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wire::body::Body;
use wire::bundle::{Bundle, TransparencyLogEntry};
use wire::client_trust_config::ClientTrustConfig;
use wire::signing_config::SigningConfig;
use wire::trusted_root::TrustedRoot;

/// Every file with this name in a directory below `root`.
fn files(root: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).expect("the directory can be read");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the directory can be read").path().join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

#[test]
fn bodies_are_written_as_the_existing_servers_store_them() {
    let Some(data) = testdata::path("") else { return };
    let sets = [
        "rekor/hashedrekord",
        "rekor/dsse",
        "rekor/intoto",
        "rekor-v2/hashedrekord",
        "rekor-v2/dsse",
    ];
    for set in sets {
        let mut equal = 0;
        for path in files(&data.join(set), "canonical.json") {
            let stored = fs::read(&path).expect("the body can be read");
            let body = Body::parse(&stored).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            let written = body.to_canonical();
            let value: Value = serde_json::from_slice(&stored).expect("a body is JSON");
            let canonical = serde_json_canonicalizer::to_vec(&value).expect("it is JSON");
            assert_eq!(written, canonical, "{path:?}");
            assert_eq!(String::from_utf8(written), String::from_utf8(stored), "{path:?}");
            equal += 1;
        }
        assert!(equal > 0, "{set} is empty");
        testdata::report(&format!(
            "golden bodies {set}: {equal} cases, {equal} equal, 0 exceptions"
        ));
    }
}

#[test]
fn bundles_mean_the_same_after_they_were_written() {
    let Some(data) = testdata::path("") else { return };
    let mut paths = files(&data.join("conformance/bundle-verify"), "bundle.sigstore.json");
    for api in ["v1", "v2"] {
        let entries = fs::read_dir(data.join("local-deployment").join(api)).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").path());
        paths.extend(names.filter(|path| path.to_string_lossy().ends_with(".sigstore.json")));
    }
    let mut read = 0;
    for path in paths {
        let text = fs::read(&path).expect("the bundle can be read");
        let Ok(bundle) = Bundle::parse(&text) else { continue };
        let again = Bundle::parse(bundle.to_json().as_bytes());
        assert_eq!(again.as_ref(), Ok(&bundle), "{path:?}");
        read += 1;
    }
    assert!(read > 60, "only {read} bundles were read");
}

#[test]
fn a_bundle_is_written_byte_for_byte_as_cosign_writes_it() {
    let Some(data) = testdata::path("") else { return };
    for name in ["v1/hello.cosign", "v2/hello.cosign", "v2/hello.attestation.cosign"] {
        let path = data.join(format!("local-deployment/{name}.sigstore.json"));
        let text = fs::read_to_string(&path).expect("the bundle can be read");
        let bundle = Bundle::parse(text.as_bytes()).expect("the bundle is good");
        // The one difference: the first entry of a log is written with its index and its (no) hashes, without which
        // sigstore-models 0.0.6, and so sigstore-python, reads no bundle.
        let written =
            bundle.to_json().replace(r#""logIndex":"0","#, "").replace(r#""hashes":[],"#, "");
        assert_eq!(written, text.trim_end(), "{name}");
    }
}

#[test]
fn an_answer_of_rekor_v2_is_read() {
    let Some(data) = testdata::path("") else { return };
    let text = fs::read(data.join("rekor-v2/answers/created/response.json")).expect("the answer");
    let entry = TransparencyLogEntry::parse(&text).expect("the answer is good");
    let written = serde_json::to_vec(&entry).expect("it can be written");
    assert_eq!(TransparencyLogEntry::parse(&written), Ok(entry));
}

#[test]
fn trust_is_written_as_it_came() {
    let Some(data) = testdata::path("") else { return };
    let same = |written: &str, came: &[u8], name: &str| {
        let written: Value = serde_json::from_str(written).expect("it is JSON");
        let came: Value = serde_json::from_slice(came).expect("it is JSON");
        assert_eq!(written, came, "{name}");
    };
    for name in [
        "trust/trusted_root.json",
        "local-deployment/v1/trusted_root.json",
        "local-deployment/v2/trusted_root.json",
    ] {
        let text = fs::read(data.join(name)).expect("a trusted root");
        let root = TrustedRoot::parse(&text).expect("the trusted root is good");
        assert_eq!(root.skipped, []);
        same(&root.to_json(), &text, name);
    }
    let name = "local-deployment/v2/signing_config.json";
    let text = fs::read(data.join(name)).expect("a signing configuration");
    let config = SigningConfig::parse(&text).expect("the signing configuration is good");
    same(&config.to_json(), &text, name);
    let name = "local-deployment/v2/client_trust_config.json";
    let text = fs::read(data.join(name)).expect("a client trust configuration");
    let config = ClientTrustConfig::parse(&text).expect("the client trust configuration is good");
    same(&config.to_json(), &text, name);
}

#[test]
fn a_selector_of_no_services_may_be_left_out() {
    let Some(data) = testdata::path("") else { return };
    let text = fs::read(data.join("local-deployment/v1/signing_config.json")).expect("a file");
    let config = SigningConfig::parse(&text).expect("the signing configuration is good");
    assert_eq!((config.tsa_urls.len(), config.tsa_config), (0, None));
}

#[test]
fn logs_with_keys_of_unknown_kinds_are_left_out() {
    let Some(data) = testdata::path("") else { return };
    let path = data.join("conformance/bundle-verify/rekor2-happy-path/trusted_root.json");
    let root = TrustedRoot::parse(&fs::read(path).expect("a trusted root")).expect("it is good");
    let skipped: Vec<_> = root.skipped.iter().map(|log| log.unknown.as_str()).collect();
    assert_eq!(skipped, ["PKCS1_RSA_PKCS1V5"]);
}
