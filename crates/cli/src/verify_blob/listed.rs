//! A list of checksums: either the list was signed, or the files that it names were signed together. Nothing is read
//! before it is known that somebody trusted signed something.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use client::checksums::{Checksums, MAX_LIST};
use client::release::{Difference, compare};
use client::{cores, file};
use crypto::{Digest, HashAlgorithm};
use verify::{Artifact, SignatureError, Verified, VerifyError};
use wire::statement::Statement;

use super::Verifier;
use super::release::{Report, different};
use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::input::{Input, read_bundle};
use crate::output::say;
use crate::refusal;
use crate::release::ALGORITHM;
use crate::verifying::Verdict;

/// What somebody signed.
struct Signed {
    verified: Verified,
    /// The statement about the files, where it is not about the list.
    files: Option<Statement>,
}

/// A file of the list that is there.
struct Listed {
    name: String,
    /// With the algorithm of statements.
    digest: Digest,
    /// Whether it has the digest that the list says.
    as_listed: bool,
}

pub(super) fn run(
    verifier: &Verifier,
    list: PathBuf,
    ignore_missing: bool,
    globals: &Globals,
) -> Result<(), Failure> {
    if list == Path::new("-") {
        return Err(Failure::usage("a list that is in no directory names no files"));
    }
    let what = list.display().to_string();
    let text = file::read(&list, MAX_LIST as u64).map_err(Failure::undecided)?;
    let checksums =
        Checksums::parse(&text).or_refused(format!("{what} is not a list of checksums"))?;
    let directory = list.parent().unwrap_or(Path::new("")).to_owned();
    let path = Input::File(list).find_bundle(verifier.bundle.as_deref())?;
    let signed = verifier.verify_list(&what, &text, &path)?;

    let found = cores::each(&checksums.files, |(name, digest)| look_at(&directory, name, digest));
    let found: Vec<Option<Listed>> = found.into_iter().collect::<Result<_, _>>()?;
    let mut differences = differences(&checksums, &found, ignore_missing);
    let files: Vec<Listed> = found.into_iter().flatten().collect();
    if let (Some(statement), []) = (&signed.files, differences.as_slice()) {
        let named = files.iter().map(|file| (file.name.as_str(), &file.digest));
        differences = compare(named, statement);
        // A list need not name all that was signed.
        differences.retain(|difference| !matches!(difference, Difference::Missing(_)));
    }
    if !differences.is_empty() {
        return Err(different(&what, &differences));
    }
    if files.is_empty() {
        return Err(Failure::undecided(format!("none of the files that {what} names is there")));
    }
    say(format!("Verified OK: {} files", files.len()));
    let verdict = Verdict::about(what, &path, &signed.verified);
    let files = files.into_iter().map(|file| file.name).collect();
    globals.output.print(&Report { verdict, files })
}

impl Verifier {
    /// The list, if it was signed; else whatever was signed in its place.
    fn verify_list(&self, what: &str, list: &[u8], path: &Path) -> Result<Signed, Failure> {
        let bundle = read_bundle(path)?;
        let policy = self.policy_for(path, &bundle)?;
        match verify::verify(&Artifact::from_bytes(list), &bundle, &policy, &self.trust) {
            Ok(verified) => Ok(Signed { verified, files: None }),
            Err(VerifyError::Signature(SignatureError::OtherSubject)) => {
                let (verified, statement) = self.verify_statement(what, path, &bundle)?;
                Ok(Signed { verified, files: Some(statement) })
            }
            Err(error) => Err(refusal::failure(what, error)),
        }
    }
}

/// Hashes a file of the list. `None`: it is not there.
fn look_at(directory: &Path, name: &str, expected: &Digest) -> Result<Option<Listed>, Failure> {
    let path = directory.join(name);
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A pipe or a device could be read for ever.
        Ok(metadata) if !metadata.is_file() => {
            return Err(Failure::refused(format!("{} is not a file", path.display())));
        }
        _ => {}
    }
    // Once, with all that is asked for.
    let algorithms: &[HashAlgorithm] = match expected.algorithm() {
        ALGORITHM => &[ALGORITHM],
        other => &[ALGORITHM, other],
    };
    let digests = file::digest(&path, algorithms).map_err(Failure::undecided)?;
    let as_listed = digests.contains(expected);
    Ok(digests.first().map(|digest| Listed { name: name.to_owned(), digest: *digest, as_listed }))
}

/// What is not as the list says.
fn differences(
    checksums: &Checksums,
    found: &[Option<Listed>],
    ignore_missing: bool,
) -> Vec<Difference> {
    let named = checksums.files.iter().map(|(name, _)| name).zip(found);
    let difference = |(name, file): (&String, &Option<Listed>)| match file {
        None if ignore_missing => None,
        None => Some(Difference::Missing(name.clone())),
        Some(file) if file.as_listed => None,
        Some(_) => Some(Difference::Changed(name.clone())),
    };
    named.filter_map(difference).collect()
}
