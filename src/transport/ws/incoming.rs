//! The receiving half of a WebSocket, which also answers pings, keeps watch over the peer and
//! ends the connection.

use std::{io, net::Shutdown, sync::Arc};

use bytes::{Buf as _, BytesMut};
use enchufe_core::{
    Message,
    ws::{CloseReason, Decoder, Event, Violation, deflate::Direction},
};
use tokio::time::{Instant, sleep_until};

use super::{Request, shared::Shared, writer::Writer};
use crate::{limits, transport::RecvError};

/// The receiving half.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(super) shared: Arc<Shared>,
    pub(super) decoder: Decoder,
    /// What was read behind the last message. Empty, and without memory, while nothing comes.
    pub(super) buffer: BytesMut,
    phase: Phase,
    closed_with: Option<CloseReason>,
    watch: Watch,
    /// Whether pings were answered and the answers have not gone.
    owes_pongs: bool,
    /// How we may compress.
    pub(super) deflate: Option<Direction>,
    /// What the client asked for, if that is kept.
    pub(crate) request: Option<Box<Request>>,
}

#[derive(Debug)]
enum Phase {
    Open,
    /// Our last frame, a Close, has to go out.
    Ending {
        deadline: Instant,
        violation: Option<Violation>,
    },
    Ended,
}

/// When the peer was asked for a sign of life.
#[derive(Debug, Default)]
struct Watch {
    ping_at: Option<Instant>,
    /// When the first ping went that nothing was received after.
    unanswered_since: Option<Instant>,
}

/// What decoding found.
enum Found {
    Message(Message),
    Control,
    Nothing,
}

impl Incoming {
    pub(super) fn new(
        shared: Arc<Shared>,
        decoder: Decoder,
        buffer: BytesMut,
        deflate: Option<Direction>,
    ) -> Self {
        Self {
            shared,
            decoder,
            buffer,
            phase: Phase::Open,
            closed_with: None,
            watch: Watch::default(),
            owes_pongs: false,
            deflate,
            request: None,
        }
    }

    /// Whether the peer sends no more, though what it sent was not read to the end.
    pub(crate) fn is_gone(&self) -> bool {
        self.shared.stream.carrier().is_over(true)
    }

    /// What the peer's Close frame said, once [`Self::recv`] gave `None`. `None` when it said
    /// nothing, or when it only went away after we had closed.
    pub(crate) fn closed_with(&self) -> Option<&CloseReason> {
        self.closed_with.as_ref()
    }

    /// Whether the peer broke the protocol or a limit. [`Self::recv`] says what, once the peer has
    /// had time to read that it did.
    pub(crate) fn has_violation(&self) -> bool {
        matches!(self.phase, Phase::Ending { violation: Some(_), .. })
    }

