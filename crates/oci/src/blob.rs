//! A blob in pieces.

use bytes::Bytes;

use crate::FetchError;

/// The pieces of a blob. Whoever got to the end has read what was asked for, and nothing else.
#[derive(Debug)]
pub struct BlobReader {}

impl BlobReader {
    /// The next piece; `None` at the end, when the digest and the length are the ones that were asked for.
    ///
    /// # Errors
    ///
    /// If there are other bytes, or more, or fewer. Nothing that was read so far may then be used.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        todo!()
    }
}
