//! Requests that ask for what is not there, or ask in odd ways.

use std::{
    fs,
    io::{Read, Write},
    time::Duration,
};

use enchufe::{core::Message, http::Folder, live::broker::ChannelOptions};
use serde_json::Value;

use crate::common::{
    http::{UPGRADE, answer, ask, connect, head},
    server::{Server, Setup, name},
};

const HOST: &str = "Host: localhost";
const JSON: &str = "Accept: application/json";

#[tokio::test(flavor = "multi_thread")]
async fn a_place_to_begin_that_is_none_is_refused_with_the_value() {
    let server = Server::start_as(Setup::default()).await;
    let long = "9".repeat(5_000);
    for since in ["", "7", "yesterday", "last:x", "-10y", "0-", "-1", "%0a", &long] {
        for form in [&[HOST, JSON][..], &[HOST], &[&UPGRADE[..], &[HOST]].concat()] {
            let reply = ask(server.address, &format!("GET /channels/feed?since={since}"), form);
            assert_eq!(reply.status, 400, "{since}");
            assert!(reply.body.contains("is not a place to begin"), "{}", reply.body);
            assert!(reply.body.len() < 400, "only its beginning: {}", reply.body);
        }
    }
    let headers = [HOST, "Accept: text/event-stream", "Last-Event-ID: nonsense"];
    assert_eq!(ask(server.address, "GET /channels/feed", &headers).status, 400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_history_has_as_many_messages_as_asked_for_within_a_bound() {
    let server = Server::start_as(Setup::default()).await;
    server.publish_numbers(1_500).await;
    let items = |query: &str| {
        let reply = ask(server.address, &format!("GET /channels/feed{query}"), &[HOST, JSON]);
        assert_eq!(reply.status, 200, "{query}");
        let page: Value = serde_json::from_str(&reply.body).expect("JSON");
        page["items"].as_array().expect("a list").len()
    };
    assert_eq!(items(""), 100);
    assert_eq!(items("?since=all&limit=1"), 1);
    assert_eq!(items("?since=all&limit=1000"), 1_000);
    for limit in ["0", "1001", "-1", "x", "", "99999999999999999999999"] {
        let line = format!("GET /channels/feed?limit={limit}");
        let reply = ask(server.address, &line, &[HOST, JSON]);
        assert_eq!(reply.status, 400, "{limit}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_history_has_a_bound_in_bytes_and_says_where_the_next_begins() {
    let server = Server::start_as(Setup::default()).await;
    let large = vec![Message::text("x".repeat(300 << 10)); 20];
    let broker = server.node.broker();
    broker.publish(&name("feed"), large, None).await.expect("it is published");
    let (mut since, mut had) = ("all".to_owned(), 0);
    while had < 20 {
        let line = format!("GET /channels/feed?since={since}&limit=1000");
        let reply = ask(server.address, &line, &[HOST, JSON]);
        assert!(reply.body.len() < 2 << 20, "{} bytes", reply.body.len());
        let page: Value = serde_json::from_str(&reply.body).expect("JSON");
        let items = page["items"].as_array().expect("a list").len();
        assert!(items > 0 && page["gap"].is_null());
        had += items;
        since = page["next"].as_str().expect("a position").to_owned();
    }
    assert_eq!(had, 20);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channels_name_may_be_written_in_any_way_a_url_has() {
    let channels = vec![("a b/ñ?", ChannelOptions::default())];
    let server = Server::start_as(Setup { channels, ..Setup::default() }).await;
    let list = ask(server.address, "GET /channels", &[HOST]);
    assert!(list.body.contains(r#""url":"/channels/a%20b/%C3%B1%3F""#), "{}", list.body);
    for path in ["a%20b/%C3%B1%3F", "a%20b%2f%c3%b1%3f", "%61%20b/%C3%B1%3F"] {
        let reply = ask(server.address, &format!("GET /channels/{path}"), &[HOST, JSON]);
        assert_eq!(reply.status, 200, "{path}");
    }
    for (path, status) in [
        ("a%2520b/%C3%B1%3F", 404),
        ("a+b/%C3%B1%3F", 404),
        ("%ff", 400),
        ("a%00", 400),
        ("a%0d%0aX:%20y", 400),
        ("../feed", 400),
        ("a//b", 400),
        (&"x".repeat(201), 400),
    ] {
        let reply = ask(server.address, &format!("GET /channels/{path}"), &[HOST, JSON]);
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.header("x").is_none());
        assert!(!reply.body.trim_end().contains(['\r', '\n']), "{}", reply.body);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_refused_and_the_server_serves_on() {
    let server = Server::start_as(Setup::default()).await;
    let many = "X: y\r\n".repeat(101);
    let long = "x".repeat(20_000);
    for (request, status) in [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20), 400),
        (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n".to_vec(), 400),
        (b"POST /channels/feed HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_vec(), 400),
        (format!("GET / HTTP/1.1\r\n{many}\r\n").into_bytes(), 431),
        (format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n").into_bytes(), 431),
        (format!("GET /{long} HTTP/1.1\r\n\r\n").into_bytes(), 431),
    ] {
        let mut stream = connect(server.address);
        stream.write_all(&request).expect("it is open");
        assert_eq!(answer(&mut stream).status, status);
    }
    assert_eq!(ask(server.address, "GET /channels", &[HOST]).status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_is_wrong_is_told_how() {
    let server = Server::start_as(Setup::default()).await;
    let [connection, upgrade, version, key] = UPGRADE;
    for (headers, status) in [
        (vec![upgrade, version, key], 426),
        (vec![connection, version, key], 426),
        (vec![connection, upgrade, key], 426),
        (vec![connection, upgrade, "Sec-WebSocket-Version: 8", key], 426),
        (vec![connection, upgrade, version], 400),
        (vec![connection, upgrade, version, "Sec-WebSocket-Key: short"], 400),
        (vec![connection, upgrade, version, key, key], 400),
        (vec![connection, upgrade, version, key, "Content-Length: 5"], 400),
    ] {
        let reply = ask(server.address, "GET /channels/feed", &[&headers[..], &[HOST]].concat());
        assert_eq!(reply.status, status, "{headers:?} {}", reply.body);
        // What is missing is named in a header, for programs.
        let named = reply.header("sec-websocket-version").or(reply.header("upgrade"));
        assert_eq!(named.is_some(), status == 426, "{headers:?} {}", reply.head);
    }
    let upgrade = [&UPGRADE[..], &[HOST]].concat();
    assert_eq!(ask(server.address, "POST /channels/feed", &upgrade).status, 405);
    assert_eq!(ask(server.address, "GET /channels/none", &upgrade).status, 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_in_time_ends_its_connection() {
    let mut setup = Setup::default();
    setup.site.head_timeout = Duration::from_millis(100);
    let server = Server::start_as(setup).await;
    for beginning in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut stream = connect(server.address);
        stream.write_all(beginning.as_bytes()).expect("it is open");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the connection is closed, not left");
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{beginning}");
    }
    // So does one that was used and is used no more.
    let mut stream = connect(server.address);
    let once = head("HEAD /channels", &[HOST, "Connection: keep-alive"]);
    stream.write_all(&once).expect("it is open");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the connection is closed, not left");
    assert!(rest.starts_with("HTTP/1.1 200"), "{rest}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_ones_own_is_a_folder_without_ways_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let outside = tempfile::NamedTempFile::new().expect("a file");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("index.html"), "<p>mine").expect("a file");
    fs::write(path(".env"), "secret").expect("a file");
    fs::create_dir(path("list")).expect("a folder");
    let large = fs::File::create(path("large.bin")).expect("a file");
    large.set_len((64 << 20) + 1).expect("a hole takes no room");
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path(), path("out")).expect("a link");
    let mut setup = Setup::default();
    setup.site.page = Some(Folder::open(folder.path()).expect("it is there"));
    let server = Server::start_as(setup).await;
    let page = ask(server.address, "GET /", &[HOST]);
    assert_eq!((page.status, page.body.as_str()), (200, "<p>mine"));
    let head = ask(server.address, "HEAD /", &[HOST]);
    assert_eq!((head.header("content-length"), head.body.as_str()), (Some("7"), ""));
    let up = outside.path().file_name().expect("a name").to_string_lossy().into_owned();
    for path in ["/.env", "/%2eenv", "/list", "/list/", "/out", "/..", &format!("/../{up}")] {
        assert_eq!(ask(server.address, &format!("GET {path}"), &[HOST]).status, 404, "{path}");
    }
    for path in [format!("/%2e%2e/{up}"), format!("/..%2f{up}"), format!("/{}", "../".repeat(9))] {
        assert_eq!(ask(server.address, &format!("GET {path}"), &[HOST]).status, 404, "{path}");
    }
    assert_eq!(ask(server.address, "GET /large.bin", &[HOST]).status, 413);
    assert_eq!(ask(server.address, "POST /", &[HOST]).status, 405);
    assert_eq!(ask(server.address, "GET /channels/feed", &[HOST, JSON]).status, 200);
    server.stop().await;
}
