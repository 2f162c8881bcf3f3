//! Flags that people know from cosign and that are not here: what to do instead.
//!
//! Flags that mean the same have the same names and are not in this table, nor are those that are here in the command that
//! was typed: only what clap does not know is looked up.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::Failure;

/// A flag, and what to do instead of typing it.
type Row = (&'static str, &'static str);

const SERVICES: &str = "services are named in a signing config: --signing-config FILE, made with bulla signing-config create";
const BUNDLE: &str =
    "one bundle has the signature, the certificate and all evidence: --bundle FILE";
const ROOT: &str =
    "whom to trust is in a trusted root: --trusted-root FILE, made with bulla trusted-root create";
const SIGN_IN: &str = "leave it out: what CI systems offer is found, and a browser is led back to this machine; or give --identity-token";
const MUTUAL_TLS: &str = "timestamp authorities are asked without a client's certificate; put a proxy before one that wants it";
const HARDWARE: &str =
    "keys in hardware cannot be used: sign in the name of an identity, or with --key FILE";
const FORMS: &str = "leave it out: both forms are read; --format legacy writes the older one";
const ALWAYS: &str = "leave it out: this is always so";

/// In the order of cosign's reference: signing, verifying, registries, all commands.
const FOREIGN: &[Row] = &[
    ("--fulcio-url", SERVICES),
    ("--rekor-url", SERVICES),
    ("--timestamp-server-url", SERVICES),
    ("--use-signing-config", "leave it out: a signing config is always used, see --signing-config"),
    (
        "--tlog-upload",
        "a signing config without logs leaves the logs out: bulla signing-config create --with-default-services --no-default-rekor",
    ),
    ("--timestamp-client-cacert", MUTUAL_TLS),
    ("--timestamp-client-cert", MUTUAL_TLS),
    ("--timestamp-client-key", MUTUAL_TLS),
    ("--timestamp-server-name", MUTUAL_TLS),
    ("--output-signature", BUNDLE),
    ("--output-certificate", BUNDLE),
    ("--output-payload", BUNDLE),
    ("--output-attestation", BUNDLE),
    ("--rfc3161-timestamp", BUNDLE),
    ("--rfc3161-timestamp-bundle", BUNDLE),
    ("--payload", "attach what was signed elsewhere with bulla attach --bundle FILE IMAGE"),
    ("--attestation", "attach what was signed elsewhere with bulla attach --bundle FILE IMAGE"),
    ("--attachment", "sign what is attached by its own digest: bulla tree IMAGE lists it"),
    ("--attachment-tag-prefix", "keep signatures apart with --signature-repository REPOSITORY"),
    ("--issue-certificate", "leave it out: with --key the key signs, without it an identity does"),
    ("--insecure-skip-verify", "leave it out: a bundle that does not verify is never given out"),
    ("--record-creation-timestamp", "leave it out: the time is in the timestamp and the log entry"),
    ("--rekor-entry-type", "leave it out: the log says which kind of entry it takes"),
    (
        "--signing-algorithm",
        "leave it out: identities sign with P-256; other kinds come with --key FILE",
    ),
    ("--hash", "name the digest instead of the file: sha256:…"),
    ("--b64", "leave it out: bundles are JSON"),
    ("--oidc-client-secret-file", SIGN_IN),
    ("--oidc-disable-ambient-providers", SIGN_IN),
    ("--oidc-provider", SIGN_IN),
    ("--oidc-redirect-url", SIGN_IN),
    (
        "--replace",
        "only attestations can be replaced; remove signatures with bulla clean --type signature",
    ),
    ("--no-upload", "--upload=false --bundle FILE keeps the bundle"),
    ("--sk", HARDWARE),
    ("--slot", HARDWARE),
    ("--check-claims", "leave it out: whether a signature is about the image is always checked"),
    ("--use-signed-timestamps", ALWAYS),
    (
        "--allow-certificate-chain",
        "leave it out: a chain in a bundle is read beside roots of your own, --certificate-chain FILE or --ca-roots FILE",
    ),
    ("--new-bundle-format", FORMS),
    ("--experimental-oci11", FORMS),
    ("--registry-referrers-mode", FORMS),
    ("--timestamp-certificate-chain", ROOT),
    ("--certificate-chain", BUNDLE),
    ("--certificate", BUNDLE),
    ("--signature", BUNDLE),
    ("--sct", "leave it out: it is in the certificate"),
    ("--signature-digest-algorithm", "leave it out: it follows from the key"),
    ("--digest", "name the digest instead of the file: sha256:…"),
    ("--digestAlg", "name the digest instead of the file: sha256:…"),
    ("--policy", "put conditions on statements with --where CEL"),
    ("--max-workers", "leave it out: as many are looked at together as this machine has use for"),
    ("--sig-only", "say --only sig"),
    (
        "--k8s-keychain",
        "credentials come from Docker's configuration and its credential helpers; bulla login adds to it",
    ),
    ("--password", "passwords are read from the standard input: bulla login … < FILE"),
    ("-p", "passwords are read from the standard input: bulla login … < FILE"),
    ("--allow-http-registry", "no registry is asked here"),
    ("--output-file", "messages go to stderr: 2> FILE"),
    ("--timeout", "leave it out: each request has a deadline; end the whole with timeout(1)"),
    ("-t", "leave it out: each request has a deadline; end the whole with timeout(1)"),
    ("-d", "say --verbose"),
];

