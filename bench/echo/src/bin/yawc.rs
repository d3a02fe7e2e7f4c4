//! An echo server on yawc.
//!
//! With the buffers of the crate's own comparison: 128 KiB for reading, 64 KiB before a write is
//! forced. Text is checked, which the crate leaves off unless asked.

use std::convert::Infallible;

use echo_bench::{Sending, echo, tokio_server};
use futures_util::StreamExt;
use yawc::{Frame, OpCode, Options, Role, WebSocket};

fn main() {
    let sending = Sending::from_arguments();
    tokio_server::serve(move |mut stream| async move {
        tokio_server::handshake(&mut stream).await;
        let options = Options::default()
            .without_compression()
            .with_utf8()
            .with_read_buffer_capacity(128 * 1024)
            .with_backpressure_boundary(64 * 1024);
        let Ok(socket) = WebSocket::from_stream(stream, Role::Server, options) else { return };
        let is_data = |frame: &Frame| matches!(frame.opcode(), OpCode::Text | OpCode::Binary);
        echo::echo(socket.map(Ok::<_, Infallible>), sending, is_data).await;
    });
}
