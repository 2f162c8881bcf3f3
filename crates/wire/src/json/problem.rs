//! Why a JSON document was refused, and where in it.

/// How many characters of what others wrote a refusal quotes: a line or two of a terminal. It is kept as long as the
/// refusal is, and a document can consist of one name.
const MAX_QUOTED: usize = 160;

/// As much of `text` as a refusal quotes.
#[must_use]
pub fn excerpt(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

/// Why a JSON document was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem}{}{path}", if path.is_empty() { "" } else { " at " })]
pub struct JsonError {
    /// Where, such as `verificationMaterial.tlogEntries[0].logIndex`; empty for the document itself.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a JSON value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// It is longer than any document of its kind.
    #[error("the document has {length} bytes; at most {limit} are read")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// It begins with U+FEFF, which RFC 8259 §8.1 forbids.
    #[error("the document begins with a byte order mark")]
    ByteOrderMark,
    /// It is not JSON, or something follows it.
    #[error("the document is not JSON: {0}")]
    Syntax(String),
    /// A member's name comes twice in one object.
    #[error("the member {0:?} comes twice")]
    DuplicateMember(String),
    /// It is nested deeper than any document of its kind.
    #[error("the document is nested deeper than {0} levels")]
    TooDeep(usize),
    /// It has more values, or an object in it more members, than any document of its kind.
    #[error("the document has more than {0} values")]
    TooManyValues(usize),
    /// A list is longer than is allowed here.
    #[error("a list of {length} items, where at most {limit} are allowed,")]
    TooManyItems {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A member that is not known, where nothing unknown is let pass.
    #[error("there is an unknown member {0:?}")]
    UnknownMember(String),
    /// A member is there under its lowerCamelCase and under its original name.
    #[error("the member {0:?} is there under two names")]
    TwoNames(&'static str),
    /// More than one alternative of a protocol buffer `oneof` is there.
    #[error("{0} and {1} exclude each other, but both are there,")]
    TwoAlternatives(&'static str, &'static str),
    /// A member that must be there is not, or is null or empty.
    #[error("the member {0:?} is missing")]
    Missing(&'static str),
    /// A value is of another type.
    #[error("expected {expected}, found {found},")]
    Type {
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: &'static str,
    },
    /// A string is not base64, or its last characters hold stray bits.
    #[error("the base64 text is not valid")]
    Base64,
    /// A number is negative where only natural numbers make sense.
    #[error("the number {0} is negative")]
    Negative(i128),
    /// A number does not fit, has a fraction or exponent, or is not written as a number.
    #[error("{0:?} is not an integer of the right size")]
    Integer(String),
    /// Bytes have another length than they must have.
    #[error("expected {expected} bytes, found {found},")]
    Length {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A value is not one of those that an enumeration has.
    #[error("the value {0:?} is not known")]
    UnknownValue(String),
    /// A time is not written as RFC 3339 says.
    #[error("{0:?} is not an RFC 3339 time")]
    Time(String),
}

impl Problem {
    /// The problem at the place where it was found; callers add what is around it.
    #[must_use]
    pub fn here(self) -> JsonError {
        JsonError { path: String::new(), problem: self }
    }
}

impl JsonError {
    /// Says that the place is inside the member `name`.
    #[must_use]
    pub fn within(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{}{dot}{}", excerpt(name), self.path);
        self
    }

    /// Says that the place is inside the item `index` of a list.
    #[must_use]
    pub fn within_item(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}
