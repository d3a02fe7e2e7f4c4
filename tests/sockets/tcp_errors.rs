//! Streams over TCP, when something is wrong.

use std::time::{Duration, Instant};

use enchufe::address::Address;
use enchufe::core::Message;
use enchufe::transport::{
    BindError, BindOptions, BindWarning, Connection, Listener, OpenError, OpenOptions, RecvError,
    SendError,
};
use socket2::{Domain, Socket, Type};

use crate::common::{bind, pair, port_of, served, try_bind, try_open};

/// A name that no resolver has to be asked about: a label has at most 63 bytes.
fn impossible_name() -> String {
    format!("{}.invalid", "a".repeat(64))
}

/// An address that neither accepts nor refuses: its backlog is full. The sockets keep it so.
fn stalled(address: &str) -> (u16, Vec<Socket>) {
    let address: std::net::SocketAddr = address.parse().expect("an address");
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
    listener.bind(&address.into()).expect("bound");
    listener.listen(0).expect("listening");
    let address = listener.local_addr().expect("bound").as_socket().expect("an address");
    let mut sockets = vec![listener];
    for _ in 0..4 {
        let client =
            Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        client.set_nonblocking(true).expect("set");
        let _ = client.connect(&address.into());
        sockets.push(client);
    }
    (address.port(), sockets)
}

#[tokio::test]
async fn a_port_in_use_is_refused_with_its_address() {
    let listener = bind("tcp://127.0.0.1:0").await;
    let taken = listener.local_addresses()[0].to_string();
    let error = try_bind(&taken).await.expect_err("in use");
    assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot listen on {taken}: the address is in use"));
    assert!(error.hint().expect("a hint").contains("another port"));
}

#[tokio::test]
async fn localhost_is_served_wholly_or_not_at_all() {
    let ipv6 = bind("tcp://[::1]:0").await;
    let port = port_of(&ipv6.local_addresses()[0]);
    let error = try_bind(&format!("tcp://localhost:{port}")).await.expect_err("in use on ::1");
    assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
    bind(&format!("tcp://127.0.0.1:{port}")).await;
}

#[tokio::test]
async fn a_free_port_is_free_in_both_families() {
    // Nearly every port is free, so that this shows only that many in a row go well.
    let mut listeners = Vec::new();
    for _ in 0..50 {
        listeners.push(bind("tcp://localhost:0").await);
    }
    for listener in &listeners {
        let [ipv4, ipv6] = listener.local_addresses() else { panic!("{listener:?}") };
        assert_eq!(port_of(ipv4), port_of(ipv6));
    }
}

#[tokio::test]
async fn an_address_of_another_machine_is_refused() {
    let error = try_bind("tcp://203.0.113.1:0").await.expect_err("not ours");
    assert!(matches!(error, BindError::NotLocal { .. }), "{error:?}");
    assert!(error.to_string().contains("tcp://203.0.113.1:0"), "{error}");
    assert!(error.hint().expect("a hint").contains("localhost"));
}

#[tokio::test]
async fn a_host_that_does_not_resolve_is_named() {
    let name = impossible_name();
    let error = try_bind(&format!("tcp://{name}:80")).await.expect_err("no such host");
    assert!(matches!(error, BindError::Unresolved { .. }), "{error:?}");
    assert!(error.to_string().contains(&name) && error.hint().is_some(), "{error}");
    let error = try_open(&format!("tcp://{name}:80")).await.expect_err("no such host");
    assert!(matches!(error, OpenError::Unresolved { .. }), "{error:?}");
    assert!(error.to_string().contains(&name) && error.hint().is_some(), "{error}");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_backlog_that_the_kernel_clips_is_said() {
    let mut options = BindOptions::default();
    options.backlog = u32::MAX;
    let listener =
        Listener::bind(&served("tcp://127.0.0.1:0"), &options).await.expect("a listener");
    let [warning @ BindWarning::BacklogClipped { asked: u32::MAX, .. }] = listener.warnings()
    else {
        panic!("{:?}", listener.warnings());
    };
    assert!(warning.to_string().contains("somaxconn"), "{warning}");
    options.backlog = 1;
    let listener =
        Listener::bind(&served("tcp://127.0.0.1:0"), &options).await.expect("a listener");
    assert_eq!(listener.warnings(), []);
}

#[tokio::test]
async fn a_server_that_is_not_there_refuses() {
    let listener = bind("tcp://127.0.0.1:0").await;
    let address = listener.local_addresses()[0].to_string();
    drop(listener);
    let error = try_open(&address).await.expect_err("nobody listens");
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot connect to {address}: connection refused"));
    assert!(error.hint().is_some());
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    let (port, _sockets) = stalled("127.0.0.1:0");
    let mut options = OpenOptions::default();
    options.timeout = Duration::from_millis(300);
    let address = Address::parse_connect(&format!("127.0.0.1:{port}")).expect("an address");
    let error = Connection::open(&address, &options).await.expect_err("no answer");
    assert!(matches!(error, OpenError::TimedOut { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("cannot connect to tcp://127.0.0.1:{port}: no answer within 0.3 s")
    );
}

#[tokio::test]
async fn when_one_address_of_a_host_refuses_the_next_is_tried() {
    let mut ipv6 = bind("tcp://[::1]:0").await;
    let port = port_of(&ipv6.local_addresses()[0]);
    let mut client = try_open(&format!("localhost:{port}")).await.expect("a connection");
    client.send(Message::text("hello")).await.expect("sent");
    assert_eq!(crate::common::text_of(&mut ipv6.accept().await).await, "hello");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn when_one_address_of_a_host_stalls_the_next_is_tried_beside_it() {
    let (port, _sockets) = stalled("127.0.0.1:0");
    let _ipv6 = bind(&format!("tcp://[::1]:{port}")).await;
    let started = Instant::now();
    let client = try_open(&format!("localhost:{port}")).await.expect("a connection");
    assert!(client.peer().to_string().starts_with("('::1'"), "{}", client.peer());
    assert!(started.elapsed() < OpenOptions::default().timeout / 2, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_connection_that_is_reset_is_an_error() {
    let (_listener, client, mut server) = {
        let mut listener = bind("tcp://127.0.0.1:0").await;
        let client =
            std::net::TcpStream::connect(("127.0.0.1", port_of(&listener.local_addresses()[0])))
                .expect("a connection");
        let server = listener.accept().await;
        (listener, client, server)
    };
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("set");
    drop(client);
    let error = server.recv().await.expect_err("a reset");
    assert!(matches!(error, RecvError::Reset { .. }), "{error:?}");
    assert!(error.to_string().contains("('127.0.0.1', "), "{error}");
    assert_eq!(server.recv().await.expect("nothing more"), None);
}

#[tokio::test]
async fn sending_to_a_peer_that_is_gone_says_so() {
    let (_listener, mut client, server) = pair("tcp://127.0.0.1:0").await;
    drop(server);
    let error = loop {
        match client.send(Message::text("anybody there?")).await {
            Ok(()) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SendError::Closed { .. }), "{error:?}");
}
