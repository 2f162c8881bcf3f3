//! What the commands that sign have in common: the flags, the services, the warning of what becomes public.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use client::fulcio::CertificateRequestError;
use client::rekor::LogError;
use client::select::{Log, RekorVersion, Services};
use client::sign::{OwnCertificate, SignError, Signed, Signer};
use client::tsa::TimestampError;
use crypto::{KeyKind, SigningKey};
use jiff::Timestamp;
use net::Client;
use wire::trusted_root::TrustedRoot;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::identity::{self, IdentityArgs};
use crate::key::KeyReference;
use crate::output::{confirm, say};
use crate::own_authority::{self, OwnCertificateArgs};
use crate::trusting;

/// How to sign.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How to sign")]
pub(crate) struct SigningArgs {
    /// Sign with this private key instead of an identity
    #[arg(long, value_name = "FILE|env://VARIABLE")]
    key: Option<KeyReference>,
    #[command(flatten)]
    own: OwnCertificateArgs,
    /// The trusted root, instead of the one that --trust chooses
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Which services to use, instead of those that --trust chooses
    #[arg(long, value_name = "FILE")]
    signing_config: Option<PathBuf>,
    /// Log with this version of Rekor only; by default the highest that the signing config has
    #[arg(long, value_enum, value_name = "v1|v2", hide_possible_values = true)]
    rekor: Option<RekorArg>,
    /// Do not ask before something becomes public for ever
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    identity: IdentityArgs,
}

/// A version of Rekor.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum RekorArg {
    V1,
    V2,
}

const fn version(typed: Option<RekorArg>) -> RekorVersion {
    match typed {
        None => RekorVersion::Highest,
        Some(RekorArg::V1) => RekorVersion::V1,
        Some(RekorArg::V2) => RekorVersion::V2,
    }
}

/// Everything that a signing needs and that is found without asking anybody.
pub(crate) struct Preparation {
    pub(crate) services: Services,
    pub(crate) http: Client,
    pub(crate) trust: Arc<TrustedRoot>,
    key: Option<SigningKey>,
    /// For the key, by an authority of one's own.
    certificate: Option<OwnCertificate>,
    pub(crate) instance: String,
}

/// What to do where a signing config has no services that count today.
const SERVICES: &str = "see whether this machine's clock is right, and get the newest signing config with bulla trust update";

/// What is about to be published, in words.
pub(crate) struct Publication<'a> {
    /// What is signed, such as `the SHA-256 digest of a.txt`.
    pub(crate) what: &'a str,
}

impl SigningArgs {
    /// Reads what is on this machine: trust, services, key.
    pub(crate) fn prepare(&self, globals: &Globals) -> Result<Preparation, Failure> {
        self.prepare_for(false, globals)
    }

    /// As [`Self::prepare`], where `promise` says whether the log must promise to keep an entry, as only Rekor v1 does.
    pub(crate) fn prepare_for(
        &self,
        promise: bool,
        globals: &Globals,
    ) -> Result<Preparation, Failure> {
        let trusting = trusting::load(globals, self.trusted_root.as_deref())?;
        let rekor = match (promise, self.rekor) {
            (true, Some(RekorArg::V2)) => {
                return Err(Failure::usage(
                    "the older form of signatures cannot be logged with Rekor v2",
                )
                .hint("leave out --rekor v2, or attach bundles only: --format bundle"));
            }
            (true, _) => RekorVersion::V1,
            (false, typed) => version(typed),
        };
        let config = trusting.signing_config_for(self.signing_config.as_deref(), rekor)?;
        let round = usize::from_ne_bytes(crypto::random_array());
        let services = Services::select(&config, rekor, Timestamp::now(), round)
            .or_undecided("the services to sign with cannot be chosen")
            .map_err(|failure| failure.hint(SERVICES))?;
        let key = self.key.as_ref().map(KeyReference::private).transpose()?;
        if let (true, Some(key)) = (promise, &key) {
            check_older_key(key.public_key().kind())?;
        }
        Ok(Preparation {
            services,
            http: trusting.http()?,
            trust: Arc::new(trusting.root()?),
            key,
            certificate: self.own.read()?,
            instance: trusting.name().to_owned(),
        })
    }

    /// Whose name to sign in, and how they sign in.
    pub(crate) const fn identity(&self) -> &IdentityArgs {
        &self.identity
    }

    /// Finds out who signs, and asks whether that may become public.
    pub(crate) async fn signer(
        &self,
        preparation: Preparation,
        publication: &Publication<'_>,
    ) -> Result<Signer, Failure> {
        let Preparation { services, http, trust, key, certificate, instance } = preparation;
        let announce = |who: &str| self.announce(who, publication, &services, &instance);
        match (key, certificate) {
            (Some(key), Some(certificate)) => {
                announce(&format!("the certificate of {}", certificate.leaf().subject()))?;
                return Signer::with_own_certificate(services, http, trust, key, &certificate)
                    .map_err(failure);
            }
            (Some(key), None) => {
                announce("the public half of the key")?;
                return Signer::with_key(services, http, trust, key).map_err(failure);
            }
            (None, _) => {}
        }
        let token = identity::token(&self.identity, services.issuer.as_deref(), &http).await?;
        let (client::oidc::Subject::Email(name) | client::oidc::Subject::Subject(name)) =
            token.subject();
        let who = format!("{name}, for whom {} vouches", token.issuer());
        announce(&who)?;
        Signer::keyless(services, http, trust, token).map_err(failure)
    }

