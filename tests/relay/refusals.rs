//! Clients that cannot be served: the other side refuses, or there are too many, or they are a
//! foreign page.

use std::io::ErrorKind;

use enchufe::address::Address;
use enchufe::relay::Trouble;
use enchufe::transport::OpenError;
use enchufe::{Connection, OpenOptions, RelayOptions};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::support::{Relaying, accept, bytes, folder, listen, next, send, somewhere};

/// An address where nobody listens any more.
async fn nobody() -> Address {
    let folder = folder();
    listen(&somewhere("tcp", &folder, "far")).await.local_addresses()[0].clone()
}

#[tokio::test]
async fn a_client_is_told_as_its_transport_can_that_the_other_side_refuses() {
    let folder = folder();
    let relaying = Relaying::start("ws", &folder, &nobody().await, |_| {}).await;
    for number in 1..=2 {
        let mut client = relaying.open().await;
        assert_eq!(next(&mut client).await, None);
        let reason = client.closed_with().expect("a reason");
        assert_eq!(reason.code.number(), 1014);
        // What is behind the relay is nobody's business.
        assert_eq!(reason.reason, "the other side refused the connection");
        relaying.until_ended(number).await;
    }
    let relayed = relaying.end().await;
    assert_eq!((relayed.connections, relayed.failed), (2, 2));
    let trouble = relayed.last.expect("one").trouble;
    assert!(matches!(trouble, Some(Trouble::Open(OpenError::Refused { .. }))), "{trouble:?}");

    let relaying = Relaying::start("tcp", &folder, &nobody().await, |_| {}).await;
    let port = relaying.address.host_port().expect("tcp").port;
    let mut client = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let error = client.read(&mut [0]).await.expect_err("no end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    relaying.end().await;
}

#[tokio::test]
async fn one_too_many_is_turned_away_and_the_next_one_has_the_place_of_who_left() {
    let folder = folder();
    let mut listener = listen(&somewhere("tcp", &folder, "far")).await;
    let address = listener.local_addresses()[0].clone();
    let one = |options: &mut RelayOptions| options.connections_max = 1;
    let relaying = Relaying::start("ws", &folder, &address, one).await;
    let mut first = relaying.open().await;
    send(&mut first, "hola").await;
    let mut server = accept(&mut listener).await;
    assert_eq!(bytes(&mut server, 4).await, b"hola");
    let mut second = relaying.open().await;
    assert_eq!(next(&mut second).await, None);
    assert_eq!(second.closed_with().expect("a reason").code.number(), 1013);
    drop(first);
    relaying.until_ended(1).await;
    let mut third = relaying.open().await;
    send(&mut third, "hola").await;
    let mut server = accept(&mut listener).await;
    assert_eq!(bytes(&mut server, 4).await, b"hola");
    let relayed = relaying.end().await;
    assert_eq!((relayed.connections, relayed.refused), (2, 1));
}

#[tokio::test]
async fn a_foreign_page_gets_no_connection_to_what_is_behind_the_relay() {
    let folder = folder();
    let mut listener = listen(&somewhere("tcp", &folder, "far")).await;
    let address = listener.local_addresses()[0].clone();
    let relaying = Relaying::start("ws", &folder, &address, |_| {}).await;
    let mut options = OpenOptions::default();
    options.ws.origin = Some("https://evil.example".into());
    let error = Connection::open(&relaying.address, &options).await.expect_err("refused");
    let OpenError::Refusal { refusal, .. } = error else { panic!("{error:?}") };
    assert_eq!(refusal.status, 403);
    // Nor does it make the relay connect.
    let mut client = relaying.open().await;
    send(&mut client, "hola").await;
    let mut server = accept(&mut listener).await;
    assert_eq!(bytes(&mut server, 4).await, b"hola");
    assert_eq!(relaying.end().await.connections, 1);
}
