//! What was signed, for people and for programs.

use std::fmt;
use std::path::{Path, PathBuf};

use client::image::signing::SignedImage;
use client::sign::Signed;
use serde::Serialize;

use super::Job;
use crate::failure::Failure;
use crate::output::Format;
use crate::verifying::EntryReport;

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    signed: Vec<SignedReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedReport {
    /// The repository and the digest: what was signed, whatever a tag points to later.
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    legacy_tag: Option<String>,
    /// The file with the bundle, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<PathBuf>,
    log_entries: Vec<EntryReport>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signed.iter().try_for_each(|signed| writeln!(f, "{}", signed.image))
    }
}

impl SignedReport {
    /// What was attached to one image. `signed` are its signatures, and the first of them is in the file `bundle`.
    pub(super) fn new(
        job: &Job,
        done: &SignedImage,
        signed: &[Signed],
        bundle: Option<&Path>,
    ) -> Self {
        let entries = signed.iter().flat_map(|signed| &signed.verified.entries);
        Self {
            image: job.to_string(),
            platform: job.subject.platform.as_ref().map(ToString::to_string),
            referrer: done.referrer.as_ref().map(|attached| attached.descriptor.digest.to_string()),
            fallback_tag: done.referrer.as_ref().and_then(|attached| attached.fallback_tag.clone()),
            legacy_tag: done.legacy_tag.clone(),
            bundle: bundle.map(Path::to_owned),
            log_entries: entries.map(EntryReport::new).collect(),
        }
    }
}

/// What became of one image: what was attached to it, and what failed afterwards; or why there is nothing.
pub(super) type Done = Result<(SignedReport, Option<Failure>), Failure>;

/// What was signed, and the first failure.
pub(super) type Outcome = (Report, Option<Failure>);

/// Those that were signed, and the first failure.
pub(super) fn collect(results: Vec<Done>) -> Outcome {
    let (mut signed, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok((report, failure)) => {
                signed.push(report);
                failures.extend(failure);
            }
            Err(failure) => failures.push(failure),
        }
    }
    let more = failures.len().saturating_sub(1);
    let first = failures.into_iter().next().map(|first| match more {
        0 => first,
        _ => first.fact("also failed", format!("{more} more images")),
    });
    (Report { signed }, first)
}

/// Prints what was signed, unless that is nothing, and ends with the failure if there is one.
pub(super) fn finish((report, failure): Outcome, format: Format) -> Result<(), Failure> {
    let nothing = report.signed.is_empty();
    format.finish(&report, nothing, failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> SignedReport {
        SignedReport {
            image: "registry.example/app@sha256:00".to_owned(),
            platform: None,
            referrer: None,
            fallback_tag: None,
            legacy_tag: None,
            bundle: None,
            log_entries: Vec::new(),
        }
    }

    #[test]
    fn what_was_attached_is_told_though_something_failed_afterwards() {
        let failure = || Failure::undecided("the file cannot be written");
        let (told, failed) = collect(vec![Ok((report(), Some(failure()))), Ok((report(), None))]);
        assert_eq!((told.signed.len(), failed.is_some()), (2, true));
        let (told, failed) = collect(vec![Err(failure())]);
        assert_eq!((told.signed.len(), failed.is_some()), (0, true));
    }
}
