//! One viewer: a socket, and which message comes next.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

use socket2::{Domain, Socket, Type};

/// The receive buffer of a viewer who reads nothing: as little as the system allows.
const STUCK_BUFFER_BYTES: usize = 2048;

pub(crate) struct Viewer {
    pub(crate) stream: mio::net::TcpStream,
    /// The number of the next message.
    next: u64,
    /// The beginning of a frame whose rest has not arrived.
    partial: Vec<u8>,
}

/// A message as it is published and as it comes.
pub(crate) struct Message;

impl Message {
    /// A line of so many bytes, its end not counted.
    pub(crate) fn line(number: u64, bytes: usize) -> Vec<u8> {
        let mut line = format!("{number:016x}").into_bytes();
        line.resize(bytes.max(16), b'.');
        line.push(b'\n');
        line
    }

    fn number(payload: &[u8]) -> Result<u64, String> {
        payload
            .get(..16)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or_else(|| format!("no message of ours: {}", String::from_utf8_lossy(payload)))
    }
}

impl Viewer {
    pub(crate) fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = connect(address, false)?;
        stream.set_nonblocking(true).map_err(|error| error.to_string())?;
        let stream = mio::net::TcpStream::from_std(stream);
        Ok(Self { stream, next: 0, partial: Vec::new() })
    }

    /// Takes what has come; `took` is told of each message. All of them come, in order, or it is an
    /// error.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        mut took: impl FnMut(u64),
    ) -> Result<(), String> {
        loop {
            let kept = self.partial.len();
            buffer[..kept].copy_from_slice(&self.partial);
            let read = match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => return Err("the server closed".to_owned()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(format!("cannot receive: {error}")),
            };
            let is_all = kept + read < buffer.len();
            let mut rest = &buffer[..kept + read];
            while let Some((opcode, payload, after)) = frame(rest) {
                if opcode == 1 {
                    let number = Message::number(payload)?;
                    if number != self.next {
                        return Err(format!("message {number} instead of {}", self.next));
                    }
                    self.next += 1;
                    took(number);
                } else if opcode == 8 {
                    return Err(format!("the server closed: {}", String::from_utf8_lossy(payload)));
                }
                rest = after;
            }
            self.partial.clear();
            self.partial.extend_from_slice(rest);
            // A read that was not filled has emptied the socket (epoll(7)): the next edge comes.
            if is_all {
                return Ok(());
            }
        }
    }
}

/// The first frame of a server: opcode, payload, and what comes behind it.
pub(crate) fn frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (header, length) = match bytes.get(1)? {
        126 => (4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into()),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        length => (2, usize::from(*length)),
    };
    let payload = bytes.get(header..header + length)?;
    Some((bytes[0] & 15, payload, &bytes[header + length..]))
}

/// Connects and shakes hands, waiting for each.
pub(crate) fn connect(address: SocketAddr, is_stuck: bool) -> Result<TcpStream, String> {
    let failed = |error: std::io::Error| format!("cannot connect to {address}: {error}");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).map_err(failed)?;
    if is_stuck {
        socket.set_recv_buffer_size(STUCK_BUFFER_BYTES).map_err(failed)?;
    }
    socket.connect(&address.into()).map_err(failed)?;
    let mut stream = TcpStream::from(socket);
    stream.set_nodelay(true).map_err(failed)?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut response = Vec::new();
    let mut byte = [0];
    while !response.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).map_err(failed)?;
        response.push(byte[0]);
    }
    match response.starts_with(b"HTTP/1.1 101") {
        true => Ok(stream),
        false => Err(format!("not a 101: {}", String::from_utf8_lossy(&response))),
    }
}
