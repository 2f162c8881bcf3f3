//! A list of checksums: either the list was signed, or the files that it names were signed together.

use std::path::{Path, PathBuf};

use client::checksums::{Checksums, MAX_LIST};
use client::release::{Difference, compare};
use client::{cores, file};
use crypto::{Digest, HashAlgorithm};
use verify::{SignatureError, Verified, VerifyError};

use super::Verifier;
use super::release::{Report, different};
use crate::command_line::Globals;
use crate::failure::{Failure, OrFail};
use crate::input::{Input, read_bundle};
use crate::output::say;
use crate::release::ALGORITHM;
use crate::verifying::{Job, JudgeError, Verdict, judge};

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
    let what = list.display().to_string();
    let text = file::read(&list, MAX_LIST as u64).map_err(Failure::undecided)?;
    let checksums =
        Checksums::parse(&text).or_refused(format!("{what} is not a list of checksums"))?;
    let directory = list.parent().unwrap_or(Path::new("")).to_owned();
    let found = cores::each(&checksums.files, |(name, digest)| look_at(&directory, name, digest));
    let found: Vec<Option<Listed>> = found.into_iter().collect::<Result<_, _>>()?;
    let differences = differences(&checksums, &found, ignore_missing);
    if !differences.is_empty() {
        return Err(different(&what, &differences));
    }
    let files: Vec<Listed> = found.into_iter().flatten().collect();
    if files.is_empty() {
        return Err(Failure::undecided(format!("none of the files that {what} names is there")));
    }

    let input = Input::File(list);
    let path = input.find_bundle(verifier.bundle.as_deref())?;
    let verified = verifier.verify_list(&input, &path, &files)?;
    say(format!("Verified OK: {} files", files.len()));
    let verdict = Verdict::about(what, &path, &verified);
    globals
        .output
        .print(&Report { verdict, files: files.into_iter().map(|file| file.name).collect() })
}

impl Verifier {
    /// The list, if it was signed; else the files that it names.
    fn verify_list(
        &self,
        list: &Input,
        path: &Path,
        files: &[Listed],
    ) -> Result<Verified, Failure> {
        let bundle = read_bundle(path)?;
        let policy = self.policy_for(path, &bundle)?;
        let job = Job { input: list, path, bundle: &bundle, policy: &policy };
        match judge(&job, &self.trust) {
            Err(JudgeError::Refused(VerifyError::Signature(SignatureError::OtherSubject))) => {}
            other => return other.map_err(|error| error.about(&job)),
        }
        let digests: Vec<Digest> = files.iter().map(|file| file.digest).collect();
        let what = list.to_string();
        let (verified, statement) = self.verify_statement(&what, path, &bundle, &digests)?;
        let names = files.iter().map(|file| file.name.as_str());
        let mut differences = compare(names.zip(&digests), &statement);
        // A list need not name all that was signed.
        differences.retain(|difference| !matches!(difference, Difference::Missing(_)));
        if differences.is_empty() { Ok(verified) } else { Err(different(&what, &differences)) }
    }
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

/// Hashes a file of the list. `None`: it is not there.
fn look_at(directory: &Path, name: &str, expected: &Digest) -> Result<Option<Listed>, Failure> {
    let path = directory.join(name);
    if !path.exists() {
        return Ok(None);
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
