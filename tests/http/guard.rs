//! Which requests are answered at all, by their `Host` and `Origin`.

use std::net::SocketAddr;

use enchufe::live::broker::ChannelOptions;

use crate::common::{
    http::{Reply, UPGRADE, ask},
    server::{Server, Setup, name},
};

const V1: &str = "Sec-WebSocket-Protocol: enchufe.v1";
const ALLOW_ORIGIN: &str = "access-control-allow-origin";

/// Requests of every kind.
const LINES: [&str; 12] = [
    "GET /",
    "GET /?token=guess",
    "GET /channels",
    "GET /channels/feed",
    "HEAD /channels/feed",
    "GET /channels/none",
    "GET /channels/%ff",
    "GET /assets/none",
    "GET /none",
    "POST /channels/feed",
    "OPTIONS /channels/feed",
    "DELETE /channels/feed",
];

fn all(address: SocketAddr, headers: &[&str]) -> Vec<(String, Reply)> {
    let mut replies: Vec<_> =
        LINES.iter().map(|line| ((*line).to_owned(), ask(address, line, headers))).collect();
    for path in ["GET /", "GET /channels/feed", "GET /channels/none"] {
        let mut upgrade = [&UPGRADE, headers].concat();
        replies.push((format!("{path} raw"), ask(address, path, &upgrade)));
        upgrade.push(V1);
        replies.push((format!("{path} v1"), ask(address, path, &upgrade)));
    }
    replies
}

/// `feed` is made up here, `private` is not.
async fn generated() -> Server {
    let options = ChannelOptions { generated: true, ..ChannelOptions::default() };
    let channels = vec![("feed", options), ("private", ChannelOptions::default())];
    Server::start_as(Setup { channels, ..Setup::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loopback_listener_answers_nothing_in_the_name_of_another_host() {
    let server = generated().await;
    for host in ["evil.example", "127.0.0.1.evil.example", "[::2]", "10.0.0.1"] {
        for (line, reply) in all(server.address, &[&format!("Host: {host}")]) {
            assert_eq!(reply.status, 421, "{line} for {host}");
        }
    }
    for (line, reply) in all(server.address, &[]) {
        assert_eq!(reply.status, 400, "{line} for nobody");
    }
    for host in ["", "localhost@x", "local host", "localhost, localhost", "localhost:x"] {
        for (line, reply) in all(server.address, &[&format!("Host: {host}")]) {
            assert_eq!(reply.status, 400, "{line} for {host}");
        }
    }
    let origin = ["Host: evil.example:5678", "Origin: http://evil.example:5678"];
    for (line, reply) in all(server.address, &origin) {
        assert_eq!((reply.status, reply.header(ALLOW_ORIGIN)), (421, None), "{line}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_line_says_counts_and_not_the_header() {
    let server = generated().await;
    let misled = ask(server.address, "GET http://evil.example/channels", &["Host: localhost"]);
    assert_eq!(misled.status, 421);
    let right = ask(server.address, "GET http://localhost/channels", &["Host: evil.example"]);
    assert_eq!(right.status, 200);
    let twice = ask(server.address, "GET /channels", &["Host: localhost", "Host: localhost"]);
    assert_eq!(twice.status, 400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loopback_listener_goes_by_the_names_of_loopback_and_those_it_was_given() {
    let mut setup = Setup::default();
    setup.site.host_names.push("Feed.Example".to_owned());
    let server = Server::start_as(setup).await;
    for host in [
        "localhost",
        "LOCALHOST:1",
        "localhost.",
        "a.localhost",
        "127.0.0.1",
        "127.1.2.3:80",
        "[::1]",
        "[::1]:5678",
        "feed.example",
        "feed.example.:99",
    ] {
        let reply = ask(server.address, "GET /channels", &[&format!("Host: {host}")]);
        assert_eq!((reply.status, reply.header(ALLOW_ORIGIN)), (200, None), "{host}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_on_every_interface_cannot_know_its_names() {
    let server = Server::start_as(Setup { listen: "0.0.0.0:0", ..Setup::default() }).await;
    assert_eq!(ask(server.address, "GET /channels", &["Host: any.example"]).status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_gets_nothing_of_a_feed_and_cannot_read_why() {
    let server = Server::start_as(Setup::default()).await;
    for origin in ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1"] {
        let headers = ["Host: localhost", &format!("Origin: {origin}")];
        for (line, reply) in all(server.address, &headers) {
            assert_eq!(reply.status, 403, "{line} by {origin}");
            assert_eq!(reply.header(ALLOW_ORIGIN), None, "{line} by {origin}");
        }
    }
    let head = server.node.broker().state(&name("feed")).expect("it is there").head;
    assert_eq!(head.offset, 0, "nothing was published");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_may_read_what_is_made_up_here_and_nothing_else() {
    let server = generated().await;
    for origin in ["http://evil.example", "null"] {
        let headers = ["Host: localhost", &format!("Origin: {origin}")];
        let mut upgrade = [&UPGRADE[..], &headers].concat();
        for (line, headers) in [
            ("GET /", upgrade.as_slice()),
            ("GET /channels/feed", upgrade.as_slice()),
            ("GET /channels/feed?since=all", &headers),
            ("HEAD /channels/feed", &headers),
        ] {
            let reply = ask(server.address, line, headers);
            assert!(matches!(reply.status, 101 | 200), "{line} by {origin}: {}", reply.status);
            assert_eq!(reply.header(ALLOW_ORIGIN), Some(origin));
            assert!(reply.head.contains("vary: origin"), "{}", reply.head);
        }
        for line in ["GET /", "GET /channels", "GET /channels/private", "POST /channels/feed"] {
            assert_eq!(ask(server.address, line, &headers).status, 403, "{line} by {origin}");
        }
        assert_eq!(ask(server.address, "GET /channels/private", &upgrade).status, 403);
        // One connection of this kind may read every channel.
        upgrade.push(V1);
        for path in ["GET /", "GET /channels/feed"] {
            assert_eq!(ask(server.address, path, &upgrade).status, 403, "{path} by {origin}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_ours_or_of_an_origin_that_was_named_may_do_everything() {
    let mut setup = Setup::default();
    setup.site.allowed_origins.push("https://feed.example".parse().expect("an origin"));
    let server = Server::start_as(setup).await;
    let ours = format!("http://[::1]:{}", server.address.port());
    let host = format!("Host: [::1]:{}", server.address.port());
    for origin in ["https://feed.example", ours.as_str()] {
        let headers = [host.as_str(), &format!("Origin: {origin}")];
        for (line, reply) in all(server.address, &headers) {
            assert!(!matches!(reply.status, 403 | 421), "{line} by {origin}: {}", reply.status);
            assert_eq!(reply.header(ALLOW_ORIGIN), Some(origin), "{line}");
        }
        let preflight = ask(server.address, "OPTIONS /channels/feed", &headers);
        assert_eq!(preflight.status, 204);
        let allowed = preflight.header("access-control-allow-headers").expect("they are named");
        assert!(allowed.contains("authorization") && allowed.contains("idempotency-key"));
    }
    server.stop().await;
}
