//! All viewers, what is published to them, and the loop that reads for them.

use std::{
    fs::File,
    io::Write,
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use crate::{
    options::Options,
    viewer::{Message, Viewer, connect},
};

/// What a read takes at most.
const READ_BYTES: usize = 256 * 1024;
/// Longest silence of all connections together before the run fails.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// What fills the buffers between the server and a viewer who reads nothing: more than the send
/// buffer that the system gives a socket on loopback.
const FILL: (usize, usize) = (96, 48 * 1024);

pub(crate) struct Crowd {
    poll: Poll,
    viewers: Vec<Viewer>,
    _stuck: Vec<TcpStream>,
    input: File,
    buffer: Vec<u8>,
    /// The number of the next message to publish.
    next: u64,
}

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) messages: u64,
    pub(crate) deliveries: u64,
    pub(crate) elapsed: Duration,
    /// From when a message was due to when a viewer had it, in nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// From when a message was due to when the last viewer had it.
    pub(crate) last: Histogram<u64>,
}

/// When each message was due, how many viewers have it.
struct Account {
    first: u64,
    due: Arc<Mutex<Vec<Instant>>>,
    missing: Vec<usize>,
    viewers: usize,
    /// How many messages all viewers have.
    done: u64,
    outcome: Outcome,
}

impl Crowd {
    pub(crate) fn connect(options: &Options) -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        let poll = Poll::new().map_err(failed)?;
        let (mut viewers, mut stuck) = (Vec::with_capacity(options.viewers), Vec::new());
        for place in 0..options.viewers {
            let mut viewer = Viewer::open(options.address)?;
            poll.registry()
                .register(&mut viewer.stream, Token(place), Interest::READABLE)
                .map_err(failed)?;
            viewers.push(viewer);
            // Evenly among the others.
            while (stuck.len() + 1) * options.viewers <= (place + 1) * options.stuck {
                stuck.push(connect(options.address, true)?);
            }
        }
        let input = match options.hold {
            true => File::open("/dev/null"),
            false => File::options().write(true).open(&options.publish),
        };
        let input = input
            .map_err(|error| format!("cannot write to {}: {error}", options.publish.display()))?;
        let buffer = vec![0; READ_BYTES];
        Ok(Self { poll, viewers, _stuck: stuck, input, buffer, next: 0 })
    }

    /// Fills what lies between the server and the viewers who read nothing.
    pub(crate) fn fill(&mut self) -> Result<(), String> {
        let (count, bytes) = FILL;
        let mut account = self.account();
        for _ in 0..count {
            self.publish(1, bytes, &account)?;
            self.read_until(&mut account, self.next)?;
        }
        Ok(())
    }

    /// Publishes for `duration`, then waits until everybody has everything.
    pub(crate) fn run(&mut self, options: &Options, duration: Duration) -> Result<Outcome, String> {
        match options.rate {
            Some(rate) => self.run_at_rate(options, rate, duration),
            None => self.run_in_turn(options, duration),
        }
    }

    fn run_in_turn(&mut self, options: &Options, duration: Duration) -> Result<Outcome, String> {
        let started = Instant::now();
        let mut account = self.account();
        while started.elapsed() < duration {
            self.publish(options.burst, options.payload_bytes, &account)?;
            self.read_until(&mut account, self.next)?;
        }
        Ok(account.close(started))
    }

    fn run_at_rate(
        &mut self,
        options: &Options,
        rate: f64,
        duration: Duration,
    ) -> Result<Outcome, String> {
        let started = Instant::now();
        let mut account = self.account();
        let total = (duration.as_secs_f64() * rate) as u64;
        let published = AtomicU64::new(self.next);
        let end = self.next + total * options.burst as u64;
        let (first, due) = (self.next, Arc::clone(&account.due));
        let mut input = self.input.try_clone().map_err(|error| error.to_string())?;
        thread::scope(|scope| {
            let publishing = scope.spawn(|| {
                let mut number = first;
                for turn in 0..total {
                    let at = started + Duration::from_secs_f64(turn as f64 / rate);
                    thread::sleep(at.saturating_duration_since(Instant::now()));
                    let mut lines = Vec::new();
                    for _ in 0..options.burst {
                        lines.extend(Message::line(number, options.payload_bytes));
                        due.lock().expect("nobody panics with it").push(at);
                        number += 1;
                    }
                    input.write_all(&lines)?;
                    published.store(number, Ordering::Relaxed);
                }
                Ok::<_, std::io::Error>(())
            });
            self.read_until(&mut account, end)?;
            publishing.join().expect("it does not panic").map_err(|error| error.to_string())
        })?;
        self.next = end;
        Ok(account.close(started))
    }

    fn account(&self) -> Account {
        let histogram = || Histogram::new(3).expect("so many digits can be kept");
        let outcome = Outcome {
            messages: 0,
            deliveries: 0,
            elapsed: Duration::ZERO,
            latency: histogram(),
            last: histogram(),
        };
        let (first, viewers) = (self.next, self.viewers.len());
        Account { first, due: Arc::default(), missing: Vec::new(), viewers, done: first, outcome }
    }

    /// Publishes so many messages at once.
    fn publish(&mut self, count: usize, bytes: usize, account: &Account) -> Result<(), String> {
        let mut lines = Vec::with_capacity(count * (bytes + 1));
        for _ in 0..count {
            lines.extend(Message::line(self.next, bytes));
            self.next += 1;
        }
        let now = Instant::now();
        let mut due = account.due.lock().expect("nobody panics with it");
        due.extend(std::iter::repeat_n(now, count));
        drop(due);
        self.input.write_all(&lines).map_err(|error| format!("cannot publish: {error}"))
    }

    /// Reads until everybody has every message before `end`.
    fn read_until(&mut self, account: &mut Account, end: u64) -> Result<(), String> {
        let mut events = Events::with_capacity(1024);
        let mut silent_since = Instant::now();
        while account.done < end {
            self.poll
                .poll(&mut events, Some(Duration::from_secs(1)))
                .map_err(|error| error.to_string())?;
            if !events.is_empty() {
                silent_since = Instant::now();
            } else if silent_since.elapsed() > SILENCE_MAX {
                return Err(format!("message {} has not come to everybody", account.done));
            }
            for event in &events {
                let viewer = &mut self.viewers[event.token().0];
                viewer.read(&mut self.buffer, |number| account.took(number, Instant::now()))?;
            }
        }
        Ok(())
    }
}

impl Account {
    fn took(&mut self, number: u64, now: Instant) {
        let place = (number - self.first) as usize;
        if self.missing.len() <= place {
            self.missing.resize(place + 1, self.viewers);
        }
        let due = self.due.lock().expect("nobody panics with it")[place];
        let waited = now.saturating_duration_since(due).as_nanos() as u64;
        self.outcome.latency.record(waited).expect("it grows as it needs to");
        self.outcome.deliveries += 1;
        self.missing[place] -= 1;
        if self.missing[place] == 0 {
            self.outcome.last.record(waited).expect("it grows as it needs to");
            // They come in order to each, and so to all.
            self.done = number + 1;
        }
    }

    fn close(mut self, started: Instant) -> Outcome {
        self.outcome.messages = self.done - self.first;
        self.outcome.elapsed = started.elapsed();
        self.outcome
    }
}
