//! What a future has at once.

use std::{future::poll_fn, pin::pin, task::Poll};

/// What the future yields, if it does so without waiting. It is dropped then: it must be safe to
/// cancel.
pub(super) async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}
