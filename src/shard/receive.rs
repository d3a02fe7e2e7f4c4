//! Reading: what peers send, decoded in the shard's one buffer.

use std::io::{self, Read as _};

use enchufe_core::{
    MessageRef,
    ws::{self, CloseCode, CloseReason, Event},
};

use super::{
    Ending, Full, Outlet, Protocol, Received, Room, Seat, Shard, Tenant,
    socket::{Phase, Socket},
};
use crate::limits;

impl<T: Tenant> Shard<T> {
    /// Reads what has come for one socket. With `to_the_end` it does not stop at a short read: the
    /// end of the stream is behind it, and nothing would tell of it again.
    pub(super) fn receive(&mut self, index: usize, to_the_end: bool) {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.receive_into(index, &mut buffer, to_the_end);
        self.buffer = buffer;
    }

    /// Goes on with a connection that was not to be read before it had taken what waited for it.
    pub(super) fn resume(&mut self, index: usize) {
        let Some(socket) = self.table.sockets.get(index) else { return };
        if !self.tenant.outlet().is_full(&socket.seat) {
            self.receive(index, true);
        }
    }

    fn receive_into(&mut self, index: usize, buffer: &mut [u8], to_the_end: bool) {
        for _ in 0..limits::SHARD_READS_MAX {
            let Some(socket) = self.table.sockets.get_mut(index) else { return };
            if self.tenant.outlet().is_full(&socket.seat) {
                // Whoever does not take the answers is asked no further.
                return;
            }
            if let Some(mut kept) = socket.kept.take() {
                self.take_in(index, &mut kept, 0);
                continue;
            }
            let start = socket.room_bytes();
            let free = &mut buffer[start..start + limits::SHARD_BUFFER_BYTES];
            match socket.wire.read(free) {
                Ok(0) => {
                    let has_last_words = self.tenant.outlet().is_closing(&socket.seat);
                    match socket.phase {
                        Phase::Open if socket.protocol.is_stream() => {
                            socket.phase = Phase::Parting;
                            self.tenant.outlet().end(&mut socket.seat);
                            self.flush(index, &[]);
                        }
                        Phase::Open if has_last_words => socket.phase = Phase::Parting,
                        Phase::Parting => {}
                        _ => self.remove(index, Ending::Abnormal),
                    }
                    return;
                }
                Ok(length) => {
                    // Of one that is to close only its reading counts, or it could stay for ever.
                    if !self.tenant.outlet().is_closing(&socket.seat) {
                        socket.alive = self.table.now;
                    }
                    let is_last = length < free.len() && !socket.wire.is_secure();
                    if socket.phase == Phase::Open {
                        self.take_in(index, &mut buffer[..start + length], start);
                    }
                    // A short read on an edge-triggered stream has emptied it; one of TLS may not.
                    if is_last && !to_the_end && !self.has_kept(index) {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.remove(index, Ending::Abnormal);
                    return;
                }
                Err(error) => {
                    self.remove(index, Ending::Broken(error));
                    return;
                }
            }
        }
        self.table.read_later(index);
    }

    fn has_kept(&self, index: usize) -> bool {
        self.table.sockets.get(index).is_some_and(|socket| socket.kept.is_some())
    }

    /// Acts on what a peer sent, which is in `bytes` from `at` on, and sees to it that messages
    /// which are not whole yet do not take too much memory together.
    fn take_in(&mut self, index: usize, bytes: &mut [u8], at: usize) {
        let Some(socket) = self.table.sockets.get_mut(index) else { return };
        if socket.protocol.is_stream() {
            let bytes = &mut bytes[at..];
            let answer = self.tenant.on_bytes(&mut socket.seat, bytes);
            return self.answer(index, &bytes[..answer]);
        }
        self.decode(index, bytes, at);
        // One that goes is enough: it took no less than the one that has just grown.
        if let Some(most) = self.table.count_unfinished(index) {
            self.give_up(most);
        }
    }

    fn give_up(&mut self, index: usize) {
        let Some(socket) = self.table.sockets.get_mut(index) else { return };
        let Protocol::WebSocket(decoder) = &mut socket.protocol else { return };
        let violation = decoder.give_up();
        tracing::warn!(%violation, "a client is told to come back later");
        self.tenant.outlet().finish(&mut socket.seat, &violation.reason());
        socket.violation = Some(Box::new(violation));
        self.table.count_unfinished(index);
        self.answer(index, &[]);
    }

    /// Acts on the messages in `bytes` from `at` on.
    fn decode(&mut self, index: usize, bytes: &mut [u8], at: usize) {
        let mut reading = Reading { bytes, at, answered: 0, inflated: 0 };
        loop {
            let Some(socket) = self.table.sockets.get_mut(index) else { return };
            match reading.deal_with(&mut self.tenant, socket) {
                Ok(Dealt::All) => break,
                Ok(Dealt::Some) => {}
                Err(Full) => return self.drop_socket(index, Ending::Deaf),
            }
            // Whoever reads the answers may ask for as many as they like at once.
            self.flush(index, reading.answers());
            let Some(socket) = self.table.sockets.get_mut(index) else { return };
            if self.tenant.outlet().is_full(&socket.seat)
                || reading.inflated >= limits::SHARD_INFLATED_BYTES
            {
                socket.kept = Some(Box::from(&reading.bytes[reading.at..]));
                return;
            }
        }
        self.answer(index, reading.answers());
    }

    /// Sends what was answered, unless that has its turn.
    pub(super) fn answer(&mut self, index: usize, front: &[u8]) {
        if T::Outlet::ANSWERS_AT_ONCE {
            self.flush(index, front);
        }
    }
}

/// What one read brought, and how far it is dealt with.
struct Reading<'a> {
    bytes: &'a mut [u8],
    /// From here on it is not decoded yet; what lies before is free.
    at: usize,
    /// So much at its front are answers that are not sent yet.
    answered: usize,
    /// How many bytes of messages came compressed: a kilobyte of that can be as much work as a
    /// megabyte.
    inflated: usize,
}

