//! The step after the pipeline for models (OpenSSF Model Signing 1.0): the files at hand are those that were signed.
//!
//! ```text
//! Verified → SignedModel → VerifiedModel
//! ```
//!
//! The pipeline says that somebody signed a statement. [`SignedModel::of`] makes of it what was signed, file by file,
//! and [`SignedModel::compare`] holds that against what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crypto::{ContentDigest, Digest, HashAlgorithm};
use wire::model::{Manifest, ManifestError, Method, ModelPath, SIGNATURE_V1, Serialization};
use wire::statement::{Statement, StatementError};

use crate::{Artifact, Expected, Policy, PolicyError, Verified};

/// Proof that somebody signed a manifest.
#[derive(Debug)]
pub struct SignedModel(Manifest);

/// Proof that the files at hand are those of a manifest that somebody signed.
#[derive(Debug)]
#[non_exhaustive]
pub struct VerifiedModel {
    /// The manifest.
    pub manifest: Manifest,
}

/// Why a verified bundle is not a model's signature.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// The bundle has no statement: an artifact was signed.
    #[error("the bundle signs an artifact, not a model")]
    NoStatement,
    /// What was signed is no statement.
    #[error("what was signed is no statement")]
    Statement(#[from] StatementError),
    /// The statement is no manifest.
    #[error("the signed statement is not a model's manifest")]
    Manifest(#[from] ManifestError),
    /// The statement is about several models, or none.
    #[error("the manifest has {0} subjects; a model's has one")]
    Subjects(usize),
    /// The digest of the model is not that of its resources.
    #[error("the manifest is for a model with {stated}, but its resources make {computed}")]
    Root {
        /// What the subject says.
        stated: String,
        /// What the resources say.
        computed: Digest,
    },
}

/// How the files at hand differ from those that were signed.
#[derive(Clone, Debug, Default, Eq, PartialEq, thiserror::Error)]
#[error(
    "of the signed files {} differ and {} are missing; files that nobody signed: {}",
    changed.len(), missing.len(), unsigned.len()
)]
pub struct ModelDifferences {
    /// Signed files with other contents.
    pub changed: Vec<ModelPath>,
    /// Signed files that are not there.
    pub missing: Vec<ModelPath>,
    /// Files that are there and that nobody signed.
    pub unsigned: Vec<ModelPath>,
}

/// The artifact that a model's bundle is about, by its own word: the digest of the listed resources.
///
/// Verifying it proves the signature before the model is read, which may take long.
///
/// # Errors
///
/// See [`ModelError`].
pub fn claimed(payload: &[u8]) -> Result<Artifact<'static>, ModelError> {
    let statement = Statement::parse(payload)?;
    let manifest = Manifest::from_statement(&statement)?;
    if statement.predicate_type == SIGNATURE_V1 {
        return Ok(Artifact::from_digest(manifest.root()));
    }
    // Each file is a subject by itself: any of them is as good.
    let digests = manifest.resources().iter().map(|resource| resource.digest.as_bytes());
    let digests = digests.filter_map(|bytes| Digest::new(HashAlgorithm::Sha256, bytes).ok());
    Ok(digests.take(1).collect())
}

/// Asks for the statement of a model in addition.
///
/// # Errors
///
/// Never in practice: the pattern is ours.
pub fn policy(policy: Policy) -> Result<Policy, PolicyError> {
    let types = r"https://model_signing/(signature/v1\.0|Digests/v0\.1)";
    Ok(policy.with_predicate_type(Expected::pattern(types)?))
}

impl SignedModel {
    /// What was signed.
    ///
    /// # Errors
    ///
    /// See [`ModelError`].
    pub fn of(verified: &Verified) -> Result<Self, ModelError> {
        let statement = verified.statement.as_ref().ok_or(ModelError::NoStatement)?;
        let manifest = Manifest::from_statement(statement)?;
        if statement.predicate_type == SIGNATURE_V1 {
            check_root(statement, &manifest)?;
        }
        Ok(Self(manifest))
    }

    /// The manifest that was signed.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.0
    }

    /// How the files must be hashed to be compared.
    #[must_use]
    pub const fn serialization(&self) -> &Serialization {
        &self.0.serialization
    }

    /// Compares the names of what is there with what was signed, before anything is read. An empty file has no shards, so
    /// that nothing can have been signed about it where shards were.
    ///
    /// # Errors
    ///
    /// [`ModelDifferences`] with what is missing and what nobody signed.
    pub fn check_names<'a>(
        &self,
        found: impl Iterator<Item = (&'a ModelPath, u64)>,
    ) -> Result<(), ModelDifferences> {
        let signed = self.paths();
        let mut differences = ModelDifferences::default();
        let mut there = BTreeSet::new();
        for (path, length) in found {
            there.insert(path);
            let covered = length > 0 || self.0.serialization.method == Method::Files;
            if covered && !signed.contains(path) {
                differences.unsigned.push(path.clone());
            }
        }
        differences.missing.extend(signed.difference(&there).map(|&path| path.clone()));
        differences.unsigned.sort();
        if differences == ModelDifferences::default() { Ok(()) } else { Err(differences) }
    }

    /// Compares what is there, hashed as [`Self::serialization`] says, with what was signed.
    ///
    /// A file that nobody signed is refused: a program may read it all the same. Whoever wants to pass over such files
    /// has to leave them out of `found`, see [`Self::paths`].
    ///
    /// # Errors
    ///
    /// [`ModelDifferences`]: all of them.
    pub fn compare(self, found: &Manifest) -> Result<VerifiedModel, ModelDifferences> {
        let differences = differences(&by_path(&self.0), &by_path(found));
        if differences == ModelDifferences::default() {
            return Ok(VerifiedModel { manifest: self.0 });
        }
        Err(differences)
    }

    /// The files that were signed.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<&ModelPath> {
        self.0.resources().iter().map(|resource| &resource.name.path).collect()
    }
}

