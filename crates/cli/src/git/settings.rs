//! What git's configuration says about signing, and of the environment what gitsign's users have set.

use std::path::{Path, PathBuf};

use clap::Parser;
use client::git::repository::Repository;

use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::signing::SigningArgs;
use crate::verifying::DemandArgs;

/// The keys below `bulla.`, as git gives them, and the flag that each stands for.
const SIGNING: &[(&str, &str)] = &[
    ("bulla.signingconfig", "--signing-config"),
    ("bulla.rekor", "--rekor"),
    ("bulla.oidcissuer", "--oidc-issuer"),
    ("bulla.oidcclientid", "--oidc-client-id"),
    ("bulla.authflow", "--fulcio-auth-flow"),
];
const SWITCHES: &[(&str, &str)] = &[
    ("bulla.privateinfrastructure", "--private-infrastructure"),
    ("bulla.insecureignoretlog", "--insecure-ignore-tlog"),
    ("bulla.insecureignoresct", "--insecure-ignore-sct"),
];
const OTHERS: &[&str] = &[
    "bulla.trust",
    "bulla.allowedsigners",
    "bulla.agent",
    "bulla.matchcommitter",
    "bulla.timestamp",
];

/// Variables that gitsign reads, too; the later of two counts.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("SIGSTORE_OIDC_ISSUER", "--oidc-issuer"),
    ("SIGSTORE_OIDC_CLIENT_ID", "--oidc-client-id"),
    ("GITSIGN_OIDC_ISSUER", "--oidc-issuer"),
    ("GITSIGN_OIDC_CLIENT_ID", "--oidc-client-id"),
];

/// The configuration.
pub(super) struct Settings(Vec<(String, String)>);

/// The same flags as of other commands, so that they mean the same.
#[derive(Parser)]
struct SigningLine {
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Parser)]
struct DemandLine {
    #[command(flatten)]
    demands: DemandArgs,
}

impl Settings {
    /// Asks git.
    pub(super) fn read() -> Result<Self, Failure> {
        let pairs = Repository
            .configuration("bulla")
            .or_undecided("git does not tell its configuration")?;
        Self::new(pairs)
    }

    fn new(pairs: Vec<(String, String)>) -> Result<Self, Failure> {
        let paths = ["bulla.trust", "bulla.signingconfig"];
        for (key, value) in pairs.iter().filter(|(key, _)| paths.contains(&key.as_str())) {
            check_fixed(key, value, *key == "bulla.signingconfig")?;
        }
        let known = |key: &str| {
            let flags = SIGNING.iter().chain(SWITCHES).map(|(key, _)| *key);
            flags.chain(OTHERS.iter().copied()).any(|known| known == key)
        };
        // What is misspelt would not protect, and nobody would notice.
        match pairs.iter().find(|(key, _)| !known(key)) {
            Some((key, _)) => Err(Failure::usage(format!(
                "git's configuration has the key {key}, which is not known"
            ))
            .hint("see the keys that are known with: bulla help git")),
            None => Ok(Self(pairs)),
        }
    }

