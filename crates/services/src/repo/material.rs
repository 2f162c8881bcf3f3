//! The targets of a trust repository: trusted root, signing configs, and single keys for older clients.

use std::collections::BTreeMap;

use crypto::{HashAlgorithm, KeyDetails, PublicKey};
use merkle::note::KeyId;
use pki::Certificate;
use serde_json::{Value, json};
use tuf::TargetFile;
use wire::signing_config::{Selector, Service, SigningConfig};
use wire::trusted_root::{Authority, LogInstance, TimeRange, TrustedRoot};

use crate::instance::Instance;

/// The target with the keys to trust.
pub const TRUSTED_ROOT: &str = "trusted_root.json";
/// The target with the services to use: Rekor v2, and a timestamp authority, without which it gives no time.
pub const SIGNING_CONFIG: &str = "signing_config.v0.2.json";
/// The same with the Rekor v1 log, for clients that know no other.
pub const SIGNING_CONFIG_REKOR_V1: &str = "signing_config_rekor_v1.v0.2.json";
/// The target with the certificate authority of the server's own TLS certificates.
pub const TLS_CA: &str = "tls_ca.pem";

/// Everything that clients of a server are to trust.
pub struct TrustMaterial<'a> {
    /// The server's names.
    pub instance: &'a Instance,
    /// The certificate authority: intermediate, then root.
    pub ca: &'a [Certificate],
    /// The CT log's key.
    pub ct: &'a PublicKey,
    /// The Rekor v1 log's key.
    pub rekor_v1: &'a PublicKey,
    /// The Rekor v2 log's key.
    pub rekor_v2: &'a PublicKey,
    /// The timestamp authority: its certificate, then root.
    pub tsa: &'a [Certificate],
    /// The authority of the server's own TLS certificates, if it has one.
    pub tls_ca: Option<&'a Certificate>,
}

/// A target's contents, and what is said of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// The file.
    pub contents: Vec<u8>,
    /// The custom metadata.
    pub custom: Option<Value>,
}

impl Target {
    /// A target without custom metadata.
    #[must_use]
    pub fn plain(contents: impl Into<Vec<u8>>) -> Self {
        Self { contents: contents.into(), custom: None }
    }

    /// The target as metadata describe it.
    #[must_use]
    pub fn describe(&self) -> TargetFile {
        TargetFile::of(&self.contents, self.custom.clone())
    }
}

impl TrustMaterial<'_> {
    /// Every target by name.
    #[must_use]
    pub fn targets(&self) -> BTreeMap<String, Target> {
        let mut targets = self.legacy();
        let mut add =
            |name: &str, text: String| targets.insert(name.to_owned(), Target::plain(text));
        add(TRUSTED_ROOT, self.trusted_root().to_json());
        add(SIGNING_CONFIG, self.signing_config(2).to_json());
        add(SIGNING_CONFIG_REKOR_V1, self.signing_config(1).to_json());
        if let Some(authority) = self.tls_ca {
            add(TLS_CA, authority.to_pem());
        }
        targets
    }

    /// The keys to trust, from the moment on at which they were made.
    #[must_use]
    pub fn trusted_root(&self) -> TrustedRoot {
        let instance = self.instance;
        let v2_id = KeyId::for_key(&instance.rekor_v2_origin, self.rekor_v2);
        TrustedRoot {
            tlogs: vec![
                self.log("", self.rekor_v2, v2_id, KeyDetails::Ed25519),
                self.log(
                    "",
                    self.rekor_v1,
                    KeyId::of_key(self.rekor_v1),
                    KeyDetails::EcdsaP256Sha256,
                ),
            ],
            certificate_authorities: vec![self.authority("", self.ca)],
            ctlogs: vec![self.log(
                "/ct/1",
                self.ct,
                KeyId::of_key(self.ct),
                KeyDetails::EcdsaP256Sha256,
            )],
            timestamp_authorities: vec![self.authority("/api/v1/timestamp", self.tsa)],
            ..TrustedRoot::default()
        }
    }

    fn log(&self, path: &str, key: &PublicKey, id: KeyId, key_details: KeyDetails) -> LogInstance {
        LogInstance {
            base_url: self.instance.at(path),
            hash_algorithm: HashAlgorithm::Sha256,
            public_key: key.spki_der().to_vec(),
            key_details,
            valid_for: self.since(),
            log_id: id.as_bytes().to_vec(),
            // Members of version 0.2 of the format, which not all clients read.
            checkpoint_key_id: Vec::new(),
            operator: String::new(),
        }
    }

    fn authority(&self, path: &str, chain: &[Certificate]) -> Authority {
        let names = chain.last().map(Certificate::subject_parts).unwrap_or_default();
        Authority {
            organization: names.0.unwrap_or_default(),
            common_name: names.1.unwrap_or_default(),
            uri: self.instance.at(path),
            chain: chain.iter().map(|certificate| certificate.der().to_vec()).collect(),
            valid_for: self.since(),
            operator: String::new(),
        }
    }

    /// The services to use, with the transparency log of this version of its API.
    #[must_use]
    pub fn signing_config(&self, rekor_version: u32) -> SigningConfig {
        SigningConfig {
            ca_urls: vec![self.service("", 1)],
            oidc_urls: vec![self.service("/auth", 1)],
            rekor_tlog_urls: vec![self.service("", rekor_version)],
            rekor_tlog_config: Some(Selector::Any),
            // The whole address, where the others are bases of an API.
            tsa_urls: vec![self.service("/api/v1/timestamp", 1)],
            tsa_config: Some(Selector::Any),
        }
    }

    fn service(&self, path: &str, major_api_version: u32) -> Service {
        Service {
            url: self.instance.at(path),
            major_api_version,
            valid_for: self.since(),
            operator: self.instance.host().to_owned(),
        }
    }

    fn since(&self) -> TimeRange {
        TimeRange::since(self.instance.created)
    }

    /// Single keys and certificates with the custom metadata by which cosign 2 and policy-controller find them.
    fn legacy(&self) -> BTreeMap<String, Target> {
        let target = |contents: String, usage: &str, path: &str| Target {
            contents: contents.into_bytes(),
            custom: Some(json!({
                "sigstore": {"status": "Active", "usage": usage, "uri": self.instance.at(path)},
            })),
        };
        let mut targets = BTreeMap::from([
            ("rekor.pub".to_owned(), target(self.rekor_v1.to_pem(), "Rekor", "")),
            ("ctfe.pub".to_owned(), target(self.ct.to_pem(), "CTFE", "/ct/1")),
        ]);
        // The root last in each chain; what comes before it has a name of its own.
        let chains = [
            (self.ca, ["fulcio_intermediate.crt.pem", "fulcio.crt.pem"], "Fulcio", ""),
            (self.tsa, ["tsa_leaf.crt.pem", "tsa_root.crt.pem"], "TSA", "/api/v1/timestamp"),
        ];
        for (chain, names, usage, path) in chains {
            for (certificate, name) in chain.iter().zip(names) {
                targets.insert(name.to_owned(), target(certificate.to_pem(), usage, path));
            }
        }
        targets
    }
}
