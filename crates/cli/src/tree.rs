//! `tree`: what is attached to an image, and to the images of an index. Nothing of it is verified.

use std::fmt;

use client::image::attached::{Attached, Meaning, attached};
use client::image::subject::{Selection, Subject, select};
use serde::Serialize;

use crate::command_line::Globals;
use crate::failure::Failure;
use crate::image_signing::select_failure;
use crate::online::{self, Threads};
use crate::output::say;
use crate::registry::{ImageArgs, fetch_failure};

/// List what is attached to an image
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageArgs,
}

/// An image, and what is attached to it.
#[derive(Debug, Serialize)]
struct Branch {
    image: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    attached: Vec<Twig>,
}

/// Something that is attached.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Twig {
    kind: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    is_of: Option<String>,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Tree(Vec<Branch>);

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let image = args.image.image(oci::Access::Pull)?;
    let tree = online::run(Threads::One, async {
        let subjects = select(&image.store, &image.target, &Selection::Recursive).await;
        let subjects = subjects.map_err(|error| select_failure(&image.to_string(), error))?;
        let mut branches = Vec::new();
        for subject in subjects {
            let found = attached(&image.attachments, &subject.descriptor.digest, &|_| {}).await;
            branches.push(Branch::new(&image.name, &subject, &found.map_err(fetch_failure)?));
        }
        Ok(Tree(branches))
    })?;
    if tree.0.iter().all(|branch| branch.attached.is_empty()) {
        say("nothing is attached to it");
    } else {
        say("nothing of this is verified: see bulla verify and bulla verify-attestation");
    }
    globals.output.print(&tree)
}

impl Branch {
    fn new(name: &str, subject: &Subject, found: &[Attached]) -> Self {
        let digest = subject.descriptor.digest;
        Self {
            image: format!("{name}@{digest}"),
            digest: digest.to_string(),
            platform: subject.platform.as_ref().map(ToString::to_string),
            attached: found.iter().flat_map(Twig::all).collect(),
        }
    }
}

impl Twig {
    /// One for each signature and attestation; one for anything else.
    fn all(attached: &Attached) -> Vec<Self> {
        let twig = |kind, is_of: Option<String>| Self {
            kind,
            is_of: is_of.map(|text| one_line(&text)),
            digest: attached.digest.to_string(),
            tag: attached.tag.clone(),
        };
        if attached.meanings.is_empty() {
            let kind = if attached.is_ours() { "sbom" } else { "other" };
            return vec![twig(kind, attached.artifact_type.clone())];
        }
        let of = |meaning: &Meaning| match meaning {
            Meaning::Signature => twig("signature", None),
            Meaning::Attestation(is_of) => twig("attestation", Some(is_of.clone())),
            Meaning::Unknown => twig("unreadable", attached.artifact_type.clone()),
        };
        attached.meanings.iter().map(of).collect()
    }
}

/// What a stranger wrote, so that it cannot draw a branch that is not there.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, branch) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            branch.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.image)?;
        if let Some(platform) = &self.platform {
            write!(f, " ({platform})")?;
        }
        for (number, twig) in self.attached.iter().enumerate() {
            let last = number + 1 == self.attached.len();
            write!(f, "\n{} {}", if last { "└──" } else { "├──" }, twig.kind)?;
            if let Some(is_of) = &twig.is_of {
                write!(f, " {is_of}")?;
            }
            write!(f, " {}", twig.digest)?;
            if let Some(tag) = &twig.tag {
                write!(f, " under the tag {tag}")?;
            }
        }
        Ok(())
    }
}
