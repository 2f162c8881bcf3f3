//! The users in memory, as new as the file.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex};

use super::{UserFile, UserFileError};

/// The users of a file, read again when the file has changed.
pub(in crate::idp) struct Users {
    file: UserFile,
    loaded: Mutex<Loaded>,
}

/// A user with the hash of the password.
#[derive(Debug)]
pub(in crate::idp) struct Account {
    pub(in crate::idp) email: String,
    pub(in crate::idp) id: String,
    pub(in crate::idp) password: Arc<str>,
}

struct Loaded {
    stamp: Option<Stamp>,
    /// By the address in lower case.
    accounts: Arc<HashMap<String, Arc<Account>>>,
}

/// What tells one state of the file from another: it is replaced as a whole, so it gets another inode.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Users {
    pub(in crate::idp) fn open(file: UserFile) -> Result<Self, UserFileError> {
        let loaded = load(&file)?;
        Ok(Self { file, loaded: Mutex::new(loaded) })
    }

    /// Who signs in as `email`.
    pub(in crate::idp) fn find(&self, email: &str) -> Result<Option<Arc<Account>>, UserFileError> {
        let accounts = self.current()?;
        Ok(accounts.get(&email.to_ascii_lowercase()).cloned())
    }

    fn current(&self) -> Result<Arc<HashMap<String, Arc<Account>>>, UserFileError> {
        let stamp = stamp(&self.file)?;
        let mut loaded = crate::idp::lock(&self.loaded);
        if loaded.stamp != stamp {
            *loaded = load(&self.file)?;
        }
        Ok(loaded.accounts.clone())
    }
}

/// The stamp is taken first: a file that changes meanwhile is read again next time.
fn load(file: &UserFile) -> Result<Loaded, UserFileError> {
    let stamp = stamp(file)?;
    let accounts = file.read()?.into_iter().map(|record| {
        let key = record.email.to_ascii_lowercase();
        let account =
            Account { email: record.email, id: record.id, password: record.password.into() };
        (key, Arc::new(account))
    });
    Ok(Loaded { stamp, accounts: Arc::new(accounts.collect()) })
}

fn stamp(file: &UserFile) -> Result<Option<Stamp>, UserFileError> {
    match fs::metadata(&file.0) {
        Ok(metadata) => Ok(Some(Stamp {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file.failed(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_file_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let file = UserFile::at(&directory.path().join("users.toml"));
        let users = Users::open(file.clone()).unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        assert!(users.find("alice@example.com").unwrap().is_none());
        let alice = file.add("alice@example.com", "correct horse battery", now).unwrap();
        let first = users.find("Alice@Example.com").unwrap().unwrap();
        assert_eq!(first.id, alice.id);
        file.set_password("alice@example.com", "another horse battery").unwrap();
        assert_ne!(users.find("alice@example.com").unwrap().unwrap().password, first.password);
        file.remove("alice@example.com").unwrap();
        assert!(users.find("alice@example.com").unwrap().is_none());
    }
}
