//! Publishers: single messages and batches, some of which they repeat on purpose, and some of
//! whose answers they do not wait for.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use enchufe::core::Position;
use fastrand::Rng;
use serde_json::Value;

use crate::{
    difference::{Difference, Kind},
    message::{Id, Shape},
    reader::Signals,
    round::Scene,
    session::{PATIENCE, position},
    truth::{Outcome, Published},
};

/// One publisher through all its requests.
pub(crate) struct Publisher<'a> {
    pub(crate) number: u8,
    pub(crate) scene: &'a Scene,
    pub(crate) signals: &'a Signals,
    pub(crate) rng: Rng,
    pub(crate) counter: u32,
    pub(crate) published: Vec<Published>,
    pub(crate) differences: Vec<Difference>,
}

/// A request, which can be repeated.
struct Request {
    channel: usize,
    ids: Vec<Id>,
    key: Option<String>,
    body: Vec<u8>,
}

/// The bit of the number of a request's first message that says whether it has a key.
const HAS_KEY: u32 = 4;

impl Request {
    fn new(channel: usize, ids: Vec<Id>) -> Self {
        let key = (ids[0].number & HAS_KEY != 0).then(|| ids[0].to_string());
        let is_batch = ids[0].shape() == Shape::Json;
        let mut body = Vec::new();
        for id in &ids {
            body.extend(id.payload());
            body.extend(is_batch.then_some(b'\n'));
        }
        Self { channel, ids, key, body }
    }
}

/// An answer to one.
#[derive(Debug, Clone, Copy)]
struct Receipt {
    first: Position,
    last: Position,
    is_duplicate: bool,
}

impl Publisher<'_> {
    /// Publishes until it is told to finish.
    pub(crate) fn run(mut self) -> (Vec<Published>, Vec<Difference>) {
        while !self.signals.no_more.load(Ordering::Relaxed) {
            if self.signals.is_quiet.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            self.publish();
            let pause = [0, 0, 1, 3, 10][self.rng.usize(..5)] * self.scene.pace;
            std::thread::sleep(Duration::from_millis(pause));
        }
        // What is in doubt and has a key is in doubt no longer: it was published, or is now.
        for mut one in std::mem::take(&mut self.published) {
            let has_key = one.ids[0].number & HAS_KEY != 0;
            if matches!(one.outcome, Outcome::InDoubt) && has_key {
                let request = Request::new(one.channel, one.ids.clone());
                if let Ok(Receipt { first, last, .. }) = self.exchange(&request) {
                    one.outcome = Outcome::Acknowledged { at: Instant::now(), first, last };
                }
            }
            self.published.push(one);
        }
        (self.published, self.differences)
    }

    fn request(&mut self) -> Request {
        let channel = self.rng.usize(..self.scene.channels.len());
        let is_batch = self.rng.u32(..3) == 0;
        let count = if is_batch { self.rng.u32(1..40) } else { 1 };
        let mut ids = Vec::new();
        for _ in 0..count {
            let shape = match is_batch {
                true => Shape::Json,
                false => [Shape::Line, Shape::Lines, Shape::Bytes][self.rng.usize(..3)],
            };
            self.counter += 1 + (self.rng.u32(..2) & u32::from(ids.is_empty()));
            ids.push(Id {
                channel: u8::try_from(channel).expect("few channels"),
                producer: self.number,
                number: Id::number(self.counter, shape),
            });
        }
        Request::new(channel, ids)
    }

    fn publish(&mut self) {
        let request = self.request();
        let sent = Instant::now();
        let mut was_cut = false;
        let mut outcome = Outcome::InDoubt;
        if self.rng.u32(..12) == 0 {
            // It does not wait for the answer.
            was_cut = self.send(&request).is_ok();
        }
        if !was_cut || (request.key.is_some() && self.rng.u32(..4) > 0) {
            match self.exchange(&request) {
                Ok(receipt) => {
                    let (at, Receipt { first, last, is_duplicate }) = (Instant::now(), receipt);
                    if is_duplicate && !was_cut {
                        self.differ(&request, format!("{receipt:?} of what is new"));
                    }
                    outcome = Outcome::Acknowledged { at, first, last };
                }
                Err(_) => was_cut = true,
            }
        }
        self.published.push(Published {
            channel: request.channel,
            ids: request.ids.clone(),
            sent,
            was_cut,
            outcome,
        });
        if let Outcome::Acknowledged { first, last, .. } = outcome
            && request.key.is_some()
            && self.rng.u32(..3) == 0
        {
            self.repeat(request, first, last);
        }
    }

    /// The same again has the same answer, and something else under its key has none.
    fn repeat(&mut self, mut request: Request, first: Position, last: Position) {
        let sent = Instant::now();
        if let Ok(again) = self.exchange(&request) {
            let is_same = (again.first, again.last) == (first, last) && again.is_duplicate;
            // Another life of the server does not know of it.
            if !is_same && again.first.epoch == first.epoch {
                self.differ(&request, format!("{again:?}, and before that {first} to {last}"));
            } else if again.first.epoch != first.epoch {
                self.published.push(Published {
                    channel: request.channel,
                    ids: request.ids.clone(),
                    sent,
                    was_cut: false,
                    outcome: Outcome::Acknowledged {
                        at: Instant::now(),
                        first: again.first,
                        last: again.last,
                    },
                });
                return;
            }
        }
        if request.ids.len() == 1 && !self.scene.may_restart {
            request.body.push(b'!');
            if let Ok(receipt) = self.exchange(&request) {
                self.differ(&request, format!("{receipt:?} of another body under the same key"));
            }
        }
    }

    fn differ(&mut self, request: &Request, text: String) {
        let text = format!("publisher {}, {} …: {text}", self.number, request.ids[0]);
        self.differences.push(Difference::new(Kind::Receipt, text));
    }

    fn send(&self, request: &Request) -> io::Result<TcpStream> {
        if self.signals.is_away.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let address = self.scene.address();
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let media_type = match request.ids[0].shape() {
            Shape::Json => "application/x-ndjson",
            Shape::Bytes => "application/octet-stream",
            _ => "text/plain",
        };
        let key = request.key.as_ref().map(|key| format!("Idempotency-Key: {key}\r\n"));
        let head = format!(
            "POST /channels/{} HTTP/1.0\r\nHost: {address}\r\nContent-Type: {media_type}\r\n\
             Content-Length: {}\r\n{}\r\n",
            self.scene.paths[request.channel],
            request.body.len(),
            key.unwrap_or_default()
        );
        stream.write_all(&[head.as_bytes(), &request.body].concat())?;
        Ok(stream)
    }

    fn exchange(&self, request: &Request) -> io::Result<Receipt> {
        let mut answer = String::new();
        self.send(request)?.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let body: Value = serde_json::from_str(body).map_err(io::Error::other)?;
        let (first, last) = (position(&body["first"]), position(&body["last"]));
        let (Some(first), Some(last)) = (first, last) else {
            return Err(io::Error::other(answer));
        };
        Ok(Receipt { first, last, is_duplicate: body["duplicate"] == true })
    }
}
