//! What every stream of bytes shares: reads that yield chunks or messages, and writes.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::wire::Wire;
use super::{Bare, CutError, Cutter, Framing, Peer, RecvError, SendError, file, gone};
#[cfg(unix)]
use super::{child, exec};
use crate::core::Message;
use crate::limits::{GATHERED_BYTES_MAX, STREAM_CHUNK_BYTES_MAX, STREAM_CHUNK_BYTES_MIN};

/// Before a message, the message, and behind it.
const SLICES_MAX: usize = 3;

/// Reads one chunk off a half that has `readable` and `try_read_buf`, which are not in a trait.
/// The buffer is made once there is something to read, so that a quiet connection has none.
macro_rules! read_chunk {
    ($half:expr, $room:expr) => {
        loop {
            if let Err(error) = $half.readable().await {
                break Err(error);
            }
            let mut buffer = BytesMut::with_capacity($room);
            match $half.try_read_buf(&mut buffer) {
                Ok(_) => break Ok(buffer.freeze()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => break Err(error),
            }
        }
    };
}

/// Both halves of a TCP connection.
pub(super) fn tcp(stream: TcpStream, peer: &Peer) -> (Incoming, Outgoing) {
    let (reader, writer) = stream.into_split();
    (Incoming::new(Reader::Tcp(reader), peer), Outgoing::new(Writer::Tcp(writer), peer))
}

/// Both halves of a connection over TLS.
pub(super) fn tls(wire: Wire, peer: &Peer) -> (Incoming, Outgoing) {
    let wire = Arc::new(wire);
    let writer = Writer::Tls(TlsWriter { wire: Arc::clone(&wire), is_aborted: false });
    (Incoming::new(Reader::Tls(wire), peer), Outgoing::new(writer, peer))
}

/// Both halves of a Unix-domain connection.
#[cfg(unix)]
pub(super) fn unix(stream: tokio::net::UnixStream, peer: &Peer) -> (Incoming, Outgoing) {
    let (reader, writer) = stream.into_split();
    (Incoming::new(Reader::Unix(reader), peer), Outgoing::new(Writer::Unix(writer), peer))
}

/// Both halves of standard input and output; `input` yields what was read, and closes at its end.
pub(super) fn stdio(
    input: mpsc::Receiver<io::Result<Bytes>>,
    output: tokio::io::Stdout,
) -> (Incoming, Outgoing) {
    let peer = Peer::Stdio;
    (Incoming::new(Reader::Queue(input), &peer), Outgoing::new(Writer::Stdout(output), &peer))
}

/// Both halves of a program, which is judged by how it ended if it is `running` for them.
#[cfg(unix)]
pub(super) fn program(
    input: Option<child::Input>,
    output: child::Output,
    peer: &Peer,
    running: Option<exec::Running>,
) -> (Incoming, Outgoing) {
    let reader = Reader::Program(output, running.clone());
    (Incoming::new(reader, peer), Outgoing::new(Writer::Program(input, running), peer))
}

/// Both halves of a file; `input` yields what was read, and closes at its end.
pub(super) fn file(
    input: mpsc::Receiver<io::Result<Bytes>>,
    output: file::Appender,
    peer: &Peer,
) -> (Incoming, Outgoing) {
    (Incoming::new(Reader::Queue(input), peer), Outgoing::new(Writer::File(output), peer))
}

/// Why they fit together.
const HALVES: &str = "they are halves of one connection";

/// The socket of a connection whose halves were not used yet; what has none comes back as it was.
pub(super) fn take_apart(
    incoming: Incoming,
    outgoing: Outgoing,
) -> Result<Wire, Box<(Incoming, Outgoing)>> {
    let is_fresh = incoming.cutter.is_none()
        && !incoming.ended
        && outgoing.gathered.is_empty()
        && outgoing.framing == Framing::Raw;
    if !is_fresh {
        return Err(Box::new((incoming, outgoing)));
    }
    match (incoming, outgoing) {
        (
            Incoming { reader: Reader::Tcp(reader), .. },
            Outgoing { writer: Writer::Tcp(writer), .. },
        ) => Ok(Wire::from(reader.reunite(writer).expect(HALVES))),
        #[cfg(unix)]
        (
            Incoming { reader: Reader::Unix(reader), .. },
            Outgoing { writer: Writer::Unix(writer), .. },
        ) => Ok(Wire::from(reader.reunite(writer).expect(HALVES))),
        (
            Incoming { reader: Reader::Tls(wire), .. },
            Outgoing { writer: Writer::Tls(mut writer), .. },
        ) => {
            // It goes on elsewhere, and is not closed here.
            writer.is_aborted = true;
            drop(writer);
            Ok(Arc::into_inner(wire).expect(HALVES))
        }
        halves => Err(Box::new(halves)),
    }
}

/// The receiving half of a stream.
#[derive(Debug)]
pub(super) struct Incoming {
    reader: Reader,
    /// How much room the next read makes: it follows the traffic, so that a quiet connection
    /// costs little and a busy one few calls.
    room: usize,
    /// Only when the stream is read by messages.
    cutter: Option<Cutter>,
    ended: bool,
    peer: Peer,
}

#[derive(Debug)]
enum Reader {
    Tcp(tokio::net::tcp::OwnedReadHalf),
    Tls(Arc<Wire>),
    #[cfg(unix)]
    Unix(tokio::net::unix::OwnedReadHalf),
    /// What a thread reads: standard input, a file.
    Queue(mpsc::Receiver<io::Result<Bytes>>),
    #[cfg(unix)]
    Program(child::Output, Option<exec::Running>),
}

impl Incoming {
    fn new(reader: Reader, peer: &Peer) -> Self {
        let peer = peer.clone();
        Self { reader, room: STREAM_CHUNK_BYTES_MIN, cutter: None, ended: false, peer }
    }

    /// Whether the peer has gone, though reading would not show it.
    pub(super) fn is_gone(&self) -> bool {
        match &self.reader {
            Reader::Tcp(half) => gone::is_over(half.as_ref(), false),
            Reader::Tls(wire) => wire.carrier().is_over(false),
            #[cfg(unix)]
            Reader::Unix(half) => gone::is_over(half.as_ref(), false),
            Reader::Queue(_) => false,
            #[cfg(unix)]
            Reader::Program(..) => false,
        }
    }

    /// Has the system look after a peer that says nothing.
    pub(super) fn look_after_peer(&self) {
        let socket: Option<&TcpStream> = match &self.reader {
            Reader::Tcp(half) => Some(half.as_ref()),
            Reader::Tls(wire) => wire.carrier().tcp(),
            _ => None,
        };
        if let Some(socket) = socket {
            gone::look_after(socket.into());
        }
    }

    /// `bytes_max` bounds each message.
    pub(super) fn set_framing(&mut self, framing: Framing, bytes_max: usize) {
        let is_cut = framing != Framing::Raw;
        self.cutter = is_cut.then(|| Cutter::new(framing, bytes_max));
    }

    /// Whether there is a socket below.
    pub(super) fn is_socket(&self) -> bool {
        match &self.reader {
            Reader::Tcp(_) | Reader::Tls(_) => true,
            #[cfg(unix)]
            Reader::Unix(_) => true,
            #[cfg(unix)]
            Reader::Program(..) => false,
            Reader::Queue(_) => false,
        }
    }

    /// The socket, when what it has is handed on as it comes and nothing of it waits here.
    pub(super) fn bare(&self) -> Option<Bare<'_>> {
        match &self.reader {
            _ if self.cutter.is_some() || self.ended => None,
            Reader::Tcp(half) => Some(Bare::Tcp(half.as_ref())),
            #[cfg(unix)]
            Reader::Unix(half) => Some(Bare::Unix(half.as_ref())),
            _ => None,
        }
    }

    /// Safe to cancel: nothing is taken from the socket before the last await.
    pub(super) async fn recv(&mut self) -> Result<Option<Message>, RecvError> {
        loop {
            match self.cutter.as_mut().map_or(Ok(None), Cutter::next) {
                Ok(None) => {}
                Ok(Some(message)) => return Ok(Some(Message::binary(message))),
                Err(error) => return Err(self.uncut(error)),
            }
            let chunk = if self.ended { None } else { self.read().await? };
            match (chunk, &mut self.cutter) {
                (None, None) => return Ok(None),
                (None, Some(cutter)) => {
                    return match cutter.rest() {
                        Ok(message) => Ok(message.map(Message::binary)),
                        Err(error) => Err(self.uncut(error)),
                    };
                }
                (Some(chunk), None) => return Ok(Some(Message::binary(chunk))),
                (Some(chunk), Some(cutter)) => cutter.push(chunk),
            }
        }
    }

    /// After a message that cannot be cut off there is nothing more to be had: where the next one
    /// begins is not known.
    fn uncut(&mut self, error: CutError) -> RecvError {
        self.ended = true;
        let cutter = self.cutter.take();
        let peer = self.peer.clone();
        match error {
            CutError::TooLong => {
                let bytes_max = cutter.map_or(0, |cutter| cutter.bytes_max());
                RecvError::TooLong { peer, bytes_max }
            }
            CutError::Unfinished { missing } => RecvError::Unfinished { peer, missing },
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, RecvError> {
        let read = match &mut self.reader {
            Reader::Tcp(half) => read_chunk!(half, self.room),
            Reader::Tls(wire) => read_chunk!(wire, self.room),
            #[cfg(unix)]
            Reader::Unix(half) => read_chunk!(half, self.room),
            Reader::Queue(chunks) => chunks.recv().await.unwrap_or_else(|| Ok(Bytes::new())),
            #[cfg(unix)]
            Reader::Program(output, _) => read_chunk!(output, self.room),
        };
        match read {
            Ok(chunk) if chunk.is_empty() => {
                #[cfg(unix)]
                if let Reader::Program(_, Some(program)) = &self.reader
                    && let Err(error) = program.judge(&self.peer).await
                {
                    (self.ended, self.cutter) = (true, None);
                    return Err(error);
                }
                self.ended = true;
                Ok(None)
            }
            Ok(chunk) => {
                self.adapt(chunk.len());
                Ok(Some(chunk))
            }
            Err(error) => {
                self.ended = true;
                // Half a message is not passed off as one.
                self.cutter = None;
                Err(match error.kind() {
                    // TLS was cut off: somebody else may have done it.
                    io::ErrorKind::UnexpectedEof => RecvError::Abnormal { peer: self.peer.clone() },
                    _ => RecvError::from_io(&self.peer, error),
                })
            }
        }
    }

    fn adapt(&mut self, read: usize) {
        if read >= self.room {
            self.room = (self.room * 4).min(STREAM_CHUNK_BYTES_MAX);
        } else if read < self.room / 8 {
            self.room = (self.room / 4).max(STREAM_CHUNK_BYTES_MIN);
        }
    }
}

/// The sending half of a stream.
#[derive(Debug)]
pub(super) struct Outgoing {
    writer: Writer,
    framing: Framing,
    /// What was fed and not sent yet.
    gathered: BytesMut,
    peer: Peer,
}

#[derive(Debug)]
enum Writer {
    Tcp(tokio::net::tcp::OwnedWriteHalf),
    Tls(TlsWriter),
    #[cfg(unix)]
    Unix(tokio::net::unix::OwnedWriteHalf),
    Stdout(tokio::io::Stdout),
    File(file::Appender),
    #[cfg(unix)]
    Program(
        Option<child::Input>,
        #[expect(dead_code, reason = "it runs as long as this is here")] Option<exec::Running>,
    ),
}

/// Closes its side when it is dropped, as the halves of tokio do.
#[derive(Debug)]
struct TlsWriter {
    wire: Arc<Wire>,
    /// Then nothing is said: whoever hears a goodbye believes that it has everything.
    is_aborted: bool,
}

impl Drop for TlsWriter {
    fn drop(&mut self) {
        if !self.is_aborted {
            self.wire.shut_down(Shutdown::Write);
        }
    }
}

impl Outgoing {
    fn new(writer: Writer, peer: &Peer) -> Self {
        let gathered = BytesMut::new();
        Self { writer, framing: Framing::Raw, gathered, peer: peer.clone() }
    }

    pub(super) fn set_framing(&mut self, framing: Framing) {
        self.framing = framing;
    }

    /// The socket, when it takes bytes as they are and nothing waits here to be sent before them.
    pub(super) fn bare(&self) -> Option<Bare<'_>> {
        match &self.writer {
            _ if self.framing != Framing::Raw || !self.gathered.is_empty() => None,
            Writer::Tcp(half) => Some(Bare::Tcp(half.as_ref())),
            #[cfg(unix)]
            Writer::Unix(half) => Some(Bare::Unix(half.as_ref())),
            _ => None,
        }
    }

    /// Gives the connection up so that the peer does not take what it has for everything: TCP is
    /// reset, once the receiving half is gone too. Other streams have no word for it and end.
    pub(super) fn abort(self) {
        // Options can be set as long as the connection is there.
        match self.writer {
            Writer::Tcp(half) => {
                let _ = socket2::SockRef::from(half.as_ref()).set_linger(Some(Duration::ZERO));
                // A reset, and no end before it.
                half.forget();
            }
            Writer::Tls(mut writer) => {
                writer.wire.reset_when_closed();
                writer.is_aborted = true;
            }
            _ => {}
        }
    }

    /// Not safe to cancel: a part of the message may have been sent.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), SendError> {
        if !self.gathered.is_empty() {
            self.feed(message).await?;
            return self.flush().await;
        }
        let (before, after) = self.around(&message)?;
        self.write(before.chain(message.payload).chain(after)).await
    }

    /// Gathers messages to be sent together. Not safe to cancel, when enough has gathered to be
    /// sent.
    pub(super) async fn feed(&mut self, message: Message) -> Result<(), SendError> {
        if self.gathered.len() >= GATHERED_BYTES_MAX {
            self.flush().await?;
        }
        let (before, after) = self.around(&message)?;
        self.gathered.put(before.chain(message.payload).chain(after));
        Ok(())
    }

    /// Sends what has gathered. Not safe to cancel: a part of it may have been sent.
    pub(super) async fn flush(&mut self) -> Result<(), SendError> {
        match std::mem::take(&mut self.gathered) {
            gathered if gathered.is_empty() => Ok(()),
            gathered => self.write(gathered).await,
        }
    }

    /// What its framing puts around a message.
    fn around(&self, message: &Message) -> Result<(Bytes, &'static [u8]), SendError> {
        self.framing.around(message.payload.len()).ok_or_else(|| {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "no length says as much");
            SendError::from_io(&self.peer, error)
        })
    }

    async fn write(&mut self, bytes: impl Buf) -> Result<(), SendError> {
        let sent = match &mut self.writer {
            Writer::Tcp(half) => write(half, bytes).await,
            Writer::Tls(TlsWriter { wire, .. }) => write_to_wire(wire, bytes).await,
            #[cfg(unix)]
            Writer::Unix(half) => write(half, bytes).await,
            Writer::Stdout(stdout) => write(stdout, bytes).await,
            Writer::File(file) => file.append(bytes).await,
            #[cfg(unix)]
            Writer::Program(Some(input), _) => input.write(bytes).await,
            #[cfg(unix)]
            Writer::Program(None, _) => Err(io::ErrorKind::BrokenPipe.into()),
        };
        sent.map_err(|error| SendError::from_io(&self.peer, error))
    }

    /// Half-closes sockets. Standard output is flushed: it belongs to the whole program.
    pub(super) async fn finish(&mut self) -> Result<(), SendError> {
        self.flush().await?;
        let finished = match &mut self.writer {
            Writer::Tcp(half) => half.shutdown().await,
            Writer::Tls(TlsWriter { wire, .. }) => wire.finish().await,
            #[cfg(unix)]
            Writer::Unix(half) => half.shutdown().await,
            Writer::Stdout(stdout) => stdout.flush().await,
            Writer::File(_) => Ok(()),
            #[cfg(unix)]
            Writer::Program(input, _) => match input {
                Some(input) => input.finish().await,
                None => Ok(()),
            },
        };
        finished.map_err(|error| SendError::from_io(&self.peer, error))
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), mut bytes: impl Buf) -> io::Result<()> {
    writer.write_all_buf(&mut bytes).await?;
    writer.flush().await
}

/// Until the socket, and not only TLS, has taken everything.
async fn write_to_wire(wire: &Wire, mut bytes: impl Buf) -> io::Result<()> {
    loop {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let count = bytes.chunks_vectored(&mut slices);
        let written = match count {
            0 => wire.try_flush().map(|()| 0),
            count => wire.try_write_vectored(&slices[..count]),
        };
        match written {
            Ok(_) if count == 0 => return Ok(()),
            Ok(taken) => bytes.advance(taken),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wire.writable().await?,
            Err(error) => return Err(error),
        }
    }
}
