//! What every file system must do, run over each implementation.

use std::io;
use std::path::Path;

use crate::Files;

/// Checks every law in an empty directory.
pub(crate) fn check(files: &dyn Files, directory: &Path) {
    what_was_written_can_be_read(files, directory);
    writing_beyond_the_end_fills_with_zeros(files, directory);
    a_file_is_made_once(files, directory);
    a_rename_replaces(files, directory);
    a_lock_has_one_holder(files, directory);
    names_are_listed_in_order(files, directory);
}

fn what_was_written_can_be_read(files: &dyn Files, directory: &Path) {
    let path = directory.join("read");
    let mut file = files.create(&path).unwrap();
    file.write_at(0, b"one two").unwrap();
    file.write_at(4, b"six").unwrap();
    file.sync_data().unwrap();
    assert_eq!(files.read(&path).unwrap(), b"one six");
    assert_eq!(files.read_at(&path, 4, 3).unwrap(), b"six");
    let beyond = files.read_at(&path, 5, 3).unwrap_err();
    assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
}

fn writing_beyond_the_end_fills_with_zeros(files: &dyn Files, directory: &Path) {
    let path = directory.join("beyond");
    let mut file = files.create(&path).unwrap();
    file.write_at(2, b"x").unwrap();
    assert_eq!(files.read(&path).unwrap(), b"\0\0x");
    file.set_len(1).unwrap();
    assert_eq!(files.read(&path).unwrap(), b"\0");
}

fn a_file_is_made_once(files: &dyn Files, directory: &Path) {
    let path = directory.join("once");
    files.create(&path).unwrap();
    let again = files.create(&path).err().unwrap();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    files.remove(&path).unwrap();
    let absent = files.open(&path).err().unwrap();
    assert_eq!(absent.kind(), io::ErrorKind::NotFound);
    assert_eq!(files.read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
}

fn a_rename_replaces(files: &dyn Files, directory: &Path) {
    let (from, to) = (directory.join("from"), directory.join("to"));
    files.create(&from).unwrap().write_at(0, b"new").unwrap();
    files.create(&to).unwrap().write_at(0, b"old").unwrap();
    files.rename(&from, &to).unwrap();
    files.sync_dir(directory).unwrap();
    assert_eq!(files.read(&to).unwrap(), b"new");
    assert!(files.read(&from).is_err());
}

fn a_lock_has_one_holder(files: &dyn Files, directory: &Path) {
    let path = directory.join("lock");
    let held = files.lock(&path).unwrap();
    assert!(held.is_some());
    assert!(files.lock(&path).unwrap().is_none());
    drop(held);
    assert!(files.lock(&path).unwrap().is_some());
}

fn names_are_listed_in_order(files: &dyn Files, directory: &Path) {
    let inner = directory.join("inner");
    files.create_dir(&inner).unwrap();
    files.create_dir(&inner).unwrap();
    files.create(&inner.join("b")).unwrap();
    files.create(&inner.join("a")).unwrap();
    assert_eq!(files.list(&inner).unwrap(), ["a", "b"]);
    assert!(files.list(&directory.join("absent")).is_err());
}
