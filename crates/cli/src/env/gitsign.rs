//! gitsign: it looks into no trusted root for most of what it needs, so that keys and certificates are files of their own.

use std::fmt::Write as _;

use client::select::{Log, RekorVersion, Services};
use crypto::encode_pem;
use jiff::Timestamp;
use wire::trusted_root::{Authority, LogInstance, TrustedRoot};

use super::recipe::{FIRST_ROOT, Facts, Recipe, quoted};
use crate::failure::{Failure, OrFail};
use crate::trusting::Trusting;

/// Certificates of the authorities that certify signers.
const AUTHORITIES: &str = "fulcio.pem";
/// Certificates of the timestamp authorities.
const TIMESTAMP_AUTHORITIES: &str = "tsa.pem";
/// The key of the transparency log.
const LOG_KEY: &str = "rekor.pub";
/// The key of the log of certificates.
const CERTIFICATE_LOG_KEY: &str = "ctlog.pub";

/// What gitsign has to be told.
pub(super) struct Needs {
    authority: String,
    issuer: String,
    log: String,
    /// The files that it reads, by their names.
    files: Vec<(&'static str, String)>,
}

impl Needs {
    /// What it needs for this Sigstore, as it is now.
    pub(super) fn find(trusting: &Trusting) -> Result<Self, Failure> {
        let (root, now) = (trusting.root()?, Timestamp::now());
        let config = trusting.signing_config_for(None, RekorVersion::V1)?;
        let services = Services::select(&config, RekorVersion::V1, now, 0);
        let services = services.map_err(|error| {
            Failure::because(format!("gitsign cannot sign with {}", trusting.name()), error)
                .hint("gitsign knows Rekor v1 only; `bulla git setup` signs with Rekor v2")
        })?;
        Self::of(&services, &root, now)
            .or_undecided(format!("{} lacks what gitsign needs", trusting.name()))
    }

    fn of(services: &Services, root: &TrustedRoot, now: Timestamp) -> Result<Self, String> {
        let missing = |what: &str| format!("it names no {what} that counts now");
        let authority = services.ca.as_ref().ok_or_else(|| missing("certificate authority"))?;
        let issuer = services.issuer.as_ref().ok_or_else(|| missing("issuer of tokens"))?;
        let log = services.logs.iter().find_map(|log| match log {
            Log::V1(url) => Some(url),
            Log::V2(_) => None,
        });
        let log = base(log.ok_or_else(|| missing("Rekor v1"))?.as_str());
        let is_log = |instance: &&LogInstance| base(&instance.base_url) == log;
        let key = newest(root.tlogs.iter().filter(is_log), now);
        let certificate_key = newest(root.ctlogs.iter(), now);
        let mut files = vec![
            (AUTHORITIES, certificates(&root.certificate_authorities, now)),
            (LOG_KEY, key.ok_or_else(|| missing("key of its log"))?),
            (CERTIFICATE_LOG_KEY, certificate_key.ok_or_else(|| missing("log of certificates"))?),
        ];
        let timestamps = certificates(&root.timestamp_authorities, now);
        if !timestamps.is_empty() {
            files.push((TIMESTAMP_AUTHORITIES, timestamps));
        }
        let (authority, log) = (base(authority.as_str()).to_owned(), log.to_owned());
        Ok(Self { authority, issuer: issuer.clone(), log, files })
    }

