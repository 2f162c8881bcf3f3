//! Before anything becomes public for ever: whether what is to be signed is there, and whether its proof can be kept. An
//! entry in a log whose bundle could not be written is of no use to anybody.

use std::collections::BTreeSet;
use std::path::Path;

use client::file;

use crate::failure::Failure;

/// What a bundle has beside its payload: certificate, timestamp, log entry and proof. Most have half of it.
const BESIDE_PAYLOAD: u64 = 16 << 10;

/// Checks that a bundle with a payload of so many bytes can be written at `bundle`.
pub(crate) fn check(bundle: &Path, payload: usize) -> Result<(), Failure> {
    // Base64 makes four bytes of three.
    let payload = u64::try_from(payload).unwrap_or(u64::MAX).saturating_mul(4) / 3;
    file::check_writable(bundle, payload.saturating_add(BESIDE_PAYLOAD)).map_err(|error| {
        Failure::undecided_about("nothing was signed: the proof could not be kept".into(), error)
    })
}

/// Checks that files can be read, and that each directory can hold bundles of theirs.
pub(crate) fn check_each<'a>(
    jobs: impl Iterator<Item = (&'a Path, &'a Path)>,
) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for (artifact, bundle) in jobs {
        file::check_readable(artifact).map_err(|error| unreadable(artifact, error))?;
        if seen.insert(bundle.parent()) || bundle.is_dir() {
            check(bundle, 0)?;
        }
    }
    Ok(())
}

fn unreadable(artifact: &Path, error: file::FileError) -> Failure {
    let failure = Failure::undecided_about("nothing was signed".into(), error);
    match artifact.is_dir() {
        true => failure.hint("sign all files of a directory as one with --together"),
        false => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Was wrong: people signed in, and others were logged for ever, before the missing file was noticed.
    #[test]
    fn a_missing_file_is_noticed_before_anything_is_signed() {
        let directory = tempfile::tempdir().unwrap();
        let (there, missing) = (directory.path().join("there"), directory.path().join("missing"));
        std::fs::write(&there, "").unwrap();
        let bundle = directory.path().join("bundle");
        let check = |artifact: &Path| check_each([(artifact, bundle.as_path())].into_iter());
        check(&there).unwrap();
        for (artifact, told) in
            [(&missing, "missing cannot be read"), (&directory.path().into(), "--together")]
        {
            let refused = check(artifact).unwrap_err().to_text();
            assert!(refused.starts_with("error: nothing was signed\n"), "{refused}");
            assert!(refused.contains(told), "{refused}");
        }
    }

    #[test]
    fn a_bundle_that_could_not_be_kept_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        check(&directory.path().join("bundle"), 1 << 20).unwrap();
        let refused = check(&directory.path().join("none/bundle"), 0).unwrap_err().to_text();
        assert!(refused.contains("nothing was signed") && refused.contains("hint: "), "{refused}");
    }
}
