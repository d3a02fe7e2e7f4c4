//! Sources as a whole: real files that are rotated while they are written, real sockets, real
//! programs, and an account of every message.
#![cfg(unix)]

mod connect;
mod file;
mod listen;

use std::time::Duration;

use enchufe::{
    Source as _,
    source::{AnySource, Origin, Spec, Surroundings},
};
use tokio::time::timeout;

/// Longer than anything here takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens the source of this text.
async fn open(text: &str) -> AnySource {
    let spec = Spec::new(Origin::parse(text).expect("a source"));
    spec.open(&Surroundings::default()).await.expect("it opens")
}

/// The next message, which must come.
async fn next(source: &mut AnySource) -> String {
    let message = timeout(PATIENCE, source.next()).await.expect("in time").expect("no end");
    message.to_text().into_owned()
}

/// The next messages, which must come.
async fn several(source: &mut AnySource, count: usize) -> Vec<String> {
    let mut messages = Vec::with_capacity(count);
    for _ in 0..count {
        messages.push(next(source).await);
    }
    messages
}
