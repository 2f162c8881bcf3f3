//! Checkpoints: what a log says about itself (C2SP tlog-checkpoint).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Hash, TreeSize};

/// The text of a checkpoint, without its signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// The name of the log: `log.example.com`, or `rekor.example.com - 1193050959916656506` for Rekor v1.
    pub origin: String,
    /// The size of the tree.
    pub size: TreeSize,
    /// The root of the tree.
    pub root: Hash,
    /// Further lines, without their ends. Old Rekor v1 checkpoints have `Timestamp: …` here.
    pub extensions: Vec<String>,
}

/// Why a text is no checkpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckpointError {
    /// The text does not end with the end of a line.
    #[error("the last line of the checkpoint has no end")]
    Unfinished,
    /// There is no first line, or it is empty.
    #[error("the checkpoint has no origin")]
    Origin,
    /// The second line is no decimal number without leading zeros that fits in 64 bits.
    #[error("the checkpoint has no tree size")]
    Size,
    /// The third line is not 32 bytes in base64.
    #[error("the checkpoint has no root hash")]
    Root,
    /// A line after the root is empty.
    #[error("an extension line of the checkpoint is empty")]
    Extension,
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the text of a note ([`SignedNote::text`](crate::SignedNote::text)).
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let text = text.strip_suffix('\n').ok_or(CheckpointError::Unfinished)?;
        let mut lines = text.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointError::Origin)?;
        let size = lines.next().and_then(size_from).ok_or(CheckpointError::Size)?;
        let root = lines.next().and_then(root_from).ok_or(CheckpointError::Root)?;
        let extensions: Vec<_> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Extension);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }
}

fn size_from(line: &str) -> Option<TreeSize> {
    let digits = line.bytes().all(|byte| byte.is_ascii_digit());
    // A leading zero would be a second way to write the same checkpoint.
    let canonical = digits && (line == "0" || !line.starts_with('0'));
    if canonical { line.parse().ok().map(TreeSize::new) } else { None }
}

fn root_from(line: &str) -> Option<Hash> {
    Hash::from_bytes(&STANDARD.decode(line).ok()?).ok()
}

impl fmt::Display for Checkpoint {
    /// Writes the text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.root.as_bytes());
        write!(f, "{}\n{}\n{root}\n", self.origin, self.size)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn a_checkpoint_is_written_as_it_was_read() {
        let plain = format!("log.example\n0\n{ROOT}\n");
        let sharded = format!("rekor.example - 42\n7\n{ROOT}\nTimestamp: 1689177396617352539\n");
        for text in [plain, sharded] {
            let checkpoint: Checkpoint = text.parse().unwrap();
            assert_eq!(checkpoint.root, Hash::of_empty_tree());
            assert_eq!(checkpoint.to_string(), text);
        }
    }

    #[test]
    fn each_line_must_be_what_it_is() {
        let short = &ROOT[4..];
        let refused = [
            (format!("log\n1\n{ROOT}"), CheckpointError::Unfinished),
            (String::new(), CheckpointError::Unfinished),
            (format!("\n1\n{ROOT}\n"), CheckpointError::Origin),
            ("log\n".to_owned(), CheckpointError::Size),
            (format!("log\n01\n{ROOT}\n"), CheckpointError::Size),
            (format!("log\n+1\n{ROOT}\n"), CheckpointError::Size),
            (format!("log\n-1\n{ROOT}\n"), CheckpointError::Size),
            (format!("log\n\n{ROOT}\n"), CheckpointError::Size),
            (format!("log\n18446744073709551616\n{ROOT}\n"), CheckpointError::Size),
            ("log\n1\n".to_owned(), CheckpointError::Root),
            (format!("log\n1\n{short}\n"), CheckpointError::Root),
            (format!("log\n1\n{ROOT} \n"), CheckpointError::Root),
            (format!("log\n1\n{ROOT}\r\n"), CheckpointError::Root),
            (format!("log\n1\n{ROOT}\n\nlate\n"), CheckpointError::Extension),
        ];
        for (text, error) in refused {
            assert_eq!(text.parse::<Checkpoint>(), Err(error), "{text:?}");
        }
    }
}
