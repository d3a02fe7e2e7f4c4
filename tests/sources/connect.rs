//! Servers that are connected to, and again when they go away.

use enchufe::{
    Address, BindOptions, Connection, Listener, Message, Source as _,
    source::AnySource,
    transport::{CloseCode, CloseReason},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, UdpSocket},
    time::timeout,
};

use crate::{PATIENCE, next, open, several};

/// Asks the source for messages in the background, as a feed does.
fn read(mut source: AnySource) -> tokio::sync::mpsc::Receiver<String> {
    let (sender, messages) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(message) = source.next().await {
            if sender.send(message.to_text().into_owned()).await.is_err() {
                return;
            }
        }
        sender.send(format!("over: {}", source.status().await)).await.ok();
    });
    messages
}

async fn heard(messages: &mut tokio::sync::mpsc::Receiver<String>) -> String {
    timeout(PATIENCE, messages.recv()).await.expect("in time").expect("no end")
}

#[tokio::test]
async fn a_server_that_goes_away_is_connected_to_again_and_its_last_line_is_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut messages = read(open(&format!("tcp://{address}")).await);
    for line in ["uno", "dos"] {
        let (mut server, _) = listener.accept().await.expect("it connects");
        server.write_all(format!("{line}\nlast of {line}").as_bytes()).await.expect("it reads");
        drop(server);
        assert_eq!(heard(&mut messages).await, line);
        assert_eq!(heard(&mut messages).await, format!("last of {line}"));
    }
}

#[tokio::test]
async fn what_a_server_had_begun_to_say_when_it_broke_off_is_not_passed_off_as_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut messages = read(open(&format!("tcp://{address}")).await);
    let (mut server, _) = listener.accept().await.expect("it connects");
    server.write_all(b"uno\nha").await.expect("it reads");
    assert_eq!(heard(&mut messages).await, "uno");
    socket2::SockRef::from(&server).set_linger(Some(std::time::Duration::ZERO)).expect("an option");
    drop(server);
    let (mut server, _) = listener.accept().await.expect("it connects again");
    server.write_all(b"dos\n").await.expect("it reads");
    assert_eq!(heard(&mut messages).await, "dos");
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_tried_again() {
    // A port that was free a moment ago, and where nobody else looks for one.
    let free = TcpListener::bind("127.0.0.3:0").await.expect("a free port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let mut messages = read(open(&format!("tcp://{address}")).await);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let mut over_unix = read(open(&format!("unix:{}", path.display())).await);
    tokio::task::yield_now().await;
    let listener = TcpListener::bind(address).await.expect("it is still free");
    let (mut server, _) = listener.accept().await.expect("it connects");
    server.write_all(b"uno\n").await.expect("it reads");
    assert_eq!(heard(&mut messages).await, "uno");
    let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
    let (mut server, _) = listener.accept().await.expect("it connects");
    server.write_all(b"dos\n").await.expect("it reads");
    assert_eq!(heard(&mut over_unix).await, "dos");
}

/// A WebSocket server, and the source that connects to it.
async fn over_websocket() -> (Listener, tokio::sync::mpsc::Receiver<String>) {
    let address = Address::parse_serve("ws://127.0.0.1:0/out").expect("an address");
    let listener = Listener::bind(&address, &BindOptions::default()).await.expect("a free port");
    let local = listener.local_addresses().first().expect("one").to_string();
    let messages = read(open(&local).await);
    (listener, messages)
}

async fn say(connection: &mut Connection, text: &str) {
    connection.send(Message::text(text)).await.expect("it reads");
}

#[tokio::test]
async fn a_websocket_says_with_its_close_code_whether_it_may_help_to_come_back() {
    for (code, comes_back) in [
        (CloseCode::GOING_AWAY, true),
        (CloseCode::TRY_AGAIN_LATER, true),
        (CloseCode::SLOW, true),
        (CloseCode::NORMAL, false),
        (CloseCode::ENDED, false),
        (CloseCode::UNKNOWN_CHANNEL, false),
    ] {
        let (mut listener, mut messages) = over_websocket().await;
        let mut server = listener.accept().await;
        say(&mut server, "uno\ndos").await;
        assert_eq!(heard(&mut messages).await, "uno\ndos");
        server.close(CloseReason::new(code, "")).await.expect("it is told");
        if comes_back {
            say(&mut listener.accept().await, "tres").await;
            assert_eq!(heard(&mut messages).await, "tres", "{code}");
        } else {
            assert_eq!(heard(&mut messages).await, format!("over: closed with {code}"));
        }
    }
}

#[tokio::test]
async fn what_can_never_be_connected_to_ends_the_source_with_the_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut server, _)) = listener.accept().await {
            let refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            server.write_all(refusal).await.ok();
            server.shutdown().await.ok();
        }
    });
    let mut messages = read(open(&format!("ws://{address}/channels/nope")).await);
    let over = heard(&mut messages).await;
    assert!(over.starts_with("over: ") && over.contains("404"), "{over}");
}

#[tokio::test]
async fn a_server_of_datagrams_learns_of_us_and_is_heard() {
    let server = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let address = server.local_addr().expect("an address");
    let mut messages = read(open(&format!("udp://{address}")).await);
    let mut buffer = [0; 16];
    let (length, client) =
        timeout(PATIENCE, server.recv_from(&mut buffer)).await.expect("in time").expect("a hello");
    assert_eq!(length, 0);
    for text in ["uno", "dos\n"] {
        server.send_to(text.as_bytes(), client).await.expect("room");
        assert_eq!(heard(&mut messages).await, text);
    }
}

#[tokio::test]
async fn a_program_is_a_source_like_any_other() {
    let mut source = open("exec:sh -c 'echo uno; echo dos; kill -9 $$'").await;
    assert_eq!(several(&mut source, 2).await, ["uno", "dos"]);
    assert!(source.next().await.is_none());
    assert_eq!(source.status().await, "signal 9");
    let mut clock = open("clock").await;
    assert!(next(&mut clock).await.ends_with('Z'));
}
