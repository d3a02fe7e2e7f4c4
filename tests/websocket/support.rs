//! Peers for the tests: a listener on a free port, raw HTTP, and a peer that speaks frame by frame.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use enchufe::address::{Address, Host, HostPort, WsAddress};
use enchufe::core::ws::{Opcode, encode};
use enchufe::transport::{BindOptions, Connection, Listener, OpenOptions, ws};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::echo::echo_for_ever;

/// Longer than any test needs, shorter than the runner's patience.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) const HEAD: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

pub(crate) fn address(port: u16, path: Option<&str>) -> Address {
    let endpoint = HostPort { host: Host::V4(Ipv4Addr::LOCALHOST), port };
    Address::Ws(WsAddress {
        endpoint: endpoint.into(),
        path: path.map(str::to_owned),
        is_secure: false,
    })
}

pub(crate) fn server_options(change: impl FnOnce(&mut ws::ServerOptions)) -> BindOptions {
    let mut options = BindOptions::default();
    change(&mut options.ws);
    options
}

pub(crate) async fn listen(path: Option<&str>, options: &BindOptions) -> (Listener, SocketAddr) {
    let listener = Listener::bind(&address(0, path), options).await.expect("a free port");
    let [address] = listener.local_addresses() else { panic!("one ws address") };
    let port = address.host_port().expect("a port").port;
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    (listener, local)
}

/// A listener that accepts for ever, so that requests are answered. Echoes.
pub(crate) async fn echo(path: Option<&str>, options: &BindOptions) -> SocketAddr {
    let (listener, local) = listen(path, options).await;
    echo_for_ever(listener);
    local
}

pub(crate) async fn open(server: SocketAddr) -> Connection {
    Connection::open(&address(server.port(), None), &OpenOptions::default()).await.expect("open")
}

/// Sends a request and reads the answer until the server closes, or until its head is there when
/// it switches protocols.
pub(crate) async fn request(server: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).await.expect("connect");
    stream.write_all(request).await.expect("send the request");
    let answer = async {
        let mut answer = Vec::new();
        while stream.read_buf(&mut answer).await.unwrap_or(0) > 0 {
            if answer.starts_with(b"HTTP/1.1 101") && answer.ends_with(b"\r\n\r\n") {
                break;
            }
        }
        String::from_utf8(answer).expect("the answer is text")
    };
    tokio::time::timeout(LONG, answer).await.expect("an answer in time")
}

pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect(answer)
}

/// A client that decides itself which bytes go when.
pub(crate) struct RawClient {
    pub(crate) stream: TcpStream,
}

impl RawClient {
    pub(crate) async fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await.expect("connect");
        Self::upgrade(stream).await
    }

    /// Shakes hands over a connection.
    pub(crate) async fn upgrade(mut stream: TcpStream) -> Self {
        stream.write_all(format!("{HEAD}\r\n").as_bytes()).await.expect("send the request");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("the answer"));
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self { stream }
    }

    pub(crate) async fn send(&mut self, opcode: Opcode, payload: &[u8]) {
        self.send_raw(&frame(opcode, payload)).await;
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("send a frame");
    }

    /// The next frame: its first byte (FIN and opcode) and its payload. `None` at the end.
    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        tokio::time::timeout(LONG, self.read_frame()).await.expect("a frame in time")
    }

    async fn read_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let stream = &mut self.stream;
        let first = stream.read_u8().await.ok()?;
        let len = match stream.read_u8().await.ok()? {
            126 => u64::from(stream.read_u16().await.ok()?),
            127 => stream.read_u64().await.ok()?,
            len => u64::from(len),
        };
        let mut payload = vec![0; usize::try_from(len).expect("a length of this machine")];
        stream.read_exact(&mut payload).await.ok()?;
        Some((first, payload))
    }
}

/// A whole frame as a client sends it.
pub(crate) fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode::frame(&mut frame, opcode, payload, Some([1, 2, 3, 4]));
    frame
}

/// The payload of a Close frame.
pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// A connection as the server has it, and the client that opened it.
pub(crate) async fn pair(options: &BindOptions) -> (Connection, RawClient) {
    let (mut listener, local) = listen(None, options).await;
    tokio::join!(listener.accept(), RawClient::open(local))
}
