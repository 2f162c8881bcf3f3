//! The Go types that statements are decoded into, as data.

use crate::json::Json;

/// What a value must be for Go to decode it. `null` always is.
pub(super) enum Shape {
    Any,
    Bool,
    String,
    /// RFC 3339.
    Time,
    MapOfStrings,
    List(&'static Shape),
    /// Members that are known; others may be anything.
    Struct(&'static [(&'static str, Shape)]),
}

use Shape::{Any, Bool, List, MapOfStrings, String, Struct, Time};

/// An item of a list of subjects or materials, of which only the digests are wanted.
pub(super) const DIGESTS: Shape = Struct(&[("digest", MapOfStrings)]);
pub(super) const LIST_OF_DIGESTS: Shape = List(&DIGESTS);

/// A statement of which only the subjects' digests are wanted.
pub(super) const STATEMENT: Shape = Struct(&[("subject", LIST_OF_DIGESTS), ("predicate", Any)]);

/// A statement with SLSA provenance 0.2 (`in_toto.ProvenanceStatement` of in-toto-golang).
pub(super) const SLSA_STATEMENT: Shape = Struct(&[
    ("_type", String),
    ("predicateType", String),
    ("subject", List(&Struct(&[("name", String), ("digest", MapOfStrings)]))),
    ("predicate", SLSA_PREDICATE),
]);

const SLSA_PREDICATE: Shape = Struct(&[
    ("builder", Struct(&[("id", String)])),
    ("buildType", String),
    (
        "invocation",
        Struct(&[("configSource", CONFIG_SOURCE), ("parameters", Any), ("environment", Any)]),
    ),
    ("buildConfig", Any),
    ("metadata", METADATA),
    ("materials", List(&Struct(&[("uri", String), ("digest", MapOfStrings)]))),
]);

const CONFIG_SOURCE: Shape =
    Struct(&[("uri", String), ("digest", MapOfStrings), ("entryPoint", String)]);

const METADATA: Shape = Struct(&[
    ("buildInvocationID", String),
    ("buildStartedOn", Time),
    ("buildFinishedOn", Time),
    ("completeness", Struct(&[("parameters", Bool), ("environment", Bool), ("materials", Bool)])),
    ("reproducible", Bool),
]);

impl Shape {
    /// Whether Go would decode `value` without an error. Recursion is as deep as the shape, not the value.
    pub(super) fn fits(&self, value: Json<'_>) -> bool {
        if value.is_null() {
            return true;
        }
        match self {
            Any => true,
            Bool => value.is_bool(),
            String => value.as_str().is_some(),
            Time => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
            MapOfStrings => {
                value.is_object() && value.members().all(|(_, value)| String.fits(value))
            }
            List(of) => value.as_array().is_some_and(|mut list| list.all(|item| of.fits(item))),
            Struct(members) => {
                value.is_object()
                    && members.iter().all(|(name, shape)| {
                        value.members_like(name).all(|value| shape.fits(value))
                    })
            }
        }
    }
}
