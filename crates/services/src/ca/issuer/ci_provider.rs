//! `ci-provider`: jobs of a CI system, by a mapping from claims to extensions that the configuration holds.

use std::collections::HashMap;

use pki::fulcio::{self, Known, LeafContents};
use serde_json::{Value, json};

use super::uri_name::uri_name;
use super::{ContentsError, Identity, IdentityError, IssuerType, extensions};
use crate::ca::config::{CiMetadata, Issuer};
use crate::ca::go;
use crate::ca::template::{Data, Template, TemplateError};
use crate::ca::token::{Claims, VerifiedToken};

/// The type `ci-provider`.
#[derive(Debug)]
pub(super) struct CiProviderType;

/// A mapping of `ci-issuer-metadata`, with its templates parsed.
#[derive(Debug)]
pub(in crate::ca) struct CiProvider {
    defaults: HashMap<String, String>,
    /// By the key of [`Known::yaml_key`].
    extensions: HashMap<&'static str, Rule>,
    name: Rule,
}

/// How one text of the certificate comes about.
#[derive(Debug)]
enum Rule {
    /// Nothing is said: the extension is left out.
    Absent,
    /// Only blanks: they are written.
    Blank(String),
    /// The value of a claim.
    Claim(String),
    Template(Template),
}

/// Why a mapping cannot be used. The operator's to fix.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the template for {key:?} cannot be used")]
pub struct CiProviderError {
    /// The key of the template in the mapping.
    key: String,
    /// What is wrong with it.
    #[source]
    source: TemplateError,
}

/// The key of the template for the name, and the name of it in messages.
const NAME_KEY: &str = "subject-alternative-name-template";
const NAME_FIELD: &str = "SubjectAlternativeName";

/// The names of the extensions in messages of the existing server, by their keys.
const FIELDS: &[(&str, &str)] = &[
    ("github-workflow-trigger", "GithubWorkflowTrigger"),
    ("github-workflow-sha", "GithubWorkflowSHA"),
    ("github-workflow-name", "GithubWorkflowName"),
    ("github-workflow-repository", "GithubWorkflowRepository"),
    ("github-workflow-ref", "GithubWorkflowRef"),
    ("build-signer-uri", "BuildSignerURI"),
    ("build-signer-digest", "BuildSignerDigest"),
    ("runner-environment", "RunnerEnvironment"),
    ("source-repository-uri", "SourceRepositoryURI"),
    ("source-repository-digest", "SourceRepositoryDigest"),
    ("source-repository-ref", "SourceRepositoryRef"),
    ("source-repository-identifier", "SourceRepositoryIdentifier"),
    ("source-repository-owner-uri", "SourceRepositoryOwnerURI"),
    ("source-repository-owner-identifier", "SourceRepositoryOwnerIdentifier"),
    ("build-config-uri", "BuildConfigURI"),
    ("build-config-digest", "BuildConfigDigest"),
    ("build-trigger", "BuildTrigger"),
    ("run-invocation-uri", "RunInvocationURI"),
    ("source-repository-visibility-at-signing", "SourceRepositoryVisibilityAtSigning"),
    ("deployment-environment", "DeploymentEnvironment"),
];

impl IssuerType for CiProviderType {
    fn name(&self) -> &'static str {
        "ci-provider"
    }

    fn identify(&self, token: &VerifiedToken, issuer: &Issuer) -> Result<Identity, IdentityError> {
        let provider = issuer.ci_provider.as_ref().ok_or(IdentityError::NoCiProvider)?;
        let contents = provider.contents(token);
        Ok(Identity { challenge: token.subject().to_owned(), contents })
    }
}

impl CiProvider {
    /// Parses the templates of a mapping. Keys that are not known are passed over, as are those of issuer
    /// and subject, which always come from the token.
    pub(in crate::ca) fn new(metadata: &CiMetadata) -> Result<Self, CiProviderError> {
        let mut rules = HashMap::new();
        for key in fulcio::KNOWN.iter().filter_map(|known| known.yaml_key) {
            let text = metadata.extension_templates.get(key).map_or("", String::as_str);
            rules.insert(key, Rule::parse(key, text)?);
        }
        Ok(Self {
            defaults: metadata.default_template_values.clone(),
            extensions: rules,
            name: Rule::parse(NAME_KEY, &metadata.subject_alternative_name_template)?,
        })
    }

    fn contents(&self, token: &VerifiedToken) -> Result<LeafContents, ContentsError> {
        let issuer = token.issuer();
        if let Rule::Absent | Rule::Blank(_) = self.name {
            return Err(ContentsError::NoNameTemplate { issuer: issuer.to_owned() });
        }
        let data = data(token.claims(), &self.defaults);
        let san = uri_name(&self.name.apply(&data, NAME_FIELD, issuer)?)?;
        let extensions = extensions::extensions(issuer, token.subject(), |known| {
            self.extension(known, &data, issuer)
        })?;
        Ok(LeafContents { san, extensions })
    }

    fn extension(&self, known: &Known, data: &Data, issuer: &str) -> Result<String, ContentsError> {
        let Some((key, rule)) =
            known.yaml_key.and_then(|key| Some((key, self.extensions.get(key)?)))
        else {
            return Ok(String::new());
        };
        let field = FIELDS.iter().find(|(known, _)| *known == key).map_or(key, |(_, field)| field);
        rule.apply(data, field, issuer)
    }
}

impl Rule {
    fn parse(key: &str, text: &str) -> Result<Self, CiProviderError> {
        if text.is_empty() {
            return Ok(Self::Absent);
        }
        if text.contains("{{") {
            return Template::parse(text)
                .map(Self::Template)
                .map_err(|source| CiProviderError { key: key.to_owned(), source });
        }
        let text = text.to_owned();
        Ok(if text.trim().is_empty() { Self::Blank(text) } else { Self::Claim(text) })
    }

    fn apply(&self, data: &Data, field: &str, issuer: &str) -> Result<String, ContentsError> {
        match self {
            Self::Absent => Ok(String::new()),
            Self::Blank(text) => Ok(text.clone()),
            Self::Template(template) => Ok(template.evaluate(data)?),
            Self::Claim(claim) => data.get(claim).cloned().ok_or_else(|| {
                let details = details(field, issuer);
                ContentsError::ClaimMissing { claim: claim.clone(), details }
            }),
        }
    }
}

/// All claims as text, over the defaults.
fn data(claims: &Claims, defaults: &HashMap<String, String>) -> Data {
    let defaults = defaults.iter().map(|(key, value)| (key.clone(), value.clone()));
    let claims = claims.members().map(|(name, value)| (name.to_owned(), text(value)));
    defaults.chain(claims).collect()
}

/// A claim as text: numbers without exponent, everything else as Go's `%v`.
fn text(value: &Value) -> String {
    match value {
        Value::Number(number) => go::decimal(number.as_f64().unwrap_or(f64::INFINITY)),
        other => go::print(other),
    }
}

fn details(field: &str, issuer: &str) -> String {
    let quoted = |text: &str| json!(text).to_string();
    format!("{{\n\t\"ExtensionName\": {},\n\t\"Issuer\": {}\n}}", quoted(field), quoted(issuer))
}
