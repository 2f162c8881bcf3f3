//! Files that are written whole or not at all, and are still there after a power failure.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// For what only the owner may read.
pub(crate) const SECRET: u32 = 0o600;
/// For what is published.
pub(crate) const PUBLIC: u32 = 0o644;

/// Writes `path`, replacing what was there in one step. When it returns, file and name are durable.
pub(crate) fn write(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    write_without_sync_of_directory(path, contents, mode)?;
    sync_directory(directory_of(path))
}

/// As [`write()`], for many files of one directory, which the caller syncs once with [`sync_directory`].
pub(crate) fn write_without_sync_of_directory(
    path: &Path,
    contents: &[u8],
    mode: u32,
) -> io::Result<()> {
    let suffix = hex::encode(crypto::random_array::<8>());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.{suffix}.new"));
    let result = write_new(&new, contents, mode).and_then(|()| std::fs::rename(&new, path));
    if result.is_err() {
        // Whether it was made or not: what is left of it is of no use.
        let _ = std::fs::remove_file(&new);
    }
    result
}

fn write_new(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(contents)?;
    file.sync_data()
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a directory, and those above it, that only the owner can enter. One that is there is left as it is.
/// When it returns, the names of those that it made are durable.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
        .collect();
    for directory in missing.into_iter().rev() {
        make_one(directory)?;
        sync_directory(directory_of(directory))?;
    }
    // Says what is wrong if something else has the name.
    make_one(path)
}

fn make_one(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The directory that has the name of `path`.
fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn missing_directories_are_made_private_and_those_that_are_there_stay_as_they_are() {
        let top = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            std::fs::metadata(top.path().join(name)).unwrap().permissions().mode() & 0o777
        };
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(top.path(), open).unwrap();
        make_private_directory(&top.path().join("a/b/c")).unwrap();
        assert_eq!(["", "a", "a/b", "a/b/c"].map(mode), [0o755, 0o700, 0o700, 0o700]);
        make_private_directory(&top.path().join("a/b")).unwrap();
        std::fs::write(top.path().join("file"), "").unwrap();
        make_private_directory(&top.path().join("file")).unwrap_err();
    }

    #[test]
    fn a_path_of_one_name_is_in_the_directory_of_the_process() {
        assert_eq!(directory_of(Path::new("name")), Path::new("."));
        assert_eq!(directory_of(Path::new("a/name")), Path::new("a"));
    }
}
