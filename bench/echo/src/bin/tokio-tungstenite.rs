//! An echo server on tokio-tungstenite.

use echo_bench::{Sending, echo, tokio_server};
use tokio_tungstenite::tungstenite::Message;

fn main() {
    let sending = Sending::from_arguments();
    tokio_server::serve(move |stream| async move {
        let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
        echo::echo(socket, sending, |message: &Message| message.is_text() || message.is_binary())
            .await;
    });
}
