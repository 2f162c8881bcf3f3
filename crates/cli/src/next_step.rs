//! What to do about a failure that says nothing of its own: what the machine refuses has remedies that are the same for
//! every command.

use std::error::Error;
use std::io::{self, ErrorKind};

use client::git::repository::RepositoryError;
use client::predicate::PredicateError;
use net::RequestError;
use services::keys::{KeyDirectoryError, PassphraseError};

/// The next step after `error`, as an imperative sentence without a full stop, if one of its causes has a remedy.
pub(crate) fn after(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        let found = remedy(error);
        if found.is_some() {
            return found;
        }
        next = error.source();
    }
    None
}

fn remedy(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let request = error
        .downcast_ref::<RequestError>()
        .or_else(|| error.downcast_ref::<Box<RequestError>>().map(|boxed| &**boxed));
    request
        .and_then(of_request)
        .or_else(|| error.downcast_ref().and_then(of_passphrase))
        .or_else(|| error.downcast_ref().and_then(of_key_directory))
        .or_else(|| error.downcast_ref().map(of_log))
        .or_else(|| error.downcast_ref().map(of_predicate))
        .or_else(|| error.downcast_ref().and_then(of_repository))
        .or_else(|| error.downcast_ref().and_then(of_machine))
}

const fn of_passphrase(error: &PassphraseError) -> Option<&'static str> {
    match error {
        PassphraseError::Missing { .. } => Some("name its file with --passphrase-file FILE"),
        PassphraseError::Exposed { .. } => Some("take that right from them: chmod o= FILE"),
        PassphraseError::Length { .. } => Some("write the passphrase into it, in one line"),
        PassphraseError::Io { .. } => None,
    }
}

const fn of_key_directory(error: &KeyDirectoryError) -> Option<&'static str> {
    match error {
        KeyDirectoryError::Exposed { .. } => Some("take that right from them: chmod go= FILE"),
        KeyDirectoryError::Key { .. } => {
            Some("name the file with the passphrase of these keys: --passphrase-file FILE")
        }
        KeyDirectoryError::TooLong { .. } | KeyDirectoryError::Kind { .. } => {
            Some("bring the file back from a backup: it is not the one that was made there")
        }
        KeyDirectoryError::Io { .. } => None,
    }
}

const fn of_request(error: &RequestError) -> Option<&'static str> {
    match error {
        RequestError::Connect { .. }
        | RequestError::Timeout { .. }
        | RequestError::Broken { .. } => Some(
            "see whether the address is right and the server runs and can be reached from here, and try again",
        ),
        RequestError::Redirected { .. } => Some("name the address to which it redirects"),
        RequestError::TooLong { .. } => {
            Some("see whether the address is right: no such server answers at such length")
        }
        RequestError::Refused { .. }
        | RequestError::Address { .. }
        | RequestError::Spent { .. } => None,
    }
}

const fn of_predicate(error: &PredicateError) -> &'static str {
    match error {
        PredicateError::Missing { .. } | PredicateError::OtherShape { .. } => {
            "have its maker add what is missing, or name the type that it has with --type"
        }
        _ => "name the type that it has with --type",
    }
}

fn of_repository(error: &RepositoryError) -> Option<&'static str> {
    match error {
        RepositoryError::Run(_) => Some("install git, or have it on the path"),
        RepositoryError::Refused { said, .. } if said.contains("git repository") => {
            Some("change into a git repository; bulla git setup also takes --global")
        }
        _ => None,
    }
}

const fn of_log(error: &storage::OpenError) -> &'static str {
    match error {
        storage::OpenError::InUse { .. } => "another bulla serves this directory: stop it first",
        _ => "nothing was changed; bulla help serve explains anchors and --new-anchor",
    }
}

fn of_machine(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::NotFound => {
            "see whether the name is right, and seen from the directory in which you are"
        }
        ErrorKind::NotADirectory => "see whether the name is right: a part of it is a file",
        ErrorKind::IsADirectory => "name a file instead of a directory",
        ErrorKind::PermissionDenied => {
            "see with ls -l who may do that, and let this user do it or be another"
        }
        ErrorKind::ReadOnlyFilesystem => "choose another place, or let that one be written to",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "make room there, or choose another place, and try again"
        }
        ErrorKind::AddrInUse => {
            "stop what listens there (ss -ltnp names it), or choose another address"
        }
        ErrorKind::AddrNotAvailable => "choose an address that this machine has",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("something failed")]
    struct Outer<E: Error + 'static>(#[source] E);

    #[test]
    fn the_cause_that_has_a_remedy_is_found_however_deep_it_is() {
        let full = || io::Error::from(ErrorKind::StorageFull);
        assert!(after(&full()).unwrap().starts_with("make room"));
        assert_eq!(after(&Outer(Outer(full()))), after(&full()));
        assert_eq!(after(&Outer(io::Error::other("disk on fire"))), None);
    }

    #[test]
    fn outside_a_repository_people_are_sent_into_one() {
        let refused =
            |said: &str| RepositoryError::Refused { command: "config".into(), said: said.into() };
        let outside = refused("fatal: --local can only be used inside a git repository");
        assert!(after(&Outer(outside)).unwrap().contains("--global"));
        assert_eq!(after(&refused("fatal: bad config line 1")), None);
    }

    #[test]
    fn a_server_that_does_not_answer_is_looked_after_wherever_it_is_told() {
        let late = || RequestError::Timeout {
            place: "http://localhost/".into(),
            after: std::time::Duration::from_secs(1),
        };
        assert!(after(&Outer(late())).unwrap().contains("the server runs"));
        assert_eq!(after(&Outer(Box::new(late()))), after(&late()));
    }
}
