//! Whom a command trusts: `--trusted-root`, else `--trust`, else what was added last, else the public-good instance.

use std::path::{Path, PathBuf};

use client::file;
use client::select::RekorVersion;
use client::trust::{Trust, TrustChoice, TrustError, TrustStore};
use jiff::Timestamp;
use net::{Client, Settings, TlsTrust};
use tuf::UpdateError;
use wire::signing_config::SigningConfig;
use wire::trusted_root::TrustedRoot;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::output::say;

/// The largest signing config: the public one has two kilobytes.
const MAX_SIGNING_CONFIG: u64 = 1 << 20;

/// Trust material that was found.
pub(crate) struct Trusting(Trust);

/// Finds the trust material, and passes on what the user should know of its age. Opens no socket.
pub(crate) fn load(globals: &Globals, trusted_root: Option<&Path>) -> Result<Trusting, Failure> {
    let choice = match (trusted_root, &globals.trust) {
        (Some(path), _) => TrustChoice::File(path.to_owned()),
        (None, Some(text)) => choice(text),
        (None, None) => TrustChoice::Default,
    };
    let trust = TrustStore::of_user().load(&choice, Timestamp::now()).map_err(failure)?;
    for warning in &trust.warnings {
        say(format!("warning: {warning}"));
    }
    Ok(Trusting(trust))
}

/// A name has neither a slash nor the ending of a file.
fn choice(text: &str) -> TrustChoice {
    let is_file = text.contains('/') || text.ends_with(".json");
    if is_file {
        TrustChoice::File(PathBuf::from(text))
    } else {
        TrustChoice::Named(text.to_owned())
    }
}

/// What a failure of the trust store means for the user.
pub(crate) fn failure(error: TrustError) -> Failure {
    match &error {
        TrustError::Unknown(_) => Failure::undecided(error).hint(
            "list what was added with: bulla trust list. Add one with: bulla trust add URL --fingerprint SHA256:… \
             The public-good instance is called sigstore.dev",
        ),
        TrustError::FingerprintForm(_) => {
            Failure::usage(error).hint("bulla init printed it, and the server's page shows it")
        }
        TrustError::Url { .. } => {
            Failure::usage(error).hint("write it with its scheme: https://sigstore.example.com")
        }
        TrustError::Fingerprint { .. } => Failure::refused(error).hint(
            "ask the operator for the fingerprint by another way; if it is right, somebody stands between you and the server",
        ),
        TrustError::NotTrustMaterial { .. } => Failure::undecided(error).hint(
            "give a file as bulla trust show --out DIR or bulla trusted-root create write it",
        ),
        TrustError::NoRepository { .. } => {
            Failure::undecided(error).hint("name the public URL of the server, as bulla init was given it")
        }
        TrustError::Update { source, .. } => match **source {
            UpdateError::Refused(tuf::TrustError::Expired { .. }) => Failure::undecided(error).hint(
                "the operator must renew it; if it is not that old, this machine's clock is wrong",
            ),
            UpdateError::Refused(_) => Failure::refused(error).hint(
                "ask the operator: what was trusted before still is, and either the server is broken or somebody is in between",
            ),
            _ => Failure::undecided(error),
        },
        _ => Failure::undecided(error),
    }
}

/// Trust material that was fetched and verified lasts for this process only, which is of no use to anybody.
pub(crate) fn not_kept(name: &str) -> Failure {
    Failure::undecided(format!(
        "{name} is as it should be, but that cannot be kept: nothing is trusted after this command"
    ))
    .hint("let the directory bulla/trust below XDG_DATA_HOME, or ~/.local/share, be written to")
}

impl Trusting {
    /// The name of the instance.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// The trusted root.
    pub(crate) fn root(&self) -> Result<TrustedRoot, Failure> {
        TrustedRoot::parse(&self.0.trusted_root)
            .or_undecided(format!("the trusted root of {} cannot be used", self.0.name))
    }

    /// The trusted root as it was published.
    pub(crate) fn root_bytes(&self) -> &[u8] {
        &self.0.trusted_root
    }

    /// Everything, by the names that TUF repositories have for it.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let Trust { trusted_root, signing_config, signing_config_rekor_v1, tls_ca, .. } = &self.0;
        [
            ("trusted_root.json", Some(trusted_root)),
            ("signing_config.v0.2.json", signing_config.as_ref()),
            ("signing_config_rekor_v1.v0.2.json", signing_config_rekor_v1.as_ref()),
            ("tls_ca.pem", tls_ca.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, contents)| Some((name, &**contents?)))
    }

    /// The signing config: a file, else that of the instance.
    pub(crate) fn signing_config(&self, path: Option<&Path>) -> Result<SigningConfig, Failure> {
        self.signing_config_for(path, RekorVersion::Highest)
    }

    /// The signing config: a file, else that of the instance for this version of the log.
    pub(crate) fn signing_config_for(
        &self,
        path: Option<&Path>,
        rekor: RekorVersion,
    ) -> Result<SigningConfig, Failure> {
        let from_file;
        let bytes: &[u8] = match path {
            Some(path) => {
                from_file = file::read(path, MAX_SIGNING_CONFIG).map_err(Failure::undecided)?;
                &from_file
            }
            None => self.own_config(rekor).ok_or_else(|| {
                Failure::undecided(format!("{} does not say which services to sign with", self.0.name))
                    .hint("give a signing config with --signing-config FILE, or a client trust config with --trust FILE")
            })?,
        };
        SigningConfig::parse(bytes).or_undecided("the signing config cannot be used")
    }

    fn own_config(&self, rekor: RekorVersion) -> Option<&[u8]> {
        let own = match rekor {
            RekorVersion::V1 => self.0.signing_config_rekor_v1.as_ref(),
            RekorVersion::V2 => self.0.signing_config_rekor_v2.as_ref(),
            RekorVersion::Highest => None,
        };
        own.or(self.0.signing_config.as_ref()).map(AsRef::as_ref)
    }

    /// An HTTP client for the instance's services, which may have a TLS authority of their own.
    pub(crate) fn http(&self) -> Result<Client, Failure> {
        let further = match &self.0.tls_ca {
            Some(pem) => TlsTrust::roots_from_pem(pem)
                .or_undecided(format!("the TLS authority of {} cannot be used", self.0.name))?,
            None => Vec::new(),
        };
        Ok(Client::new(Settings { tls: TlsTrust::System { further }, ..Settings::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_a_name_by_its_spelling_alone() {
        assert_eq!(
            choice("sigstore.example.com"),
            TrustChoice::Named("sigstore.example.com".into())
        );
        assert_eq!(choice("./root"), TrustChoice::File("./root".into()));
        assert_eq!(choice("trusted_root.json"), TrustChoice::File("trusted_root.json".into()));
    }
}
