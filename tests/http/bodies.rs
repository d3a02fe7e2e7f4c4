//! What a POST may carry.

use std::{
    io::{Read, Write},
    time::Duration,
};

use enchufe::live::broker::ChannelOptions;

use crate::common::{
    http::{answer, connect, head, post},
    server::{Server, Setup, name},
};

const BATCH: &str = "Content-Type: application/x-ndjson";

fn published(server: &Server) -> u64 {
    server.node.broker().state(&name("feed")).expect("it is there").head.offset
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_a_bound_and_so_has_a_body() {
    let server = Server::start_as(Setup::default()).await;
    let reply = post(server.address, "/channels/feed", &[], &vec![b'x'; 1 << 20]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let reply = post(server.address, "/channels/feed", &[], &vec![b'x'; (1 << 20) + 1]);
    assert_eq!(reply.status, 413);
    assert!(reply.body.contains("message_too_large"), "{}", reply.body);
    // A client that reads only once everything is sent gets its answer, too.
    let reply = post(server.address, "/channels/feed", &[], &vec![b'x'; 40 << 20]);
    assert_eq!(reply.status, 413);
    assert!(reply.body.contains("body_too_large"), "{}", reply.body);
    assert_eq!(published(&server), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_has_the_same_bound() {
    let server = Server::start_as(Setup::default()).await;
    let mut stream = connect(server.address);
    let fields = ["Host: localhost", "Transfer-Encoding: chunked"];
    stream.write_all(&head("POST /channels/feed", &fields)).expect("it is open");
    let chunk = [b"100000\r\n", vec![b'x'; 1 << 20].as_slice(), b"\r\n"].concat();
    for _ in 0..17 {
        stream.write_all(&chunk).expect("it is taken");
    }
    assert_eq!(answer(&mut stream).status, 413);
    drop(stream);
    assert_eq!(published(&server), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_before_sending_is_spared_the_sending() {
    let server = Server::start_as(Setup::default()).await;
    let length = format!("Content-Length: {}", (16 << 20) + 1);
    let mut stream = connect(server.address);
    let fields = ["Host: localhost", &length, "Expect: 100-continue"];
    stream.write_all(&head("POST /channels/feed", &fields)).expect("it is open");
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 413");
    drop(stream);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_reaches_whoever_has_much_to_send() {
    let server = Server::start_as(Setup::default()).await;
    let body = vec![b'x'; 10 << 20];
    for (headers, path, status) in [
        (&["Via: 1.1 proxy"][..], "/channels/feed", 401),
        (&["Origin: http://evil.example"], "/channels/feed", 403),
        (&[], "/", 405),
    ] {
        assert_eq!(post(server.address, path, headers, &body).status, status);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_published_whole_or_not_at_all() {
    let server = Server::start_as(Setup::default()).await;
    let reply = post(server.address, "/channels/feed", &[BATCH], &b"1\n".repeat(10_000));
    assert_eq!(reply.status, 200, "{}", reply.body);
    let reply = post(server.address, "/channels/feed", &[BATCH], &b"1\n".repeat(10_001));
    assert_eq!(reply.status, 413);
    assert!(reply.body.contains("this one has 10001"), "{}", reply.body);
    let long = format!("1\n\"{}\"\n", "x".repeat(1 << 20));
    for (body, status) in [
        (long.as_bytes(), 413),
        (b"1\n{\n", 400),
        (b"1\n\xff\n", 400),
        (b"", 400),
        (b"\n \n", 400),
        ("[".repeat(100_000).as_bytes(), 400),
    ] {
        assert_eq!(post(server.address, "/channels/feed", &[BATCH], body).status, status);
    }
    assert_eq!(published(&server), 10_000);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_in_time_is_not_waited_for() {
    let mut setup = Setup::default();
    setup.site.body_timeout = Duration::from_millis(100);
    let server = Server::start_as(setup).await;
    let mut stream = connect(server.address);
    let fields = ["Host: localhost", "Content-Length: 10"];
    stream.write_all(&head("POST /channels/feed", &fields)).expect("it is open");
    stream.write_all(b"half").expect("it is open");
    assert_eq!(answer(&mut stream).status, 408);
    drop(stream);
    assert_eq!(published(&server), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_the_middle_of_its_body_has_published_nothing() {
    let server = Server::start_as(Setup::default()).await;
    let mut stream = connect(server.address);
    let fields = ["Host: localhost", "Content-Length: 10"];
    stream.write_all(&head("POST /channels/feed", &fields)).expect("it is open");
    stream.write_all(b"half").expect("it is open");
    stream.shutdown(std::net::Shutdown::Write).expect("it is open");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the end");
    assert!(!rest.starts_with(b"HTTP/1.1 2"));
    assert_eq!(published(&server), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_one_is_refused() {
    let server = Server::start_as(Setup::default()).await;
    let key = |text: &str| format!("Idempotency-Key: {text}");
    for (headers, status) in [
        (vec![key("")], 400),
        (vec![key(&"k".repeat(129))], 400),
        (vec![key("a"), key("a")], 400),
        (vec![key(&"k".repeat(128))], 200),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let reply = post(server.address, "/channels/feed", &headers, b"x");
        assert_eq!(reply.status, status, "{headers:?}");
    }
    assert_eq!(published(&server), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_that_of_its_channel_and_its_kind_of_message() {
    let channels = vec![("feed", ChannelOptions::default()), ("other", ChannelOptions::default())];
    let server = Server::start_as(Setup { channels, ..Setup::default() }).await;
    let key = "Idempotency-Key: k";
    assert_eq!(post(server.address, "/channels/feed", &[key], b"1").status, 200);
    let other = post(server.address, "/channels/other", &[key], b"1");
    assert!(other.status == 200 && other.body.contains(r#""duplicate":false"#), "{}", other.body);
    let again = post(server.address, "/channels/feed", &[key], b"1");
    assert!(again.status == 200 && again.body.contains(r#""duplicate":true"#), "{}", again.body);
    let binary = "Content-Type: application/octet-stream";
    assert_eq!(post(server.address, "/channels/feed", &[key, binary], b"1").status, 422);
    // What was published once is answered also when nothing more can be.
    server.end().await;
    assert_eq!(post(server.address, "/channels/feed", &[key], b"1").status, 200);
    assert_eq!(post(server.address, "/channels/feed", &[], b"1").status, 410);
    assert_eq!(post(server.address, "/channels/none", &[], b"1").status, 404);
    server.stop().await;
}
