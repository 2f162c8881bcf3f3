//! Whose signature to accept: cosign's flags, and what is meant by them. There is no "anyone".

use crate::failure::Failure;
use crate::key::KeyReference;

/// What was typed.
#[derive(Debug, Default, Eq, PartialEq, clap::Args)]
#[command(next_help_heading = "Whose signature")]
pub(crate) struct SignerArgs {
    /// The public key that must have signed, instead of an identity
    #[arg(long, value_name = "FILE|env://VARIABLE")]
    key: Option<KeyReference>,
    /// Who must have signed: an e-mail address, a URI or a user name
    #[arg(long, value_name = "NAME")]
    certificate_identity: Option<String>,
    /// A regular expression for the whole of that name
    #[arg(long, value_name = "REGEX")]
    certificate_identity_regexp: Option<String>,
    /// Who must vouch for the identity, such as https://accounts.google.com
    #[arg(long, value_name = "URL")]
    certificate_oidc_issuer: Option<String>,
    /// A regular expression for the whole of that URL
    #[arg(long, value_name = "REGEX")]
    certificate_oidc_issuer_regexp: Option<String>,
    #[command(flatten)]
    workflow: WorkflowArgs,
}

impl SignerArgs {
    /// Whether nothing was typed.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What must be said about a GitHub workflow.
#[derive(Debug, Default, Eq, PartialEq, clap::Args)]
#[command(next_help_heading = "What else the certificate must say")]
struct WorkflowArgs {
    /// The event that started the workflow, such as push
    #[arg(long, value_name = "EVENT")]
    certificate_github_workflow_trigger: Option<String>,
    /// The commit that the workflow ran for
    #[arg(long, value_name = "COMMIT")]
    certificate_github_workflow_sha: Option<String>,
    /// The name of the workflow
    #[arg(long, value_name = "NAME")]
    certificate_github_workflow_name: Option<String>,
    /// The repository of the workflow, such as owner/name
    #[arg(long, value_name = "REPOSITORY")]
    certificate_github_workflow_repository: Option<String>,
    /// The git ref that the workflow ran for, such as refs/heads/main
    #[arg(long, value_name = "REF")]
    certificate_github_workflow_ref: Option<String>,
}

/// What is meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Signer {
    /// Whoever has the private half of this key.
    Key(KeyReference),
    /// Whoever a certificate names so.
    Certificate {
        /// One of the certificate's names.
        identity: Pattern,
        /// Who vouches for it.
        issuer: Pattern,
        /// What else it must say.
        claims: Vec<(Claim, String)>,
    },
}

/// What a text must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Pattern {
    /// Exactly this.
    Exact(String),
    /// Matched as a whole by this regular expression.
    Regex(String),
}

/// A statement of a certificate about a GitHub workflow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Claim {
    Trigger,
    Sha,
    Name,
    Repository,
    Ref,
}

/// Something was typed that means nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(&'static str);

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::usage(error).hint(
            "name the signer: --certificate-identity NAME and --certificate-oidc-issuer URL, or \
             --key FILE. To see who signed a bundle, without trusting it: bulla bundle inspect FILE",
        )
    }
}

impl TryFrom<SignerArgs> for Signer {
    type Error = UsageError;

    fn try_from(args: SignerArgs) -> Result<Self, UsageError> {
        let claims = args.workflow.claims();
        let identity = pattern(
            args.certificate_identity,
            args.certificate_identity_regexp,
            UsageError("an expected identity is empty"),
            UsageError("the identity is given both exactly and as a regular expression"),
        )?;
        let issuer = pattern(
            args.certificate_oidc_issuer,
            args.certificate_oidc_issuer_regexp,
            UsageError("an expected issuer is empty"),
            UsageError("the issuer is given both exactly and as a regular expression"),
        )?;
        match (args.key, identity, issuer) {
            (None, Some(identity), Some(issuer)) => {
                Ok(Self::Certificate { identity, issuer, claims })
            }
            (Some(key), None, None) if claims.is_empty() => Ok(Self::Key(key)),
            (Some(_), ..) => {
                Err(UsageError("a key has no certificate that could name an identity"))
            }
            (None, Some(_), None) => {
                Err(UsageError("an identity means nothing without its issuer"))
            }
            (None, None, Some(_)) => Err(UsageError("an issuer vouches for many identities")),
            (None, None, None) => Err(UsageError("it is not said whose signature to accept")),
        }
    }
}

fn pattern(
    exact: Option<String>,
    regex: Option<String>,
    empty: UsageError,
    both: UsageError,
) -> Result<Option<Pattern>, UsageError> {
    match (exact, regex) {
        (Some(_), Some(_)) => Err(both),
        (Some(text), None) | (None, Some(text)) if text.is_empty() => Err(empty),
        (Some(text), None) => Ok(Some(Pattern::Exact(text))),
        (None, Some(text)) => Ok(Some(Pattern::Regex(text))),
        (None, None) => Ok(None),
    }
}

impl WorkflowArgs {
    fn claims(self) -> Vec<(Claim, String)> {
        [
            (Claim::Trigger, self.certificate_github_workflow_trigger),
            (Claim::Sha, self.certificate_github_workflow_sha),
            (Claim::Name, self.certificate_github_workflow_name),
            (Claim::Repository, self.certificate_github_workflow_repository),
            (Claim::Ref, self.certificate_github_workflow_ref),
        ]
        .into_iter()
        .filter_map(|(claim, value)| Some((claim, value?)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        signer: SignerArgs,
    }

    fn parse(line: &str) -> Result<Signer, UsageError> {
        let line = std::iter::once("verify").chain(line.split_whitespace());
        Line::try_parse_from(line).unwrap().signer.try_into()
    }

    #[test]
    fn an_identity_comes_with_its_issuer() {
        assert_eq!(
            parse("--certificate-identity a --certificate-oidc-issuer-regexp i.*"),
            Ok(Signer::Certificate {
                identity: Pattern::Exact("a".into()),
                issuer: Pattern::Regex("i.*".into()),
                claims: vec![],
            })
        );
        assert_eq!(parse("--key k.pub"), Ok(Signer::Key(KeyReference::File("k.pub".into()))));
    }

    #[test]
    fn someone_must_have_signed() {
        let half_meant = [
            "",
            "--certificate-identity a",
            "--certificate-oidc-issuer i",
            "--certificate-identity a --certificate-oidc-issuer i --key k.pub",
            "--certificate-identity a --certificate-identity-regexp a --certificate-oidc-issuer i",
            "--certificate-github-workflow-ref r --key k.pub",
            "--certificate-identity= --certificate-oidc-issuer i",
            "--certificate-identity a --certificate-oidc-issuer-regexp=",
        ];
        for line in half_meant {
            parse(line).expect_err(line);
        }
    }
}
