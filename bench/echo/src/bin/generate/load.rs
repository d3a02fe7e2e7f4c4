//! All connections, and the loop that drives them.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use crate::batch::Batch;
use crate::connection::{Connection, Turn};
use crate::options::Options;

/// What a read takes at most.
const READ_BYTES: usize = 256 * 1024;
/// Longest silence of all connections together before the run fails.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// Largest latency that is told apart from larger ones.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

pub(crate) struct Load {
    poll: Poll,
    connections: Vec<Connection>,
    batch: Batch,
    buffer: Vec<u8>,
}

pub(crate) struct Outcome {
    pub(crate) messages: u64,
    pub(crate) elapsed: Duration,
    pub(crate) latency: Histogram<u64>,
}

impl Load {
    pub(crate) fn connect(options: &Options) -> Result<Self, String> {
        let poll = Poll::new().map_err(|error| error.to_string())?;
        let mut connections = Vec::with_capacity(options.connections);
        for place in 0..options.connections {
            let mut connection = Connection::open(options.address, options.kind)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(&mut connection.stream, Token(place), interest)
                .map_err(|error| error.to_string())?;
            connections.push(connection);
        }
        let buffer = vec![0; READ_BYTES];
        Ok(Self { poll, connections, batch: Batch::new(options), buffer })
    }

    /// Sends batches for `duration`, then waits for every reply. Nothing is in flight afterwards.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<Outcome, String> {
        let mut latency = Histogram::new_with_max(LATENCY_MAX_NS, 3).expect("sane bounds");
        let mut events = Events::with_capacity(1024);
        let started = Instant::now();
        let mut busy = vec![true; self.connections.len()];
        let mut open = busy.len();
        for connection in &mut self.connections {
            connection.begin(&self.batch)?;
        }
        while open > 0 {
            self.poll.poll(&mut events, Some(SILENCE_MAX)).map_err(|error| error.to_string())?;
            if events.is_empty() {
                return Err(format!("{open} connections wait, and the server is silent"));
            }
            let over = started.elapsed() >= duration;
            for event in &events {
                let Token(place) = event.token();
                if !busy[place] {
                    continue;
                }
                let connection = &mut self.connections[place];
                match connection.advance(&self.batch, &mut self.buffer, &mut latency)? {
                    Turn::Waiting => {}
                    Turn::Done if over => {
                        busy[place] = false;
                        open -= 1;
                    }
                    Turn::Done => connection.begin(&self.batch)?,
                }
            }
        }
        Ok(Outcome { messages: latency.len(), elapsed: started.elapsed(), latency })
    }
}
