//! Reading a manifest from a statement.

use std::collections::HashSet;
use std::num::NonZeroU64;

use crypto::{ContentDigest, ContentHash};
use serde::Deserialize;

use super::{
    DIGESTS_V0_1, MAX_RESOURCES, Manifest, Method, ModelPath, PathError, Resource, ResourceName,
    SIGNATURE_V1, Serialization,
};
use crate::json::excerpt;
use crate::statement::Statement;

/// Why a statement is not a manifest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ManifestError {
    /// It is a statement of another type.
    #[error("the predicate's type {0:?} is not that of a model's signature")]
    PredicateType(String),
    /// Its predicate is not of the form that its type asks for.
    #[error("the predicate is not that of a model's signature: {0}")]
    Predicate(String),
    /// The resources were made in a way that is not known.
    #[error("a model serialized by {0:?} cannot be verified")]
    Method(String),
    /// The resources were hashed with a function that is not known.
    #[error("a model hashed with {0:?} cannot be verified")]
    Hash(String),
    /// Shards have a length.
    #[error("the manifest does not say how long its shards are, or not as a whole number of bytes")]
    ShardSize,
    /// It lists nothing, so that it says nothing.
    #[error("the manifest lists no files")]
    Empty,
    /// It lists more than is read.
    #[error("the manifest lists {found} resources; {MAX_RESOURCES} are the most that are read")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// The name of a resource is none.
    #[error("the manifest has a resource that cannot be one")]
    Name(#[from] PathError),
    /// A shard is not one of those into which its file is cut.
    #[error("{name} is no shard of {size} bytes")]
    Shard {
        /// The resource.
        name: String,
        /// The length of shards.
        size: NonZeroU64,
    },
    /// A resource is listed twice.
    #[error("the manifest lists {name} twice")]
    Repeated {
        /// The resource.
        name: String,
    },
    /// A resource's digest is not made as the manifest says.
    #[error("the digest of {name} is of the kind {found:?}, not {expected:?}")]
    Algorithm {
        /// The resource.
        name: String,
        /// What the manifest says elsewhere.
        expected: String,
        /// What it says here.
        found: String,
    },
    /// A resource's digest is none.
    #[error("the digest of {name} is not one of {expected} bytes")]
    Digest {
        /// The resource.
        name: String,
        /// How long it should be.
        expected: usize,
    },
}

/// The predicate of version 1.0. Members that are not known are passed over, as the format asks.
#[derive(Deserialize)]
struct Predicate {
    serialization: Arguments,
    resources: Vec<Described>,
}

#[derive(Deserialize)]
struct Arguments {
    method: String,
    hash_type: String,
    /// Protocol buffers write numbers as they like.
    shard_size: Option<f64>,
    #[serde(default)]
    allow_symlinks: bool,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

#[derive(Deserialize)]
struct Described {
    name: String,
    algorithm: String,
    digest: String,
}

impl Manifest {
    /// Reads the manifest that a statement is.
    ///
    /// That its resources make up the digest of its subject is not checked here.
    ///
    /// # Errors
    ///
    /// See [`ManifestError`].
    pub fn from_statement(statement: &Statement) -> Result<Self, ManifestError> {
        let (serialization, described) = match statement.predicate_type.as_str() {
            SIGNATURE_V1 => read_v1(statement)?,
            DIGESTS_V0_1 => read_v0_1(statement)?,
            other => return Err(ManifestError::PredicateType(excerpt(other))),
        };
        match described.len() {
            0 => return Err(ManifestError::Empty),
            found if found > MAX_RESOURCES => return Err(ManifestError::TooMany { found }),
            _ => {}
        }
        let resources = read_resources(described, &serialization)?;
        let model = match statement.subject.as_slice() {
            [model] if statement.predicate_type == SIGNATURE_V1 => model.name.clone(),
            _ => String::new(),
        };
        Ok(Self { model, serialization, resources })
    }
}

fn read_v1(statement: &Statement) -> Result<(Serialization, Vec<Described>), ManifestError> {
    let text = statement.predicate.as_ref().map_or("null", |predicate| predicate.get());
    let predicate: Predicate = serde_json::from_str(text)
        .map_err(|error| ManifestError::Predicate(excerpt(&error.to_string())))?;
    let Arguments { method, hash_type, shard_size, allow_symlinks, ignore_paths } =
        predicate.serialization;
    let hash =
        ContentHash::by_name(&hash_type).ok_or_else(|| ManifestError::Hash(excerpt(&hash_type)))?;
    let method = match method.as_str() {
        "files" => Method::Files,
        "shards" => Method::Shards(read_shard_size(shard_size)?),
        _ => return Err(ManifestError::Method(excerpt(&method))),
    };
    // What lies outside the model is not looked at anyway.
    let ignore_paths = ignore_paths.iter().filter_map(|path| ignored(path)).collect();
    let serialization = Serialization { method, hash, allow_symlinks, ignore_paths };
    Ok((serialization, predicate.resources))
}

/// A path that the signer left out, as it was typed there: `./logs/` is `logs`.
fn ignored(path: &str) -> Option<ModelPath> {
    ModelPath::new(path.trim_start_matches("./").trim_end_matches('/')).ok()
}

/// A number of bytes that a double can hold.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole and in range, as checked"
)]
fn read_shard_size(size: Option<f64>) -> Result<NonZeroU64, ManifestError> {
    /// 2⁵³: doubles hold every whole number up to here.
    const MAX: f64 = 9_007_199_254_740_992.0;
    let whole = size.filter(|size| size.fract() == 0.0 && (1.0..=MAX).contains(size));
    whole.and_then(|size| NonZeroU64::new(size as u64)).ok_or(ManifestError::ShardSize)
}

