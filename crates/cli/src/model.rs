//! What the commands for models have in common: which files belong to a model, and hashing them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use client::model::{HashError, ModelFiles, Symlinks, WalkError};
use indicatif::HumanBytes;
use wire::model::{GIT_PATHS, Manifest, ModelPath, Serialization};

use crate::failure::Failure;
use crate::input::with_ending;
use crate::output::{byte_progress, say};

/// Which files belong to the model.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Which files")]
pub(crate) struct FilesArgs {
    /// Leave this file or directory out, with all below it; can be given several times
    #[arg(long, value_name = "PATH")]
    ignore_paths: Vec<PathBuf>,
    /// Do not leave out .git, .gitattributes, .github and .gitignore
    #[arg(long)]
    no_ignore_git_paths: bool,
    /// Take a symbolic link to a file as that file, instead of refusing the model
    #[arg(long)]
    pub(crate) allow_symlinks: bool,
}

impl FilesArgs {
    /// What is left out: the signature itself, what was typed, and git's own files unless they are wanted.
    pub(crate) fn ignored(&self, model: &Path, bundle: &Path) -> Result<Vec<ModelPath>, Failure> {
        let mut ignored: Vec<ModelPath> = within(model, bundle).into_iter().collect();
        for path in &self.ignore_paths {
            let path = within(model, path).ok_or_else(|| {
                let (path, model) = (path.display(), model.display());
                Failure::usage(format!("{path} is not within {model}"))
                    .hint("paths to ignore are seen from where you are, not from the model")
            })?;
            ignored.push(path);
        }
        if !self.no_ignore_git_paths {
            ignored.extend(GIT_PATHS.iter().filter_map(|path| ModelPath::new(path).ok()));
        }
        Ok(ignored)
    }

    /// Lists the files, without reading them.
    pub(crate) fn find(&self, model: &Path, ignored: &[ModelPath]) -> Result<ModelFiles, Failure> {
        let symlinks = if self.allow_symlinks { Symlinks::Followed } else { Symlinks::Refused };
        ModelFiles::find(model, ignored, symlinks).map_err(unlisted)
    }
}

/// Where the signature of a model is unless something else is said: in its directory, or beside its only file.
pub(crate) fn bundle_of(model: &Path) -> PathBuf {
    if model.is_file() { with_ending(model, ".sig") } else { model.join("model.sig") }
}

/// The place of `path` within the model, if it has one. It need not exist, but its directory. If it is a link, the link
/// is meant and not what it leads to.
fn within(model: &Path, path: &Path) -> Option<ModelPath> {
    let model = model.canonicalize().ok()?;
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    let directory = directory.unwrap_or_else(|| Path::new(".")).canonicalize().ok()?;
    let place = directory.join(path.file_name()?);
    ModelPath::new(place.strip_prefix(&model).ok()?.to_str()?).ok()
}

/// Hashes the files, and says how long it took.
pub(crate) fn hash(files: &ModelFiles, serialization: Serialization) -> Result<Manifest, Failure> {
    let started = Instant::now();
    let bar = byte_progress(files.bytes(), "hashing");
    let hashed = files.hash(serialization, &|bytes| bar.inc(bytes));
    bar.finish_and_clear();
    let manifest = hashed.map_err(unhashed)?;
    let (count, bytes) = (files.paths().count(), HumanBytes(files.bytes()));
    say(format!("hashed {count} files, {bytes}, in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(manifest)
}

/// What cannot be in a model is a refusal; what cannot be read leaves it open.
fn unlisted(error: WalkError) -> Failure {
    let hint = match &error {
        WalkError::Read { .. } => return Failure::undecided(error),
        WalkError::Symlink { .. } => {
            "links can be turned elsewhere later: copy the file into the model, or accept links to files with --allow-symlinks"
        }
        WalkError::SymlinkToDirectory { .. } | WalkError::Special { .. } => {
            "move it out of the model, or leave it out with --ignore-paths PATH"
        }
        WalkError::NotText { .. } | WalkError::Name(_) => {
            "rename it, or leave it out with --ignore-paths PATH"
        }
        WalkError::TooMany { .. } => "is this the directory that you mean?",
    };
    Failure::refused(error).fact("check", "model-files").hint(hint)
}

fn unhashed(error: HashError) -> Failure {
    let hint = match &error {
        HashError::Read { .. } => return Failure::undecided(error),
        HashError::Changed { .. } => "try again when nothing writes to the model any more",
        HashError::Colon { .. } => "rename the file, or use --method files",
        HashError::TooMany => {
            "make the shards longer with --shard-size, or use --method files; a model to be verified is not the one that was signed"
        }
    };
    Failure::undecided(error).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_seen_from_the_model() {
        let directory = tempfile::tempdir().unwrap();
        let model = directory.path().join("m");
        std::fs::create_dir_all(model.join("logs")).unwrap();
        let args = |ignore_paths: Vec<PathBuf>| FilesArgs { ignore_paths, ..FilesArgs::default() };
        let ignored = args(vec![model.join("logs")]).ignored(&model, &model.join("model.sig"));
        let ignored: Vec<String> = ignored.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(ignored[..3], ["model.sig", "logs", ".git"]);
        // A signature elsewhere needs no exception; a path elsewhere is a mistake.
        assert_eq!(within(&model, &directory.path().join("model.sig")), None);
        args(vec![directory.path().join("x")]).ignored(&model, &model).unwrap_err();
    }

    #[test]
    fn an_ignored_link_is_the_link_itself() {
        let directory = tempfile::tempdir().unwrap();
        let model = directory.path().join("m");
        std::fs::create_dir(&model).unwrap();
        std::fs::write(model.join("v1.bin"), "weights").unwrap();
        for (link, target) in [("inside", "v1.bin"), ("outside", "/etc/hostname"), ("up", "..")] {
            std::os::unix::fs::symlink(target, model.join(link)).unwrap();
            assert_eq!(within(&model, &model.join(link)).unwrap().as_str(), link);
        }
        // The model itself may be reached through one.
        let other = directory.path().join("other");
        std::os::unix::fs::symlink(&model, &other).unwrap();
        assert_eq!(within(&model, &other.join("inside")).unwrap().as_str(), "inside");
    }

    #[test]
    fn a_signature_lies_in_the_model_or_beside_the_only_file() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(bundle_of(directory.path()), directory.path().join("model.sig"));
        let file = directory.path().join("m.gguf");
        std::fs::write(&file, "").unwrap();
        assert_eq!(bundle_of(&file), directory.path().join("m.gguf.sig"));
    }
}
