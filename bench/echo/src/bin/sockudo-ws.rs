//! An echo server on sockudo-ws.
//!
//! `feed` and one `flush` at the end of a batch, as its `Config::write_coalescing` advises.

use echo_bench::{Sending, echo, tokio_server};
use sockudo_ws::{Config, Message, WebSocketStream};

fn main() {
    let sending = Sending::from_arguments();
    tokio_server::serve(move |mut stream| async move {
        tokio_server::handshake(&mut stream).await;
        let socket = WebSocketStream::server(stream, Config::default());
        let is_data = |message: &Message| matches!(message, Message::Text(_) | Message::Binary(_));
        echo::echo(socket, sending, is_data).await;
    });
}
