//! Who may do what by default, and what the flags change.

use crate::Feed;
use crate::common::http::{UPGRADE, ask, post};

const HOST: &str = "Host: localhost";
const JSON: &str = "Accept: application/json";
const FEED: &str = "GET /channels/feed";

#[test]
fn what_is_not_there_or_is_no_place_to_begin_is_said_in_json() {
    let feed = Feed::start(&["clock"]);
    for (line, status, code) in [
        ("GET /channels/nope", 404, "unknown_channel"),
        ("GET /channels/feed?since=yesterday", 400, "bad_since"),
    ] {
        let reply = ask(feed.address, line, &[HOST, JSON]);
        assert_eq!(reply.status, status, "{line}");
        let error: serde_json::Value = serde_json::from_str(&reply.body).expect("JSON");
        assert_eq!(error["error"]["code"], code, "{line}");
    }
    feed.program.stop();
}

#[test]
fn by_default_only_programs_on_this_machine_publish_and_no_foreign_page_reads() {
    let feed = Feed::start(&[]);
    let publish = |headers: &[&str]| post(feed.address, "/channels/feed", headers, b"hola").status;
    assert_eq!(publish(&[]), 200);
    assert_eq!(publish(&["X-Forwarded-For: 192.0.2.1"]), 401);
    assert_eq!(publish(&["Origin: http://evil.example"]), 403);
    assert_eq!(publish(&["Origin: null"]), 403);
    assert_eq!(ask(feed.address, "POST /channels/feed", &["Host: evil.example"]).status, 421);
    assert_eq!(ask(feed.address, "GET /", &["Host: evil.example"]).status, 421);
    let page = [&UPGRADE[..], &[HOST, "Origin: http://evil.example"]].concat();
    assert_eq!(ask(feed.address, FEED, &page).status, 403);
    feed.program.stop();
}

#[test]
fn an_origin_and_a_name_that_were_allowed_are_let_in() {
    let origin = "http://panel.example";
    let feed = Feed::start(&["--allow-origin", origin, "--host-name", "panel.example"]);
    let headers = [&format!("Origin: {origin}"), HOST, JSON];
    assert_eq!(ask(feed.address, FEED, &headers.map(|header| header as &str)).status, 200);
    assert_eq!(ask(feed.address, FEED, &["Host: panel.example", JSON]).status, 200);
    assert_eq!(ask(feed.address, FEED, &["Host: other.example", JSON]).status, 421);
    feed.program.stop();
}

#[test]
fn tokens_in_files_are_asked_for_and_a_page_trades_its_own_for_a_cookie() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{name}-token-of-some-length\n")).expect("room");
        path.to_str().expect("text").to_owned()
    };
    let (read, write) = (file("read"), file("write"));
    let feed = Feed::start(&["--read-token-file", &read, "--publish-token-file", &write]);

    let proxied = "X-Forwarded-For: 192.0.2.1";
    let publish = |authorization: &str| {
        post(feed.address, "/channels/feed", &[proxied, authorization], b"hola").status
    };
    assert_eq!(publish("X-None: at all"), 401);
    assert_eq!(publish("Authorization: Bearer read-token-of-some-length"), 401);
    assert_eq!(publish("Authorization: Bearer write-token-of-some-length"), 200);

    assert_eq!(ask(feed.address, FEED, &[HOST, JSON]).status, 401);
    let bearer = "Authorization: Bearer read-token-of-some-length";
    assert!(ask(feed.address, FEED, &[HOST, JSON, bearer]).body.contains("\"hola\""));

    let visit = ask(feed.address, "GET /?token=read-token-of-some-length", &[HOST]);
    assert_eq!(visit.status, 303);
    let cookie = visit.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    let cookie = format!("Cookie: {}", cookie.expect("a cookie"));
    assert_eq!(ask(feed.address, "GET /", &[HOST, &cookie]).status, 200);
    assert!(ask(feed.address, FEED, &[HOST, JSON, &cookie]).body.contains("\"hola\""));
    feed.program.stop();
}
