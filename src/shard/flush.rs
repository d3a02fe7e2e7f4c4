//! Writing: what waits for a connection leaves in as few system calls as the socket allows.

use std::{
    io::{self, IoSlice, Write as _},
    net::Shutdown,
    time::Instant,
};

use arrayvec::ArrayVec;

use super::{
    Ending, Outlet, SLICES_MAX, Shard, Slices, Tenant, Transmit, Wire,
    socket::{Phase, Socket},
};
use crate::limits;

impl<T: Tenant> Shard<T> {
    /// One slice of sends.
    pub(super) fn flush_slice(&mut self) {
        if !self.tenant.outlet().has_ready() {
            return;
        }
        let end = Instant::now() + limits::SHARD_SLICE_TIME_MAX;
        let mut slice = limits::SHARD_SLICE_LEN_MAX;
        for turn in 1.. {
            let Some(index) = self.tenant.outlet().next_ready(&mut slice) else { return };
            self.flush(index, &[]);
            // The clock is read now and then: reading it costs a part of what a send does.
            if turn % 32 == 0 && Instant::now() >= end {
                return;
            }
        }
    }

    /// Sends `front`, answers that lie in the shard's buffer, and what else waits.
    pub(super) fn flush(&mut self, index: usize, mut front: &[u8]) {
        for _ in 0..limits::SHARD_WRITES_MAX {
            let Some(socket) = self.table.sockets.get_mut(index) else { return };
            let key = socket.key(index);
            let Socket { wire, seat, stuck, phase, alive, .. } = socket;
            let outlet = self.tenant.outlet();
            let mut slices = Slices::new();
            let offered = match outlet.transmit(seat, front, limits::SHARD_WRITE_BYTES, &mut slices)
            {
                Transmit::Bytes(offered) => offered,
                Transmit::Idle => 0,
                Transmit::Closed => {
                    if *phase == Phase::Draining || wire.flush().is_err() {
                        return;
                    }
                    shut_down(wire);
                    drop(slices);
                    if std::mem::replace(phase, Phase::Draining) == Phase::Parting {
                        self.remove(index, Ending::Closed);
                    } else {
                        self.table.deadlines.linger(self.table.now, key);
                    }
                    return;
                }
            };
            // Also what was accepted before and is still here has to go out.
            let written = match offered {
                0 => wire.flush().map(|()| 0),
                _ => write(wire, &slices),
            };
            drop(slices);
            match written {
                Ok(written) => {
                    outlet.sent(seat, std::mem::take(&mut front), written);
                    let was_stuck =
                        std::mem::replace(stuck, written < offered || wire.has_unsent());
                    if was_stuck && (written > 0 || !*stuck) {
                        // The peer took what had been stuck: that is life.
                        *alive = self.table.now;
                    }
                    if *stuck {
                        outlet.blocked(seat, front);
                        return;
                    }
                    if offered == 0 || outlet.is_done(seat) {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    *stuck = true;
                    outlet.blocked(seat, front);
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.remove(index, Ending::Broken(error));
                    return;
                }
            }
        }
        if let Some(socket) = self.table.sockets.get_mut(index) {
            self.tenant.outlet().again(&mut socket.seat);
        }
    }
}

fn write(wire: &mut Wire, slices: &Slices<'_>) -> io::Result<usize> {
    loop {
        let written = match slices.as_slice() {
            [one] => wire.write(one),
            many => {
                let many = many.iter().map(|slice| IoSlice::new(slice));
                wire.write_vectored(&many.collect::<ArrayVec<_, SLICES_MAX>>())
            }
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => return written,
        }
    }
}

/// Tells the peer, behind what was sent, that nothing more will come.
fn shut_down(wire: &mut Wire) {
    // It fails only when the connection is gone already.
    wire.close().ok();
    wire.get_mut().shutdown(Shutdown::Write).ok();
}
