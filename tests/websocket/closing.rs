//! How connections end.

use enchufe::core::Message;
use enchufe::core::ws::{CloseCode, CloseReason, Opcode};
use enchufe::limits;
use enchufe::transport::{BindOptions, RecvError, SendError};
use tokio::time::{Duration, Instant};

use super::support::{LONG, close, echo, open, pair};

fn going_away() -> CloseReason {
    CloseReason::new(CloseCode::GOING_AWAY, "bye")
}

#[tokio::test]
async fn a_peer_that_closes_is_none_and_is_answered_with_its_code() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    client.send(Opcode::Text, b"last").await;
    client.send(Opcode::Close, &close(4321, "enough")).await;
    assert_eq!(connection.recv().await.expect("recv"), Some(Message::text("last")));
    assert_eq!(connection.recv().await.expect("recv"), None);
    let said = CloseReason::new(CloseCode::new(4321).expect("a code"), "enough");
    assert_eq!(connection.closed_with(), Some(&said));
    assert_eq!(connection.recv().await.expect("recv again"), None);
    assert_eq!(client.frame().await, Some((0x88, close(4321, ""))));
    assert_eq!(client.frame().await, None);
    let sent = connection.send(Message::text("late")).await;
    assert!(matches!(sent, Err(SendError::Closed { .. })), "{sent:?}");
    connection.close(going_away()).await.expect("closing again is no error");
}

#[tokio::test]
async fn a_peer_may_close_without_a_reason() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    client.send(Opcode::Close, b"").await;
    assert_eq!(connection.recv().await.expect("recv"), None);
    assert_eq!(connection.closed_with(), None);
    assert_eq!(client.frame().await, Some((0x88, Vec::new())));
}

#[tokio::test]
async fn closing_tells_the_reason_and_waits_for_the_answer() {
    let (connection, mut client) = pair(&BindOptions::default()).await;
    let closing = tokio::spawn(connection.close(going_away()));
    assert_eq!(client.frame().await, Some((0x88, close(1001, "bye"))));
    client.send(Opcode::Text, b"still on its way").await;
    assert!(!closing.is_finished());
    client.send(Opcode::Close, &close(1001, "")).await;
    assert_eq!(client.frame().await, None);
    closing.await.expect("the task").expect("close");
}

#[tokio::test]
async fn both_sides_may_be_ours() {
    let server = echo(None, &BindOptions::default()).await;
    let mut client = open(server).await;
    client.send(Message::text("one")).await.expect("send");
    assert_eq!(client.recv().await.expect("recv"), Some(Message::text("one")));
    let begun = Instant::now();
    client.close(CloseReason::new(CloseCode::NORMAL, "")).await.expect("close");
    assert!(begun.elapsed() < limits::CLOSE_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_a_close_is_waited_for_a_bounded_time() {
    let (connection, mut client) = pair(&BindOptions::default()).await;
    let begun = Instant::now();
    connection.close(going_away()).await.expect("close");
    assert!(begun.elapsed() >= limits::CLOSE_TIMEOUT);
    assert!(begun.elapsed() < limits::CLOSE_TIMEOUT + Duration::from_secs(1));
    assert_eq!(client.frame().await, Some((0x88, close(1001, "bye"))));
    assert_eq!(client.frame().await, None);
}

#[tokio::test]
async fn a_peer_that_talks_on_instead_of_answering_a_close_is_left() {
    let (connection, client) = pair(&BindOptions::default()).await;
    let (_reader, mut writer) = client.stream.into_split();
    let talking = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let frame = super::support::frame(Opcode::Binary, &[0; 60_000]);
        while writer.write_all(&frame).await.is_ok() {}
    });
    let closed = tokio::time::timeout(LONG, connection.close(going_away())).await;
    closed.expect("in time").expect("close");
    talking.await.expect("the task");
}

#[tokio::test]
async fn one_half_that_closes_ends_the_other() {
    let (connection, mut client) = pair(&BindOptions::default()).await;
    let (mut incoming, outgoing) = connection.split();
    let receiving = tokio::spawn(async move { (incoming.recv().await, incoming) });
    outgoing.close(going_away()).await.expect("close");
    assert_eq!(client.frame().await, Some((0x88, close(1001, "bye"))));
    client.send(Opcode::Close, &close(1001, "")).await;
    let (received, incoming) = receiving.await.expect("the task");
    assert_eq!(received.expect("recv"), None);
    let said = CloseReason::new(CloseCode::GOING_AWAY, "");
    assert_eq!(incoming.closed_with(), Some(&said));
}

#[tokio::test(start_paused = true)]
async fn one_half_that_closes_ends_the_other_even_without_an_answer() {
    let (connection, _client) = pair(&BindOptions::default()).await;
    let (mut incoming, outgoing) = connection.split();
    let receiving = tokio::spawn(async move { (incoming.recv().await, incoming) });
    tokio::task::yield_now().await;
    outgoing.close(going_away()).await.expect("close");
    let begun = Instant::now();
    let (received, incoming) = receiving.await.expect("the task");
    assert_eq!(received.expect("recv"), None);
    assert_eq!(incoming.closed_with(), None);
    assert!(begun.elapsed() <= limits::CLOSE_TIMEOUT + Duration::from_secs(1));
}

#[tokio::test]
async fn a_peer_that_goes_away_without_closing_is_abnormal() {
    let (mut connection, client) = pair(&BindOptions::default()).await;
    drop(client);
    let received = connection.recv().await;
    assert!(matches!(received, Err(RecvError::Abnormal { .. })), "{received:?}");
    assert_eq!(connection.recv().await.expect("the end"), None);
}

#[tokio::test]
async fn a_peer_that_resets_is_an_error_too() {
    let (mut connection, client) = pair(&BindOptions::default()).await;
    let socket = socket2::SockRef::from(&client.stream);
    socket.set_linger(Some(Duration::ZERO)).expect("linger");
    drop(client);
    let received = connection.recv().await;
    assert!(matches!(received, Err(RecvError::Reset { .. })), "{received:?}");
    assert_eq!(connection.recv().await.expect("the end"), None);
}
