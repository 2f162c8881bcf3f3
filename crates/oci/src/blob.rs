//! A blob in pieces.

use std::fmt;

use bytes::{Bytes, BytesMut};
use crypto::Hasher;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::{AccessError, Descriptor, Digest, FetchError};

/// How much is read from a file at once.
const PIECE: usize = 256 * 1024;

/// The pieces of a blob. Whoever got to the end has read what was asked for, and nothing else.
pub struct BlobReader {
    source: Source,
    wanted: Digest,
    expected: u64,
    found: u64,
    hasher: Option<Hasher>,
}

/// Where the pieces come from.
pub(crate) enum Source {
    /// The answer of a registry, and the registry's name.
    Answer(String, Box<net::Streamed>),
    /// A file, and its path.
    File(std::path::PathBuf, tokio::io::Take<tokio::fs::File>),
}

impl BlobReader {
    pub(crate) fn new(source: Source, descriptor: &Descriptor) -> Self {
        Self {
            source,
            wanted: descriptor.digest,
            expected: descriptor.size,
            found: 0,
            hasher: Some(Hasher::new(descriptor.digest.algorithm())),
        }
    }

    /// The next piece; `None` at the end, when the digest and the length are the ones that were asked for.
    ///
    /// # Errors
    ///
    /// If there are other bytes, or more, or fewer. Nothing that was read so far may then be used.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        let Some(piece) = self.source.next().await? else {
            self.check()?;
            return Ok(None);
        };
        self.found += piece.len() as u64;
        if self.found > self.expected {
            return Err(self.other_size(true));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&piece);
        }
        Ok(Some(piece))
    }

    /// The whole blob. Whoever calls has looked at its size.
    pub(crate) async fn whole(mut self) -> Result<Bytes, FetchError> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    fn check(&mut self) -> Result<(), FetchError> {
        if self.found != self.expected {
            return Err(self.other_size(false));
        }
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let found = Digest::from(hasher.finish());
        if found == self.wanted {
            return Ok(());
        }
        Err(FetchError::other_digest(self.wanted, found))
    }

    fn other_size(&self, more: bool) -> FetchError {
        let (wanted, expected, found) = (Box::new(self.wanted), self.expected, self.found);
        FetchError::OtherSize { wanted, expected, found, more }
    }
}

impl Source {
    /// `size` bytes of a file, from `at` on.
    pub(crate) async fn file(
        path: std::path::PathBuf,
        file: std::fs::File,
        at: u64,
        size: u64,
    ) -> Result<Self, AccessError> {
        let mut file = tokio::fs::File::from_std(file);
        let moved = file.seek(std::io::SeekFrom::Start(at)).await;
        moved.map_err(|source| AccessError::File { path: path.clone(), source })?;
        Ok(Self::File(path, file.take(size)))
    }

    async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        match self {
            Self::Answer(registry, answer) => answer.chunk().await.map_err(|source| {
                AccessError::Request { registry: registry.clone(), source }.into()
            }),
            Self::File(path, file) => {
                let mut piece = BytesMut::with_capacity(PIECE);
                let read = file.read_buf(&mut piece).await;
                let read =
                    read.map_err(|source| AccessError::File { path: path.clone(), source })?;
                Ok((read > 0).then(|| piece.freeze()))
            }
        }
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobReader({}, {} of {} bytes)", self.wanted, self.found, self.expected)
    }
}
