//! Who may write to a log.

use entries::Entry;

/// Decides who may write, after the entry was judged and before it is logged.
pub trait Writers: Send + Sync {
    /// Says whether `entry` may be added.
    ///
    /// # Errors
    ///
    /// [`NotAllowed`], with the reason for the submitter.
    fn allow(&self, entry: &Entry) -> Result<(), NotAllowed>;
}

/// The submitter may not write to this log.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this log does not take the entry: {reason}")]
pub struct NotAllowed {
    /// Why, for the submitter.
    pub reason: String,
}

/// Everyone may write, as to the public-good log.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

impl Writers for Anyone {
    fn allow(&self, _: &Entry) -> Result<(), NotAllowed> {
        Ok(())
    }
}
