//! Where the list of allowed signers is, and why it is not just any file.

use client::file;
use client::git::allowed::{AllowedSigners, MAX_FILE};
use client::git::repository::Repository;

use super::settings::{Settings, expanded};
use crate::failure::{Failure, OrFail};

/// Reads the list that `bulla.allowedSigners` names.
///
/// A file beside the user's own, or one in a ref. What is checked out would be the word of whoever wrote what is to be
/// verified: `HEAD`, too, is nothing but that.
pub(super) fn read(settings: &Settings) -> Result<AllowedSigners, Failure> {
    let Some(place) = settings.allowed_signers() else {
        return Err(Failure::refused("it is not said whose signatures count in this repository").hint(
            "name a list of allowed signers with: git config bulla.allowedSigners FILE (see bulla help git)",
        ));
    };
    let bytes = match Place::of(place)? {
        Place::File(path) => {
            let path = expanded(path).ok_or_else(|| {
                Failure::undecided("there is no home directory for the list of allowed signers")
            })?;
            file::read(&path, MAX_FILE as u64).map_err(Failure::undecided)?
        }
        Place::Ref(name) => {
            let object =
                Repository.object(name).or_undecided("there is no list of allowed signers")?;
            if object.kind != "blob" {
                return Err(Failure::undecided(format!(
                    "{name} is not a file but a {}",
                    object.kind
                )));
            }
            object.bytes
        }
    };
    AllowedSigners::parse(&bytes).or_undecided(format!("{place} cannot be used"))
}

/// Whether a list may be there.
pub(super) fn check(place: &str) -> Result<(), Failure> {
    Place::of(place).map(drop)
}

/// What the configuration names.
#[derive(Debug, Eq, PartialEq)]
enum Place<'a> {
    File(&'a str),
    Ref(&'a str),
}

impl<'a> Place<'a> {
    fn of(place: &'a str) -> Result<Self, Failure> {
        if place.starts_with('/') || place.starts_with("~/") {
            return Ok(Self::File(place));
        }
        let name = place.split_once(':').map(|(name, _)| name).unwrap_or_default();
        // Also HEAD~1, @ and @{upstream}: what they mean moves with what is checked out.
        if name.is_empty() || name.starts_with("HEAD") || name.starts_with('@') {
            return Err(Failure::usage(format!(
                "{place} would let whoever wrote what is checked out say whom to trust"
            ))
            .hint(
                "set bulla.allowedSigners to a file that only you can write (/… or ~/…), or to a file in a ref that only \
                 those can move whom you trust with it, such as origin/main:.bulla/allowed-signers.toml",
            ));
        }
        Ok(Self::Ref(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_never_read_from_what_is_checked_out() {
        assert_eq!(Place::of("~/signers").unwrap(), Place::File("~/signers"));
        assert_eq!(Place::of("origin/main:a").unwrap(), Place::Ref("origin/main:a"));
        for checked_out in ["signers.toml", "./signers", "HEAD:signers", "HEAD~1:a", "@:a", ":a"] {
            Place::of(checked_out).expect_err(checked_out);
        }
    }
}
