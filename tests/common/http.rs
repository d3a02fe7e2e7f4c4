//! Requests by hand, so that they can be wrong.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longer than anything here takes; only a failure waits for it.
pub const LONG: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: String,
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// A connection on which nothing waits for ever.
pub fn connect(address: SocketAddr) -> TcpStream {
    patient(TcpStream::connect(address).expect("the server listens"))
}

/// A connection with a small window, so that the kernel does not read for its owner.
pub fn connect_small(address: SocketAddr) -> TcpStream {
    let kind = socket2::Type::STREAM;
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), kind, None);
    let socket = socket.expect("a socket");
    socket.set_recv_buffer_size(4 << 10).expect("a small buffer");
    socket.connect(&address.into()).expect("the server listens");
    patient(socket.into())
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(LONG)).expect("a time-out");
    stream.set_write_timeout(Some(LONG)).expect("a time-out");
    stream
}

/// The headers of a WebSocket handshake.
pub const UPGRADE: [&str; 4] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// A request's head. It says only what it is told to, and that it is the connection's last request
/// unless it is told otherwise.
pub fn head(line: &str, headers: &[&str]) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\n");
    if !headers.iter().any(|header| header.starts_with("Connection:")) {
        head.push_str("Connection: close\r\n");
    }
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Sends a request and reads the answer.
pub fn ask(address: SocketAddr, line: &str, headers: &[&str]) -> Reply {
    let mut stream = connect(address);
    stream.write_all(&head(line, headers)).expect("it is open");
    read(&mut stream, line.starts_with("HEAD "))
}

/// Sends a request with a body and reads the answer.
pub fn post(address: SocketAddr, path: &str, headers: &[&str], body: &[u8]) -> Reply {
    let mut stream = connect(address);
    let length = format!("Content-Length: {}", body.len());
    let headers: Vec<&str> = [headers, &["Host: localhost", &length]].concat();
    stream.write_all(&head(&format!("POST {path}"), &headers)).expect("it is open");
    stream.write_all(body).expect("all of it is taken");
    answer(&mut stream)
}

/// Reads an answer: its head, and its body if that has a length.
pub fn answer(stream: &mut TcpStream) -> Reply {
    read(stream, false)
}

fn read(stream: &mut TcpStream, is_head: bool) -> Reply {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a whole head");
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).expect("text").to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let mut reply = Reply { status, head, body: String::new() };
    let length = reply.header("content-length").map(|text| text.parse().expect("a number"));
    if !is_head {
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).expect("a whole body");
        reply.body = String::from_utf8(body).expect("text");
    }
    reply
}