enum Dealt {
    All,
    /// The answers had better go out before the rest.
    Some,
}

impl Reading<'_> {
    fn deal_with<T: Tenant>(
        &mut self,
        tenant: &mut T,
        socket: &mut Socket<Seat<T>>,
    ) -> Result<Dealt, Full> {
        let Socket { protocol, seat, violation, .. } = socket;
        let Protocol::WebSocket(decoder) = protocol else { return Ok(Dealt::All) };
        loop {
            let (room, input) = self.bytes.split_at_mut(self.at);
            match decoder.decode(input) {
                Ok(ws::Decoded { event: None, .. }) => return Ok(Dealt::All),
                // The way of nearly everything. Taking the message apart spares the processor a load
                // that spans two of its stores, which was half of what decoding cost.
                Ok(ws::Decoded {
                    consumed,
                    event: Some(Event::Message(MessageRef { kind, payload })),
                    compressed,
                }) => {
                    self.at += consumed;
                    if compressed {
                        self.inflated += payload.len();
                    }
                    // Nothing follows a Close frame of ours.
                    if !tenant.outlet().is_closing(seat) {
                        let received =
                            Received { message: MessageRef { kind, payload }, compressed };
                        tenant.on_message(seat, received, Room::new(room, &mut self.answered))?;
                    }
                }
                Ok(ws::Decoded { consumed, event: Some(event), .. }) => {
                    self.at += consumed;
                    on_control(tenant, seat, event)?;
                }
                Err(broken) => {
                    // Of one that we had told to go it does not matter any more.
                    if !tenant.outlet().is_closing(seat) {
                        tenant.outlet().finish(seat, &broken.reason());
                        *violation = Some(Box::new(broken));
                    }
                    return Ok(Dealt::All);
                }
            }
            let is_filling = tenant.outlet().is_filling(seat);
            if is_filling || self.inflated >= limits::SHARD_INFLATED_BYTES {
                return Ok(Dealt::Some);
            }
        }
    }

    /// The answers that are not sent yet, which are to be sent now.
    fn answers(&mut self) -> &[u8] {
        &self.bytes[..std::mem::take(&mut self.answered)]
    }
}

fn on_control<T: Tenant>(tenant: &mut T, seat: &mut Seat<T>, event: Event<'_>) -> Result<(), Full> {
    match event {
        // Nothing follows a Close frame of ours.
        Event::Ping(_) if tenant.outlet().is_closing(seat) => Ok(()),
        Event::Ping(payload) => {
            let mut pong = Vec::new();
            ws::encode::frame(&mut pong, ws::Opcode::Pong, payload, None);
            tenant.outlet().push(seat, &pong)
        }
        Event::Message(_) | Event::Pong(_) => Ok(()),
        Event::Close(reason) => {
            // The answer repeats the code (RFC 6455 §5.5.1); the text is the peer's own.
            let code = reason.map_or(CloseCode::NORMAL, |reason| reason.code);
            tenant.outlet().finish(seat, &CloseReason::new(code, ""));
            Ok(())
        }
    }
}
