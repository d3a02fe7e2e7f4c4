//! Shaking hands over TLS on tokio.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{ClientTls, Distrust, Inside, ServerTls, Session};
use crate::address::Host;
use crate::limits;
use crate::transport::carrier::Carrier;
use crate::transport::wire::{self, Wire};

/// What a client is told that speaks HTTP without TLS. Nothing of it is the client's own.
const PLAIN_ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 57\r\n\
    connection: close\r\n\r\n\
    this port speaks TLS: ask for it with https:// or wss://\n";

impl ServerTls {
    /// Shakes hands with a client within [`limits::HANDSHAKE_TIMEOUT`]. One that asks for HTTP
    /// without TLS is told so in words it understands.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connection.
    pub(crate) async fn accept(
        &self,
        stream: impl Into<Carrier>,
        inside: Inside,
    ) -> io::Result<Wire> {
        self.accept_within(stream.into(), inside, limits::HANDSHAKE_TIMEOUT).await
    }

    async fn accept_within(
        &self,
        mut stream: Carrier,
        inside: Inside,
        time: Duration,
    ) -> io::Result<Wire> {
        let shaking = async {
            // No browser strays to a Unix-domain socket.
            if let (Inside::Http, Carrier::Tcp(stream)) = (inside, &mut stream) {
                refuse_plain_http(stream).await?;
            }
            wire::shake_hands(stream, self.session(inside)?).await
        };
        timeout(time, shaking).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

async fn refuse_plain_http(stream: &mut TcpStream) -> io::Result<()> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    // TLS begins with 22, and HTTP with the name of a method.
    if count == 1 && first[0].is_ascii_alphabetic() {
        answer_in_plain(stream).await?;
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it speaks no TLS"));
    }
    Ok(())
}

async fn answer_in_plain(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(PLAIN_ANSWER).await?;
    stream.shutdown().await?;
    // To close on unread bytes would reset the connection, and the answer could be lost.
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

impl ClientTls {
    /// Makes ready to meet `host`: a file that cannot be used is found out before anybody is
    /// connected to.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(crate) async fn prepare(
        &self,
        host: &Host,
        inside: Inside,
    ) -> Result<Box<Session>, Distrust> {
        let (this, host) = (self.clone(), host.clone());
        // The system's list of issuers is read from files.
        tokio::task::spawn_blocking(move || this.session(&host, inside))
            .await
            .map_err(|error| Distrust::Other(error.to_string()))?
    }
}

/// Shakes hands with the server on `stream`.
///
/// # Cancel safety
///
/// Dropping the future drops the connection.
pub(in crate::transport) async fn connect(
    stream: Carrier,
    session: Box<Session>,
) -> Result<Wire, Distrust> {
    wire::shake_hands(stream, session).await.map_err(|error| Distrust::from_io(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_in_plain_is_as_long_as_it_says() {
        let answer = std::str::from_utf8(PLAIN_ANSWER).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
