//! An echo server on web-socket, over tokio's buffers, since the crate reads a frame in pieces.
//!
//! It leaves UTF-8 to the caller and writes each frame by itself; with replies together, what has
//! been gathered is flushed when nothing more has been read.

use echo_bench::{Sending, tokio_server};
use tokio::io::{AsyncWriteExt, BufReader, BufWriter};
use web_socket::{DataType, Event, MessageType, WebSocket};

const BUFFER_BYTES: usize = 64 * 1024;

fn main() {
    let sending = Sending::from_arguments();
    tokio_server::serve(move |mut stream| async move {
        tokio_server::handshake(&mut stream).await;
        let stream = BufWriter::with_capacity(BUFFER_BYTES, stream);
        let mut socket = WebSocket::server(BufReader::with_capacity(BUFFER_BYTES, stream));
        while let Ok(Event::Data { ty: DataType::Complete(kind), data }) = socket.recv().await {
            let sent = match kind {
                MessageType::Text => {
                    let Ok(text) = std::str::from_utf8(&data) else { return };
                    socket.send(text).await
                }
                MessageType::Binary => socket.send(&*data).await,
            };
            if sent.is_err() {
                return;
            }
            if (sending == Sending::Each || socket.stream.buffer().is_empty())
                && socket.stream.flush().await.is_err()
            {
                return;
            }
        }
    });
}
