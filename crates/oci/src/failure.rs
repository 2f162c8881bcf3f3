//! Why a store did not do what was asked.

use std::path::PathBuf;

use net::RequestError;

use crate::{Digest, DocumentError};

/// A registry, or a directory, cannot be used in the way that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There was no answer.
    #[error("{registry} did not answer")]
    Request {
        /// The registry.
        registry: String,
        /// Why.
        #[source]
        source: RequestError,
    },
    /// The registry wants credentials (401): there are none for it, or it did not take them.
    #[error("{registry} asks for {}", if *.offered { "other credentials than it was given" } else { "credentials, and there are none for it" })]
    Unauthorized {
        /// The registry.
        registry: String,
        /// Whether there were credentials.
        offered: bool,
        /// What it said.
        message: String,
    },
    /// Whoever asks is known, or need not be, and may not (403).
    #[error("{registry} does not allow it: {message}")]
    Forbidden {
        /// The registry.
        registry: String,
        /// What it said.
        message: String,
    },
    /// Too many requests (429), after all the waiting that was allowed.
    #[error("{registry} says that it was asked too often: {message}")]
    Busy {
        /// The registry.
        registry: String,
        /// How long it asked to be left alone at last.
        retry_after: std::time::Duration,
        /// What it said.
        message: String,
    },
    /// Another status than the ones that mean something here.
    #[error("{place} answered {status}: {message}")]
    Refused {
        /// Scheme, host and path.
        place: String,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The registry does not find what a document points to, although it was stored before.
    #[error("{registry} does not find what the document points to: {message}")]
    Incomplete {
        /// The registry.
        registry: String,
        /// What it said.
        message: String,
    },
    /// The registry has forgotten an upload that it had begun.
    #[error("the registry has forgotten what it began to take")]
    Forgotten {
        /// What it said.
        #[source]
        source: Box<AccessError>,
    },
    /// The answer lacks what the protocol demands.
    #[error("the answer of {place} is none: {reason}")]
    Nonsense {
        /// Scheme, host and path.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No token was had from the server that the registry names.
    #[error("no token for {registry} was had from {realm}")]
    Token {
        /// The registry.
        registry: String,
        /// The token server that it names.
        realm: String,
        /// Why.
        #[source]
        source: TokenError,
    },
    /// The credentials of the user cannot be read.
    #[error("the credentials for {registry} cannot be had")]
    Credentials {
        /// The registry.
        registry: String,
        /// Why.
        #[source]
        source: crate::CredentialError,
    },
    /// A file of a layout cannot be read or written.
    #[error("{} cannot be used", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A directory or archive is no OCI layout, or one with something in it that is refused.
    #[error("{} is no OCI layout: {reason}", .path.display())]
    Layout {
        /// The directory or archive.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl AccessError {
    /// A refusal of a document because of what it points to, if it is one.
    pub(crate) fn or_incomplete(self) -> Self {
        match self {
            Self::Refused { place, status: 400 | 404, message }
                if message.contains("BLOB_UNKNOWN") =>
            {
                Self::Incomplete { registry: place, message }
            }
            other => other,
        }
    }
}

/// Why a token server gave no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The registry names a server that must not get what is meant for the registry.
    #[error("{reason}")]
    Untrusted {
        /// Why.
        reason: &'static str,
    },
    /// There was no answer.
    #[error("it did not answer")]
    Request(#[source] RequestError),
    /// It said no.
    #[error("it answered {status}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// There is no token in its answer.
    #[error("there is no token in its answer")]
    NoToken,
}

/// Something cannot be had from a store.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The store cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// It is not there.
    #[error("{what} is not there")]
    Missing {
        /// What was asked for: repository, and tag or digest.
        what: String,
    },
    /// Other content came than was asked for.
    #[error("{found} came instead of {wanted}")]
    OtherDigest {
        /// What was asked for.
        wanted: Box<Digest>,
        /// What came.
        found: Box<Digest>,
    },
    /// More or fewer bytes came than whoever points to it says.
    #[error("{wanted} should have {expected} bytes and has {found}{}", if *.more { " or more" } else { "" })]
    OtherSize {
        /// What was asked for.
        wanted: Box<Digest>,
        /// How many bytes it should have.
        expected: u64,
        /// How many there are.
        found: u64,
        /// Whether reading stopped there.
        more: bool,
    },
    /// It is longer than the caller wants to read.
    #[error("{what} has {size} bytes, more than the {limit} that are read")]
    TooLong {
        /// What was asked for.
        what: String,
        /// How long it is said to be.
        size: u64,
        /// How much is read.
        limit: u64,
    },
    /// A list has no end that is reasonable.
    #[error("{what} has more than {limit} entries")]
    TooMany {
        /// The list.
        what: String,
        /// How many are read.
        limit: usize,
    },
    /// It is no document.
    #[error("{what} cannot be read")]
    Document {
        /// What was asked for.
        what: String,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// A list does not say what the protocol demands.
    #[error("the answer of {place} is no list: {reason}")]
    List {
        /// Where it came from.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl FetchError {
    pub(crate) fn other_digest(wanted: Digest, found: Digest) -> Self {
        Self::OtherDigest { wanted: Box::new(wanted), found: Box::new(found) }
    }
}

/// Something cannot be put into a store.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The store cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The store says that it stored something else.
    #[error("{store} says that it stored {found} instead of {wanted}")]
    OtherDigest {
        /// The store.
        store: String,
        /// What was sent.
        wanted: Box<Digest>,
        /// What it says that it stored.
        found: String,
    },
    /// What was to be copied cannot be had.
    #[error("what was to be stored cannot be had")]
    Source(#[source] FetchError),
}

/// A document cannot be attached to another.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// It says of no document that it is about that.
    #[error("the document has no subject")]
    NoSubject,
    /// Something cannot be put into the store.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The list of referrers under the fallback tag cannot be had.
    #[error("the list of referrers cannot be read")]
    List(#[from] FetchError),
    /// The list of referrers would be longer than registries take. What was attached is stored and tagged, but not listed.
    #[error("{tag} would list {entries} referrers in {size} bytes, more than registries take")]
    ListFull {
        /// The fallback tag.
        tag: String,
        /// How many referrers it would list.
        entries: usize,
        /// How many bytes it would have.
        size: usize,
    },
    /// Others kept writing the list of referrers. What was attached is stored and tagged, but perhaps not listed.
    #[error("{tag} was written by others {rounds} times in a row")]
    Contended {
        /// The fallback tag.
        tag: String,
        /// How often it was tried.
        rounds: u32,
    },
}
