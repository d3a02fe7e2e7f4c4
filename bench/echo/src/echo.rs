//! The echo loop for crates whose connection is a `Stream` and a `Sink` of messages.

use std::pin::pin;
use std::task::Poll;

use futures_util::{Sink, SinkExt, Stream, StreamExt, future};

use crate::Sending;

/// Answers every message that `is_data`, until the peer closes or breaks a rule.
pub async fn echo<S, M, E, F>(socket: S, sending: Sending, is_data: impl Fn(&M) -> bool)
where
    S: Stream<Item = Result<M, E>> + Sink<M, Error = F>,
{
    let mut socket = pin!(socket);
    while let Some(Ok(message)) = socket.next().await {
        if !is_data(&message) {
            continue;
        }
        if sending == Sending::Each {
            if socket.send(message).await.is_err() {
                return;
            }
            continue;
        }
        let mut waiting = Some(message);
        let mut open = true;
        while let Some(message) = waiting.take() {
            if is_data(&message) && socket.feed(message).await.is_err() {
                return;
            }
            waiting = match ready(socket.next()).await {
                Some(Some(Ok(next))) => Some(next),
                Some(_) => {
                    open = false;
                    None
                }
                None => None,
            };
        }
        if socket.flush().await.is_err() || !open {
            return;
        }
    }
}

/// What a future has at once. It is dropped when it has nothing, so it must not lose anything then.
async fn ready<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
