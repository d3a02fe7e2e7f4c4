//! Readers of every wire form, on plain threads with plain sockets: what they do is drawn from the
//! seed, and what they are told is noted.

mod page;
mod stream;
mod websocket;

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use enchufe::core::{Epoch, Position, Since, SlowPolicy};
use fastrand::Rng;

use crate::{
    round::Scene,
    session::{Asked, Session, WIRES, Wire},
};

/// How long a reader that waits for something looks away at most.
const MOMENT: Duration = Duration::from_millis(20);

/// What a reader does over one connection.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) wire: Wire,
    /// Of several thousand notes, after how many it stops reading for a while.
    pub(crate) stalls: u32,
    pub(crate) stall: Duration,
    pub(crate) leave: Leave,
    /// With a small window, so that the kernel does not read for its owner.
    pub(crate) is_small: bool,
}

/// When it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// After so many notes, politely or not.
    After { notes: usize, politely: bool },
    /// After so many bytes, wherever that is.
    MidFrame(u64),
    /// Not before the end.
    AtTheEnd,
}

/// What readers on other threads have to know.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Nothing more is to be published.
    pub(crate) no_more: AtomicBool,
    /// Nothing is to be published for a while, so that readers are up to date.
    pub(crate) is_quiet: AtomicBool,
    /// Everything ends: go on to there.
    pub(crate) finish: AtomicBool,
    /// The server is away.
    pub(crate) is_away: AtomicBool,
}

/// A reader through all its connections.
pub(crate) struct Reader<'a> {
    pub(crate) name: String,
    pub(crate) scene: &'a Scene,
    pub(crate) signals: &'a Signals,
    pub(crate) rng: Rng,
    pub(crate) sessions: Vec<Session>,
    /// For each channel, what it may resume after.
    pub(crate) had: Vec<Option<Position>>,
}