/// Version 0.1 has one subject for each file and says nothing of how it was made.
fn read_v0_1(statement: &Statement) -> Result<(Serialization, Vec<Described>), ManifestError> {
    let hash = ContentHash::Sha256;
    let describe = |subject: &crate::statement::Subject| Described {
        name: subject.name.clone(),
        algorithm: hash.name().to_owned(),
        digest: subject.digest.get(hash.name()).cloned().unwrap_or_default(),
    };
    let serialization =
        Serialization { method: Method::Files, hash, allow_symlinks: false, ignore_paths: vec![] };
    Ok((serialization, statement.subject.iter().map(describe).collect()))
}

fn read_resources(
    described: Vec<Described>,
    serialization: &Serialization,
) -> Result<Vec<Resource>, ManifestError> {
    let expected = serialization.algorithm();
    let mut names = HashSet::with_capacity(described.len());
    let mut resources = Vec::with_capacity(described.len());
    for Described { name, algorithm, digest } in described {
        if algorithm != expected && algorithm != serialization.hash.name() {
            return Err(ManifestError::Algorithm { name, expected, found: algorithm });
        }
        let hash = serialization.hash;
        let bytes = hex::decode(&digest).ok();
        let Some(digest) = bytes.and_then(|bytes| ContentDigest::new(hash, bytes)) else {
            return Err(ManifestError::Digest { name, expected: hash.length() });
        };
        resources.push(Resource { name: read_name(&name, serialization.method)?, digest });
        if let Some(name) = names.replace(name) {
            return Err(ManifestError::Repeated { name });
        }
    }
    Ok(resources)
}

