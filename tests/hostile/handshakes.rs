//! Requests that mean one thing to one reader and another to the next, or nothing to anybody.

use std::{
    io::{Read, Write},
    net::SocketAddr,
};

use enchufe::limits;

use crate::{
    common::{
        http::{answer, ask, connect},
        server::{Server, Setup},
    },
    served::Served,
};

/// An opening handshake.
fn good(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// What is sent instead, and the status that answers it.
fn cases(path: &str) -> Vec<(Vec<u8>, u16)> {
    let good = good(path);
    let with = |field: &str| good.replacen("Host:", &format!("{field}\r\nHost:"), 1);
    let by = |from: &str, to: &str| good.replacen(from, to, 1);
    let repeated = |field: &str| with(&[field; 5_000].join("\r\n"));
    let long = |bytes: usize| "a".repeat(bytes);
    let texts = [
        (by("Host: localhost\r\n", ""), 400),
        (by("localhost", ""), 400),
        (by("localhost", "localhost, localhost"), 400),
        (by("localhost", "user@localhost"), 400),
        (with("Host: localhost"), 400),
        (by("localhost", "evil.example"), 421),
        (by(path, &format!("http://evil.example{path}")), 421),
        (by(path, &format!("http://localhost{path}")), 101),
        (by("localhost", "[::1]:80"), 101),
        // A body, which would be read as frames, or as the next request.
        (with("Content-Length: 0"), 101),
        (with("Content-Length: 5") + "hello", 400),
        (with("Content-Length: 0\r\nContent-Length: 5"), 400),
        (with("Content-Length: +5"), 400),
        (with("Content-Length: 0x0"), 400),
        (with("Content-Length: 99999999999999999999"), 400),
        (with("Transfer-Encoding: chunked") + "0\r\n\r\n", 400),
        (with("Transfer-Encoding: identity"), 400),
        (with("Transfer-Encoding: \u{b}chunked"), 400),
        (with("Transfer-Encoding: chunked\r\nContent-Length: 5"), 400),
        (with("Content-Length: 0\r\nTransfer-Encoding: chunked"), 400),
        // Where does a line end, and which name does a field have?
        (by("\r\nUpgrade", "\rUpgrade"), 400),
        (with("X: a\rb"), 400),
        (with("X: a\nHost: evil.example"), 400),
        (with("X: a\r\n folded"), 400),
        (by("\r\nHost", "\r\n Host"), 400),
        (with("X : a"), 400),
        (with(": a"), 400),
        (with("X"), 400),
        (with("X: a\0b"), 400),
        (with("X\0: a"), 400),
        // Other protocols.
        (by("HTTP/1.1", "HTTP/1.0"), 400),
        (by("HTTP/1.1", "HTTP/2.0"), 400),
        (by(" HTTP/1.1", ""), 400),
        ("\u{16}\u{3}\u{1}\0\u{5}\u{1}\0\0\u{1}\r\n\r\n".to_owned(), 400),
        (by("GET", "POST"), 405),
        (by("Connection: Upgrade\r\n", ""), 426),
        // More than there may be.
        (repeated("X: a"), 431),
        (with(&format!("X: {}", long(limits::HTTP_HEADER_BYTES_MAX))), 431),
        (with(&format!("X: {}", long(4 << 20))), 431),
        (by(path, &format!("{path}?{}", long(limits::HTTP_HEADER_BYTES_MAX))), 431),
        // What WebSocket wants once, and in one form.
        (with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400),
        (by("dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAAA="), 400),
        (by("dGhlIHNhbXBsZSBub25jZQ==", ""), 400),
        (with("Sec-WebSocket-Version: 13"), 400),
        (by(": 13", ": 8"), 426),
        (by(": 13", ": 13, 8"), 426),
        (with("Sec-WebSocket-Protocol: a b"), 400),
        (with(&format!("Sec-WebSocket-Protocol: b{}x", " ".repeat(8_000))), 400),
        (with(&format!("Sec-WebSocket-Extensions: a; b=\"{}", "\\c".repeat(4_000))), 400),
        (with("Sec-WebSocket-Extensions: ,;constructor"), 400),
        (with("Sec-WebSocket-Extensions: constructor, __proto__; toString=1"), 101),
        (with("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7"), 101),
        (with("Origin: http://localhost\r\nOrigin: http://localhost"), 400),
        (with("Origin: null"), 403),
    ];
    texts.into_iter().map(|(text, status)| (text.into_bytes(), status)).collect()
}

fn all_are_answered(server: SocketAddr, path: &str) {
    for (request, status) in cases(path) {
        let shown = String::from_utf8_lossy(&request[..request.len().min(300)]).into_owned();
        let mut stream = connect(server);
        // One that is too long need not be taken whole.
        stream.write_all(&request).ok();
        assert_eq!(answer(&mut stream).status, status, "{shown:?}");
    }
    // HTTP/2 by those who know that it is spoken, which it is not.
    let mut stream = connect(server);
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").expect("it is open");
    let mut said = Vec::new();
    stream.read_to_end(&mut said).ok();
    assert!(!said.starts_with(b"HTTP/1.1 1") && !said.starts_with(b"HTTP/1.1 2"), "{said:?}");
}

#[test]
fn a_service_answers_each_wrong_handshake_with_its_status_and_serves_on() {
    let served = Served::start("echo");
    all_are_answered(served.address, "/");
    drop(served.open(&[]));
    served.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_answers_each_wrong_handshake_with_its_status_and_serves_on() {
    let server = Server::start_as(Setup::default()).await;
    all_are_answered(server.address, "/channels/feed");
    assert_eq!(ask(server.address, "GET /channels", &["Host: localhost"]).status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_follows_a_request_whose_length_could_be_read_in_two_ways() {
    let server = Server::start_as(Setup::default()).await;
    let lengths = [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
    ];
    for lengths in lengths {
        let mut stream = connect(server.address);
        let hidden = "GET /channels HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let request = format!(
            "POST /channels/feed HTTP/1.1\r\nHost: localhost\r\n{lengths}\r\n\r\n1\r\nx\r\n0\r\n\r\n{hidden}"
        );
        stream.write_all(request.as_bytes()).expect("it is open");
        answer(&mut stream);
        let mut more = Vec::new();
        stream.read_to_end(&mut more).ok();
        assert!(more.is_empty(), "{}", String::from_utf8_lossy(&more));
    }
    server.stop().await;
}
