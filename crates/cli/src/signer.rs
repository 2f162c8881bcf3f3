//! Whose signature to accept: cosign's flags, and what is meant by them. There is no "anyone".

use crate::failure::Failure;
use crate::key::KeyReference;
use crate::own_authority::{RootArgs, RootFiles};

/// What was typed.
#[derive(Debug, Default, Eq, PartialEq, clap::Args)]
#[command(next_help_heading = "Whose signature")]
pub(crate) struct SignerArgs {
    /// The public key that must have signed, instead of an identity
    #[arg(long, value_name = "FILE|env://VARIABLE")]
    key: Option<KeyReference>,
    /// Who must have signed: an e-mail address, a URI or a user name; by an authority of your own also a host name, an
    /// address, or the subject of a certificate without such names
    #[arg(long, value_name = "NAME")]
    certificate_identity: Option<String>,
    /// A regular expression for the whole of that name; a subject must be given exactly
    #[arg(long, value_name = "REGEX")]
    certificate_identity_regexp: Option<String>,
    /// Who must vouch for the identity, such as https://accounts.google.com
    #[arg(long, value_name = "URL")]
    certificate_oidc_issuer: Option<String>,
    /// A regular expression for the whole of that URL
    #[arg(long, value_name = "REGEX")]
    certificate_oidc_issuer_regexp: Option<String>,
    #[command(flatten)]
    roots: RootArgs,
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
    /// Whoever a certificate by an authority of the user's own names so.
    Own {
        /// The authority's.
        roots: RootFiles,
        /// One of the certificate's names; anyone's, where that was asked for.
        identity: Option<Pattern>,
        /// Who vouched for it towards the authority.
        issuer: Option<Pattern>,
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
            "name the signer: --certificate-identity NAME and --certificate-oidc-issuer URL (or --certificate-chain FILE \
             for an authority of your own), or --key FILE. To see who signed a bundle, without trusting it: \
             bulla bundle inspect FILE",
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
        let any = args.roots.any_identity;
        if let Some(roots) = args.roots.files() {
            if args.key.is_some() {
                return Err(UsageError("a key has no authority that vouches for it"));
            }
            let identity = holder(identity, any)?;
            return Ok(Self::Own { roots, identity, issuer, claims });
        }
        if any {
            return Err(UsageError("only an authority of your own may vouch for any identity"));
        }
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

/// Whom an authority of one's own must vouch for: a name, or anyone if that is said.
fn holder(identity: Option<Pattern>, any: bool) -> Result<Option<Pattern>, UsageError> {
    match (identity, any) {
        (Some(_), true) => Err(UsageError("an identity is not any identity")),
        (None, false) => Err(UsageError(
            "an authority vouches for many identities; --any-identity is for all of them",
        )),
        (identity, _) => Ok(identity),
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
    fn an_authority_of_ones_own_vouches_for_a_name_or_for_anyone_as_was_said() {
        let chain = || RootFiles::Chain(vec!["int.pem".into(), "root.pem".into()]);
        let own = |roots, identity| Signer::Own { roots, identity, issuer: None, claims: vec![] };
        let chain_flags = "--certificate-chain int.pem --certificate-chain root.pem";
        let named = parse(&format!("{chain_flags} --certificate-identity a"));
        assert_eq!(named, Ok(own(chain(), Some(Pattern::Exact("a".into())))));
        let anyone = parse(&format!("{chain_flags} --any-identity"));
        assert_eq!(anyone, Ok(own(chain(), None)));
        let roots = RootFiles::Roots {
            roots: vec!["roots.pem".into()],
            intermediates: vec!["int.pem".into()],
        };
        assert_eq!(
            parse("--ca-roots roots.pem --ca-intermediates int.pem --any-identity"),
            Ok(own(roots, None))
        );
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
            "--certificate-chain root.pem",
            "--certificate-chain root.pem --any-identity --certificate-identity a",
            "--certificate-chain root.pem --key k.pub",
            "--any-identity",
            "--any-identity --key k.pub",
        ];
        for line in half_meant {
            parse(line).expect_err(line);
        }
    }
}
