//! The floor: what an echo costs when nothing is checked.
//!
//! A bare edge-triggered epoll loop that receives, unmasks and sends. All frames of one read are
//! answered with one write. No rule of the protocol is checked, no UTF-8, no limit. What a server
//! spends beyond this is what its protocol, its runtime and its checks cost.

mod epoll;
mod frames;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use epoll::Epoll;

/// One buffer for all connections: what a read takes at most. Measured: with 16 KiB in batches of
/// 32, half of it costs 0 to 8 % more, a quarter 25 %, an eighth three times as much.
const READ_BYTES: usize = 256 * 1024;

/// Whether the bytes are sent back as they are, without WebSocket: the third argument is `tcp`.
static IS_TCP: std::sync::OnceLock<bool> = std::sync::OnceLock::new();

/// A connection, which owns nothing on the heap while it is idle.
struct Connection {
    stream: TcpStream,
    upgraded: bool,
    /// The beginning of a frame, or of the request, whose rest has not arrived.
    partial: Vec<u8>,
    /// What the socket would not take yet.
    unsent: Vec<u8>,
}

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", echo_bench::port()))?;
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new()?;
    epoll.add(listener.as_raw_fd())?;

    // A connection stands at the place of its descriptor.
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut buffer = vec![0; read_bytes()];
    let mut events = epoll::events();
    loop {
        for descriptor in epoll.wait(&mut events)? {
            if descriptor == listener.as_raw_fd() {
                accept(&listener, &epoll, &mut connections)?;
                continue;
            }
            let place = &mut connections[descriptor as usize];
            if let Some(connection) = place
                && !connection.advance(&mut buffer)
            {
                *place = None;
            }
        }
    }
}

/// The second argument, in KiB, to find out what the size of a read is worth.
fn read_bytes() -> usize {
    let argument = std::env::args().nth(2);
    argument.map_or(READ_BYTES, |kib| kib.parse::<usize>().expect("a number of KiB") * 1024)
}

fn accept(
    listener: &TcpListener,
    epoll: &Epoll,
    connections: &mut Vec<Option<Connection>>,
) -> std::io::Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let descriptor = stream.as_raw_fd();
        epoll.add(descriptor)?;
        let place = descriptor as usize;
        if connections.len() <= place {
            connections.resize_with(place + 1, || None);
        }
        let (partial, unsent) = (Vec::new(), Vec::new());
        connections[place] = Some(Connection { stream, upgraded: false, partial, unsent });
    }
}

impl Connection {
    /// Whether the connection goes on.
    fn advance(&mut self, buffer: &mut [u8]) -> bool {
        if !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
            if !self.unsent.is_empty() {
                return true;
            }
        }
        loop {
            let kept = self.partial.len();
            buffer[..kept].copy_from_slice(&self.partial);
            let read = match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => return false,
                Ok(read) => read,
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            };
            let drained = kept + read < buffer.len();
            if !self.answer(&mut buffer[..kept + read]) {
                return false;
            }
            // A read that was not filled has emptied the socket (epoll(7)): the next edge comes.
            // While the peer does not read, nothing more is read from it.
            if drained || !self.unsent.is_empty() {
                return true;
            }
        }
    }

    fn answer(&mut self, received: &mut [u8]) -> bool {
        if *IS_TCP.get_or_init(|| std::env::args().nth(3).as_deref() == Some("tcp")) {
            return self.send(received);
        }
        if !self.upgraded {
            let Some(answer) = echo_bench::handshake::answer(received) else {
                self.partial = received.to_vec();
                return true;
            };
            self.partial = Vec::new();
            self.upgraded = true;
            return self.stream.write_all(answer.as_bytes()).is_ok();
        }
        let echo = frames::echo_in_place(received);
        self.partial.clear();
        self.partial.extend_from_slice(&received[echo.consumed..]);
        self.send(&received[..echo.replies])
    }

    fn send(&mut self, replies: &[u8]) -> bool {
        if replies.is_empty() {
            return true;
        }
        let written = match self.stream.write(replies) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return false,
        };
        self.unsent.extend_from_slice(&replies[written..]);
        true
    }
}
