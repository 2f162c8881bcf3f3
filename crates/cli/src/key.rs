//! Keys that a user names: files, environment variables, and the passwords of private ones.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use client::file;
use crypto::cosign_key::{self, CosignKeyError};
use crypto::{PublicKey, SigningKey, decode_pem};
use zeroize::Zeroizing;

use crate::failure::{Failure, OrFail};
use crate::output::{say, secret};

/// The largest key file: an RSA key of 8192 bits, encrypted and in base64 twice, has 9 kB.
const MAX_KEY_FILE: u64 = 64 * 1024;
/// cosign's variable for the password of a private key. It may be empty.
const PASSWORD_VARIABLE: &str = "COSIGN_PASSWORD";

/// Where a key is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum KeyReference {
    /// In a file.
    File(PathBuf),
    /// In an environment variable: `env://NAME`.
    Variable(String),
}

/// The scheme of a reference is one that we do not have.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("keys at {0}:// cannot be used; name a file, or env://VARIABLE")]
pub(crate) struct UnknownScheme(String);

impl FromStr for KeyReference {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, UnknownScheme> {
        match text.split_once("://") {
            Some(("env", name)) => Ok(Self::Variable(name.to_owned())),
            Some((scheme, _)) => Err(UnknownScheme(scheme.to_owned())),
            None => Ok(Self::File(text.into())),
        }
    }
}

impl std::fmt::Display for KeyReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => write!(f, "env://{name}"),
        }
    }
}

impl KeyReference {
    fn contents(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self {
            Self::File(path) => {
                file::read(path, MAX_KEY_FILE).map(Zeroizing::new).map_err(Failure::undecided)
            }
            Self::Variable(name) => std::env::var(name)
                .map(|value| Zeroizing::new(value.into_bytes()))
                .or_undecided(format!("the key in the variable {name} cannot be read")),
        }
    }

    /// Reads a public key, or the public half of a private key.
    pub(crate) fn public(&self) -> Result<PublicKey, Failure> {
        let contents = self.contents()?;
        if is_cosign_key(&contents) {
            return self.open(&contents).map(|key| key.public_key().clone());
        }
        PublicKey::from_pem(&contents)
            .or_undecided(format!("{self} holds no public key that can be used"))
            .map_err(|failure| {
                failure.hint("give a PEM file with a block PUBLIC KEY, such as cosign.pub")
            })
    }

    /// Reads a private key in cosign's encrypted format, asking for its password.
    pub(crate) fn private(&self) -> Result<SigningKey, Failure> {
        self.open(&self.contents()?)
    }

    fn open(&self, contents: &[u8]) -> Result<SigningKey, Failure> {
        if PublicKey::from_pem(contents).is_ok() {
            return Err(Failure::undecided(format!("{self} is a public key"))
                .hint("sign with the private half, such as cosign.key"));
        }
        if !is_cosign_key(contents) {
            return Err(Failure::undecided(format!("{self} is not an encrypted private key"))
                .hint(format!("encrypt it first: bulla import-key-pair --key {self}")));
        }
        let password = password(&format!("Password of {self}"))?;
        cosign_key::open(contents, password.as_bytes()).map_err(|error| {
            let wrong = error == CosignKeyError::Password;
            let failure = Failure::undecided(format!("{self}: {error}"));
            if wrong {
                failure.hint(format!("set {PASSWORD_VARIABLE}, or type it again"))
            } else {
                failure
            }
        })
    }

    /// Reads an unencrypted private key, to import it.
    pub(crate) fn unencrypted(&self) -> Result<SigningKey, Failure> {
        SigningKey::from_pem(&self.contents()?)
            .or_undecided(format!("{self} holds no unencrypted private key"))
            .map_err(|failure| {
                failure.hint(
                    "give a PEM file with a block PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY; \
                     decrypt others first, for example with openssl pkey",
                )
            })
    }
}

fn is_cosign_key(contents: &[u8]) -> bool {
    const LABELS: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];
    decode_pem(contents).is_ok_and(|(pem, _)| LABELS.contains(&pem.label.as_str()))
}

/// The password of an existing key: the variable, else asked for, else a line of the standard input.
fn password(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
        return Ok(Zeroizing::new(password));
    }
    secret(Some(prompt)).or_undecided("no password could be read")
}

/// The password for a new key: as [`password`], but asked for twice.
fn new_password(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let first = password(&format!("New password of {}", path.display()))?;
    let asked = std::env::var_os(PASSWORD_VARIABLE).is_none() && io::stdin().is_terminal();
    if asked && password("Once more")? != first {
        return Err(Failure::usage("the two passwords differ"));
    }
    if first.is_empty() {
        say("warning: the password is empty: whoever can read the key file can use the key");
    }
    Ok(first)
}

/// Room for the file of a key: that of the longest RSA key has half of it.
const KEY_FILE: u64 = 8 << 10;

/// A private key's file and its public key's.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyPairFiles {
    private_key: PathBuf,
    public_key: PathBuf,
}

impl std::fmt::Display for KeyPairFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "private key  {}", self.private_key.display())?;
        write!(f, "public key   {}", self.public_key.display())
    }
}

impl KeyPairFiles {
    /// `PREFIX.key` and `PREFIX.pub`.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            private_key: format!("{prefix}.key").into(),
            public_key: format!("{prefix}.pub").into(),
        }
    }

    /// Refuses to overwrite a key, unless that is wanted, and places that cannot be written to.
    pub(crate) fn check_free(&self, overwrite: bool) -> Result<(), Failure> {
        match [&self.private_key, &self.public_key].into_iter().find(|path| path.exists()) {
            Some(path) if !overwrite => {
                Err(Failure::refused(format!("{} exists already", path.display())).hint(
                    "choose other names with --output-key-prefix, or overwrite it with --yes",
                ))
            }
            _ => Ok(()),
        }?;
        // Before anybody thinks of a password, and so that there is never one half without the other.
        for path in [&self.private_key, &self.public_key] {
            file::check_writable(path, KEY_FILE).map_err(Failure::undecided)?;
        }
        Ok(())
    }

    /// Encrypts `key` under a password that is asked for, and writes both files.
    pub(crate) fn write(&self, key: &SigningKey) -> Result<(), Failure> {
        let password = new_password(&self.private_key)?;
        let sealed = cosign_key::seal(key, password.as_bytes())
            .or_undecided("the key cannot be encrypted")?;
        file::write(&self.private_key, sealed.as_bytes(), file::Readers::Owner)
            .map_err(Failure::undecided)?;
        file::write(&self.public_key, key.public_key().to_pem().as_bytes(), file::Readers::Everyone)
            .map_err(Failure::undecided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_key_pair_cannot_be_written_nobody_is_asked_for_a_password() {
        let directory = tempfile::tempdir().unwrap();
        let pair = |name: &str| KeyPairFiles::new(&directory.path().join(name).to_string_lossy());
        pair("key").check_free(false).unwrap();
        pair("none/key").check_free(false).unwrap_err();
        std::fs::create_dir(directory.path().join("key.pub")).unwrap();
        pair("key").check_free(true).unwrap_err();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_reference_is_a_file_or_a_variable() {
        assert_eq!("cosign.key".parse(), Ok(KeyReference::File("cosign.key".into())));
        assert_eq!("env://KEY".parse(), Ok(KeyReference::Variable("KEY".into())));
        assert_eq!(
            "awskms:///alias/x".parse::<KeyReference>(),
            Err(UnknownScheme("awskms".into()))
        );
    }
}
