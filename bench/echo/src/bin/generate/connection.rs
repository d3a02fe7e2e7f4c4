//! One client: a socket, and how far its batch has come.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use hdrhistogram::Histogram;
use mio::net::TcpStream;

use crate::batch::Batch;
use crate::options::Kind;

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    started: Instant,
    sent: usize,
    received: usize,
}

/// What a turn brought.
pub(crate) enum Turn {
    Waiting,
    /// All replies are there.
    Done,
}

impl Connection {
    /// Connects and, for WebSocket, shakes hands, waiting for each.
    pub(crate) fn open(address: SocketAddr, kind: Kind) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot connect to {address}: {error}");
        let mut stream = std::net::TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        if kind != Kind::Bytes {
            shake_hands(&mut stream, address)?;
        }
        stream.set_nonblocking(true).map_err(failed)?;
        let stream = TcpStream::from_std(stream);
        Ok(Self { stream, started: Instant::now(), sent: 0, received: 0 })
    }

    /// Begins to send the batch.
    pub(crate) fn begin(&mut self, batch: &Batch) -> Result<(), String> {
        (self.started, self.sent, self.received) = (Instant::now(), 0, 0);
        self.send(batch)
    }

    fn send(&mut self, batch: &Batch) -> Result<(), String> {
        while self.sent < batch.frames.len() {
            match self.stream.write(&batch.frames[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(format!("cannot send: {error}")),
            }
        }
        Ok(())
    }

    /// Sends and receives what the socket takes and has.
    pub(crate) fn advance(
        &mut self,
        batch: &Batch,
        buffer: &mut [u8],
        latency: &mut Histogram<u64>,
    ) -> Result<Turn, String> {
        self.send(batch)?;
        while self.received < batch.replies.len() {
            let read = match self.stream.read(buffer) {
                Ok(0) => return Err("the server closed".to_owned()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Waiting),
                Err(error) => return Err(format!("cannot receive: {error}")),
            };
            let end = self.received + read;
            if batch.replies.get(self.received..end) != Some(&buffer[..read]) {
                return Err(format!("wrong bytes among replies {}..{end}", self.received));
            }
            let complete = end / batch.reply_bytes - self.received / batch.reply_bytes;
            let waited_ns = self.started.elapsed().as_nanos() as u64;
            latency.saturating_record_n(waited_ns, complete as u64);
            self.received = end;
            // A read that was not filled has emptied the socket (epoll(7)): the next edge comes.
            if read < buffer.len() && end < batch.replies.len() {
                return Ok(Turn::Waiting);
            }
        }
        Ok(Turn::Done)
    }
}

fn shake_hands(stream: &mut std::net::TcpStream, address: SocketAddr) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot shake hands with {address}: {error}");
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
    if !response.starts_with(b"HTTP/1.1 101") {
        return Err(format!("not a 101: {}", String::from_utf8_lossy(&response)));
    }
    Ok(())
}
