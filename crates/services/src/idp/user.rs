//! The local users, in a file.

mod cache;
mod email;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::password::{self, MAX_PASSWORD, MIN_PASSWORD};

pub(super) use cache::{Account, Users};

/// The version of the file's format.
const VERSION: u32 = 1;

/// The largest file that is read: some fifty thousand users.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// Someone who may sign in, without the password.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// The e-mail address, which is also the name to sign in with.
    pub email: String,
    /// The subject of the tokens: random, made once, never given to anybody else.
    pub id: String,
    /// When the user was added.
    pub created: Timestamp,
}

/// The file of local users: TOML, for its owner only, replaced as a whole at each change. A server that has it open
/// sees the change at the next sign-in.
#[derive(Clone, Debug)]
pub struct UserFile(PathBuf);

/// Why the file of users cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserFileError {
    /// There is no such user.
    #[error("there is no user {email}")]
    Unknown {
        /// Who was named.
        email: String,
    },
    /// The user is there already.
    #[error("there is a user {email} already")]
    Taken {
        /// Who was named.
        email: String,
    },
    /// The address is none that a certificate could bear.
    #[error("{email:?} is not an e-mail address that can be used: {reason}")]
    Email {
        /// What was given.
        email: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The password is too short or far too long.
    #[error("a password has {MIN_PASSWORD} characters or more, and {MAX_PASSWORD} bytes or less")]
    Password,
    /// The file cannot be read or written. The operator's to fix.
    #[error("{path} cannot be used", path = .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds hashes of passwords, and others may read it. The operator's to fix.
    #[error("{path} can be read by others (mode {mode:03o})", path = .path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is not one of users. The operator's to fix.
    #[error("{path} is not a file of users", path = .path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file was written by a later version of this program. The operator's to fix.
    #[error("{path} has version {version}, this program knows {VERSION}", path = .path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

/// The file as it is written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, rename = "user", skip_serializing_if = "Vec::is_empty")]
    users: Vec<Record>,
}

/// One user as written.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Record {
    email: String,
    id: String,
    created: Timestamp,
    /// A PHC string of argon2id.
    password: String,
}

impl From<&Record> for User {
    fn from(record: &Record) -> Self {
        Self { email: record.email.clone(), id: record.id.clone(), created: record.created }
    }
}

impl UserFile {
    /// The file at `path`. A file that is not there is one without users.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Everybody, in the order of the file.
    ///
    /// # Errors
    ///
    /// See [`UserFileError`].
    pub fn list(&self) -> Result<Vec<User>, UserFileError> {
        Ok(self.read()?.iter().map(User::from).collect())
    }

    /// Adds a user, with a new id. Takes as long as one password hash.
    ///
    /// # Errors
    ///
    /// [`UserFileError::Email`], [`UserFileError::Taken`], [`UserFileError::Password`], and those of the file.
    pub fn add(&self, email: &str, password: &str, now: Timestamp) -> Result<User, UserFileError> {
        let address = email::normalise(email)
            .map_err(|reason| UserFileError::Email { email: email.to_owned(), reason })?;
        let password = hash(password)?;
        self.edit(|users| {
            if users.iter().any(|user| email::same(&user.email, &address)) {
                return Err(UserFileError::Taken { email: address });
            }
            let id = hex::encode(crypto::random_array::<16>());
            let record = Record { email: address, id, created: now, password };
            let user = User::from(&record);
            users.push(record);
            Ok(user)
        })
    }

    /// Removes a user. Who is added later under the same address gets another id.
    ///
    /// # Errors
    ///
    /// [`UserFileError::Unknown`], and those of the file.
    pub fn remove(&self, email: &str) -> Result<(), UserFileError> {
        self.edit(|users| {
            let before = users.len();
            users.retain(|user| !email::same(&user.email, email));
            if users.len() == before { Err(unknown(email)) } else { Ok(()) }
        })
    }

    /// Gives a user another password, which ends the sessions made with the old one.
    ///
    /// # Errors
    ///
    /// [`UserFileError::Unknown`], [`UserFileError::Password`], and those of the file.
    pub fn set_password(&self, email: &str, password: &str) -> Result<(), UserFileError> {
        let password = hash(password)?;
        self.edit(|users| {
            let user = users.iter_mut().find(|user| email::same(&user.email, email));
            user.ok_or_else(|| unknown(email))?.password = password;
            Ok(())
        })
    }

    /// Changes the users, one program at a time.
    fn edit<T>(
        &self,
        change: impl FnOnce(&mut Vec<Record>) -> Result<T, UserFileError>,
    ) -> Result<T, UserFileError> {
        let _lock = self.lock().map_err(|source| self.failed(source))?;
        let mut users = self.read()?;
        let outcome = change(&mut users)?;
        self.write(users)?;
        Ok(outcome)
    }

    /// A lock beside the file, because the file itself is replaced.
    fn lock(&self) -> io::Result<File> {
        let path = self.beside("lock");
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        lock.lock()?;
        Ok(lock)
    }

