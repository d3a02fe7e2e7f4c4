//! An echo server on tokio-websockets.
//!
//! Unconstrained and without limits, like the crate's own `examples/echo_server.rs`; a flush at
//! 64 KiB instead of 8 KiB when replies leave together.

use echo_bench::{Sending, echo, tokio_server};
use tokio_websockets::{Config, Limits, Message, ServerBuilder};

fn main() {
    let sending = Sending::from_arguments();
    tokio_server::serve(move |stream| {
        tokio::task::unconstrained(async move {
            let config = Config::default().frame_size(usize::MAX).flush_threshold(64 * 1024);
            let builder = ServerBuilder::new().config(config).limits(Limits::unlimited());
            let Ok((_, socket)) = builder.accept(stream).await else { return };
            let is_data = |message: &Message| message.is_text() || message.is_binary();
            echo::echo(socket, sending, is_data).await;
        })
    });
}
