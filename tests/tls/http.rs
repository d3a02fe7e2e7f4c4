//! The feed over TLS: every wire form, and what is stricter there.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use enchufe::Message;
use enchufe::http::Token;
use enchufe::live::broker::ChannelOptions;
use enchufe::transport::Connection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::http::head;
use crate::common::server::{Server, Setup};
use crate::support::{LONG, Made, address, foreign_client};

fn setup(made: &Made) -> Setup {
    Setup { tls: Some(made.tls()), ..Setup::default() }
}

/// Everything that comes back on a connection that ends with the answer.
async fn ask(server: &Server, made: &Made, request: &[u8]) -> String {
    let mut client = foreign_client(server.address, made, rustls::ALL_VERSIONS).await;
    client.write_all(request).await.expect("it is open");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LONG, client.read_to_end(&mut answer)).await;
    // The end is said in so many words, or this would be an error.
    read.expect("in time").expect("it is closed as TLS wants it");
    String::from_utf8(answer).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn page_history_and_publishing_work_as_they_do_without() {
    let made = Made::localhost();
    let server = Server::start_as(setup(&made)).await;
    let host = "Host: localhost";
    let page = ask(&server, &made, &head("GET /", &[host, "Accept: text/html"])).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("</html>"), "{page}");
    let mut post = head("POST /channels/feed", &[host, "Content-Length: 4"]);
    post.extend(b"hola");
    let receipt = ask(&server, &made, &post).await;
    assert!(receipt.starts_with("HTTP/1.1 200"), "{receipt}");
    let history = head("GET /channels/feed", &[host, "Accept: application/json"]);
    let history = ask(&server, &made, &history).await;
    assert!(history.contains(r#""data":"hola""#), "{history}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_arrives_as_it_happens() {
    let made = Made::localhost();
    let server = Server::start_as(setup(&made)).await;
    let mut client = foreign_client(server.address, &made, rustls::ALL_VERSIONS).await;
    let fields = ["Host: localhost", "Accept: text/event-stream", "Connection: keep-alive"];
    client.write_all(&head("GET /channels/feed", &fields)).await.expect("it is open");
    let mut heard = String::new();
    for text in ["id: ", "data: 1\n", "data: 2\n"] {
        while !heard.contains(text) {
            let mut bytes = [0; 1024];
            let read = tokio::time::timeout(LONG, client.read(&mut bytes)).await.expect("in time");
            let count = read.expect("it is open");
            assert!(count > 0, "it goes on: {heard}");
            heard.push_str(std::str::from_utf8(&bytes[..count]).expect("text"));
        }
        server.publish(if text == "id: " { "1" } else { "2" }).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_gets_everything_also_when_it_reads_late() {
    let made = Made::localhost();
    let server = Server::start_as(setup(&made)).await;
    let url = address("localhost", server.address.port(), Some("/channels/feed?since=now"));
    let mut viewer = Connection::open(&url, &made.client()).await.expect("a viewer");
    // More than the sockets and TLS between us take.
    let filler = "x".repeat(4 << 10);
    for number in 0..4_000 {
        server.publish(&format!("{number} {filler}")).await;
    }
    for number in 0..4_000 {
        let message = tokio::time::timeout(LONG, viewer.recv()).await.expect("in time");
        let message = message.expect("no gap").expect("no end");
        assert!(message.payload.starts_with(format!("{number} ").as_bytes()), "{number}");
    }
    // The other direction, and the end.
    viewer.send(Message::text("I say something")).await.expect("it goes out");
    assert_eq!(viewer.recv().await.expect("a close"), None);
    assert_eq!(viewer.closed_with().expect("a reason").code.number(), 4003);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_are_told_when_the_server_ends() {
    let made = Made::localhost();
    let server = Server::start_as(setup(&made)).await;
    let url = address("localhost", server.address.port(), Some("/channels/feed?since=all"));
    let mut viewer = Connection::open(&url, &made.client()).await.expect("a viewer");
    server.publish("only").await;
    assert_eq!(viewer.recv().await.expect("open"), Some(Message::text("only")));
    let (ended, ()) = tokio::join!(viewer.recv(), server.stop());
    assert_eq!(ended.expect("a close"), None);
    assert_eq!(viewer.closed_with().expect("a reason").code.number(), 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_for_reading_goes_back_over_tls_alone() {
    let secret = "a-token-of-some-length";
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), secret).expect("room");
    let token = || Some(Token::read(file.path()).expect("a token"));
    let made = Made::localhost();
    let mut secure = setup(&made);
    secure.site.read_token = token();
    let server = Server::start_as(secure).await;
    let request = head(&format!("GET /?token={secret}"), &["Host: localhost"]);
    let answer = ask(&server, &made, &request).await.to_ascii_lowercase();
    let cookie = answer.lines().find(|line| line.starts_with("set-cookie: ")).expect("a cookie");
    assert!(cookie.ends_with("; secure"), "{cookie}");
    server.stop().await;

    let plain = Server::start_with(ChannelOptions::default(), |site| site.read_token = token());
    let server = plain.await;
    let mut stream = TcpStream::connect(server.address).expect("it listens");
    stream.write_all(&request).expect("it is open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    assert!(answer.contains("enchufe-read") && !answer.to_lowercase().contains("; secure"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_came_without_tls_is_foreign() {
    let made = Made::localhost();
    let server = Server::start_as(setup(&made)).await;
    let authority = format!("localhost:{}", server.address.port());
    for (scheme, status) in [("https", "200"), ("http", "403")] {
        let fields = [format!("Host: {authority}"), format!("Origin: {scheme}://{authority}")];
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let answer = ask(&server, &made, &head("GET /channels", &fields)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{scheme}: {answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_without_tls_is_told_so_in_http() {
    let made = Made::localhost();
    let server = Server::start_as(setup(&made)).await;
    let mut stream = TcpStream::connect(server.address).expect("it listens");
    stream.set_read_timeout(Some(LONG)).expect("a time-out");
    stream.write_all(&head("GET /", &["Host: localhost"])).expect("it is open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
    server.stop().await;
}