    fn read(&self) -> Result<Vec<Record>, UserFileError> {
        let file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failed(source)),
        };
        let mode = file.metadata().map_err(|source| self.failed(source))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(UserFileError::Exposed { path: self.0.clone(), mode: mode & 0o777 });
        }
        let mut text = String::new();
        file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|source| self.failed(source))?;
        if text.len() as u64 > MAX_FILE {
            return Err(self.malformed("it is too large"));
        }
        self.parse(&text)
    }

    fn parse(&self, text: &str) -> Result<Vec<Record>, UserFileError> {
        let document: Document =
            toml::from_str(text).map_err(|error| self.malformed(place_in(text, &error)))?;
        if document.version != VERSION {
            let version = document.version;
            return Err(UserFileError::Version { path: self.0.clone(), version });
        }
        for user in &document.users {
            email::normalise(&user.email).map_err(|reason| self.malformed(reason))?;
            if !password::is_usable(&user.password) {
                return Err(self.malformed("a password is not a PHC string of argon2id"));
            }
        }
        Ok(document.users)
    }

    /// Replaces the file: after a loss of power, it is the old one or the new one.
    fn write(&self, users: Vec<Record>) -> Result<(), UserFileError> {
        let text = toml::to_string(&Document { version: VERSION, users })
            .map_err(|error| self.malformed(error))?;
        self.replace(&text).map_err(|source| self.failed(source))
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        let new = self.beside("new");
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.0)?;
        let parent = self.0.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(".");
        name.push(suffix);
        name.into()
    }

    fn failed(&self, source: io::Error) -> UserFileError {
        UserFileError::File { path: self.0.clone(), source }
    }

    fn malformed(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> UserFileError {
        UserFileError::Malformed { path: self.0.clone(), source: source.into() }
    }
}

/// What is wrong and where. The error itself would quote the line, and with it the hash of a password.
fn place_in(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let message = error.message();
    before.map_or_else(
        || message.to_owned(),
        |before| format!("line {}: {message}", 1 + before.matches('\n').count()),
    )
}

fn unknown(email: &str) -> UserFileError {
    UserFileError::Unknown { email: email.to_owned() }
}

fn hash(password: &str) -> Result<String, UserFileError> {
    if password.chars().count() < MIN_PASSWORD || password.len() > MAX_PASSWORD {
        return Err(UserFileError::Password);
    }
    Ok(password::hash(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery staple";

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn file() -> (tempfile::TempDir, UserFile) {
        let directory = tempfile::tempdir().unwrap();
        let file = UserFile::at(&directory.path().join("users.toml"));
        (directory, file)
    }

    #[test]
    fn users_come_and_go() {
        let (_directory, file) = file();
        assert_eq!(file.list().unwrap(), []);
        let alice = file.add("Alice@Example.COM", PASSWORD, now()).unwrap();
        let bob = file.add("bob@example.com", PASSWORD, now()).unwrap();
        assert_eq!(alice.email, "Alice@example.com");
        assert_ne!(alice.id, bob.id);
        assert_eq!(file.list().unwrap(), [alice, bob.clone()]);
        file.remove("alice@example.com").unwrap();
        assert_eq!(file.list().unwrap(), [bob]);
    }

    #[test]
    fn an_id_is_never_given_twice() {
        let (_directory, file) = file();
        let first = file.add("alice@example.com", PASSWORD, now()).unwrap();
        file.remove("alice@example.com").unwrap();
        let second = file.add("alice@example.com", PASSWORD, now()).unwrap();
        assert_ne!(first.id, second.id);
    }

    #[test]
    fn what_cannot_be_done_is_not_done() {
        let (_directory, file) = file();
        file.add("alice@example.com", PASSWORD, now()).unwrap();
        let taken = file.add("ALICE@example.com", PASSWORD, now()).unwrap_err();
        assert!(matches!(taken, UserFileError::Taken { .. }));
        let short = file.add("bob@example.com", "hunter2", now()).unwrap_err();
        assert!(matches!(short, UserFileError::Password));
        let email = file.add("bob", PASSWORD, now()).unwrap_err();
        assert!(matches!(email, UserFileError::Email { .. }));
        for outcome in
            [file.remove("bob@example.com"), file.set_password("bob@example.com", PASSWORD)]
        {
            assert!(matches!(outcome.unwrap_err(), UserFileError::Unknown { .. }));
        }
        assert_eq!(file.list().unwrap().len(), 1);
    }

    #[test]
    fn the_file_is_for_its_owner_and_holds_no_password() {
        let (_directory, file) = file();
        file.add("alice@example.com", PASSWORD, now()).unwrap();
        assert!(!fs::read_to_string(&file.0).unwrap().contains(PASSWORD));
        assert_eq!(fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file.0, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(file.list().unwrap_err(), UserFileError::Exposed { mode: 0o644, .. }));
    }

    #[test]
    fn other_files_are_refused() {
        let (_directory, file) = file();
        let check = |text: &str| {
            file.replace(text).unwrap();
            file.list().unwrap_err()
        };
        assert!(matches!(check("version = 2\n"), UserFileError::Version { version: 2, .. }));
        let user =
            "[[user]]\nemail = \"a@example.com\"\nid = \"1\"\ncreated = \"2026-01-01T00:00:00Z\"\n";
        for text in [
            "",
            "hello",
            "version = 1\nextra = 1\n",
            &format!("version = 1\n{user}password = \"hunter2\"\n"),
        ] {
            assert!(matches!(check(text), UserFileError::Malformed { .. }), "{text}");
        }
    }

    #[test]
    fn a_malformed_file_is_told_of_with_its_line_and_without_what_is_in_it() {
        let (_directory, file) = file();
        file.replace("version = 1\n\n[[user]]\npassword = \"$argon2id$hash\n").unwrap();
        let UserFileError::Malformed { source, .. } = file.list().unwrap_err() else {
            panic!("another error");
        };
        assert!(source.to_string().starts_with("line 4: "), "{source}");
        assert!(!source.to_string().contains("argon2id"), "{source}");
    }

    #[test]
    fn users_added_at_the_same_time_are_all_there() {
        let (_directory, file) = file();
        std::thread::scope(|scope| {
            for n in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    file.add(&format!("user{n}@example.com"), PASSWORD, now()).unwrap()
                });
            }
        });
        assert_eq!(file.list().unwrap().len(), 4);
    }
}
