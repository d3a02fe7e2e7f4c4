//! WebSocket over TLS over a Unix-domain socket, `wss+unix:`.

use enchufe::Address;
use enchufe::core::Message;
use enchufe::transport::tls::Distrust;
use enchufe::transport::{Connection, Listener, OpenError, OpenOptions};

use crate::common::echo::echo_for_ever;
use crate::support::Made;

#[tokio::test]
async fn messages_come_back_and_the_certificate_is_localhosts() {
    let (made, folder) = (Made::localhost(), tempfile::tempdir().expect("a folder"));
    let text = format!("wss+unix:{}:/echo", folder.path().join("socket").display());
    let address = Address::parse_serve(&text).expect("an address");
    let listener = Listener::bind(&address, &made.server()).await.expect("a socket");
    assert_eq!(listener.local_addresses(), std::slice::from_ref(&address));
    echo_for_ever(listener);
    let mut client = Connection::open(&address, &made.client()).await.expect("a connection");
    for bytes in [0, 125, 70_000, 1 << 20] {
        let message = Message::binary(vec![7; bytes]);
        client.send(message.clone()).await.expect("sent");
        assert_eq!(client.recv().await.expect("received"), Some(message));
    }

    let error = Connection::open(&address, &OpenOptions::default()).await.expect_err("a stranger");
    assert!(matches!(error, OpenError::Tls { error: Distrust::UnknownIssuer, .. }), "{error:?}");
    assert!(error.to_string().contains(&text), "{error}");
}
