//! Whether a server says that it lives and is ready.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::common::{
    http::{answer, ask, connect, head},
    server::{Server, Setup},
};

fn said(body: &str) -> Value {
    serde_json::from_str(body).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_serves_lives_and_is_ready() {
    let server = Server::start_as(Setup::default()).await;
    let reply = ask(server.address, "GET /health/live", &["Host: localhost"]);
    assert_eq!((reply.status, said(&reply.body)), (200, json!({ "live": true })));
    let reply = ask(server.address, "GET /health/ready", &["Host: localhost"]);
    let expected = json!({ "ready": true, "ending": false, "missing": [] });
    assert_eq!((reply.status, said(&reply.body)), (200, expected));
    for path in ["/health/live", "/health/ready"] {
        let reply = ask(server.address, &format!("HEAD {path}"), &["Host: localhost"]);
        assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let reply = ask(server.address, &format!("POST {path}"), &["Host: localhost"]);
        assert_eq!(reply.status, 405, "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_yet_is_named_until_it_is() {
    let setup = Setup::default();
    let readiness = setup.site.readiness.clone();
    let (first, second) = (readiness.need("source of feed"), readiness.need("source of other"));
    second.delayed("connection refused");
    let server = Server::start_as(setup).await;
    let ready = || ask(server.address, "GET /health/ready", &["Host: localhost"]);
    let reply = ready();
    let missing = json!([
        { "what": "source of feed", "why": "not there yet" },
        { "what": "source of other", "why": "connection refused" },
    ]);
    let expected = json!({ "ready": false, "ending": false, "missing": missing });
    assert_eq!((reply.status, said(&reply.body)), (503, expected));
    assert_eq!(ask(server.address, "HEAD /health/ready", &["Host: localhost"]).status, 503);
    first.met();
    let reply = ready();
    assert_eq!(
        (reply.status, said(&reply.body)["missing"].as_array().map(Vec::len)),
        (503, Some(1))
    );
    second.met();
    assert_eq!(ready().status, 200);
    // What is given up is never there.
    drop(readiness.need("source of nothing"));
    assert_eq!(ready().status, 503);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_token_and_tells_those_without_one_no_names() {
    let mut setup = Setup::default();
    setup.site.read_token = Some(crate::access::token());
    let need = setup.site.readiness.need("source of secret/name");
    let server = Server::start_as(setup).await;
    let reply = ask(server.address, "GET /health/ready", &["Host: localhost"]);
    assert_eq!(reply.status, 503);
    assert_eq!(said(&reply.body)["missing"], json!([{ "what": "source", "why": "not ready" }]));
    let bearer = format!("Authorization: Bearer {}", crate::access::SECRET);
    let reply = ask(server.address, "GET /health/ready", &["Host: localhost", &bearer]);
    assert!(reply.body.contains("secret/name"), "{}", reply.body);
    need.met();
    assert_eq!(ask(server.address, "GET /health/ready", &["Host: localhost"]).status, 200);
    assert_eq!(ask(server.address, "GET /health/live", &["Host: localhost"]).status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_in_our_own_name_alone() {
    let server = Server::start_as(Setup::default()).await;
    for path in ["/health/live", "/health/ready"] {
        let reply = ask(server.address, &format!("GET {path}"), &["Host: evil.example"]);
        assert_eq!(reply.status, 421, "{path}");
        let origin = "Origin: https://evil.example";
        let reply = ask(server.address, &format!("GET {path}"), &["Host: localhost", origin]);
        assert_eq!(reply.status, 403, "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn a_server_that_ends_lives_and_is_not_ready() {
    let server = Server::start_as(Setup::default()).await;
    // Whoever is in the middle of a request still gets its answer.
    let mut asking = ["/health/ready", "/health/live"].map(|path| {
        let mut stream = connect(server.address);
        let head = head(&format!("GET {path}"), &["Host: localhost"]);
        let (begun, rest) = head.split_at(10);
        stream.write_all(begun).expect("it is open");
        (stream, rest.to_vec())
    });
    let own = asking.each_ref().map(|(stream, _)| stream.local_addr().expect("an address"));
    let port = server.address.port();
    server.until("both were read", |_| own.iter().all(|own| has_read(port, own.port()))).await;
    server.ask_to_end();
    let replies = asking.each_mut().map(|(stream, rest)| {
        stream.write_all(rest).expect("it is open");
        answer(stream)
    });
    let ending = said(&replies[0].body);
    assert_eq!(replies[0].status, 503);
    assert_eq!((&ending["ready"], &ending["ending"]), (&json!(false), &json!(true)));
    assert_eq!(replies[1].status, 200);
    server.stop().await;
}

#[cfg(target_os = "linux")]
/// Whether the server has taken from its socket what a client has sent (proc_net(5)).
fn has_read(server: u16, client: u16) -> bool {
    let (from, to) = (format!(":{server:04X}"), format!(":{client:04X}"));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux tells");
    let own = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    own.filter(|fields| fields.len() > 4 && fields[1].ends_with(&from) && fields[2].ends_with(&to))
        .any(|fields| fields[3] == "01" && fields[4].ends_with(":00000000"))
}
