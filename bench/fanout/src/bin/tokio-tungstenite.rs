//! A feed on tokio-tungstenite: a task and a channel for each viewer, and what waits in the channel
//! leaves with one flush.

use echo_bench::tokio_server;
use fanout_bench::Hub;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

/// The default is 128 KiB for each viewer, who sends next to nothing.
const READ_BUFFER_BYTES: usize = 4 * 1024;

fn main() {
    let hub = Hub::<Utf8Bytes>::default();
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    tokio_server::serve_with(
        {
            let hub = hub.clone();
            async move { hub.read_lines(Utf8Bytes::from).await }
        },
        move |stream| {
            let hub = hub.clone();
            async move {
                let Ok(socket) = accept_async_with_config(stream, Some(config)).await else {
                    return;
                };
                let (mut sink, mut stream) = socket.split();
                let mut messages = hub.join();
                loop {
                    tokio::select! {
                        message = messages.recv() => {
                            let mut next = message;
                            while let Some(message) = next {
                                if sink.feed(Message::Text(message)).await.is_err() {
                                    return;
                                }
                                next = messages.try_recv().ok();
                            }
                            if sink.flush().await.is_err() {
                                return;
                            }
                        }
                        // The crate answers pings itself, with the next flush.
                        said = stream.next() => match said {
                            Some(Ok(Message::Ping(_))) => {
                                if sink.flush().await.is_err() {
                                    return;
                                }
                            }
                            Some(Ok(_)) => {}
                            _ => return,
                        },
                    }
                }
            }
        },
    );
}
