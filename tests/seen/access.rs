//! Who may read the metrics.

use std::net::UdpSocket;

use enchufe::http::{MetricsAccess, Token};

use crate::common::{
    http::ask,
    server::{Server, Setup},
};

pub(crate) const SECRET: &str = "a-token-of-some-length";

pub(crate) fn token() -> Token {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{SECRET}\n")).expect("room");
    Token::read(file.path()).expect("a token")
}

async fn with(access: MetricsAccess, token: Option<Token>) -> Server {
    let mut setup = Setup { listen: "0.0.0.0:0", ..Setup::default() };
    setup.site.metrics = access;
    setup.site.read_token = token;
    Server::start_as(setup).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_for_programs_on_this_machine_unless_they_are_for_all_or_nobody() {
    let local = ["Host: localhost"];
    let passed_on = ["Host: localhost", "X-Forwarded-For: 10.0.0.1"];
    let rebound = ["Host: evil.example"];
    for (access, statuses) in [
        (MetricsAccess::Loopback, [200, 403, 421]),
        (MetricsAccess::Everyone, [200, 200, 200]),
        (MetricsAccess::Off, [404, 404, 404]),
    ] {
        let server = with(access, None).await;
        for (headers, status) in [&local[..], &passed_on, &rebound].into_iter().zip(statuses) {
            let reply = ask(server.address, "GET /metrics", headers);
            assert_eq!(reply.status, status, "{access:?}, {headers:?}: {}", reply.body);
            assert_eq!(ask(server.address, "HEAD /metrics", headers).status, status);
        }
        // Over an address of this machine that is not loopback, as another machine would come.
        let probe = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        let routed = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr());
        if let Ok(mut address) = routed {
            address.set_port(server.address.port());
            let reply = ask(address, "GET /metrics", &[&format!("Host: {address}")]);
            assert_eq!(reply.status, statuses[1], "{access:?}: {}", reply.body);
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_reading_needs_a_token_so_do_the_metrics() {
    let server = with(MetricsAccess::Everyone, Some(token())).await;
    assert_eq!(ask(server.address, "GET /metrics", &["Host: localhost"]).status, 401);
    let wrong = ["Host: localhost", "Authorization: Bearer a-token-of-some-other"];
    assert_eq!(ask(server.address, "GET /metrics", &wrong).status, 401);
    let bearer = format!("Authorization: Bearer {SECRET}");
    // With the token it does not matter where one is.
    let headers = ["Host: far.example", "Via: 1.1 proxy", &bearer];
    assert_eq!(ask(server.address, "GET /metrics", &headers).status, 200);
    server.stop().await;
    let server = with(MetricsAccess::Off, Some(token())).await;
    assert_eq!(ask(server.address, "GET /metrics", &["Host: localhost", &bearer]).status, 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_reads_no_metrics() {
    let server = with(MetricsAccess::Everyone, None).await;
    let headers = ["Host: localhost", "Origin: https://evil.example"];
    assert_eq!(ask(server.address, "GET /metrics", &headers).status, 403);
    server.stop().await;
}
