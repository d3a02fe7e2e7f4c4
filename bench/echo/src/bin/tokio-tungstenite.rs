//! An echo server on tokio-tungstenite.

use echo_bench::{Sending, echo, tokio_server};
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};

/// Measured with 50 connections: the default of 128 KiB falls out of the processor's cache and
/// makes a short message cost 2.6 × the floor instead of 1.25 ×; 4 KiB are as good as this for
/// those, and worse for long ones.
const READ_BUFFER_BYTES: usize = 16 * 1024;

fn main() {
    let sending = Sending::from_arguments();
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    tokio_server::serve(move |stream| async move {
        let Ok(socket) = accept_async_with_config(stream, Some(config)).await else { return };
        echo::echo(socket, sending, |message: &Message| message.is_text() || message.is_binary())
            .await;
    });
}
