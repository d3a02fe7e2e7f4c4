//! What a node says of shards that say nothing.

use super::*;

/// A node of whose two shards only the first takes its letters. The queues outlive the test.
fn half_a_node() -> (Node, mio::Poll) {
    let node = Node::start(Broker::memory(), &NodeOptions { shards: 1, ..NodeOptions::default() });
    let node = node.expect("a thread");
    let poll = mio::Poll::new().expect("an event queue");
    let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
    let deaf = Arc::new(Inbox::new(Arc::new(waker), limits::INBOX_LEN_MAX));
    let inboxes = node.inboxes.iter().cloned().chain([deaf]).collect();
    (Node { inboxes, ..node }, poll)
}

#[tokio::test]
async fn a_shard_that_does_not_answer_in_time_is_named() {
    let (node, _poll) = half_a_node();
    assert_eq!(node.silent_shards().await, [1]);
    assert_eq!(node.figures().await.silent_shards, 1);
}