impl Reader<'_> {
    /// Reads until it has the end of every channel.
    pub(crate) fn run(mut self) -> Vec<Session> {
        while !self.signals.finish.load(Ordering::Relaxed) {
            let visit = self.plan();
            self.visit(&visit);
        }
        self.go_on_to_the_end();
        self.sessions
    }

    fn plan(&mut self) -> Visit {
        let rng = &mut self.rng;
        let wires = self.scene.wires.as_deref().unwrap_or(&WIRES);
        Visit {
            wire: wires[rng.usize(..wires.len())],
            stalls: [0, 0, 2, 20, 100][rng.usize(..5)],
            stall: Duration::from_millis([5, 100, 400, 900][rng.usize(..4)]),
            leave: match rng.u32(..4) {
                0 => Leave::MidFrame(rng.u64(1..200_000)),
                1 => Leave::After { notes: rng.usize(1..10), politely: rng.bool() },
                _ => Leave::After { notes: rng.usize(10..2_000), politely: rng.bool() },
            },
            is_small: rng.u32(..4) > 0,
        }
    }

    /// Where it begins this time: mostly where it was.
    fn ask(&mut self, channel: usize) -> Asked {
        let rng = &mut self.rng;
        let slow =
            [None, None, Some(SlowPolicy::Skip), Some(SlowPolicy::Latest), Some(SlowPolicy::Cut)]
                [rng.usize(..5)];
        let since = match (rng.u32(..16), self.had[channel]) {
            (0, _) => Since::All,
            (1, _) => Since::Now,
            (2, _) => Since::Last(rng.u64(..100)),
            (3, _) => Since::Age(Duration::from_secs(rng.u64(..3))),
            (4, Some(had)) => Since::After(Position { offset: had.offset + 1_000_000, ..had }),
            (5, had) => {
                let offset = had.map_or(3, |had| had.offset);
                Since::After(Position::new(Epoch(7), offset))
            }
            // It has been here before, and longer ago than it says.
            (6, Some(had)) => {
                let offset = had.offset.saturating_sub(rng.u64(..200));
                Since::After(Position { offset, ..had })
            }
            (_, Some(had)) => Since::After(had),
            (_, None) => [Since::All, Since::Now][rng.usize(..2)],
        };
        let slow = slow.or(self.scene.slow[channel]);
        Asked { channel, since, slow }
    }

    fn visit(&mut self, visit: &Visit) {
        let channel = self.rng.usize(..self.scene.channels.len());
        let first = self.sessions.len();
        let visited = match visit.wire {
            Wire::Raw => self.raw(visit, channel),
            Wire::V1 => self.v1(visit),
            Wire::Events | Wire::NdJson => self.stream(visit, channel),
            Wire::Page => self.pages(channel),
        };
        if visited.is_err() {
            // The server is away, or has no room.
            std::thread::sleep(MOMENT);
        }
        for session in &self.sessions[first..] {
            if let Some(position) = session.resume() {
                self.had[session.asked.channel] = Some(position);
            }
        }
    }

    fn go_on_to_the_end(&mut self) {
        let wires = self.scene.wires.as_deref().unwrap_or(&WIRES).to_owned();
        for channel in 0..self.scene.channels.len() {
            let deadline = Instant::now() + crate::session::PATIENCE;
            while Instant::now() < deadline {
                let first = self.sessions.len();
                let is_small = self.rng.bool();
                let wire = wires[self.rng.usize(..wires.len())];
                let (leave, stall) = (Leave::AtTheEnd, Duration::ZERO);
                let visit = Visit { wire, stalls: 0, stall, leave, is_small };
                let visited = match wire {
                    Wire::Raw => self.raw(&visit, channel),
                    Wire::V1 => self.v1(&visit),
                    Wire::Events | Wire::NdJson => self.stream(&visit, channel),
                    Wire::Page => self.pages(channel),
                };
                if visited.is_err() {
                    std::thread::sleep(MOMENT);
                }
                let mut is_over = false;
                for session in &self.sessions[first..] {
                    self.had[session.asked.channel] =
                        session.resume().or(self.had[session.asked.channel]);
                    is_over |= session.asked.channel == channel
                        && (session.has_ended()
                            || session.ending == crate::session::Ending::GaveUp);
                }
                if is_over {
                    break;
                }
            }
        }
    }

    /// Where it begins when it is to have the end.
    fn ask_for(&mut self, channel: usize, visit: &Visit) -> Asked {
        match (visit.leave, self.had[channel]) {
            (Leave::AtTheEnd, Some(had)) => {
                Asked { channel, since: Since::After(had), slow: Some(SlowPolicy::Skip) }
            }
            _ => self.ask(channel),
        }
    }

    /// Stops reading for a while, now and then.
    fn stall(&mut self, visit: &Visit) {
        if visit.stalls > 0 && self.rng.u32(..5_000) < visit.stalls {
            std::thread::sleep(visit.stall);
        }
    }

    fn wants_no_more(&self, visit: &Visit, notes: usize) -> bool {
        match visit.leave {
            Leave::AtTheEnd => false,
            Leave::After { notes: enough, .. } if notes >= enough => true,
            _ => self.signals.finish.load(Ordering::Relaxed),
        }
    }

    fn connect(&self, visit: &Visit) -> io::Result<Reins> {
        if self.signals.is_away.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let address = self.scene.address();
        let left = match visit.leave {
            Leave::MidFrame(bytes) => bytes + HEAD_BYTES,
            _ => u64::MAX,
        };
        Ok(Reins { stream: connect(address, visit.is_small)?, left })
    }
}

/// What the answer to a handshake may take, which is not cut off.
const HEAD_BYTES: u64 = 600;

fn connect(address: SocketAddr, is_small: bool) -> io::Result<TcpStream> {
    let kind = socket2::Type::STREAM;
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), kind, None)?;
    if is_small {
        socket.set_recv_buffer_size(4 << 10)?;
    }
    socket.connect(&address.into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(MOMENT))?;
    stream.set_write_timeout(Some(crate::session::PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A connection from which no more than so many bytes are read.
struct Reins {
    stream: TcpStream,
    left: u64,
}

impl Reins {
    fn are_cut(&self) -> bool {
        self.left == 0
    }
}

impl Read for Reins {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let max = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.stream.read(&mut buffer[..max])?;
        self.left -= count as u64;
        Ok(count)
    }
}

impl Write for Reins {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The query that says what is asked for.
fn query(asked: &Asked, chose: bool) -> String {
    let slow = match asked.slow.filter(|_| chose) {
        None => "",
        Some(SlowPolicy::Skip) => "&slow=skip",
        Some(SlowPolicy::Latest) => "&slow=latest",
        Some(_) => "&slow=cut",
    };
    format!("since={}{slow}", asked.since)
}