/// The digests of each file: one, or one for each shard.
type Contents<'a> = BTreeMap<&'a ModelPath, BTreeMap<(u64, u64), &'a ContentDigest>>;

fn by_path(manifest: &Manifest) -> Contents<'_> {
    let mut contents = Contents::new();
    for resource in manifest.resources() {
        let Range { start, end } = resource.name.shard.clone().unwrap_or_default();
        contents.entry(&resource.name.path).or_default().insert((start, end), &resource.digest);
    }
    contents
}

fn differences(signed: &Contents<'_>, found: &Contents<'_>) -> ModelDifferences {
    let mut differences = ModelDifferences::default();
    for (&path, contents) in signed {
        match found.get(path) {
            None => differences.missing.push(path.clone()),
            Some(found) if found != contents => differences.changed.push(path.clone()),
            Some(_) => {}
        }
    }
    let unsigned = found.keys().filter(|path| !signed.contains_key(*path));
    differences.unsigned.extend(unsigned.map(|&path| path.clone()));
    differences
}

fn check_root(statement: &Statement, manifest: &Manifest) -> Result<(), ModelError> {
    let [subject] = statement.subject.as_slice() else {
        return Err(ModelError::Subjects(statement.subject.len()));
    };
    let computed = manifest.root();
    if subject.has(&computed) {
        return Ok(());
    }
    let stated = subject.digest.iter().map(|(name, digits)| format!("{name}:{digits}"));
    Err(ModelError::Root { stated: stated.collect::<Vec<_>>().join(", "), computed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signer;
    use crypto::ContentHash;
    use wire::model::{Resource, ResourceName};

    fn path(text: &str) -> ModelPath {
        ModelPath::new(text).unwrap()
    }

    /// A model of files with these contents.
    fn manifest(files: &[(&str, &str)]) -> Manifest {
        let hash = ContentHash::Blake3;
        let serialization = Serialization {
            method: Method::Files,
            hash,
            allow_symlinks: false,
            ignore_paths: vec![],
        };
        let resources = files.iter().map(|(name, contents)| Resource {
            name: ResourceName::file(path(name)),
            digest: hash.digest(contents.as_bytes()),
        });
        Manifest::new("m".to_owned(), serialization, resources.collect())
    }

    fn verified(statement: Option<Statement>) -> Verified {
        Verified {
            signer: Signer::Key,
            statement,
            entries: vec![],
            times: vec![],
            left_out: vec![],
        }
    }

    fn signed(files: &[(&str, &str)]) -> SignedModel {
        SignedModel::of(&verified(Some(manifest(files).to_statement()))).unwrap()
    }

    #[test]
    fn the_files_that_were_signed_are_the_model() {
        let files = [("a", "1"), ("b/c", "2")];
        let model = signed(&files).compare(&manifest(&files)).unwrap();
        assert_eq!(model.manifest.resources().len(), 2);
    }

    #[test]
    fn every_difference_is_told() {
        let found = manifest(&[("a", "changed"), ("new", "x")]);
        let differences = signed(&[("a", "1"), ("b/c", "2")]).compare(&found);
        let expected = ModelDifferences {
            changed: vec![path("a")],
            missing: vec![path("b/c")],
            unsigned: vec![path("new")],
        };
        assert_eq!(differences.unwrap_err(), expected);
    }

    #[test]
    fn a_file_that_nobody_signed_is_refused_unless_it_is_not_looked_at() {
        let model = signed(&[("a", "1")]);
        assert_eq!(model.paths(), [&path("a")].into());
        model.compare(&manifest(&[("a", "1"), ("new", "x")])).unwrap_err();
        signed(&[("a", "1")]).compare(&manifest(&[("a", "1")])).unwrap();
    }

    #[test]
    fn names_are_compared_before_anything_is_read() {
        let model = signed(&[("a", "1"), ("b", "2")]);
        let check = |names: &[(&str, u64)]| {
            let paths: Vec<_> = names.iter().map(|(name, length)| (path(name), *length)).collect();
            model.check_names(paths.iter().map(|(path, length)| (path, *length)))
        };
        check(&[("a", 1), ("b", 0)]).unwrap();
        let differences = check(&[("a", 1), ("c", 0)]).unwrap_err();
        assert_eq!((differences.missing, differences.unsigned), (vec![path("b")], vec![path("c")]));
    }

    #[test]
    fn the_subject_is_the_digest_of_what_is_listed() {
        let mut statement = manifest(&[("a", "1")]).to_statement();
        let other = manifest(&[("a", "2")]).to_statement();
        statement.subject = other.subject.clone();
        let refused = SignedModel::of(&verified(Some(statement.clone())));
        assert!(matches!(refused, Err(ModelError::Root { .. })));
        statement.subject = [other.subject.clone(), other.subject].concat();
        let refused = SignedModel::of(&verified(Some(statement)));
        assert!(matches!(refused, Err(ModelError::Subjects(2))));
        assert!(matches!(SignedModel::of(&verified(None)), Err(ModelError::NoStatement)));
    }

    #[test]
    fn the_artifact_of_a_payload_is_what_it_lists() {
        let manifest = manifest(&[("a", "1")]);
        let artifact = claimed(&manifest.to_statement().to_json()).unwrap();
        assert_eq!(artifact.digest(HashAlgorithm::Sha256), Some(&manifest.root()));
        assert!(matches!(claimed(b"{}"), Err(ModelError::Statement(_))));
    }
}
