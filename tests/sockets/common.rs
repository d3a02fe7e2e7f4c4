//! What the tests share.

use std::time::Duration;

use enchufe::address::Address;
use enchufe::core::Message;
use enchufe::transport::{BindError, BindOptions, Connection, Listener, OpenError, OpenOptions};

/// Longer than anything that works takes, so that what hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn served(text: &str) -> Address {
    Address::parse_serve(text).expect("an address to serve")
}

pub(crate) async fn try_bind(text: &str) -> Result<Listener, BindError> {
    Listener::bind(&served(text), &BindOptions::default()).await
}

pub(crate) async fn bind(text: &str) -> Listener {
    try_bind(text).await.expect("a listener")
}

pub(crate) async fn try_open(text: &str) -> Result<Connection, OpenError> {
    let address = Address::parse_connect(text).expect("an address to connect to");
    Connection::open(&address, &OpenOptions::default()).await
}

pub(crate) async fn open(address: &Address) -> Connection {
    Connection::open(address, &OpenOptions::default()).await.expect("a connection")
}

/// A listener, and both ends of a connection to it.
pub(crate) async fn pair(text: &str) -> (Listener, Connection, Connection) {
    let mut listener = bind(text).await;
    let mut client = open(&listener.local_addresses()[0].clone()).await;
    // Over datagrams there is no connection before the first of them.
    if !client.is_stream() {
        client.send(Message::text("hello")).await.expect("sent");
    }
    let mut server = listener.accept().await;
    if !client.is_stream() {
        assert_eq!(text_of(&mut server).await, "hello");
    }
    (listener, client, server)
}

/// The next message, which there must be, within bounds.
pub(crate) async fn next(connection: &mut Connection) -> Message {
    let received = tokio::time::timeout(PATIENCE, connection.recv()).await.expect("in time");
    received.expect("received").expect("a message")
}

pub(crate) async fn text_of(connection: &mut Connection) -> String {
    next(connection).await.to_text().into_owned()
}

/// Everything until the peer closes.
pub(crate) async fn all_of(connection: &mut Connection) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(message) =
        tokio::time::timeout(PATIENCE, connection.recv()).await.expect("in time").expect("received")
    {
        all.extend_from_slice(&message.payload);
    }
    all
}

pub(crate) fn port_of(address: &Address) -> u16 {
    address.host_port().unwrap_or_else(|| panic!("{address} has no port")).port
}

/// Waits until something is so that gives no sign when it becomes so.
pub(crate) async fn until(mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("in time");
}