    /// The last value of a key.
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known == key);
        values.next_back().map(|(_, value)| value.as_str())
    }

    fn is_on(&self, key: &str, default: bool) -> Result<bool, Failure> {
        match self.get(key).map(str::to_lowercase).as_deref() {
            None => Ok(default),
            Some("true" | "yes" | "on" | "1") => Ok(true),
            Some("false" | "no" | "off" | "0" | "") => Ok(false),
            Some(other) => {
                Err(Failure::usage(format!("{key} is {other:?} in git's configuration"))
                    .hint("set it to true or false"))
            }
        }
    }

    /// The flags of all commands, with the trust that git's configuration chooses where nothing else does.
    pub(super) fn globals(&self, globals: &Globals) -> Globals {
        let configured = || self.get("bulla.trust").map(home_expanded);
        let trust = globals.trust.clone().or_else(configured);
        Globals { output: globals.output, trust, verbose: globals.verbose }
    }

    /// As [`Self::globals`], where git chose the directory: nothing in it may say whom to trust.
    pub(super) fn program_globals(&self, globals: &Globals) -> Result<Globals, Failure> {
        if let Some(trust) = &globals.trust {
            check_fixed("BULLA_TRUST", trust, false)?;
        }
        Ok(self.globals(globals))
    }

    /// Where the list of allowed signers is.
    pub(super) fn allowed_signers(&self) -> Option<&str> {
        self.get("bulla.allowedsigners")
    }

    /// Whether keys are left to the agent.
    pub(super) fn uses_agent(&self) -> Result<bool, Failure> {
        self.is_on("bulla.agent", true)
    }

    /// Whether a timestamp is wanted where the log says when, too.
    pub(super) fn wants_timestamp(&self) -> Result<bool, Failure> {
        self.is_on("bulla.timestamp", false)
    }

    /// Whether only the committer's own e-mail address may be signed for.
    pub(super) fn matches_committer(&self) -> Result<bool, Failure> {
        self.is_on("bulla.matchcommitter", false)
    }

    /// How to sign.
    pub(super) fn signing(&self) -> Result<SigningArgs, Failure> {
        let mut flags = self.flags(SIGNING);
        let variables = ENVIRONMENT.iter().filter_map(|(name, flag)| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
            Some((*flag, value))
        });
        for (flag, value) in variables {
            flags.retain(|(known, _)| *known != flag);
            flags.push((flag, value));
        }
        let words = flags.iter().map(|(flag, value)| format!("{flag}={value}"));
        parse::<SigningLine>(words).map(|line| line.signing)
    }

    /// What evidence to ask for.
    pub(super) fn demands(&self) -> Result<DemandArgs, Failure> {
        let mut words = Vec::new();
        for (key, flag) in SWITCHES {
            if self.is_on(key, false)? {
                words.push((*flag).to_owned());
            }
        }
        parse::<DemandLine>(words.into_iter()).map(|line| line.demands)
    }

    fn flags(&self, table: &[(&str, &'static str)]) -> Vec<(&'static str, String)> {
        let flag =
            |(key, flag): &(&str, &'static str)| Some((*flag, home_expanded(self.get(key)?)));
        table.iter().filter_map(flag).collect()
    }
}

fn parse<L: Parser>(words: impl Iterator<Item = String>) -> Result<L, Failure> {
    L::try_parse_from(std::iter::once("git config".to_owned()).chain(words)).map_err(|error| {
        let said = error.to_string();
        let first = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Failure::usage(format!("git's configuration cannot be understood: {first}"))
            .hint("see the keys that are known with: bulla help git")
    })
}

/// A path as git writes it: `~/` is the home directory.
pub(super) fn expanded(path: &str) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => std::env::var_os("HOME").map(|home| PathBuf::from(home).join(rest)),
        None => Some(PathBuf::from(path)),
    }
}

fn home_expanded(value: &str) -> String {
    match value.starts_with("~/").then(|| expanded(value)).flatten() {
        Some(path) => path.display().to_string(),
        None => value.to_owned(),
    }
}

/// Git runs its signing program among the files that are checked out: a path relative to them would let their author say
/// whom to trust, and where to send tokens.
fn check_fixed(key: &str, value: &str, is_path: bool) -> Result<(), Failure> {
    let is_path = is_path || value.contains('/') || value.ends_with(".json");
    if !is_path || value.starts_with('/') || value.starts_with("~/") {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{key} is {value}, which would be looked for among the files that are checked out"
    ))
    .hint("give the whole path (/… or ~/…)"))
}

/// What `--trust` names, in a form that means the same everywhere.
pub(super) fn absolute(trust: &str) -> Result<String, Failure> {
    if !trust.contains('/') && !trust.ends_with(".json") {
        return Ok(trust.to_owned());
    }
    let path = Path::new(trust).canonicalize().or_undecided(format!("{trust} cannot be read"))?;
    Ok(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, Failure> {
        Settings::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_key_that_is_not_known_is_an_error() {
        settings(&[("bulla.allowedsigner", "/etc/signers")]).err().unwrap();
        settings(&[("bulla.allowedsigners", "/etc/signers")]).unwrap();
    }

    #[test]
    fn whom_to_trust_is_never_looked_for_among_the_files_that_are_checked_out() {
        for (key, value) in [
            ("bulla.trust", "./root"),
            ("bulla.trust", "ctc.json"),
            ("bulla.signingconfig", "config"),
        ] {
            settings(&[(key, value)]).err().unwrap();
        }
        for value in ["sigstore.example.com", "/etc/root.json", "~/root.json"] {
            settings(&[("bulla.trust", value)]).unwrap();
        }
    }

    #[test]
    fn what_is_set_last_counts() {
        let settings = settings(&[("bulla.trust", "a"), ("bulla.trust", "b")]).unwrap();
        assert_eq!(settings.get("bulla.trust"), Some("b"));
    }

    #[test]
    fn values_mean_what_flags_mean() {
        let good = settings(&[("bulla.rekor", "v1"), ("bulla.insecureignoresct", "true")]).unwrap();
        good.signing().unwrap();
        good.demands().unwrap();
        settings(&[("bulla.rekor", "v9")]).unwrap().signing().err().unwrap();
        settings(&[("bulla.agent", "maybe")]).unwrap().uses_agent().unwrap_err();
    }
}
