//! Writing a manifest as a statement.

use serde::Serialize;

use super::{Manifest, Method, Resource, SIGNATURE_V1};
use crate::statement::{Statement, Subject};

/// The predicate.
#[derive(Serialize)]
struct Predicate<'a> {
    serialization: Serialization<'a>,
    resources: Vec<Described<'a>>,
}

#[derive(Serialize)]
struct Serialization<'a> {
    method: &'static str,
    hash_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard_size: Option<u64>,
    allow_symlinks: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignore_paths: Vec<&'a str>,
}

/// A resource descriptor.
#[derive(Serialize)]
struct Described<'a> {
    name: String,
    algorithm: &'a str,
    digest: String,
}

impl Manifest {
    /// The statement that says it: the payload of a signature.
    ///
    /// # Panics
    ///
    /// Never: a manifest has nothing that JSON could not hold.
    #[must_use]
    pub fn to_statement(&self) -> Statement {
        let algorithm = self.serialization.algorithm();
        let described = |resource: &Resource| Described {
            name: resource.name.to_string(),
            algorithm: &algorithm,
            digest: resource.digest.to_hex(),
        };
        let predicate = Predicate {
            serialization: Serialization::of(&self.serialization),
            resources: self.resources.iter().map(described).collect(),
        };
        let predicate = serde_json::value::to_raw_value(&predicate)
            .expect("a manifest has only strings, numbers, lists and objects");
        Statement::new(vec![Subject::new(&self.model, &self.root())], SIGNATURE_V1, predicate)
    }
}

impl<'a> Serialization<'a> {
    fn of(serialization: &'a super::Serialization) -> Self {
        Self {
            method: serialization.method.name(),
            hash_type: serialization.hash.name(),
            shard_size: match serialization.method {
                Method::Files => None,
                Method::Shards(size) => Some(size.get()),
            },
            allow_symlinks: serialization.allow_symlinks,
            ignore_paths: serialization.ignore_paths.iter().map(super::ModelPath::as_str).collect(),
        }
    }
}
