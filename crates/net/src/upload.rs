//! A request body that comes in pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// How many pieces wait to be sent. Two keep the network busy while the next one is read.
const WAITING: usize = 2;

/// A request body that comes in pieces and whose length is known.
#[derive(Debug)]
pub struct Upload {
    pieces: mpsc::Receiver<Bytes>,
    length: u64,
}

/// Gives the pieces of an [`Upload`]. Dropping it before the announced length was given breaks the request, so that the
/// server cannot take a part for the whole.
#[derive(Clone, Debug)]
pub struct UploadSender(mpsc::Sender<Bytes>);

impl Upload {
    /// A body of `length` bytes, and where to put them.
    #[must_use]
    pub fn new(length: u64) -> (UploadSender, Self) {
        let (sender, pieces) = mpsc::channel(WAITING);
        (UploadSender(sender), Self { pieces, length })
    }

    pub(crate) fn into_body(self) -> UploadBody {
        UploadBody { pieces: self.pieces, left: self.length }
    }
}

impl UploadSender {
    /// Waits until there is room for `piece`. Whether the request still takes pieces.
    pub async fn send(&self, piece: Bytes) -> bool {
        self.0.send(piece).await.is_ok()
    }
}

pub(crate) struct UploadBody {
    pieces: mpsc::Receiver<Bytes>,
    left: u64,
}

impl Body for UploadBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // Once all is given the request must not wait for the giver to go.
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(context).map(|piece| {
            let piece = piece?;
            self.left = self.left.saturating_sub(piece.len() as u64);
            Some(Ok(Frame::data(piece)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
