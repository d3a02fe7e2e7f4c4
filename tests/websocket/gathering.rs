//! Messages that are fed leave together.

use enchufe::core::Message;
use enchufe::core::ws::Opcode;
use enchufe::transport::BindOptions;

use super::support::{LONG, RawClient, frame, pair};

/// What one read yields.
async fn read(client: &RawClient) -> Vec<u8> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        client.stream.readable().await.expect("readable");
        if let Ok(len) = client.stream.try_read(&mut buffer) {
            buffer.truncate(len);
            return buffer;
        }
    }
}

fn nothing_came(client: &RawClient) -> bool {
    let read = client.stream.try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn what_is_fed_leaves_in_one_write_when_it_is_flushed() {
    let (mut connection, client) = pair(&BindOptions::default()).await;
    for _ in 0..100 {
        connection.feed(Message::text("Hola")).await.expect("feed");
    }
    assert!(nothing_came(&client));
    connection.flush().await.expect("flush");
    assert_eq!(read(&client).await, [&[0x81, 4][..], b"Hola"].concat().repeat(100));
}

#[tokio::test]
async fn more_than_the_bound_does_not_gather() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    for _ in 0..3 {
        connection.feed(Message::binary(vec![7; 40_000])).await.expect("feed");
    }
    // The third found 80,000 bytes waiting.
    for _ in 0..2 {
        assert_eq!(client.frame().await.expect("a frame").1.len(), 40_000);
    }
    assert!(nothing_came(&client));
}

#[tokio::test]
async fn what_is_sent_goes_behind_what_was_fed() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    connection.feed(Message::text("first")).await.expect("feed");
    connection.send(Message::binary(vec![7; 100_000])).await.expect("send");
    connection.feed(Message::text("last")).await.expect("feed");
    drop(connection.flush());
    connection.flush().await.expect("flush");
    for (first, len) in [(0x81, 5), (0x82, 100_000), (0x81, 4)] {
        let frame = client.frame().await.expect("a frame");
        assert_eq!((frame.0, frame.1.len()), (first, len));
    }
}

#[tokio::test]
async fn the_answers_to_all_that_one_read_brought_leave_in_one_write() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    let one = [frame(Opcode::Text, b"Hola"), frame(Opcode::Text, b"Ana")].concat();
    client.send_raw(&one.repeat(50)).await;
    let served = tokio::spawn(async move {
        while let Ok(Some(message)) = connection.recv().await {
            connection.feed(message).await.expect("feed");
        }
    });
    let expected = [&[0x81, 4][..], b"Hola", &[0x81, 3], b"Ana"].concat().repeat(50);
    assert_eq!(read(&client).await, expected);
    drop(client);
    tokio::time::timeout(LONG, served).await.expect("it ends").expect("no panic");
}

#[tokio::test]
async fn flushing_and_feeding_can_be_given_up_and_nothing_is_lost_or_cut() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    let message = Message::binary(vec![7; 100_000]);
    let mut fed = 0;
    loop {
        tokio::select! {
            biased;
            done = connection.feed(message.clone()) => done.expect("feed"),
            () = tokio::task::yield_now() => break,
        }
        fed += 1;
        tokio::select! {
            biased;
            done = connection.flush() => done.expect("flush"),
            () = tokio::task::yield_now() => {}
        }
    }
    let rest = tokio::spawn(async move {
        connection.send(Message::text("end")).await.expect("send");
        connection
    });
    for _ in 0..fed {
        let (first, payload) = client.frame().await.expect("a frame");
        assert_eq!((first, payload.len()), (0x82, 100_000));
    }
    assert_eq!(client.frame().await.expect("a frame"), (0x81, b"end".to_vec()));
    rest.await.expect("no panic");
}