    /// Whether nothing was received yet, and nothing but the handshake sent.
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.phase, Phase::Open)
            && self.watch.ping_at.is_none()
            && self.decoder.is_idle()
            && self.shared.close_deadline().is_none()
            && self.shared.write(|writer| writer.is_fresh())
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// The next message, or `None` when the connection was closed as the protocol wants it.
    ///
    /// While it waits, pings are answered, sent, and missed. It never waits for a peer that does
    /// not read.
    ///
    /// # Errors
    ///
    /// [`RecvError::Abnormal`] when the peer went away without a Close frame,
    /// [`RecvError::Violation`] when it broke the protocol or a limit (it is told which),
    /// [`RecvError::Silent`] when it gave no sign of life, or an I/O error. All of them end the
    /// connection.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: nothing received is lost.
    pub(crate) async fn recv(&mut self) -> Result<Option<Message>, RecvError> {
        loop {
            // A peer that always has something for us must not keep other tasks waiting.
            tokio::task::consume_budget().await;
            match self.phase {
                Phase::Open => {}
                Phase::Ending { deadline, violation } => {
                    return self.end(deadline, violation).await;
                }
                Phase::Ended => return Ok(None),
            }
            match self.decode() {
                Found::Message(message) => {
                    // What is done with it may take long.
                    if self.owes_pongs {
                        self.flush();
                    }
                    return Ok(Some(message));
                }
                Found::Control => continue,
                // Answers to all pings of one read leave together, and with what was fed meanwhile.
                Found::Nothing => _ = self.flush(),
            }
            if self.shared.close_deadline().is_some_and(|deadline| deadline <= Instant::now()) {
                self.shut();
                return Ok(None);
            }
            match self.read() {
                Ok(0) => {
                    let peer = self.shared.peer.clone();
                    return self.ended_without_close(RecvError::Abnormal { peer });
                }
                Ok(_) => self.watch.unanswered_since = None,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait().await?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // TLS was cut off, and WebSocket with it.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let peer = self.shared.peer.clone();
                    return self.ended_without_close(RecvError::Abnormal { peer });
                }
                Err(error) => {
                    let error = RecvError::from_io(&self.shared.peer, error);
                    return self.ended_without_close(error);
                }
            }
        }
    }

    fn decode(&mut self) -> Found {
        let decoded = match self.decoder.decode(&mut self.buffer) {
            Ok(decoded) => decoded,
            Err(violation) => {
                self.begin_end(Some(&violation.reason()), Some(violation));
                return Found::Control;
            }
        };
        let consumed = decoded.consumed;
        let found = match decoded.event {
            None => Found::Nothing,
            Some(Event::Message(message)) => Found::Message(message.to_owned()),
            Some(Event::Ping(payload)) => {
                self.shared.write(|writer| writer.put_pong(payload));
                self.owes_pongs = true;
                Found::Control
            }
            Some(Event::Pong(_)) => Found::Control,
            Some(Event::Close(reason)) => {
                // The answer repeats the code (RFC 6455 §5.5.1); the text is the peer's own.
                let answer = reason.as_ref().map(|reason| CloseReason::new(reason.code, ""));
                self.closed_with = reason;
                self.begin_end(answer.as_ref(), None);
                return Found::Control;
            }
        };
        self.buffer.advance(consumed);
        found
    }

    fn read(&mut self) -> io::Result<usize> {
        self.buffer.reserve(limits::WS_READ_BYTES);
        let read = self.shared.stream.try_read_buf(&mut self.buffer);
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        read
    }

    /// Sends what the socket takes at once, and says whether that was everything.
    fn flush(&mut self) -> bool {
        self.owes_pongs = false;
        // When writing fails, so will reading, and that is where it is reported.
        self.shared.flush().unwrap_or(true)
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) -> Result<(), RecvError> {
        let wake_at = self.keep_watch()?;
        let wake_at = wake_at.into_iter().chain(self.shared.close_deadline()).min();
        let is_flushed = self.flush();
        let stream = &self.shared.stream;
        // An error here is one of reading, and the read that follows reports it.
        tokio::select! {
            _ = stream.readable() => {}
            _ = stream.writable(), if !is_flushed => {}
            () = self.shared.closing.notified() => {}
            () = sleep_until(wake_at.unwrap_or_else(Instant::now)), if wake_at.is_some() => {}
        }
        Ok(())
    }

    /// Pings when it is time to, and says when to look again.
    fn keep_watch(&mut self) -> Result<Option<Instant>, RecvError> {
        let Some(keepalive) = self.shared.keepalive else { return Ok(None) };
        let now = Instant::now();
        let ping_at = self.watch.ping_at.get_or_insert(now + keepalive.ping_interval);
        if *ping_at <= now {
            *ping_at = now + keepalive.ping_interval;
            self.watch.unanswered_since.get_or_insert(now);
            self.shared.write(Writer::put_ping);
        }
        let ping_at = *ping_at;
        let Some(unanswered_since) = self.watch.unanswered_since else { return Ok(Some(ping_at)) };
        // Behind a frame that is still on its way the ping has not even arrived.
        let taken_at = self.shared.write(|writer| writer.progress_at()).unwrap_or(unanswered_since);
        let gone_at = unanswered_since.max(taken_at) + keepalive.answer_timeout();
        if gone_at <= now {
            self.shared.give_up();
            self.phase = Phase::Ended;
            let peer = self.shared.peer.clone();
            return Err(RecvError::Silent { peer, silence: keepalive.dead_after });
        }
        Ok(Some(ping_at.min(gone_at)))
    }

    fn begin_end(&mut self, answer: Option<&CloseReason>, violation: Option<Violation>) {
        self.shared.write(|writer| writer.put_close(answer));
        self.buffer = BytesMut::new();
        self.phase = Phase::Ending { deadline: Instant::now() + limits::LINGER, violation };
    }

    /// Sends the last frame and shuts the write side. After a violation the peer is still sending;
    /// what it sends is read for a while, because closing on unread bytes would reset the
    /// connection and the frame that says why could be lost.
    async fn end(
        &mut self,
        deadline: Instant,
        violation: Option<Violation>,
    ) -> Result<Option<Message>, RecvError> {
        loop {
            tokio::task::consume_budget().await;
            let is_flushed = self.flush();
            if is_flushed {
                self.shared.shut_down(Shutdown::Write);
            }
            let is_over = match violation {
                None => is_flushed,
                Some(_) => !self.discard(),
            };
            if is_over || deadline <= Instant::now() {
                break;
            }
            let stream = &self.shared.stream;
            tokio::select! {
                _ = stream.readable(), if violation.is_some() => {}
                _ = stream.writable(), if !is_flushed => {}
                () = sleep_until(deadline) => {}
            }
        }
        self.phase = Phase::Ended;
        let Some(violation) = violation else { return Ok(None) };
        Err(RecvError::Violation {
            peer: self.shared.peer.clone(),
            code: violation.code,
            reason: violation.to_string(),
        })
    }

    /// Drops what came in, one read of it. False when nothing more will come.
    fn discard(&mut self) -> bool {
        let read = self.read();
        self.buffer = BytesMut::new();
        match read {
            Ok(count) => count > 0,
            Err(error) => {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
            }
        }
    }

    /// The connection ended without the peer's Close frame. That is an error unless it is how the
    /// peer answered ours.
    fn ended_without_close(&mut self, error: RecvError) -> Result<Option<Message>, RecvError> {
        let was_closing = self.shared.close_deadline().is_some();
        self.shut();
        if was_closing { Ok(None) } else { Err(error) }
    }

    fn shut(&mut self) {
        self.shared.shut_down(Shutdown::Write);
        self.phase = Phase::Ended;
    }
}
