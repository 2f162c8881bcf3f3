//! Docker's configuration as something to write: what signing in to a registry leaves there, and signing out takes away.
//!
//! Everything that is not about the registry in question stays as it is. A password goes to the credential helper that
//! the configuration names, and into the file only where it names none, as docker does it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use super::config::{self, Config};
use super::{CredentialError, Credentials, helper, secret_json, server};

/// How many symbolic links are followed, as the kernel does.
const MAX_LINKS: usize = 40;

/// Docker's configuration, read to be changed. What was changed counts when [`Keeper::to_json`] is written to
/// [`Keeper::path`].
pub struct Keeper {
    path: PathBuf,
    config: Config,
    contents: Contents,
    /// While others are kept out.
    lock: Option<File>,
}

/// The whole configuration. Its texts are wiped: some are passwords.
struct Contents(Map<String, Value>);

impl Drop for Contents {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Keeper {
    /// Reads the configuration of this user, from the first of the files that [`Credentials::of_user`] reads; an empty one
    /// if there is none. `None` where nothing says where it would be: neither `$DOCKER_CONFIG` nor `$HOME`.
    ///
    /// # Errors
    ///
    /// If there is a file, and it cannot be read or is no configuration.
    pub fn of_user() -> Result<Option<Self>, CredentialError> {
        Credentials::docker_file().map(|path| Self::open(&path)).transpose()
    }

    /// Reads the configuration in the file `path`, through symbolic links, which stay, also where they lead to no file yet.
    ///
    /// # Errors
    ///
    /// As [`Keeper::of_user`].
    pub fn open(path: &Path) -> Result<Self, CredentialError> {
        let path = target(path);
        let json = config::contents(&path)?.unwrap_or_else(|| Zeroizing::new(b"{}".to_vec()));
        let wrong = |reason| CredentialError::Configuration { path: path.clone(), reason };
        let config = Config::parse(&json).map_err(wrong)?;
        let contents = Contents(config::parse(&json).map_err(wrong)?);
        Ok(Self { path, config, contents, lock: None })
    }

    /// Waits until no other process is here, and keeps others out as long as this one lives. What they wrote is taken up. The
    /// directory of the file is there then.
    ///
    /// Docker keeps nobody out: what is changed is to be written at once.
    ///
    /// # Errors
    ///
    /// [`CredentialError::Lock`], and as [`Keeper::of_user`].
    pub fn alone(mut self) -> Result<Self, CredentialError> {
        self.lock = Some(lock(&self.path)?);
        self.read_again()?;
        Ok(self)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps a password for `registry`. The credential helper that has it now, if one has. A helper may take its time: what
    /// others wrote into the file meanwhile stays, if the outcome is written at once.
    ///
    /// # Errors
    ///
    /// [`CredentialError::Helper`], and nothing has changed then. As [`Keeper::of_user`], if the file has become none while
    /// the helper was asked.
    pub async fn keep(
        &mut self,
        registry: &str,
        user: &str,
        password: &Zeroizing<String>,
    ) -> Result<Option<String>, CredentialError> {
        let helper = self.helper(registry).map(str::to_owned);
        let entry = match &helper {
            Some(name) => {
                helper::store(name, server(registry), user, password).await?;
                self.read_again()?;
                json!({})
            }
            None => {
                let pair = Zeroizing::new([user, ":", password.as_str()].concat());
                json!({ "auth": STANDARD.encode(pair.as_bytes()) })
            }
        };
        // An older entry under another name of the registry would be used as well.
        self.remove(registry);
        self.auths().insert(server(registry).to_owned(), entry);
        Ok(helper)
    }

    /// Forgets what is kept for the whole of `registry`, in the file and by its credential helper. Whether there was anything.
    ///
    /// # Errors
    ///
    /// As [`Keeper::keep`].
    pub async fn forget(&mut self, registry: &str) -> Result<bool, CredentialError> {
        let erased = match self.helper(registry).map(str::to_owned) {
            Some(name) => {
                let erased = helper::erase(&name, server(registry)).await?;
                self.read_again()?;
                erased
            }
            None => false,
        };
        Ok(self.remove(registry) || erased)
    }

    /// The whole configuration, as docker lays it out.
    ///
    /// # Panics
    ///
    /// Never: what was read as JSON can be written as such.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        secret_json::write(&self.contents.0, &PrettyFormatter::with_indent(b"\t"))
    }

    /// Takes up what others wrote since it was read.
    fn read_again(&mut self) -> Result<(), CredentialError> {
        let lock = self.lock.take();
        *self = Self { lock, ..Self::open(&self.path)? };
        Ok(())
    }

    fn helper(&self, registry: &str) -> Option<&str> {
        self.config.helper(registry).or_else(|| self.config.store())
    }

    /// Removes the entries for the whole of `registry`. Whether there were any.
    fn remove(&mut self, registry: &str) -> bool {
        let auths = self.auths();
        let before = auths.len();
        auths.retain(|key, entry| {
            let goes = config::names(key, registry);
            if goes {
                wipe(entry);
            }
            !goes
        });
        auths.len() < before
    }

    fn auths(&mut self) -> &mut Map<String, Value> {
        let auths = self.contents.0.entry("auths").or_insert_with(|| json!({}));
        if !auths.is_object() {
            // It is null: anything else was refused when the configuration was read.
            *auths = json!({});
        }
        auths.as_object_mut().expect("it was just made an object")
    }
}

/// Where a path leads in the end: a file, or a place where none is yet.
fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Ok(found) = path.canonicalize() {
            return found;
        }
        let Ok(next) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("")).join(next);
    }
    path
}

