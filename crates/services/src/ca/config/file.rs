//! The text of the file: YAML with one spelling of the keys, or JSON with another.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

/// The largest file that is read. The one of the public-good instance has 20 KiB.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// What stands in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    #[serde(rename = "oidc-issuers")]
    pub(super) issuers: BTreeMap<String, IssuerEntry>,
    #[serde(rename = "meta-issuers")]
    pub(super) meta_issuers: BTreeMap<String, IssuerEntry>,
    #[serde(rename = "ci-issuer-metadata")]
    pub(super) ci_providers: BTreeMap<String, CiMetadata>,
}

/// An entry of `oidc-issuers` or `meta-issuers`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct IssuerEntry {
    pub(super) issuer_url: String,
    pub(super) client_id: String,
    #[serde(rename = "type")]
    pub(super) issuer_type: String,
    pub(super) ci_provider: String,
    pub(super) issuer_claim: String,
    pub(super) subject_domain: String,
    pub(super) spiffe_trust_domain: String,
    pub(super) challenge_claim: String,
    pub(super) ca_cert: String,
    pub(super) skip_email_verification: bool,
}

/// An entry of `ci-issuer-metadata`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(in crate::ca) struct CiMetadata {
    pub(in crate::ca) default_template_values: HashMap<String, String>,
    pub(in crate::ca) extension_templates: HashMap<String, String>,
    pub(in crate::ca) subject_alternative_name_template: String,
}

/// Why the text is not such a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is larger than any that is read.
    #[error("the file has {length} bytes, more than {MAX_FILE}")]
    TooLarge {
        /// Its size.
        length: usize,
    },
    /// It is JSON, but a member is of the wrong type.
    #[error("the JSON is not a configuration")]
    Json(#[source] serde_json::Error),
    /// It is neither JSON nor YAML, or a member is of the wrong type or there twice.
    #[error("the YAML is not a configuration")]
    Yaml(#[source] Box<serde_saphyr::Error>),
}

impl File {
    /// Reads the text: what is JSON is read as JSON, whatever the file is called.
    pub(super) fn read(text: &[u8]) -> Result<Self, FileError> {
        let length = text.len();
        if length > MAX_FILE {
            return Err(FileError::TooLarge { length });
        }
        if let Ok(json) = serde_json::from_slice::<serde_json::Value>(text) {
            return serde_json::from_value(with_yaml_names(json)).map_err(FileError::Json);
        }
        let file: Option<Self> =
            serde_saphyr::from_slice(text).map_err(|error| FileError::Yaml(Box::new(error)))?;
        Ok(file.unwrap_or_default())
    }
}

/// The keys of JSON, found without regard to case, beside those of YAML.
const NAMES: &[(&str, &str)] = &[
    ("OIDCIssuers", "oidc-issuers"),
    ("MetaIssuers", "meta-issuers"),
    ("CIIssuerMetadata", "ci-issuer-metadata"),
    ("IssuerURL", "issuer-url"),
    ("ClientID", "client-id"),
    ("Type", "type"),
    ("CIProvider", "ci-provider"),
    ("IssuerClaim", "issuer-claim"),
    ("SubjectDomain", "subject-domain"),
    ("SPIFFETrustDomain", "spiffe-trust-domain"),
    ("ChallengeClaim", "challenge-claim"),
    ("CACert", "ca-cert"),
    ("SkipEmailVerification", "skip-email-verification"),
    ("DefaultTemplateValues", "default-template-values"),
    ("ExtensionTemplates", "extension-templates"),
    ("SubjectAlternativeNameTemplate", "subject-alternative-name-template"),
];

/// Renames the members at the levels where names are fixed, and drops all others: the file itself (0), and
/// each entry (2) of its maps (1), whose keys are free.
fn with_yaml_names(file: serde_json::Value) -> serde_json::Value {
    fn renamed(value: serde_json::Value, level: usize) -> serde_json::Value {
        let serde_json::Value::Object(members) = value else { return value };
        let rename = |(name, value): (String, serde_json::Value)| {
            if level == 1 {
                return Some((name, renamed(value, level + 1)));
            }
            let (_, known) = NAMES.iter().find(|(json, _)| json.eq_ignore_ascii_case(&name))?;
            let value = if level == 0 { renamed(value, level + 1) } else { value };
            (!value.is_null()).then(|| ((*known).to_owned(), value))
        };
        members.into_iter().filter_map(rename).collect()
    }
    renamed(file, 0)
}
