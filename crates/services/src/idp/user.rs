//! The local users, in a file.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

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

/// The file of local users.
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
        todo!()
    }

    /// Adds a user. Takes as long as one password hash.
    ///
    /// # Errors
    ///
    /// See [`UserFileError`]: an address that is none, one that is taken, a password that is too short.
    pub fn add(
        &self,
        _email: &str,
        _password: &str,
        _now: Timestamp,
    ) -> Result<User, UserFileError> {
        todo!()
    }

    /// Removes a user.
    ///
    /// # Errors
    ///
    /// See [`UserFileError`].
    pub fn remove(&self, _email: &str) -> Result<(), UserFileError> {
        todo!()
    }

    /// Gives a user another password, which ends the sessions made with the old one.
    ///
    /// # Errors
    ///
    /// See [`UserFileError`].
    pub fn set_password(&self, _email: &str, _password: &str) -> Result<(), UserFileError> {
        todo!()
    }
}