    /// Says what becomes public for ever, and lets whoever watches stop it.
    fn announce(
        &self,
        who: &str,
        publication: &Publication<'_>,
        services: &Services,
        instance: &str,
    ) -> Result<(), Failure> {
        if services.logs.is_empty() {
            return Ok(());
        }
        say(format!(
            "The logs of {instance} will keep this for ever, for all who can read them to see:"
        ));
        say(format!("  who   {who}"));
        say(format!("  what  {}", publication.what));
        say(format!("  when  {}", Timestamp::now().strftime("%Y-%m-%d %H:%M UTC")));
        for log in &services.logs {
            let (Log::V1(url) | Log::V2(url)) = log;
            say(format!("  where {url}"));
        }
        if self.yes || !io::stdin().is_terminal() {
            return Ok(());
        }
        match confirm("Go on?").or_undecided("no answer could be read")? {
            true => Ok(()),
            false => Err(Failure::refused("nothing was signed, as you wished")),
        }
    }
}

/// Whoever reads the older form checks everything with SHA-256, and Ed25519 without a hash before it.
fn check_older_key(kind: KeyKind) -> Result<(), Failure> {
    match kind {
        KeyKind::EcdsaP256 | KeyKind::Rsa { .. } => Ok(()),
        _ => Err(Failure::usage(format!(
            "nobody who reads the older form could verify a signature with a key of the kind {kind}"
        ))
        .hint("sign with a P-256 or an RSA key, or attach bundles only: --format bundle")),
    }
}

/// What a failed signing means for the user.
pub(crate) fn failure(error: SignError) -> Failure {
    if let SignError::OwnCertificate(error) = error {
        return own_authority::refusal(error);
    }
    match hint(&error) {
        Some(hint) => Failure::undecided(error).hint(hint),
        None => Failure::undecided(error),
    }
}

fn hint(error: &SignError) -> Option<&'static str> {
    const OUT_OF_REACH: &str =
        "see whether the server runs and can be reached from here, and try again";
    const OPERATOR: &str = "this is the operator's to fix: tell them what is written above";
    Some(match error {
        SignError::NoCertificateAuthority => {
            "sign with a key (--key FILE), or choose another Sigstore with --trust NAME"
        }
        SignError::Certificate(CertificateRequestError::Refused(refusal))
            if refusal.status < 500 =>
        {
            "an identity token lasts only minutes, and the authority must know its issuer: sign in again"
        }
        SignError::Certificate(CertificateRequestError::Request(_))
        | SignError::Timestamp(TimestampError::Request(_))
        | SignError::Log(LogError::Request(_)) => OUT_OF_REACH,
        SignError::Log(LogError::Exists { .. }) => {
            "the bundle that was made with that signature is as good as a new one"
        }
        // RFC 9110 §15.5.14: the content is too large.
        SignError::Log(LogError::Refused(refusal)) if refusal.status == 413 => {
            "Rekor v1 takes statements whole, up to a length; log with Rekor v2 (--rekor v2), which takes a digest"
        }
        SignError::Log(LogError::Refused(_)) => {
            "the log says why; it may not take keys of this kind"
        }
        SignError::Certificate(_) | SignError::Timestamp(_) | SignError::Log(_) => OPERATOR,
        SignError::Unverifiable(_) | SignError::Untrusted(_) => {
            "the trusted root and the signing config must be of the same Sigstore: update both with bulla trust update"
        }
        SignError::EnvelopeKey(_) => "log with Rekor v2 (--rekor v2), or sign with a P-256 key",
        _ => return None,
    })
}

/// Where the entries of a signing are, in words.
pub(crate) fn recorded(signed: &Signed) -> String {
    let entries = signed.verified.entries.iter();
    let places: Vec<String> =
        entries.map(|entry| format!("entry {} of {}", entry.index, entry.log)).collect();
    if places.is_empty() { "in no log".to_owned() } else { places.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ed25519 cannot be checked by a log that has the digest only, and whoever reads the older form takes SHA-256.
    #[test]
    fn the_older_form_is_signed_with_keys_that_its_readers_know() {
        for kind in [KeyKind::EcdsaP256, KeyKind::Rsa { bits: 2048 }, KeyKind::Rsa { bits: 4096 }] {
            assert!(check_older_key(kind).is_ok(), "{kind}");
        }
        for kind in [KeyKind::EcdsaP384, KeyKind::EcdsaP521, KeyKind::Ed25519] {
            let refused = check_older_key(kind).unwrap_err().to_text();
            assert!(refused.contains(&kind.to_string()), "{refused}");
            assert!(refused.contains("--format bundle"), "{refused}");
        }
    }
}
