//! Standard input and output as a connection.
//!
//! Standard input is read by a thread of its own: a read of it cannot be cancelled, and one on the
//! runtime's threads would keep the runtime from ending.

use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::stream::{self, Incoming, Outgoing};
use crate::limits::STREAM_CHUNK_BYTES_MAX;

/// Gives one connection, and then waits for ever: there is one standard input.
#[derive(Debug, Default)]
pub(super) struct Listener {
    taken: bool,
}

impl Listener {
    /// Safe to cancel.
    pub(super) async fn accept(&mut self) -> (Incoming, Outgoing) {
        if self.taken {
            std::future::pending::<()>().await;
        }
        self.taken = true;
        open()
    }
}

/// Standard input and output. What the thread has read when the connection is dropped is lost to
/// whoever reads standard input next, so that it is to be opened once.
pub(super) fn open() -> (Incoming, Outgoing) {
    let (chunks, input) = mpsc::channel(1);
    let thread = std::thread::Builder::new().name("stdin".to_owned()).spawn({
        let chunks = chunks.clone();
        move || read_all(&mut io::stdin().lock(), &chunks)
    });
    if let Err(error) = thread {
        // The queue has room: it is new.
        let _ = chunks.try_send(Err(error));
    }
    stream::stdio(input, tokio::io::stdout())
}

/// Reads to the end, or until nobody wants more.
fn read_all(input: &mut impl Read, chunks: &mpsc::Sender<io::Result<Bytes>>) {
    let mut buffer = BytesMut::zeroed(STREAM_CHUNK_BYTES_MAX);
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => Ok(Bytes::copy_from_slice(&buffer[..length])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if chunks.blocking_send(read).is_err() || failed {
            return;
        }
    }
}
