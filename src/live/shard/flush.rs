//! Writing: what waits for a viewer leaves in as few system calls as the socket allows.

use std::{
    io::{self, IoSlice, Write},
    net::Shutdown,
    time::Instant,
};

use arrayvec::ArrayVec;
use enchufe_core::fanout::{ReaderId, SLICES_MAX, Transmit};

use super::{Shard, socket::Phase};
use crate::limits;

impl Shard {
    /// One slice of sends.
    pub(super) fn flush_slice(&mut self) {
        let end = Instant::now() + limits::SHARD_SLICE_TIME_MAX;
        let mut slice = limits::SHARD_SLICE_LEN_MAX;
        for turn in 1.. {
            let Some(reader) = self.fanout.next_ready(&mut slice) else { return };
            self.flush(reader);
            // The clock is read now and then: reading it costs a part of what a send does.
            if turn % 32 == 0 && Instant::now() >= end {
                return;
            }
        }
    }

    pub(super) fn flush(&mut self, reader: ReaderId) {
        let Some(key) = self.fanout.token(reader) else { return };
        let Some(socket) = self.sockets.get_mut(key) else { return };
        for _ in 0..limits::SHARD_WRITES_MAX {
            let mut slices = ArrayVec::<&[u8], SLICES_MAX>::new();
            let offered =
                match self.fanout.poll_transmit(reader, limits::SHARD_BUFFER_BYTES, &mut slices) {
                    Transmit::Bytes(offered) => offered,
                    Transmit::Idle => return,
                    Transmit::Closed => {
                        if socket.phase == Phase::Open {
                            socket.phase = Phase::Draining;
                            socket.stream.shutdown(Shutdown::Write).ok();
                            self.deadlines.linger(self.now, key, reader);
                        }
                        return;
                    }
                };
            let written = match slices.as_slice() {
                [one] => socket.stream.write(one),
                many => {
                    let many: ArrayVec<IoSlice<'_>, SLICES_MAX> =
                        many.iter().map(|slice| IoSlice::new(slice)).collect();
                    socket.stream.write_vectored(&many)
                }
            };
            drop(slices);
            match written {
                Ok(written) => {
                    self.fanout.sent(reader, written);
                    if std::mem::replace(&mut socket.stuck, written < offered) && written > 0 {
                        // The peer took what had been stuck: that is life.
                        socket.alive = self.now;
                    }
                    if socket.stuck {
                        self.fanout.blocked(reader);
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    socket.stuck = true;
                    self.fanout.blocked(reader);
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::debug!(%error, "a viewer's connection broke");
                    self.remove(key);
                    return;
                }
            }
        }
        self.fanout.again(reader);
    }
}
