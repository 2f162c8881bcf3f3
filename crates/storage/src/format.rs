//! The file that says what a directory is.

use std::fmt;

use crate::Framing;
use crate::record::RecordKey;

/// The version of the format that this program writes, and the newest it reads.
const VERSION: u32 = 1;

/// What a log's directory says about itself, in its file `format`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Format {
    /// The permanent name of the log.
    pub origin: String,
    /// Tells this log apart from every other, of the same name too. Not public: see the journal's key.
    pub instance: [u8; 16],
    /// How entries are written in bundles.
    pub framing: Framing,
}

/// Why the file `format` is refused. The operator's to act on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormatError {
    /// Written by a newer program.
    #[error(
        "the directory has format {found}, and this version knows up to {VERSION}: use a newer one"
    )]
    Newer {
        /// Its version.
        found: u32,
    },
    /// Not one that we write.
    #[error("the file `format` does not say what the directory is")]
    Malformed,
}

impl Format {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let text = std::str::from_utf8(bytes).map_err(|_| FormatError::Malformed)?;
        let mut lines = text.lines();
        let mut field = |name: &str| {
            let line = lines.next()?.strip_prefix(name)?;
            line.strip_prefix(' ')
        };
        let version = field("bulla log, format").and_then(|version| version.parse().ok());
        match version.ok_or(FormatError::Malformed)? {
            VERSION => (),
            found if found > VERSION => return Err(FormatError::Newer { found }),
            _ => return Err(FormatError::Malformed),
        }
        let origin = field("origin").ok_or(FormatError::Malformed)?.to_owned();
        let mut instance = [0; 16];
        field("instance")
            .and_then(|digits| hex::decode_to_slice(digits, &mut instance).ok())
            .ok_or(FormatError::Malformed)?;
        let framing = match field("entries") {
            Some("short") => Framing::Short,
            Some("long") => Framing::Long,
            _ => return Err(FormatError::Malformed),
        };
        Ok(Self { origin, instance, framing })
    }

    /// What marks this log's records. It is secret, so that no submitter can make an entry that looks like one.
    pub(crate) fn record_key(&self) -> RecordKey {
        let hash = crypto::sha256(&[b"bulla journal", self.instance.as_slice()].concat());
        let mut key = [0; 8];
        key.copy_from_slice(&hash[..8]);
        key
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = match self.framing {
            Framing::Short => "short",
            Framing::Long => "long",
        };
        writeln!(f, "bulla log, format {VERSION}")?;
        writeln!(f, "origin {}", self.origin)?;
        writeln!(f, "instance {}", hex::encode(self.instance))?;
        writeln!(f, "entries {entries}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_read_back_and_a_newer_one_refused() {
        let format =
            Format { origin: "localhost - 7".into(), instance: [7; 16], framing: Framing::Long };
        let text = format.to_string();
        assert_eq!(Format::parse(text.as_bytes()), Ok(format));
        let newer = text.replace("format 1", "format 2\nunknown things");
        assert_eq!(Format::parse(newer.as_bytes()), Err(FormatError::Newer { found: 2 }));
        for broken in ["", "bulla log, format 0\n", &text[..20], &text.replace("long", "tall")] {
            assert_eq!(Format::parse(broken.as_bytes()), Err(FormatError::Malformed), "{broken}");
        }
    }
}
