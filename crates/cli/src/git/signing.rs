//! Signing for git: who signs is asked once, and the agent keeps the answer for ten minutes.

use std::path::Path;
use std::sync::Arc;

use client::fulcio::certify;
use client::git::agent::{Agent, AgentError, Place, Taken};
use client::git::object::Content;
use client::git::{SignObjectError, SignedObject, sign};
use client::key_holder::KeyHolder;
use client::oidc::IdentityToken;
use client::select::Log;
use client::sign::{SignError, Signer};
use crypto::{KeyKind, SigningKey, sha256};
use jiff::Timestamp;
use pki::Certificate;
use pki::fulcio::identities;

use super::settings::Settings;
use super::terminal::Terminal;
use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::identity;
use crate::signing::{self, Preparation, SigningArgs};

/// Everything that a signature of a git object needs.
pub(super) struct GitSigner {
    args: SigningArgs,
    preparation: Preparation,
    terminal: Terminal,
    settings: Settings,
}

/// A key, and the certificate that vouches for it.
type Certified = (Box<dyn KeyHolder>, Certificate);

impl GitSigner {
    pub(super) fn prepare(settings: Settings, globals: &Globals) -> Result<Self, Failure> {
        let args = settings.signing()?;
        let mut preparation = args.prepare(&settings.program_globals(globals)?)?;
        let services = &mut preparation.services;
        // A log of version 1 says when. gitsign refuses a timestamp that was made in the certificate's first second, and
        // any by an authority that its user has not configured.
        let has_time = services.logs.iter().any(|log| matches!(log, Log::V1(_)));
        if has_time && !settings.wants_timestamp()? {
            services.timestamp_authorities.clear();
        }
        Ok(Self { args, preparation, terminal: Terminal::open(), settings })
    }

    /// Signs what git gave.
    pub(super) async fn sign(self, content: &Content) -> Result<SignedObject, Failure> {
        let (holder, certificate) = self.certified(content.maker().unwrap_or_default()).await?;
        if self.settings.matches_committer()? {
            check_committer(&certificate, content)?;
        }
        let Preparation { services, http, trust, .. } = self.preparation;
        let signer = Signer::certified(services, http, Arc::clone(&trust), holder, certificate)
            .map_err(signing::failure)?;
        sign(&signer, content, Timestamp::now()).await.map_err(|error| match error {
            SignObjectError::Sign(error) => signing::failure(error),
            other => Failure::undecided(other),
        })
    }

    /// The agent's key for whoever makes the object, or a new one.
    async fn certified(&self, maker: &str) -> Result<Certified, Failure> {
        let args = self.args.identity();
        // Where the environment has a token, nobody is asked, and another one may be there the next time.
        if let Some(token) = identity::token_at_hand(args, &self.preparation.http).await? {
            return self.fresh(&token).await;
        }
        let Some(taken) = self.take(maker)? else {
            return self.fresh(&self.sign_in().await?).await;
        };
        match taken {
            Taken::Held(key, certificate) => Ok((Box::new(key), certificate)),
            Taken::New(new) => {
                let token = self.sign_in().await?;
                let certificate = self.certify(&token, new.key()).await?;
                let key = new.keep(&certificate).or_undecided("the agent does not keep the key")?;
                Ok((Box::new(key), certificate))
            }
        }
    }

    /// The agent's key; `None` if there is no agent that could be used. Then each signature asks.
    fn take(&self, maker: &str) -> Result<Option<Taken>, Failure> {
        if !self.settings.uses_agent()? {
            return Ok(None);
        }
        let slot = self.slot(maker);
        let take = || reach_agent().and_then(|agent| agent.take(&slot));
        // An agent that had nothing left to keep may have ended just now.
        take().or_else(|_| take()).map(Some).or_else(|error| {
            self.terminal.say(&format!("warning: every signature asks for a sign-in: {error}"));
            Ok(None)
        })
    }

    /// A key for this signature only.
    async fn fresh(&self, token: &IdentityToken) -> Result<Certified, Failure> {
        let key =
            SigningKey::generate(KeyKind::EcdsaP256).or_undecided("no key can be generated")?;
        let certificate = self.certify(token, &key).await?;
        Ok((Box::new(key), certificate))
    }

    async fn sign_in(&self) -> Result<IdentityToken, Failure> {
        let (args, services) = (self.args.identity(), &self.preparation.services);
        if !self.terminal.has_person() && !args.names_flow() {
            return Err(Failure::undecided(
                "there is nobody who could sign in: no terminal, no desktop",
            )
            .hint(
                "put an identity token into SIGSTORE_ID_TOKEN, or set bulla.authFlow to device",
            ));
        }
        self.announce();
        let (issuer, http) = (services.issuer.as_deref(), &self.preparation.http);
        identity::sign_in(args, issuer, http, &self.terminal).await
    }

    /// Says what becomes public for ever. Once for each sign-in: a commit is no place for questions.
    fn announce(&self) {
        let Preparation { services, instance, .. } = &self.preparation;
        for log in &services.logs {
            let (Log::V1(url) | Log::V2(url)) = log;
            self.terminal.say(&format!(
                "the log of {instance} ({url}) will show to all who can read it, for ever, that you signed, and when"
            ));
        }
    }

    async fn certify(
        &self,
        token: &IdentityToken,
        key: &dyn KeyHolder,
    ) -> Result<Certificate, Failure> {
        let Preparation { services, http, trust, .. } = &self.preparation;
        let authority = services.ca.as_ref().ok_or(SignError::NoCertificateAuthority);
        let authority = authority.map_err(signing::failure)?;
        let certificate = certify(http, authority, token, key, trust).await;
        certificate.map_err(|error| signing::failure(error.into()))
    }

    /// What a sign-in depends on. Somebody with two addresses has two slots, and no commit gets the wrong name.
    fn slot(&self, maker: &str) -> String {
        let (args, services) = (self.args.identity(), &self.preparation.services);
        let authority = services.ca.as_ref().map(net::Url::as_str).unwrap_or_default();
        let parts = [authority, args.issuer(services.issuer.as_deref()), args.client_id(), maker];
        hex::encode(sha256(parts.join("\n").as_bytes()))
    }
}

/// The agent, which is started if it does not run.
fn reach_agent() -> Result<Agent, AgentError> {
    let place = Place::of_user()?;
    let program = std::env::current_exe().unwrap_or_else(|_| Path::new("bulla").to_owned());
    Agent::connect_or_start(&place, &program, &["git", "agent"])
}

fn check_committer(certificate: &Certificate, content: &Content) -> Result<(), Failure> {
    let names = identities(certificate);
    let maker = content.maker().unwrap_or_default();
    if names.iter().any(|name| name.text() == maker) {
        return Ok(());
    }
    let found = names.first().map(|name| name.text().to_owned()).unwrap_or_default();
    Err(Failure::refused("you signed in as somebody else than the committer")
        .fact("expected", maker)
        .fact("found", found)
        .hint("sign in with the other address (forget this one with: bulla git agent --forget), or set user.email"))
}