fn read_name(text: &str, method: Method) -> Result<ResourceName, ManifestError> {
    let Method::Shards(size) = method else {
        return Ok(ResourceName::file(ModelPath::new(text)?));
    };
    let name = ResourceName::parse_shard(text)?;
    let fits = name.shard.as_ref().is_some_and(|shard| {
        shard.start % size.get() == 0 && shard.end - shard.start <= size.get()
    });
    if fits { Ok(name) } else { Err(ManifestError::Shard { name: text.to_owned(), size }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GIT_PATHS;

    fn serialization(method: Method, hash: ContentHash) -> Serialization {
        let ignore_paths = GIT_PATHS.iter().map(|path| ModelPath::new(path).unwrap()).collect();
        Serialization { method, hash, allow_symlinks: false, ignore_paths }
    }

    fn manifest(method: Method, hash: ContentHash, names: &[&str]) -> Manifest {
        let resources = names.iter().map(|name| Resource {
            name: read_name(name, method).unwrap(),
            digest: hash.digest(name.as_bytes()),
        });
        Manifest::new("m".to_owned(), serialization(method, hash), resources.collect())
    }

    fn reread(
        manifest: &Manifest,
        change: impl Fn(String) -> String,
    ) -> Result<Manifest, ManifestError> {
        let text = String::from_utf8(manifest.to_statement().to_json()).unwrap();
        Manifest::from_statement(&Statement::parse(change(text).as_bytes()).unwrap())
    }

    #[test]
    fn what_is_written_is_read() {
        let shards = Method::Shards(NonZeroU64::new(4).unwrap());
        for (method, names) in [(Method::Files, ["b", "a/c"]), (shards, ["b:0:3", "b:4:8"])] {
            for hash in ContentHash::ALL {
                let written = manifest(method, hash, &names);
                let read = reread(&written, |text| text).unwrap();
                assert_eq!(read.root(), written.root());
                assert_eq!(read.serialization, written.serialization);
                assert_eq!(read.resources(), written.resources());
                assert_eq!(read.model, "m");
            }
        }
    }

    #[test]
    fn a_manifest_that_means_two_things_or_nothing_is_refused() {
        let files = manifest(Method::Files, ContentHash::Sha256, &["a", "b"]);
        let change = |from: &'static str, to: &'static str| {
            reread(&files, move |text| text.replace(from, to)).unwrap_err()
        };
        assert_eq!(
            change(r#""name":"b""#, r#""name":"a""#),
            ManifestError::Repeated { name: "a".into() }
        );
        assert!(matches!(change(r#""name":"b""#, r#""name":"../b""#), ManifestError::Name(_)));
        assert!(matches!(change("files", "tensors"), ManifestError::Method(_)));
        assert!(matches!(
            change(r#""hash_type":"sha256""#, r#""hash_type":"md5""#),
            ManifestError::Hash(_)
        ));
        assert!(matches!(
            change(r#""algorithm":"sha256""#, r#""algorithm":"blake3""#),
            ManifestError::Algorithm { .. }
        ));
        assert!(matches!(change(r#""digest":""#, r#""digest":"00"#), ManifestError::Digest { .. }));
        assert!(matches!(change("v1.0", "v2.0"), ManifestError::PredicateType(_)));
        assert!(matches!(change("resources", "others"), ManifestError::Predicate(_)));
        let empty = manifest(Method::Files, ContentHash::Sha256, &[]);
        assert_eq!(reread(&empty, |text| text).unwrap_err(), ManifestError::Empty);
    }

    #[test]
    fn a_shard_lies_where_the_shard_size_puts_it() {
        let method = Method::Shards(NonZeroU64::new(4).unwrap());
        let shards = manifest(method, ContentHash::Sha256, &["b:4:8"]);
        let with = |name: &'static str| reread(&shards, move |text| text.replace("b:4:8", name));
        for name in ["b:3:7", "b:0:8"] {
            assert!(matches!(with(name), Err(ManifestError::Shard { .. })), "{name}");
        }
        let sized = |size: &'static str| {
            reread(&shards, move |text| text.replace(r#""shard_size":4"#, size))
        };
        assert!(sized(r#""shard_size":4.0"#).is_ok());
        for size in
            [r#""shard_size":0"#, r#""shard_size":4.5"#, r#""shard_size":1e300"#, r#""x":0"#]
        {
            assert!(matches!(sized(size), Err(ManifestError::ShardSize)), "{size}");
        }
    }

    #[test]
    fn ignored_paths_are_read_as_people_type_them() {
        let read = |path| ignored(path).map(|path| path.to_string());
        assert_eq!(read("./logs/"), Some("logs".to_owned()));
        assert_eq!(read(".git"), Some(".git".to_owned()));
        assert_eq!(read("../elsewhere"), None);
    }

    #[test]
    fn the_experimental_form_has_a_subject_for_each_file() {
        let digest = ContentHash::Sha256.digest(b"").to_hex();
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a/b","digest":{{"sha256":"{digest}"}}}}],
            "predicateType":"https://model_signing/Digests/v0.1","predicate":{{"unused":"x"}}}}"#
        );
        let read = Manifest::from_statement(&Statement::parse(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(read.resources()[0].name.to_string(), "a/b");
        assert_eq!(read.serialization.method, Method::Files);
    }
}
