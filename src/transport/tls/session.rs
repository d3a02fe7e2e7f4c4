//! One TLS connection, driven over whatever socket it is lent.
//!
//! It knows no runtime: the tokio side and the shards lend it their sockets for the length of a
//! call. All it keeps is what TLS itself is in the middle of, within bounds.

use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Connection, ServerConfig};

use crate::limits;

/// One TLS connection without its socket.
///
/// Every method that takes a socket works as far as that goes without waiting, and says
/// [`WouldBlock`](io::ErrorKind::WouldBlock) when it must not go on: the socket must not block.
/// A socket that is watched edge-triggered is drained by calling until then. It is large, and lives
/// in a box.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    /// Decrypted, and not read yet, in bytes.
    plaintext_bytes: usize,
    /// Nothing more will come: the peer has closed or left, or is not to be listened to.
    has_ended: bool,
}

impl Session {
    /// The server's side of a connection that was accepted.
    pub(super) fn server(config: Arc<ServerConfig>) -> Result<Box<Self>, rustls::Error> {
        Ok(Self::new(rustls::ServerConnection::new(config)?.into()))
    }

    /// The client's side of a connection to `name`.
    pub(super) fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Box<Self>, rustls::Error> {
        Ok(Self::new(rustls::ClientConnection::new(config, name)?.into()))
    }

    fn new(mut connection: Connection) -> Box<Self> {
        connection.set_buffer_limit(Some(limits::TLS_UNSENT_BYTES_MAX));
        Box::new(Self { connection, plaintext_bytes: 0, has_ended: false })
    }

    /// Shakes hands as far as the socket allows. `Ok` once that is done and sent.
    ///
    /// # Errors
    ///
    /// `WouldBlock` to be called again when the socket is readable, or, while there is
    /// [something unsent](Self::has_unsent), writable; `UnexpectedEof` when the peer left;
    /// `InvalidData` with a [`rustls::Error`] inside when it is not to be trusted, or speaks no TLS:
    /// then it was told, if the socket took that.
    pub(in crate::transport) fn handshake(
        &mut self,
        socket: &mut (impl Read + Write),
    ) -> io::Result<()> {
        while self.connection.is_handshaking() {
            self.flush(socket)?;
            if self.receive(socket)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.flush(socket)
    }

    /// Reads what the peer sent, decrypted. `Ok(0)` when it has closed, and said so.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is nothing, `UnexpectedEof` when the connection ended without the
    /// peer's word for it (somebody else may have cut it), `InvalidData` when what came is no TLS,
    /// or those of the socket.
    pub(crate) fn read(
        &mut self,
        socket: &mut (impl Read + Write),
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    self.plaintext_bytes -= read.as_ref().map_or(0, |&count| count);
                    return read;
                }
            }
            self.receive(socket)?;
        }
    }

    /// Whether [`Self::read`] has something to say at once, whatever the socket has: nobody will
    /// be woken for it.
    pub(crate) fn has_plaintext(&self) -> bool {
        self.plaintext_bytes > 0 || self.has_ended
    }

    /// Takes what is to be sent, and sends as much of it as the socket takes. The rest is kept, of
    /// at most about [`limits::TLS_UNSENT_BYTES_MAX`], and goes out with the next call, or with
    /// [`Self::flush`]. The count is of plaintext; when it is short, the socket takes nothing more
    /// for now, as it is with a socket itself.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when so much waits already that nothing was taken, or those of the socket.
    pub(crate) fn write(
        &mut self,
        socket: &mut (impl Read + Write),
        slices: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        let wanted: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut taken = self.connection.writer().write_vectored(slices)?;
        loop {
            match self.flush(socket) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && taken > 0 => {
                    return Ok(taken);
                }
                Err(error) => return Err(error),
            }
            if taken == wanted {
                return Ok(taken);
            }
            // What stood in the way has gone out.
            let mut rest = slices.to_vec();
            let mut rest = &mut rest[..];
            IoSlice::advance_slices(&mut rest, taken);
            match self.connection.writer().write_vectored(rest)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                more => taken += more,
            }
        }
    }

    /// Sends what waits to be sent.
    ///
    /// # Errors
    ///
    /// `WouldBlock` while something is left, or those of the socket.
    pub(crate) fn flush(&mut self, socket: &mut (impl Read + Write)) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(socket) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether [`Self::flush`] has something to do.
    pub(crate) fn has_unsent(&self) -> bool {
        self.connection.wants_write()
    }

    /// Says, behind what was sent, that nothing more will come. The peer's own word may follow, and
    /// what it still sends can be read.
    ///
    /// # Errors
    ///
    /// Those of [`Self::flush`], which then has to be called until it is through.
    pub(crate) fn close(&mut self, socket: &mut (impl Read + Write)) -> io::Result<()> {
        self.connection.send_close_notify();
        self.flush(socket)
    }

    /// One read off the socket and what comes of it; the bytes that were read.
    fn receive(&mut self, socket: &mut (impl Read + Write)) -> io::Result<usize> {
        let count = loop {
            // rustls says it again.
            if self.has_ended {
                break 0;
            }
            match self.connection.read_tls(socket) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let processed = self.connection.process_new_packets();
        // Answers to what came, among them the reason why it is refused. Should they have to wait,
        // they go out with what is sent next.
        let flushed = self.flush(socket);
        match processed {
            Ok(state) => {
                self.plaintext_bytes = state.plaintext_bytes_to_read();
                self.has_ended = count == 0 || state.peer_has_closed();
            }
            Err(error) => {
                self.has_ended = true;
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
        match flushed {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
