//! The files of a model or a data set: found under stated rules, and hashed on all processors in constant memory.
//!
//! What they are compared with, and what a manifest is, is said in [`wire::model`] and [`verify::model`].

mod hash;
mod walk;

use std::path::{Path, PathBuf};

use wire::model::{Manifest, ModelPath, Serialization};

pub use hash::HashError;
pub use walk::{Symlinks, WalkError};

/// The files of a model, not read yet.
#[derive(Debug)]
pub struct ModelFiles {
    root: PathBuf,
    files: Vec<ModelFile>,
}

/// One file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ModelFile {
    path: ModelPath,
    length: u64,
}

impl ModelFiles {
    /// Finds the files of the model at `root`, a directory or a single file, without those that are ignored and all that
    /// lies below them.
    ///
    /// # Errors
    ///
    /// See [`WalkError`].
    pub fn find(root: &Path, ignored: &[ModelPath], symlinks: Symlinks) -> Result<Self, WalkError> {
        Ok(Self { root: root.to_owned(), files: walk::walk(root, ignored, symlinks)? })
    }

    /// The paths of the files.
    pub fn paths(&self) -> impl Iterator<Item = &ModelPath> {
        self.files.iter().map(|file| &file.path)
    }

    /// The paths of the files, and their lengths.
    pub fn lengths(&self) -> impl Iterator<Item = (&ModelPath, u64)> {
        self.files.iter().map(|file| (&file.path, file.length))
    }

    /// Leaves only the files that are wanted.
    pub fn retain(&mut self, wanted: impl Fn(&ModelPath) -> bool) {
        self.files.retain(|file| wanted(&file.path));
    }

    /// How much there is to read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.length).sum()
    }

    /// The empty files. A manifest of shards does not mention them.
    pub fn empty(&self) -> impl Iterator<Item = &ModelPath> {
        self.files.iter().filter(|file| file.length == 0).map(|file| &file.path)
    }

    /// Hashes the files. `progress` is told of every piece that was read, by any of the threads.
    ///
    /// # Errors
    ///
    /// See [`HashError`].
    pub fn hash(
        &self,
        serialization: Serialization,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Manifest, HashError> {
        let resources = hash::resources(&self.root, &self.files, &serialization, progress)?;
        Ok(Manifest::new(model_name(&self.root), serialization, resources))
    }
}

/// The name of a model: that of its directory.
fn model_name(root: &Path) -> String {
    let named = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let resolved = || root.canonicalize().ok().and_then(|path| named(&path));
    named(root).or_else(resolved).unwrap_or_default()
}