/// What to tell somebody who typed a flag of cosign's, if that is why the command line cannot be understood.
pub(crate) fn explain(error: &clap::Error) -> Option<Failure> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = typed.split('=').next().unwrap_or(typed);
    let (flag, advice) = FOREIGN.iter().find(|(known, _)| *known == flag)?;
    Some(Failure::usage(format!("there is no flag {flag} here")).hint(*advice))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::command_line::CommandLine;

    fn advice(typed: &str) -> Option<String> {
        let error = CommandLine::try_parse_from(typed.split_whitespace()).unwrap_err();
        explain(&error).map(|failure| failure.to_text())
    }

    /// All flags of a command and of those below it.
    fn flags(command: &clap::Command, found: &mut BTreeSet<String>) {
        found.extend(
            command.get_arguments().filter_map(|flag| Some(format!("--{}", flag.get_long()?))),
        );
        command.get_subcommands().for_each(|below| flags(below, found));
    }

    #[test]
    fn who_types_a_flag_of_cosign_is_told_what_to_do_instead() {
        let said = advice("bulla sign --rekor-url https://rekor.example app").unwrap();
        assert!(said.contains("there is no flag --rekor-url here"), "{said}");
        assert!(said.contains("--signing-config"), "{said}");
        assert!(advice("bulla verify --timeout=3m app").is_some());
        assert!(advice("bulla verify --nonsense app").is_none());
    }

    #[test]
    fn a_flag_that_a_command_has_is_not_explained_away() {
        CommandLine::try_parse_from(["bulla", "attest", "--replace", "--predicate", "p", "app"])
            .unwrap();
        assert!(advice("bulla sign --replace app").is_some());
    }

    #[test]
    fn advice_names_only_flags_and_commands_that_there_are() {
        let (mut command, mut known) = (CommandLine::command(), BTreeSet::new());
        command.build();
        flags(&command, &mut known);
        for (flag, advice) in FOREIGN {
            let words = advice.split(|c: char| c.is_whitespace() || ",:;=".contains(c));
            let named: Vec<&str> = words.collect();
            for word in named.iter().filter(|word| word.starts_with("--")) {
                assert!(known.contains(*word), "{flag}: {advice}");
            }
            for pair in named.windows(2).filter(|pair| pair[0] == "bulla") {
                assert!(command.find_subcommand(pair[1]).is_some(), "{flag}: {advice}");
            }
        }
    }

    #[test]
    fn every_flag_is_explained_once() {
        let flags: BTreeSet<_> = FOREIGN.iter().map(|(flag, _)| flag).collect();
        assert_eq!(flags.len(), FOREIGN.len());
    }
}
