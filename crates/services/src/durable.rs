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
    sync_directory(path.parent().unwrap_or(Path::new(".")))
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
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