/// Waits for this process's turn to write the file `path`. The turn ends when the file is closed.
fn lock(path: &Path) -> Result<File, CredentialError> {
    let place = path.with_added_extension("lock");
    let open = || -> io::Result<File> {
        if let Some(directory) = path.parent() {
            // As docker makes it.
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        OpenOptions::new().create(true).append(true).mode(0o600).open(&place)
    };
    let file = open().map_err(|source| CredentialError::Lock { path: place.clone(), source })?;
    // Where the file system has no locks, nobody is kept out: as everywhere by docker.
    let _ = file.lock();
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Credential;

    /// A configuration, and what is asked of the one that comes of it.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new(config: &str) -> Self {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("config.json"), config).unwrap();
            Self(directory)
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("config.json")
        }

        fn keeper(&self) -> Keeper {
            Keeper::open(&self.file()).unwrap()
        }

        fn write(&self, keeper: &Keeper) -> Value {
            std::fs::write(self.file(), keeper.to_json()).unwrap();
            serde_json::from_slice(&keeper.to_json()).unwrap()
        }

        /// Who is found for the registry: the name and the password.
        async fn found(&self, registry: &str) -> Option<(String, String)> {
            let found = Credentials::of_files(vec![self.file()]).find(registry, "a/b").await;
            match found.unwrap()? {
                Credential::Password { user, password } => Some((user, password.to_string())),
                _ => None,
            }
        }
    }

    fn secret() -> Zeroizing<String> {
        Zeroizing::new("open:sesame".to_owned())
    }

    #[tokio::test]
    async fn what_is_kept_is_found_and_what_is_forgotten_is_not() {
        let place = Place::new("{}");
        for registry in ["registry.example:5000", "index.docker.io"] {
            let mut keeper = place.keeper();
            assert_eq!(keeper.keep(registry, "alice", &secret()).await.unwrap(), None);
            place.write(&keeper);
            let alice = Some(("alice".to_owned(), "open:sesame".to_owned()));
            assert_eq!(place.found(registry).await, alice);
            let mut keeper = place.keeper();
            assert!(keeper.forget(registry).await.unwrap());
            assert!(!keeper.forget(registry).await.unwrap());
            place.write(&keeper);
            assert_eq!(place.found(registry).await, None);
        }
    }

    #[tokio::test]
    async fn everything_else_stays() {
        let place = Place::new(
            r#"{"HttpHeaders":{"a":"b"},"auths":{"other.example":{"auth":"YTpi"}},"psFormat":"x"}"#,
        );
        let mut keeper = place.keeper();
        keeper.keep("registry.example", "alice", &secret()).await.unwrap();
        let written = place.write(&keeper);
        assert_eq!(written["HttpHeaders"]["a"], "b");
        assert_eq!(written["psFormat"], "x");
        assert_eq!(written["auths"]["other.example"]["auth"], "YTpi");
    }

    #[tokio::test]
    async fn an_older_entry_under_another_name_of_the_registry_goes() {
        let old = r#"{"auths":{"https://a.example/v2/":{"auth":"Ym9iOng="},"a.example/team":{"auth":"Ym9iOng="}}}"#;
        let place = Place::new(old);
        let mut keeper = place.keeper();
        keeper.keep("a.example", "alice", &secret()).await.unwrap();
        let written = place.write(&keeper);
        assert!(written["auths"]["https://a.example/v2/"].is_null());
        // Of a part of the registry, somebody said something else.
        assert!(written["auths"]["a.example/team"].is_object());
        assert_eq!(place.found("a.example").await.unwrap().0, "alice");
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_keeps_nothing() {
        let config = r#"{"auths":{},"credsStore":"no-such-helper-of-anybody"}"#;
        let place = Place::new(config);
        let mut keeper = place.keeper();
        let error = keeper.keep("a.example", "alice", &secret()).await.unwrap_err();
        assert!(matches!(error, CredentialError::Helper { .. }));
        assert_eq!(place.write(&keeper), serde_json::from_str::<Value>(config).unwrap());
    }

    #[tokio::test]
    async fn who_waits_for_its_turn_takes_up_what_was_written_before() {
        let place = Place::new("{}");
        let mut first = place.keeper().alone().unwrap();
        let second = {
            let keeper = place.keeper();
            std::thread::spawn(move || keeper.alone().unwrap())
        };
        // Time for the other to read what is there now, if it did.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        first.keep("a.example", "alice", &secret()).await.unwrap();
        place.write(&first);
        drop(first);
        let mut second = second.join().unwrap();
        second.keep("b.example", "bob", &secret()).await.unwrap();
        place.write(&second);
        assert_eq!(place.found("a.example").await.unwrap().0, "alice");
        assert_eq!(place.found("b.example").await.unwrap().0, "bob");
    }

    #[test]
    fn what_goes_out_of_use_is_wiped() {
        let mut value = json!({ "a": ["secret", { "b": "secret" }], "c": 1 });
        wipe(&mut value);
        assert_eq!(value, json!({ "a": ["", { "b": "" }], "c": 1 }));
    }

    #[test]
    fn links_are_followed_to_where_no_file_is_yet_and_not_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("further", place.join("link")).unwrap();
        std::os::unix::fs::symlink(place.join("none/file"), place.join("further")).unwrap();
        assert_eq!(target(&place.join("link")), place.join("none/file"));
        assert_eq!(target(&place.join("file")), place.join("file"));
        std::os::unix::fs::symlink("round", place.join("round")).unwrap();
        assert!(Keeper::open(&place.join("round")).is_err());
    }

    #[test]
    fn what_is_no_configuration_is_not_written_over() {
        for text in ["[]", "no", r#"{"auths":[]}"#, r#"{"auths":"x"}"#] {
            assert!(Keeper::open(&Place::new(text).file()).is_err(), "{text}");
        }
    }
}
