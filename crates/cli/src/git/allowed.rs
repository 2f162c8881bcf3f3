//! Where the list of allowed signers is, and why it is not just any file.

use std::path::{Path, PathBuf};

use client::file;
use client::git::allowed::{AllowedSigners, MAX_FILE};
use client::git::repository::{Repository, is_id};

use super::settings::{Settings, expanded};
use crate::failure::{Failure, OrFail};

/// Reads the list that `bulla.allowedSigners` names.
///
/// A file beside what is checked out, or one in a ref with its full name. What is checked out would be the word of
/// whoever wrote what is to be verified, and a short name that of whoever can push a tag: git takes a tag
/// `origin/main` before the branch.
pub(super) fn read(settings: &Settings) -> Result<AllowedSigners, Failure> {
    let Some(place) = settings.allowed_signers() else {
        return Err(Failure::refused("it is not said whose signatures count in this repository").hint(
            "name a list of allowed signers with: git config bulla.allowedSigners FILE (see bulla help git)",
        ));
    };
    let bytes = match Place::of(place)? {
        Place::File(path) => {
            let path = outside(&path)?;
            file::read(&path, MAX_FILE as u64).map_err(Failure::undecided)?
        }
        Place::Ref { name, path } => read_ref(&name, &path)?,
    };
    AllowedSigners::parse(&bytes)
        .or_undecided(format!("{place} cannot be used"))
        .map_err(|failure| failure.hint("write it as bulla git --help shows"))
}

/// Where a list may be, as it is to be configured: refs by their full names.
pub(super) fn full_name(place: &str) -> Result<String, Failure> {
    match place.split_once(':') {
        Some((name, path)) if !place.starts_with(['/', '~']) && !name.starts_with("refs/") => {
            let places = ["refs/remotes/", "refs/heads/", "refs/tags/"];
            let mut found = Vec::new();
            for candidate in places.map(|place| format!("{place}{name}")) {
                let there = Repository.reference(&candidate);
                if there.or_undecided("the repository cannot be read")?.is_some() {
                    found.push(candidate);
                }
            }
            match found.as_slice() {
                [full] => Ok(format!("{full}:{path}")),
                _ => Place::of(place).map(|_| place.to_owned()),
            }
        }
        _ => Place::of(place).map(|_| place.to_owned()),
    }
}

fn read_ref(name: &str, path: &str) -> Result<Vec<u8>, Failure> {
    const READING: &str = "the list of allowed signers cannot be read";
    if Repository.checked_out().or_undecided(READING)?.as_deref() == Some(name) {
        return Err(checked_out(&format!("{name}:{path}")));
    }
    let id = match is_id(name) {
        true => name.to_owned(),
        false => Repository
            .reference(name)
            .or_undecided(READING)?
            .ok_or_else(|| Failure::undecided(format!("there is no ref {name}")))?,
    };
    let object = Repository.object(&format!("{id}:{path}")).or_undecided(READING)?;
    match object.kind.as_str() {
        "blob" => Ok(object.bytes),
        kind => Err(Failure::undecided(format!("{path} in {name} is not a file but a {kind}"))),
    }
}

/// The path, if it is not below the directory of what is checked out. What git keeps for itself is nobody else's.
fn outside(path: &Path) -> Result<PathBuf, Failure> {
    let real = path.canonicalize().or_undecided(format!("{} cannot be read", path.display()))?;
    let tree = Repository.work_tree().or_undecided("the repository cannot be read")?;
    let tree = tree.and_then(|tree| tree.canonicalize().ok());
    match tree.and_then(|tree| real.strip_prefix(tree).map(Path::to_owned).ok()) {
        Some(inside) if !inside.starts_with(".git") => {
            Err(checked_out(&path.display().to_string()))
        }
        _ => Ok(real),
    }
}

/// What the configuration names.
#[derive(Debug, Eq, PartialEq)]
enum Place {
    File(PathBuf),
    Ref { name: String, path: String },
}

impl Place {
    fn of(place: &str) -> Result<Self, Failure> {
        if place.starts_with('/') || place.starts_with("~/") {
            let path = expanded(place).ok_or_else(|| {
                Failure::undecided("there is no home directory for the list of allowed signers")
            })?;
            return Ok(Self::File(path));
        }
        match place.split_once(':') {
            Some((name, path)) if name.starts_with("refs/") || is_id(name) => {
                Ok(Self::Ref { name: name.to_owned(), path: path.to_owned() })
            }
            Some((name, path)) if !name.is_empty() && !name.ends_with("HEAD") && name != "@" => {
                Err(Failure::usage(format!(
                    "{name} may be the name of several refs, and whoever can push one would choose"
                ))
                .hint(format!("write it in full, such as refs/remotes/{name}:{path}")))
            }
            _ => Err(checked_out(place)),
        }
    }
}

fn checked_out(place: &str) -> Failure {
    Failure::usage(format!(
        "{place} would let whoever wrote what is checked out say whom to trust"
    ))
    .hint(
        "set bulla.allowedSigners to a file elsewhere (/… or ~/…), or to a file in a ref that only those can move whom \
         you trust with it, such as refs/remotes/origin/main:.bulla/allowed-signers.toml",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_never_read_from_what_is_checked_out() {
        assert_eq!(Place::of("/etc/signers").unwrap(), Place::File("/etc/signers".into()));
        for checked_out in
            ["signers.toml", "./signers", "HEAD:signers", "@:a", ":a", "FETCH_HEAD:a"]
        {
            Place::of(checked_out).expect_err(checked_out);
        }
    }

    #[test]
    fn a_ref_is_named_in_full() {
        let place = Place::of("refs/remotes/origin/main:a").unwrap();
        assert_eq!(place, Place::Ref { name: "refs/remotes/origin/main".into(), path: "a".into() });
        Place::of(&format!("{}:a", "0".repeat(40))).unwrap();
        for short in ["origin/main:a", "main:a", "v1:a", "0000:a"] {
            Place::of(short).expect_err(short);
        }
    }
}
