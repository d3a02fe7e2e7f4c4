//! Both ends of a stream sending at once.

use std::time::Duration;

use enchufe::core::Message;
use enchufe::transport::{Connection, Incoming, Outgoing};
use tokio::task::JoinSet;

/// More than the kernel keeps for both.
const MESSAGES: usize = 8;
const MESSAGE_BYTES: usize = 1 << 20;

/// Longer than anything that works takes, so that what hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends megabytes from each end while the other does the same, and ends both. Everything has to
/// arrive, in order.
pub(crate) async fn both_ways_at_once(client: Connection, server: Connection) {
    let mut tasks = JoinSet::new();
    for connection in [client, server] {
        let (incoming, outgoing) = connection.split();
        tasks.spawn(send(outgoing));
        tasks.spawn(receive(incoming));
    }
    tokio::time::timeout(PATIENCE, tasks.join_all()).await.expect("in time");
}

async fn send(mut outgoing: Outgoing) {
    let mut bytes = pattern();
    for _ in 0..MESSAGES {
        let payload: Vec<u8> = bytes.by_ref().take(MESSAGE_BYTES).collect();
        outgoing.send(Message::binary(payload)).await.expect("sent");
    }
}

async fn receive(mut incoming: Incoming) {
    let mut expected = pattern();
    let mut count = 0;
    while let Some(message) = incoming.recv().await.expect("received") {
        let expected: Vec<u8> = expected.by_ref().take(message.payload.len()).collect();
        assert!(message.payload == expected, "something else came behind {count} bytes");
        count += message.payload.len();
    }
    assert_eq!(count, MESSAGES * MESSAGE_BYTES);
}

/// Bytes that do not repeat where buffers do.
fn pattern() -> impl Iterator<Item = u8> {
    (0u8..251).cycle()
}
