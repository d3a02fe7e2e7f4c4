//! Peers that are there and peers that are gone.

use enchufe::core::Message;
use enchufe::core::ws::Opcode;
use enchufe::transport::ws::Keepalive;
use enchufe::transport::{BindOptions, RecvError, SendError};
use tokio::time::{Duration, Instant};

use super::support::{LONG, RawClient, pair, server_options};

/// Short enough to be waited for. What must not happen in these tests takes several times as long.
const SHORT: Keepalive = Keepalive {
    ping_interval: Duration::from_millis(100),
    dead_after: Duration::from_millis(1_000),
};

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_every_20_seconds_and_gone_within_60() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    let begun = Instant::now();
    let received = connection.recv().await;
    assert!(matches!(received, Err(RecvError::Silent { .. })), "{received:?}");
    let elapsed = begun.elapsed().as_secs();
    assert!((58..=61).contains(&elapsed), "{elapsed} s");
    let mut pings = 0;
    while let Some(frame) = client.frame().await {
        assert_eq!(frame, (0x89, Vec::new()));
        pings += 1;
    }
    assert!((2..=3).contains(&pings), "{pings} pings");
    let sent = connection.send(Message::text("anybody?")).await;
    assert!(sent.is_err());
}

#[tokio::test]
async fn a_peer_that_answers_pings_stays() {
    let (mut connection, mut client) = pair(&server_options(|ws| ws.keepalive = Some(SHORT))).await;
    let receiving = tokio::spawn(async move { connection.recv().await });
    let begun = Instant::now();
    while begun.elapsed() < SHORT.dead_after * 2 {
        assert_eq!(client.frame().await, Some((0x89, Vec::new())));
        client.send(Opcode::Pong, b"").await;
    }
    client.send(Opcode::Text, b"still here").await;
    let received = receiving.await.expect("the task").expect("recv");
    assert_eq!(received, Some(Message::text("still here")));
}

#[tokio::test]
async fn every_byte_received_is_a_sign_of_life() {
    let (mut connection, mut client) = pair(&server_options(|ws| ws.keepalive = Some(SHORT))).await;
    let receiving = tokio::spawn(async move { connection.recv().await });
    let message = super::support::frame(Opcode::Text, &[b'a'; 30]);
    for byte in message {
        client.send_raw(&[byte]).await;
        tokio::time::sleep(SHORT.dead_after / 15).await;
    }
    let received = receiving.await.expect("the task").expect("recv");
    assert_eq!(received, Some(Message::text("a".repeat(30))));
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up_while_sending() {
    let (mut connection, client) = pair(&server_options(|ws| ws.keepalive = Some(SHORT))).await;
    let message = Message::binary(vec![0; 1_000_000]);
    let sending = async {
        loop {
            if let Err(error) = connection.send(message.clone()).await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(LONG, sending).await.expect("in time");
    assert!(matches!(error, SendError::TimedOut { .. }), "{error:?}");
    drop(client);
}

#[tokio::test]
async fn a_peer_that_takes_little_by_little_stays() {
    let (connection, client) = pair(&server_options(|ws| ws.keepalive = Some(SHORT))).await;
    let RawClient { mut stream } = client;
    let (mut incoming, mut outgoing) = connection.split();
    // Nothing is heard from the peer: its taking is the only sign of life there is.
    let receiving = tokio::spawn(async move { incoming.recv().await });
    let message = Message::binary(vec![0; 16_000_000]);
    let begun = Instant::now();
    let sending = tokio::spawn(async move { outgoing.send(message).await });
    let mut buffer = vec![0; 400_000];
    let mut taken = 0;
    while taken < 16_000_000 && begun.elapsed() < LONG {
        use tokio::io::AsyncReadExt as _;
        tokio::time::sleep(SHORT.dead_after / 16).await;
        taken += stream.read(&mut buffer).await.expect("read");
    }
    assert!(begun.elapsed() > SHORT.dead_after * 2, "too fast to tell: {:?}", begun.elapsed());
    sending.await.expect("the task").expect("send");
    drop(stream);
    let ended = receiving.await.expect("the task");
    assert!(
        matches!(ended, Err(RecvError::Abnormal { .. } | RecvError::Reset { .. })),
        "{ended:?}"
    );
}
