//! Plain HTTP: clients that do not read, do not end, or go away.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use enchufe::core::Message;

use crate::common::{
    http::{answer, ask, connect, connect_small, head},
    server::{Server, Setup, name},
};

const HOST: &str = "Host: localhost";
const JSON: &str = "Accept: application/json";

/// A feed with more in it than kernels buffer.
async fn long_feed(setup: Setup) -> Server {
    let server = Server::start_as(setup).await;
    let message = Message::text("x".repeat(32 << 10));
    for _ in 0..20 {
        let batch = vec![message.clone(); 32];
        server.node.broker().publish(&name("feed"), batch, None).await.expect("it is published");
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_its_answer_does_not_keep_its_place() {
    let mut setup = Setup::default();
    setup.site.connections_max = 1;
    setup.site.dead_after = Duration::from_millis(200);
    let server = long_feed(setup).await;
    for line in ["GET /channels/feed?since=all&limit=1000", "GET /channels/feed?since=all"] {
        // Many answers at once, as none is read: more than the kernel takes of them.
        let form = if line.ends_with("limit=1000") { JSON } else { "Accept: text/event-stream" };
        let mut stream = connect_small(server.address);
        let request = head(line, &[HOST, form, "Connection: keep-alive"]);
        for _ in 0..8 {
            // It may have been given up already.
            stream.write_all(&request).ok();
        }
        let reply = ask(server.address, "GET /channels", &[HOST]);
        assert_eq!(reply.status, 200, "the place is free again");
        drop(stream);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_read_slowly_goes_on() {
    let mut setup = Setup::default();
    setup.site.dead_after = Duration::from_secs(1);
    let server = long_feed(setup).await;
    let mut stream = connect_small(server.address);
    let request = head("GET /channels/feed?since=all", &[HOST, "Accept: text/event-stream"]);
    stream.write_all(&request).expect("it is open");
    let begun = Instant::now();
    let mut chunk = vec![0; 16 << 10];
    // A piece of the stream has a megabyte and takes longer than the time without progress.
    while begun.elapsed() < Duration::from_millis(2_500) {
        stream.read_exact(&mut chunk).expect("it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(stream);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_which_nothing_happens_ends_with_its_client() {
    let server = Server::start_as(Setup::default()).await;
    let streams: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = connect(server.address);
            let accept = "Accept: text/event-stream";
            stream.write_all(&head("GET /channels/feed", &[HOST, accept])).expect("it is open");
            assert_eq!(answer(&mut stream).status, 200);
            stream
        })
        .collect();
    server.until("the streams", |node| node.stats().unfinished == 20).await;
    let left = Instant::now();
    drop(streams);
    server.until("their end", |node| node.stats().unfinished == 0).await;
    assert!(left.elapsed() < Duration::from_secs(10), "not only at the next heartbeat");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_waits_until_another_ends() {
    let mut setup = Setup::default();
    setup.site.connections_max = 2;
    let server = Server::start_as(setup).await;
    let idle: Vec<_> = (0..2).map(|_| connect(server.address)).collect();
    let mut waits = connect(server.address);
    waits.write_all(&head("GET /channels", &[HOST])).expect("it is open");
    waits.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out");
    let error = waits.read(&mut [0]).expect_err("nobody has time for it");
    assert!(matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
    drop(idle);
    waits.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    assert_eq!(answer(&mut waits).status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_shuts_its_side_is_answered_all_the_same() {
    let server = Server::start_as(Setup::default()).await;
    let mut stream = connect(server.address);
    stream.write_all(&head("GET /channels", &[HOST])).expect("it is open");
    stream.shutdown(std::net::Shutdown::Write).expect("it is open");
    assert_eq!(answer(&mut stream).status, 200);
    // A stream goes on, too, as long as there is something to send.
    server.publish_numbers(1_000).await;
    server.end().await;
    let mut stream = connect(server.address);
    stream.write_all(&head("GET /channels/feed", &[HOST])).expect("it is open");
    stream.shutdown(std::net::Shutdown::Write).expect("it is open");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("text");
    assert!(all.contains(r#""data":"1000""#) && all.contains(r#"{"end":"#), "{all}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_behind_one_another_are_answered_in_order() {
    let server = Server::start_as(Setup::default()).await;
    let mut stream = connect(server.address);
    let keep = "Connection: keep-alive";
    let requests = [
        head("GET /channels", &[HOST, keep]),
        head("GET /none", &[HOST, keep]),
        head("POST /channels/feed", &[HOST, keep, "Content-Length: 1"]),
        b"x".to_vec(),
        head("GET /channels/feed?limit=1", &[HOST, JSON]),
    ];
    stream.write_all(&requests.concat()).expect("it is open");
    let status: Vec<u16> = (0..4).map(|_| answer(&mut stream).status).collect();
    assert_eq!(status, [200, 404, 200, 200]);
    server.stop().await;
}
