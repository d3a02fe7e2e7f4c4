//! A proxy that passes on what it gets, but for what it is to do wrong.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::Value;

use super::{
    Break,
    unit::{Cut, Says},
};
use crate::common::http::connect_small;

/// Of so many occasions one is taken.
const OCCASIONS: usize = 12;

/// It, until it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    is_wrong: Break,
    /// How often it was wrong.
    count: AtomicUsize,
    occasions: AtomicUsize,
    /// The last position that was given away, and to what path.
    last: Mutex<Option<(String, String, u64)>>,
    is_over: AtomicBool,
}

impl Proxy {
    pub(crate) fn start(server: SocketAddr, is_wrong: Break) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            server,
            is_wrong,
            count: AtomicUsize::new(0),
            occasions: AtomicUsize::new(0),
            last: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                // Whoever leaves in the middle ends both sides.
                thread::spawn(move || client.and_then(|client| shared.serve(client)));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn count(&self) -> usize {
        self.shared.count.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // It is looked at when somebody comes.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    /// Whether it is to be wrong this time.
    fn is_time(&self) -> bool {
        let is_time = self.occasions.fetch_add(1, Ordering::Relaxed) % OCCASIONS == OCCASIONS - 1;
        self.count.fetch_add(usize::from(is_time), Ordering::Relaxed);
        is_time
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let (head, rest) = head(&mut client)?;
        let head_text = String::from_utf8_lossy(&head).into_owned();
        let path = head_text.split(' ').nth(1).unwrap_or_default().to_owned();
        let is_post = head_text.starts_with("POST ");
        if is_post
            && self.is_wrong == Break::AcknowledgesWithoutAppending
            && !head_text.contains("ndjson")
            && let Some(receipt) = self.made_up_receipt(&path)
        {
            let answer = format!("HTTP/1.0 200 OK\r\n\r\n{receipt}");
            // All of the request is read first, or its sender would not hear the answer.
            let length = head_text.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let length = length.and_then(|text| text.parse().ok()).unwrap_or(rest.len());
            let unread = (length - rest.len()) as u64;
            io::copy(&mut Read::by_ref(&mut client).take(unread), &mut io::sink())?;
            return client.write_all(answer.as_bytes());
        }
        // Small, so that it is not the proxy that reads for a slow reader.
        let mut server = connect_small(self.server);
        server.write_all(&[head, rest].concat())?;
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            io::copy(&mut from_client, &mut to_server).ok();
            to_server.shutdown(Shutdown::Both).ok();
        });
        let passed = self.pass(&mut server, &mut client, &path, is_post);
        client.shutdown(Shutdown::Both).ok();
        server.shutdown(Shutdown::Both).ok();
        passed
    }

    fn made_up_receipt(&self, path: &str) -> Option<String> {
        let last = self.last.lock().expect("nobody panics").clone();
        let (_, epoch, offset) = last.filter(|(other, ..)| other == path)?;
        let position = format!("{epoch}-{}", offset + 1);
        self.is_time().then(|| format!(r#"{{"first":"{position}","last":"{position}"}}"#))
    }

    /// Passes on what the server says.
    fn pass(
        &self,
        server: &mut TcpStream,
        client: &mut TcpStream,
        path: &str,
        is_post: bool,
    ) -> io::Result<()> {
        let (head, mut bytes) = head(server)?;
        client.write_all(&head)?;
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let cut = match () {
            () if text.contains("sec-websocket-protocol: enchufe.v1") => Cut::V1,
            () if text.contains(" 101 ") => Cut::Raw,
            () if text.contains("text/event-stream") => Cut::Events,
            () if text.contains("x-ndjson") => Cut::Lines,
            () => Cut::Whole,
        };
        let (mut held, mut buffer) = (None, [0; 4 << 10]);
        loop {
            while let Some(length) = cut.first(&bytes) {
                let unit: Vec<u8> = bytes.drain(..length).collect();
                if is_post {
                    self.remember(path, &unit);
                }
                let changed = self.change(cut, unit, &mut held);
                client.write_all(&changed)?;
            }
            match server.read(&mut buffer)? {
                0 => return Ok(()),
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }

    fn remember(&self, path: &str, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let last = answer["last"].as_str().and_then(|last| last.split_once('-'));
        if let Some((epoch, offset)) = last.and_then(|(e, offset)| Some((e, offset.parse().ok()?)))
        {
            let last = Some((path.to_owned(), epoch.to_owned(), offset));
            *self.last.lock().expect("nobody panics") = last;
        }
    }

    /// What is passed on instead of a unit. `held` is one that was held back.
    fn change(&self, cut: Cut, unit: Vec<u8>, held: &mut Option<Vec<u8>>) -> Vec<u8> {
        if let Some(held) = held.take() {
            return [unit, held].concat();
        }
        let says = cut.says(&unit);
        match (self.is_wrong, says) {
            (Break::SkipsAMessage, Says::Message) | (Break::ForgetsAGap, Says::Gap) => {
                if self.is_time() { Vec::new() } else { unit }
            }
            (Break::RepeatsAMessage, Says::Message) if self.is_time() => unit.repeat(2),
            (Break::SwapsTwo, Says::Message) if self.is_time() => {
                *held = Some(unit);
                Vec::new()
            }
            (Break::AltersAMessage, Says::Message) if self.is_time() => cut.altered(&unit),
            (Break::DeliversToAnotherChannel, Says::Message) if self.is_time() => {
                cut.with(&unit, |body| {
                    let other = if body["channel"] == "feed" { "b/c" } else { "feed" };
                    body["channel"] = other.into();
                })
            }
            (Break::MiscountsAGap, Says::Gap) => cut.with(&unit, |gap| {
                if let Some(count) = gap["missing"].as_u64().filter(|_| self.is_time()) {
                    gap["missing"] = (count + 1).into();
                }
            }),
            (Break::BlamesTheReader, Says::Gap) if self.is_time() => {
                cut.with(&unit, |gap| gap["reason"] = "lost".into())
            }
            (Break::IsAheadOfItself, Says::Position) if self.is_time() => cut.with(&unit, |body| {
                let ahead = body["position"].as_str().map(|position| format!("{position}7"));
                body["position"] = ahead.into();
            }),
            (Break::ResumesElsewhere, Says::Close) => {
                let other = cut.resumed_elsewhere(&unit);
                self.count.fetch_add(usize::from(other.is_some()), Ordering::Relaxed);
                other.unwrap_or(unit)
            }
            (Break::GoesOnAfterTheEnd, Says::End) => {
                self.count.fetch_add(1, Ordering::Relaxed);
                unit.repeat(2)
            }
            _ => unit,
        }
    }
}

/// What comes before the first blank line, that included, and what has come behind it.
fn head(stream: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4 << 10]);
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            return Ok((bytes, rest));
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