    fn has(&self, name: &str) -> bool {
        self.files.iter().any(|(file, _)| *file == name)
    }
}

/// A URL as it is compared: gitsign appends paths to it.
fn base(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// The certificates of all authorities that count at this time.
fn certificates(authorities: &[Authority], now: Timestamp) -> String {
    let current = authorities.iter().filter(|authority| authority.valid_for.contains(now));
    current
        .flat_map(|authority| &authority.chain)
        .map(|der| encode_pem("CERTIFICATE", der))
        .collect()
}

/// The key that began to count last, of those that count at this time: it reads one.
fn newest<'a>(logs: impl Iterator<Item = &'a LogInstance>, now: Timestamp) -> Option<String> {
    let current = logs.filter(|log| log.valid_for.contains(now));
    let newest = current.max_by_key(|log| log.valid_for.start)?;
    Some(encode_pem("PUBLIC KEY", &newest.public_key))
}

pub(super) fn recipe(facts: &Facts<'_>, needs: Needs) -> Recipe {
    let mut text = format!("# gitsign 0.14 and the Sigstore {}\n", facts.name);
    text.push_str(&facts.tls("SSL_CERT_FILE"));
    let mut export = |name: &str, value: String| {
        let _ = writeln!(text, "export {name}={value}");
    };
    export("TUF_ROOT", facts.file("gitsign-tuf"));
    export("GITSIGN_FULCIO_URL", quoted(&needs.authority));
    export("GITSIGN_FULCIO_ROOT", facts.file(AUTHORITIES));
    export("GITSIGN_OIDC_ISSUER", quoted(&needs.issuer));
    export("GITSIGN_REKOR_URL", quoted(&needs.log));
    // In its other mode the proof is not in the signature, and has to be searched for in the log.
    export("GITSIGN_REKOR_MODE", "offline".to_owned());
    export("SIGSTORE_REKOR_PUBLIC_KEY", facts.file(LOG_KEY));
    export("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", facts.file(CERTIFICATE_LOG_KEY));
    if needs.has(TIMESTAMP_AUTHORITIES) {
        export("GITSIGN_TIMESTAMP_CERT_CHAIN", facts.file(TIMESTAMP_AUTHORITIES));
    }
    let root = facts.file(FIRST_ROOT);
    let _ = writeln!(text, "gitsign initialize --mirror {} --root {root}", quoted(facts.tuf));
    text.push_str(
        "# from now on, in this shell:\n\
         #   git -c gpg.format=x509 -c gpg.x509.program=gitsign commit -S\n\
         #   gitsign verify --certificate-identity NAME --certificate-oidc-issuer URL HEAD\n",
    );
    let files = needs.files.into_iter().chain([facts.root_file()]).collect();
    Recipe { text, needs_files: true, files }
}

#[cfg(test)]
mod tests {
    use client::select::Services;
    use crypto::{HashAlgorithm, KeyDetails};
    use wire::trusted_root::TimeRange;

    use super::*;

    fn log(url: &str, start: &str, end: Option<&str>, key: u8) -> LogInstance {
        LogInstance {
            base_url: url.to_owned(),
            hash_algorithm: HashAlgorithm::Sha256,
            public_key: vec![key],
            key_details: KeyDetails::EcdsaP256Sha256,
            valid_for: TimeRange {
                start: start.parse().unwrap(),
                end: end.map(|end| end.parse().unwrap()),
            },
            log_id: Vec::new(),
            checkpoint_key_id: Vec::new(),
            operator: String::new(),
        }
    }

    fn services() -> Services {
        let url = |text: &str| text.parse().unwrap();
        Services {
            ca: Some(url("https://s.example/")),
            issuer: Some("https://s.example/auth".to_owned()),
            logs: vec![Log::V1(url("https://s.example/"))],
            timestamp_authorities: Vec::new(),
        }
    }

    #[test]
    fn it_is_given_the_keys_that_count_now() {
        let root = TrustedRoot {
            tlogs: vec![
                log("https://s.example", "2026-01-01T00:00:00Z", Some("2026-02-01T00:00:00Z"), 1),
                log("https://s.example", "2026-02-01T00:00:00Z", None, 2),
                log("https://other.example", "2026-03-01T00:00:00Z", None, 3),
            ],
            ctlogs: vec![
                log("https://s.example/ct/1", "2026-01-01T00:00:00Z", None, 4),
                log("https://s.example/ct/2", "2026-02-01T00:00:00Z", None, 5),
            ],
            ..TrustedRoot::default()
        };
        let now = "2026-04-01T00:00:00Z".parse().unwrap();
        let needs = Needs::of(&services(), &root, now).unwrap();
        let file = |name: &str| &needs.files.iter().find(|(file, _)| *file == name).unwrap().1;
        assert_eq!(*file(LOG_KEY), encode_pem("PUBLIC KEY", &[2]));
        assert_eq!(*file(CERTIFICATE_LOG_KEY), encode_pem("PUBLIC KEY", &[5]));
        assert_eq!(needs.log, "https://s.example");
        assert!(!needs.has(TIMESTAMP_AUTHORITIES));
    }

    #[test]
    fn a_sigstore_without_a_key_for_its_log_is_told() {
        let now = Timestamp::now();
        let error = Needs::of(&services(), &TrustedRoot::default(), now).err().unwrap();
        assert!(error.contains("key of its log"), "{error}");
    }
}
