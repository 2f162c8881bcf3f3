//! Where the server of `quickstart` lives.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::failure::{Failure, OrFail};
use crate::input::with_ending;

/// A directory that was named or is to be kept, or a temporary one that goes when the program ends.
pub(super) enum Home {
    Named(PathBuf),
    Temporary(PathBuf),
}

impl Home {
    pub(super) fn make(named: Option<&Path>, keep: bool) -> Result<Self, Failure> {
        if let Some(named) = named {
            // The directory of the anchors is beside it: a bare name has no parent that could be synced.
            return Ok(Self::Named(
                std::path::absolute(named).unwrap_or_else(|_| named.to_owned()),
            ));
        }
        let name = format!("bulla-quickstart-{}", hex::encode(crypto::random_array::<6>()));
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .or_undecided(format!("{} cannot be made", path.display()))?;
        Ok(if keep { Self::Named(path.join("server")) } else { Self::Temporary(path) })
    }

    /// The configuration of a server that is there already.
    pub(super) fn config(&self) -> Result<Option<Config>, Failure> {
        let directory = self.directory();
        if !directory.join("bulla.toml").exists() {
            return Ok(None);
        }
        let config = Config::read(directory).map_err(|error| {
            let hint = error.hint();
            Failure::usage(error).hint(hint)
        })?;
        Ok(Some(config))
    }

    pub(super) fn directory(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Temporary(path) => path,
        }
    }

    /// What to do when somebody has stopped it before the end.
    pub(super) fn after_a_stop(&self) -> String {
        match self {
            Self::Temporary(_) => {
                "run it again; what was made in a temporary directory is gone".to_owned()
            }
            Self::Named(path) => {
                let path = path.display();
                format!("run it again with --dir {path}: the server stays there, its keys included")
            }
        }
    }

    /// Beside the data, because both go together here. A server to keep has them elsewhere.
    pub(super) fn anchors(&self) -> PathBuf {
        match self {
            Self::Named(path) => with_ending(path, "-anchors"),
            Self::Temporary(path) => path.join("anchors"),
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            // What cannot be removed is in the directory for temporary files.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}
