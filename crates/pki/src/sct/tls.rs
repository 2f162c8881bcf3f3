//! The TLS presentation language, RFC 5246 §4, as far as CT uses it.

use super::SctFormatError;

/// A place in TLS-encoded bytes.
#[derive(Clone, Copy)]
pub struct TlsReader<'a>(&'a [u8]);

impl<'a> TlsReader<'a> {
    /// Begins at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes the next `length` bytes.
    ///
    /// # Errors
    ///
    /// [`SctFormatError`] if there are fewer, here and below.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], SctFormatError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(SctFormatError)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Takes as many bytes as the array has.
    ///
    /// # Errors
    ///
    /// As [`Self::take`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], SctFormatError> {
        self.take(N)?.try_into().map_err(|_| SctFormatError)
    }

    /// Takes one byte.
    ///
    /// # Errors
    ///
    /// As [`Self::take`].
    pub fn u8(&mut self) -> Result<u8, SctFormatError> {
        self.array().map(|[byte]| byte)
    }

    /// Takes a vector whose length has two bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::take`].
    pub fn u16_list(&mut self) -> Result<&'a [u8], SctFormatError> {
        let length = u16::from_be_bytes(self.array()?);
        self.take(usize::from(length))
    }

    /// Takes a vector whose length has three bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::take`].
    pub fn u24_list(&mut self) -> Result<&'a [u8], SctFormatError> {
        let [a, b, c] = self.array()?;
        self.take(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
    }

    /// Takes all that is left.
    pub const fn rest(&mut self) -> &'a [u8] {
        let rest = self.0;
        self.0 = &[];
        rest
    }

    /// The bytes from here to where `later`, which was copied from this one, has come.
    #[must_use]
    pub fn up_to(&self, later: &Self) -> &'a [u8] {
        &self.0[..self.0.len().saturating_sub(later.0.len())]
    }

    /// Whether everything was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// [`SctFormatError`] if something is left.
    pub const fn finish(self) -> Result<(), SctFormatError> {
        if self.0.is_empty() { Ok(()) } else { Err(SctFormatError) }
    }
}

/// Writes a vector whose length has two bytes.
///
/// What is longer is cut: everything written here has a limit far below.
pub fn put_u16_list(bytes: &mut Vec<u8>, list: &[u8]) {
    let length = u16::try_from(list.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&list[..usize::from(length)]);
}

/// Writes a vector whose length has three bytes. Certificates are shorter than that by far.
pub fn put_u24_list(bytes: &mut Vec<u8>, list: &[u8]) {
    let length = list.len().min(0xff_ffff);
    bytes.extend_from_slice(&length.to_be_bytes()[size_of::<usize>() - 3..]);
    bytes.extend_from_slice(&list[..length]);
}
