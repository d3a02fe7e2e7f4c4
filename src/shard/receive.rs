//! Reading: what peers send, decoded in the shard's one buffer.

use std::io::{self, Read as _};

use enchufe_core::ws::{self, CloseCode, CloseReason, Event};

use super::{
    Ending, Full, Outlet, Received, Seat, Shard, Tenant,
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
                self.decode(index, &mut kept);
                continue;
            }
            match socket.wire.read(buffer) {
                Ok(0) => {
                    let has_last_words = self.tenant.outlet().is_closing(&socket.seat);
                    match socket.phase {
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
                    let is_last = length < buffer.len() && !socket.wire.is_secure();
                    if socket.phase == Phase::Open {
                        self.decode(index, &mut buffer[..length]);
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

    /// Acts on what a peer sent.
    fn decode(&mut self, index: usize, mut input: &mut [u8]) {
        let mut inflated = 0;
        loop {
            let Some(socket) = self.table.sockets.get_mut(index) else { return };
            let consumed = match deal_with(&mut self.tenant, socket, input, &mut inflated) {
                Ok(None) => break,
                Ok(Some(consumed)) => consumed,
                Err(Full) => return self.drop_socket(index, Ending::Deaf),
            };
            input = &mut input[consumed..];
            // Whoever reads the answers may ask for as many as they like at once.
            self.flush(index);
            let Some(socket) = self.table.sockets.get_mut(index) else { return };
            if self.tenant.outlet().is_full(&socket.seat)
                || inflated >= limits::SHARD_INFLATED_BYTES
            {
                socket.kept = Some(Box::from(&*input));
                return;
            }
        }
        self.answer(index);
    }

    /// Sends what was answered, unless that has its turn.
    pub(super) fn answer(&mut self, index: usize) {
        if T::Outlet::ANSWERS_AT_ONCE {
            self.flush(index);
        }
    }
}

/// Deals with everything in `input`, or with so much of it that the answers had better go out
/// before the rest, which is what it says then. Counts in `inflated` what came compressed: a
/// kilobyte of that can be as much work as a megabyte.
fn deal_with<T: Tenant>(
    tenant: &mut T,
    socket: &mut Socket<Seat<T>>,
    input: &mut [u8],
    inflated: &mut usize,
) -> Result<Option<usize>, Full> {
    let Socket { decoder, seat, violation, .. } = socket;
    let mut at = 0;
    loop {
        match decoder.decode(&mut input[at..]) {
            Ok(ws::Decoded { event: None, .. }) => return Ok(None),
            Ok(ws::Decoded { consumed, event: Some(event), compressed }) => {
                if let (true, Event::Message(message)) = (compressed, &event) {
                    *inflated += message.payload.len();
                }
                on_event(tenant, seat, event, compressed)?;
                at += consumed;
            }
            Err(broken) => {
                // Of one that we had told to go it does not matter any more.
                if !tenant.outlet().is_closing(seat) {
                    tenant.outlet().finish(seat, &broken.reason());
                    *violation = Some(Box::new(broken));
                }
                return Ok(None);
            }
        }
        if tenant.outlet().is_filling(seat) || *inflated >= limits::SHARD_INFLATED_BYTES {
            return Ok(Some(at));
        }
    }
}

fn on_event<T: Tenant>(
    tenant: &mut T,
    seat: &mut Seat<T>,
    event: Event<'_>,
    compressed: bool,
) -> Result<(), Full> {
    match event {
        // Nothing follows a Close frame of ours.
        Event::Message(_) | Event::Ping(_) if tenant.outlet().is_closing(seat) => Ok(()),
        Event::Message(message) => tenant.on_message(seat, Received { message, compressed }),
        Event::Ping(payload) => {
            let mut pong = Vec::new();
            ws::encode::frame(&mut pong, ws::Opcode::Pong, payload, None);
            tenant.outlet().push(seat, &pong)
        }
        Event::Pong(_) => Ok(()),
        Event::Close(reason) => {
            // The answer repeats the code (RFC 6455 §5.5.1); the text is the peer's own.
            let code = reason.map_or(CloseCode::NORMAL, |reason| reason.code);
            tenant.outlet().finish(seat, &CloseReason::new(code, ""));
            Ok(())
        }
    }
}
