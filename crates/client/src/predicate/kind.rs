//! The types of predicates that are known: their names, their forms, and the members that they must have.
//!
//! A member is required here where the specification of the type requires it, so that a verifier can rely on what was
//! signed. What a specification leaves open is left open.

/// One type, or one form of it that has a name of its own.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Kind {
    /// cosign's names for it.
    pub(super) names: &'static [&'static str],
    /// The predicate type in the statement.
    pub(super) uri: &'static str,
    /// The forms that it comes in. The first that fits counts.
    pub(super) forms: &'static [Form],
}

/// A form of a predicate.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// A JSON object, kept byte for byte as it was written.
    Json {
        /// The member that tells this form from others; none if every object has this form.
        told_by: Option<&'static str>,
        /// What it must have.
        members: &'static [Member],
    },
    /// Text that is not taken apart. It travels as one JSON string, as cosign's `spdx` does.
    Text {
        /// What the text is called in messages.
        name: &'static str,
        /// One of these is in the text.
        signs: &'static [&'static str],
    },
    /// Anything, as one JSON string in the member `Data`, beside the time.
    Wrapped,
}

impl Form {
    /// Whether text that is not taken apart is of this form.
    pub(super) fn is_of(&self, text: &str) -> bool {
        matches!(self, Self::Text { signs, .. } if signs.iter().any(|sign| text.contains(sign)))
    }
}

/// A member that a predicate must have.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Member {
    /// The names from the predicate inwards.
    pub(super) path: &'static [&'static str],
    /// What must be there.
    pub(super) shape: Shape,
}

/// What a JSON value must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// A string with at least one character.
    Text,
    /// An object.
    Object,
    /// A list.
    List,
    /// Anything but `null`.
    Anything,
    /// This string.
    Exactly(&'static str),
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text => f.write_str("a string that is not empty"),
            Self::Object => f.write_str("an object"),
            Self::List => f.write_str("a list"),
            Self::Anything => f.write_str("a value"),
            Self::Exactly(text) => write!(f, "{text:?}"),
        }
    }
}

const fn text(path: &'static [&'static str]) -> Member {
    Member { path, shape: Shape::Text }
}

const fn object(path: &'static [&'static str]) -> Member {
    Member { path, shape: Shape::Object }
}

const fn list(path: &'static [&'static str]) -> Member {
    Member { path, shape: Shape::List }
}

const fn anything(path: &'static [&'static str]) -> Member {
    Member { path, shape: Shape::Anything }
}

const fn exactly(path: &'static [&'static str], text: &'static str) -> Member {
    Member { path, shape: Shape::Exactly(text) }
}

const fn json(members: &'static [Member]) -> Form {
    Form::Json { told_by: None, members }
}

/// Every type that is known. A URI means the first kind that has it.
pub(super) const KINDS: &[Kind] = &[
    // https://slsa.dev/spec/v0.2/provenance
    Kind {
        names: &["slsaprovenance", "slsaprovenance02"],
        uri: "https://slsa.dev/provenance/v0.2",
        forms: &[json(&[text(&["builder", "id"]), text(&["buildType"])])],
    },
    // https://slsa.dev/spec/v1.0/provenance
    Kind {
        names: &["slsaprovenance1"],
        uri: "https://slsa.dev/provenance/v1",
        forms: &[json(&[
            text(&["buildDefinition", "buildType"]),
            object(&["buildDefinition", "externalParameters"]),
            text(&["runDetails", "builder", "id"]),
        ])],
    },
    Kind {
        names: &["spdxjson"],
        uri: "https://spdx.dev/Document",
        forms: &[
            // SPDX 3.0: a graph of elements in JSON-LD.
            Form::Json {
                told_by: Some("@graph"),
                members: &[anything(&["@context"]), list(&["@graph"])],
            },
            // SPDX 2.3, clause 6: document creation information.
            json(&[
                text(&["spdxVersion"]),
                exactly(&["SPDXID"], "SPDXRef-DOCUMENT"),
                text(&["name"]),
                text(&["dataLicense"]),
                text(&["documentNamespace"]),
                text(&["creationInfo", "created"]),
                list(&["creationInfo", "creators"]),
            ]),
        ],
    },
    Kind {
        names: &["spdx"],
        uri: "https://spdx.dev/Document",
        // cosign takes JSON under this name, too, and makes a string of it all the same.
        forms: &[Form::Text {
            name: "an SPDX document",
            signs: &["SPDXVersion:", "\"spdxVersion\"", "\"@graph\""],
        }],
    },
    Kind {
        names: &["cyclonedx"],
        uri: "https://cyclonedx.org/bom",
        forms: &[
            json(&[exactly(&["bomFormat"], "CycloneDX"), text(&["specVersion"])]),
            Form::Text { name: "CycloneDX in XML", signs: &["http://cyclonedx.org/schema/bom/"] },
        ],
    },
    // cosign's specification of vulnerability scan records
    Kind {
        names: &["vuln"],
        uri: "https://cosign.sigstore.dev/attestation/vuln/v1",
        forms: &[json(&[
            anything(&["scanner", "result"]),
            text(&["metadata", "scanStartedOn"]),
            text(&["metadata", "scanFinishedOn"]),
        ])],
    },
    // OpenVEX 0.2.0, the document's fields
    Kind {
        names: &["openvex"],
        uri: "https://openvex.dev/ns",
        forms: &[json(&[
            text(&["@context"]),
            text(&["@id"]),
            text(&["author"]),
            text(&["timestamp"]),
            anything(&["version"]),
            list(&["statements"]),
        ])],
    },
    // in-toto 0.9, section 4.4: link metadata
    Kind {
        names: &["link"],
        uri: "https://in-toto.io/Link/v1",
        forms: &[json(&[
            exactly(&["_type"], "link"),
            text(&["name"]),
            object(&["materials"]),
            object(&["products"]),
            object(&["byproducts"]),
            list(&["command"]),
            object(&["environment"]),
        ])],
    },
    // cosign's envelope for predicates of any form
    Kind {
        names: &["custom"],
        uri: "https://cosign.sigstore.dev/attestation/v1",
        forms: &[Form::Wrapped],
    },
];

/// What [`Form::Wrapped`] makes.
pub(super) const WRAPPED: &[Member] = &[anything(&["Data"]), text(&["Timestamp"])];

/// The form of predicates of a type that is not known: in-toto predicates are objects.
pub(super) const UNKNOWN: &[Form] = &[json(&[])];
