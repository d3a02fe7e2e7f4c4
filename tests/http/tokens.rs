//! Who may publish, and who may read.

use std::net::UdpSocket;

use enchufe::http::Token;

use crate::common::{
    http::{UPGRADE, ask},
    server::{Server, Setup, name},
};

const SECRET: &str = "a-token-of-some-length";

fn token() -> Token {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{SECRET}\n")).expect("room");
    Token::read(file.path()).expect("a token")
}

fn published(server: &Server) -> u64 {
    server.node.broker().state(&name("feed")).expect("it is there").head.offset
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_is_for_this_machine_with_nobody_between() {
    let server = Server::start_as(Setup::default()).await;
    for header in [
        "Forwarded: for=10.0.0.1",
        "Via: 1.1 proxy",
        "X-Forwarded-For: 10.0.0.1",
        "x-forwarded-host: feed.example",
        "X-Forwarded-Anything: ",
    ] {
        let reply = ask(server.address, "POST /channels/feed", &["Host: localhost", header]);
        assert_eq!(reply.status, 401, "{header}");
        assert!(reply.body.contains("--publish-token-file"), "{}", reply.body);
        assert_eq!(reply.header("www-authenticate"), Some("bearer"));
    }
    assert_eq!(published(&server), 0);
    assert_eq!(ask(server.address, "POST /channels/feed", &["Host: localhost"]).status, 200);
    assert_eq!(published(&server), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_from_another_machine_needs_the_token() {
    let mut setup = Setup { listen: "0.0.0.0:0", ..Setup::default() };
    setup.site.publish_token = Some(token());
    let server = Server::start_as(setup).await;
    // Over an address of this machine that is not loopback, as another machine would come.
    let probe = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let routed = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr());
    let Ok(mut address) = routed else { return server.stop().await };
    address.set_port(server.address.port());
    let host = format!("Host: {address}");
    assert_eq!(ask(address, "POST /channels/feed", &[&host]).status, 401);
    assert_eq!(published(&server), 0);
    let bearer = format!("Authorization: Bearer {SECRET}");
    assert_eq!(ask(address, "POST /channels/feed", &[&host, &bearer]).status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_name_was_made_to_point_here_does_not_publish() {
    let server = Server::start_as(Setup { listen: "0.0.0.0:0", ..Setup::default() }).await;
    let headers = ["Host: evil.example:5678", "Origin: http://evil.example:5678"];
    assert_eq!(ask(server.address, "POST /channels/feed", &headers).status, 421);
    assert_eq!(published(&server), 0);
    assert_eq!(ask(server.address, "POST /channels/feed", &["Host: 127.0.0.1"]).status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_whole_token_opens_publishing() {
    let mut setup = Setup::default();
    setup.site.publish_token = Some(token());
    let server = Server::start_as(setup).await;
    let post = |authorization: &str| {
        let headers = ["Host: localhost", "Via: 1.1 proxy", authorization];
        ask(server.address, "POST /channels/feed", &headers).status
    };
    for wrong in [
        String::new(),
        SECRET[1..].to_owned(),
        SECRET[..SECRET.len() - 1].to_owned(),
        format!("{SECRET}x"),
        SECRET.to_uppercase(),
        "x".repeat(8_000),
    ] {
        assert_eq!(post(&format!("Authorization: Bearer {wrong}")), 401, "{wrong}");
    }
    assert_eq!(post(&format!("Authorization: Basic {SECRET}")), 401);
    assert_eq!(post("X: without"), 401);
    assert_eq!(post(&format!("Authorization: bearer {SECRET}")), 200);
    // Whoever shows a token is judged by it, on this machine too.
    let direct = ["Host: localhost", "Authorization: Bearer wrong"];
    assert_eq!(ask(server.address, "POST /channels/feed", &direct).status, 401);
    assert_eq!(published(&server), 1);
    server.stop().await;
}

async fn guarded() -> Server {
    let mut setup = Setup::default();
    setup.site.read_token = Some(token());
    Server::start_as(setup).await
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_in_any_form_needs_the_token_once_there_is_one() {
    let server = guarded().await;
    let cookie = format!("Cookie: a=b; enchufe-read={SECRET}; c=d");
    let bearer = format!("Authorization: Bearer {SECRET}");
    let v1 = [&UPGRADE[..], &["Sec-WebSocket-Protocol: enchufe.v1"]].concat();
    for (line, form) in [
        ("GET /", &[][..]),
        ("GET /channels", &[]),
        ("GET /channels/feed", &["Accept: application/json"]),
        ("GET /channels/feed", &["Accept: text/event-stream"]),
        ("GET /channels/feed", &["Accept: text/html"]),
        ("HEAD /channels/feed", &[]),
        ("GET /channels/feed", &UPGRADE),
        ("GET /", &v1),
    ] {
        let with = |header: &str| {
            ask(server.address, line, &[form, &["Host: localhost", header]].concat()).status
        };
        for wrong in
            ["X: none", "Cookie: enchufe-read=wrong", "Cookie: my-enchufe-read=x", "Cookie: ;=;"]
        {
            assert_eq!(with(wrong), 401, "{line} {form:?} {wrong}");
        }
        for right in [&cookie, &bearer] {
            assert!(matches!(with(right), 101 | 200), "{line} {form:?} {right}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_address_becomes_a_cookie_and_leaves_the_address() {
    let server = guarded().await;
    let reply = ask(server.address, &format!("GET /?token={SECRET}&x=y"), &["Host: localhost"]);
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")));
    let cookie = reply.header("set-cookie").expect("a cookie");
    assert_eq!(cookie, format!("enchufe-read={SECRET}; path=/; httponly; samesite=strict"));
    for wrong in ["", "wrong", &format!("{SECRET}%0d%0aSet-Cookie:%20a=b"), "%ff"] {
        let reply = ask(server.address, &format!("GET /?token={wrong}"), &["Host: localhost"]);
        assert_eq!(reply.status, 401, "{wrong}");
        assert!(!reply.head.contains("cookie"), "{}", reply.head);
    }
    // Another site can neither try tokens nor have a visitor's browser take one.
    let foreign = ["Host: localhost", "Origin: http://evil.example"];
    assert_eq!(ask(server.address, &format!("GET /?token={SECRET}"), &foreign).status, 403);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_address_leads_to_no_other_host() {
    let server = guarded().await;
    for path in ["//evil.example/x", "/\\evil.example/x", "///evil.example/x"] {
        let line = format!("GET {path}?token={SECRET}");
        let reply = ask(server.address, &line, &["Host: localhost"]);
        assert_eq!(reply.header("location"), Some("/evil.example/x"), "{path}");
    }
    server.stop().await;
}

#[test]
fn a_token_is_long_enough_to_be_one_and_short_enough_for_a_header() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let read = |text: &str| {
        std::fs::write(file.path(), text).expect("room");
        Token::read(file.path())
    };
    for good in ["x".repeat(16), "x".repeat(512), format!("{}\r\nsecond line", "x".repeat(16))] {
        read(&good).expect("a token");
    }
    let sixteen = "x".repeat(16);
    for bad in [
        "",
        "\n",
        &"x".repeat(15),
        &"x".repeat(513),
        "with a space in it",
        "with;semicolon;in",
        &format!("\n{sixteen}"),
        &format!("{sixteen}é"),
        &format!("{sixteen}\u{1b}"),
    ] {
        let error = read(bad).expect_err(bad).to_string();
        assert!(error.contains("has no usable token"), "{error}");
        assert!(bad.len() < 5 || !error.contains(bad), "a secret is not repeated: {error}");
    }
    let missing = Token::read(std::path::Path::new("/no/such/file")).expect_err("it is not there");
    assert!(missing.to_string().contains("'/no/such/file'"), "{missing}");
    assert_eq!(format!("{:?}", token()), "Token(…)");
}
