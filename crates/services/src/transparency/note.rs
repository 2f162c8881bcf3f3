//! Signing the notes of a log.

use crypto::SigningKey;
use merkle::note::{KeyId, Signature};
use merkle::{Checkpoint, Hash, TreeSize};
use tlog::{DialectError, Head};

/// A key that signs checkpoints under a name.
pub(super) struct NoteSigner<'a> {
    pub(super) key: &'a SigningKey,
    pub(super) name: &'a str,
    pub(super) id: KeyId,
}

impl NoteSigner<'_> {
    /// The signed note of a tree head under `origin`.
    ///
    /// The last checkpoint of a log says so in an extension line, as `freeze-checkpoint` of rekor-tiles has it.
    pub(super) fn checkpoint(&self, origin: &str, head: &Head) -> Result<String, DialectError> {
        let extensions = if head.frozen {
            vec![format!("Log frozen — {}", head.time.strftime("%a %b %e %H:%M:%S UTC %Y"))]
        } else {
            Vec::new()
        };
        let text = text(origin, head.size, head.root, extensions);
        let signature = Signature {
            name: self.name.to_owned(),
            hint: self.id.hint(),
            bytes: self.key.sign(text.as_bytes())?,
        };
        Ok(format!("{text}\n{signature}\n"))
    }
}

fn text(origin: &str, size: TreeSize, root: Hash, extensions: Vec<String>) -> String {
    Checkpoint { origin: origin.to_owned(), size, root, extensions }.to_string()
}
