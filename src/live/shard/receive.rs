//! Reading: what viewers send, decoded in the shard's one buffer.

use std::io::{self, Read};

use bytes::Bytes;
use enchufe_core::{
    Form, Kind, MessageRef,
    fanout::{Fanout, OutboxFull, ReaderId},
    v1::{self, Command},
    ws::{self, CloseCode, CloseReason},
};
use tokio::sync::mpsc;

use super::{Shard, socket::Phase};
use crate::{limits, live::node::Errand};

impl Shard {
    /// Reads what has come for one socket. With `to_the_end` it does not stop at a short read: the
    /// end of the stream is behind it, and nothing would tell of it again.
    pub(super) fn receive(&mut self, key: usize, to_the_end: bool) {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.receive_into(key, &mut buffer, to_the_end);
        self.buffer = buffer;
    }

    fn receive_into(&mut self, key: usize, buffer: &mut [u8], to_the_end: bool) {
        for _ in 0..limits::SHARD_READS_MAX {
            let Some(socket) = self.sockets.get_mut(key) else { return };
            match socket.stream.read(buffer) {
                Ok(0) => {
                    self.remove(key);
                    return;
                }
                Ok(length) => {
                    // Of one that is to close only its reading counts, or it could stay for ever.
                    if !self.fanout.is_closing(socket.reader) {
                        socket.alive = self.now;
                    }
                    if socket.phase == Phase::Open {
                        self.decode(key, &mut buffer[..length]);
                    }
                    // A short read on an edge-triggered stream has emptied it.
                    if length < limits::SHARD_BUFFER_BYTES && !to_the_end {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::debug!(%error, "a viewer's connection broke");
                    self.remove(key);
                    return;
                }
            }
        }
        if let Some(socket) = self.sockets.get(key) {
            self.unread.push((key, socket.reader));
        }
    }

    /// Acts on what a viewer sent.
    pub(super) fn decode(&mut self, key: usize, mut input: &mut [u8]) {
        while let Some(socket) = self.sockets.get_mut(key) {
            let reader = socket.reader;
            let mut desk =
                Desk { fanout: &mut self.fanout, errands: &self.errands, shard: self.index };
            let consumed = match socket.decoder.decode(input) {
                Ok(ws::Decoded { event: None, .. }) => return,
                Ok(ws::Decoded { consumed, event: Some(event) }) => {
                    if desk.on_event(reader, event).is_err() {
                        tracing::debug!("a viewer takes no replies and is dropped");
                        self.drop_socket(key);
                        return;
                    }
                    consumed
                }
                Err(violation) => {
                    tracing::debug!(%violation, "a viewer broke the protocol");
                    let reason = CloseReason::new(violation.code, violation.to_string());
                    self.fanout.finish(reader, &reason);
                    return;
                }
            };
            input = &mut input[consumed..];
            // Whoever reads the answers may ask for as many as they like at once.
            if self.fanout.is_filling(reader) {
                self.flush(reader);
            }
        }
    }
}

/// Where viewers' requests are dealt with.
struct Desk<'a> {
    fanout: &'a mut Fanout,
    errands: &'a mpsc::UnboundedSender<Errand>,
    shard: usize,
}

impl Desk<'_> {
    fn on_event(&mut self, reader: ReaderId, event: ws::Event<'_>) -> Result<(), OutboxFull> {
        match event {
            ws::Event::Message(message) => match self.fanout.form(reader) {
                Some(Form::V1) => self.on_command(reader, message),
                _ => {
                    self.fanout.close(reader, CloseCode::READ_ONLY, "read only");
                    Ok(())
                }
            },
            ws::Event::Ping(payload) => {
                let mut pong = Vec::new();
                ws::encode::frame(&mut pong, ws::Opcode::Pong, payload, None);
                self.fanout.push(reader, Bytes::from(pong))
            }
            ws::Event::Pong(_) => Ok(()),
            ws::Event::Close(reason) => {
                let code = reason.map_or(CloseCode::NORMAL, |reason| reason.code);
                self.fanout.finish(reader, &CloseReason::new(code, ""));
                Ok(())
            }
        }
    }

    fn on_command(&mut self, reader: ReaderId, message: MessageRef<'_>) -> Result<(), OutboxFull> {
        if message.kind == Kind::Binary {
            self.fanout.close(reader, CloseCode::UNSUPPORTED, "enchufe.v1 is text");
            return Ok(());
        }
        let command = match Command::parse(message.payload) {
            Ok(command) => command,
            Err(error) => return self.refuse(reader, error.code(), &error.to_string(), None),
        };
        match command {
            Command::Ping => self.reply(reader, &v1::Event::Pong {}),
            Command::Subscribe { channel, since, slow } => {
                match self.fanout.subscribe(reader, &channel, slow) {
                    Ok(subscription) => {
                        let shard = self.shard;
                        let errand = Errand::Resolve { shard, subscription, channel, since };
                        // The receiver lives until the last shard has ended.
                        self.errands.send(errand).ok();
                        Ok(())
                    }
                    Err(error) => {
                        let (message, channel) = (error.to_string(), Some(channel.as_str()));
                        self.refuse(reader, error.code(), &message, channel)
                    }
                }
            }
            Command::Unsubscribe { channel } => {
                if self.fanout.unsubscribe(reader, &channel) {
                    self.reply(reader, &v1::Event::Unsubscribed { channel: &channel })
                } else {
                    let message = "this connection does not read the channel";
                    self.refuse(reader, "not_subscribed", message, Some(channel.as_str()))
                }
            }
        }
    }

    fn refuse(
        &mut self,
        reader: ReaderId,
        code: &str,
        message: &str,
        channel: Option<&str>,
    ) -> Result<(), OutboxFull> {
        self.reply(reader, &v1::Event::Error { code, message, channel })
    }

    fn reply(&mut self, reader: ReaderId, event: &v1::Event<'_>) -> Result<(), OutboxFull> {
        self.fanout.push(reader, v1::frame(event))
    }
}
