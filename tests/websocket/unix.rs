//! WebSocket over a Unix-domain socket, `ws+unix:`.

use enchufe::Address;
use enchufe::core::Message;
use enchufe::transport::{
    BindError, BindOptions, CloseCode, CloseReason, Connection, Listener, OpenError, OpenOptions,
    Peer,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::support::{LONG, server_options, status};

/// A folder, and the address of a socket in it.
fn place(path: &str) -> (tempfile::TempDir, Address) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("ws+unix:{}{path}", folder.path().join("socket").display());
    let address = Address::parse_serve(&text).expect("an address");
    (folder, address)
}

async fn bind(address: &Address) -> Listener {
    Listener::bind(address, &BindOptions::default()).await.expect("a socket")
}

async fn open(address: &Address) -> Result<Connection, OpenError> {
    Connection::open(address, &OpenOptions::default()).await
}

/// The head of what comes first on a connection.
async fn head_of(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(LONG, stream.read_u8()).await.expect("in time").expect("a head"));
    }
    String::from_utf8(head).expect("text")
}

#[tokio::test]
async fn messages_go_both_ways_and_who_closes_is_heard() {
    let (_folder, address) = place("");
    let mut listener = bind(&address).await;
    assert_eq!(listener.local_addresses(), std::slice::from_ref(&address));
    let (mut server, client) = tokio::join!(listener.accept(), open(&address));
    let mut client = client.expect("a connection");
    assert_eq!(server.peer(), &Peer::UnixUnnamed);
    for bytes in [0, 125, 70_000, 1 << 20] {
        let message = Message::binary(vec![7; bytes]);
        let (sent, received) = tokio::join!(client.send(message.clone()), server.recv());
        sent.expect("sent");
        assert_eq!(received.expect("received"), Some(message));
    }
    server.send(Message::text("hello")).await.expect("sent");
    assert_eq!(client.recv().await.expect("received"), Some(Message::text("hello")));
    let reason = CloseReason::new(CloseCode::NORMAL, "done");
    let (closed, received) = tokio::join!(client.close(reason.clone()), server.recv());
    closed.expect("the answer came");
    assert_eq!((received.expect("closed"), server.closed_with()), (None, Some(&reason)));
}

#[tokio::test]
async fn a_request_is_for_localhost_and_for_the_path_of_the_address() {
    let (folder, address) = place(":/a?b=c");
    let server = UnixListener::bind(folder.path().join("socket")).expect("a socket");
    let accept = async {
        let (mut stream, _) = server.accept().await.expect("it comes");
        head_of(&mut stream).await
    };
    let (head, refused) = tokio::join!(accept, open(&address));
    assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: localhost\r\n"), "{head}");
    let error = refused.expect_err("it answered nothing");
    assert!(matches!(error, OpenError::NoAnswer { .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn a_server_answers_whatever_host_a_proxy_passes_on_but_no_foreign_page() {
    let (folder, address) = place(":/here");
    let mut listener = Listener::bind(&address, &server_options(|_| {})).await.expect("a socket");
    tokio::spawn(async move {
        loop {
            listener.accept().await;
        }
    });
    for (path, fields, expected) in [
        ("/here", "Host: feed.example\r\n", 101),
        ("/there", "Host: localhost\r\n", 404),
        ("/here", "Host: feed.example\r\nOrigin: http://evil.example\r\n", 403),
        ("/here", "Host: feed.example\r\nOrigin: https://feed.example\r\n", 101),
    ] {
        let socket = folder.path().join("socket");
        let mut stream = UnixStream::connect(socket).await.expect("it listens");
        let request = format!(
            "GET {path} HTTP/1.1\r\n{fields}Upgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        assert_eq!(status(&head_of(&mut stream).await), expected, "{path} {fields}");
    }
}

#[tokio::test]
async fn a_socket_that_is_not_there_or_taken_is_said_with_its_address() {
    let (_folder, address) = place(":/");
    let error = open(&address).await.expect_err("nobody");
    assert!(matches!(error, OpenError::NotFound { .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    let _listener = bind(&address).await;
    let error = Listener::bind(&address, &BindOptions::default()).await.expect_err("taken");
    assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
}
