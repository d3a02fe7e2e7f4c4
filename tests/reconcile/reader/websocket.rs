//! Readers over WebSocket: raw, and `enchufe.v1` with several channels on one connection.

use std::{collections::VecDeque, io, time::Instant};

use enchufe::core::SlowPolicy;
use serde_json::{Value, json};
use tungstenite::{Error, Message, WebSocket, client::IntoClientRequest, http::HeaderValue};

use super::{Leave, Reader, Reins, Visit, is_pause, query};
use crate::session::{Asked, Ending, Note, PATIENCE, Session, Wire};

type Socket = WebSocket<Reins>;

/// What a look at a connection found.
enum Found {
    Message(Message),
    Nothing,
    Over(Ending),
}

fn open(reins: Reins, path: &str, protocol: Option<&'static str>) -> io::Result<Socket> {
    let address = reins.stream.peer_addr()?;
    let request = format!("ws://{address}{path}").into_client_request();
    let mut request = request.map_err(io::Error::other)?;
    if let Some(protocol) = protocol {
        let value = HeaderValue::from_static(protocol);
        request.headers_mut().insert("Sec-WebSocket-Protocol", value);
    }
    let mut handshake = tungstenite::client(request, reins);
    loop {
        match handshake {
            Ok((socket, _)) => return Ok(socket),
            Err(tungstenite::HandshakeError::Interrupted(more)) => handshake = more.handshake(),
            Err(tungstenite::HandshakeError::Failure(error)) => {
                return Err(io::Error::other(error));
            }
        }
    }
}

fn look(socket: &mut Socket) -> Found {
    match socket.read() {
        Ok(message) => Found::Message(message),
        Err(Error::Io(error)) if is_pause(&error) => Found::Nothing,
        Err(Error::ConnectionClosed | Error::AlreadyClosed) => Found::Over(Ending::Told),
        Err(_) if socket.get_ref().are_cut() => Found::Over(Ending::Left),
        Err(_) => Found::Over(Ending::Cut),
    }
}

fn note_close(session: &mut Session, frame: Option<&tungstenite::protocol::CloseFrame>) {
    let (code, reason) = match frame {
        Some(frame) => (u16::from(frame.code), frame.reason.to_string()),
        None => (1005, String::new()),
    };
    session.note(Note::Close(code, reason, Instant::now()));
    session.ending = Ending::Told;
}

impl Reader<'_> {
    /// Reads one channel until the visit is over.
    pub(super) fn raw(&mut self, visit: &Visit, channel: usize) -> io::Result<()> {
        let asked = self.ask_for(channel, visit);
        let asked_at = Instant::now();
        let path = format!("/channels/{}?{}", self.scene.paths[channel], query(&asked, true));
        let mut socket = open(self.connect(visit)?, &path, None)?;
        let mut session = Session::new(&self.name, Wire::Raw, asked, asked_at);
        let mut quiet_since = Instant::now();
        let mut is_leaving = false;
        session.ending = loop {
            if !is_leaving && self.wants_no_more(visit, session.notes.len()) {
                match visit.leave {
                    Leave::After { politely: true, .. } if socket.close(None).is_ok() => {
                        is_leaving = true;
                    }
                    _ => break Ending::Left,
                }
            }
            match look(&mut socket) {
                Found::Message(Message::Text(text)) => {
                    session.payload(None, text.as_bytes(), true);
                }
                Found::Message(Message::Binary(bytes)) => session.payload(None, &bytes, false),
                Found::Message(Message::Close(frame)) => note_close(&mut session, frame.as_ref()),
                Found::Message(_) => continue,
                Found::Nothing if quiet_since.elapsed() > PATIENCE => break Ending::GaveUp,
                Found::Nothing => continue,
                Found::Over(Ending::Cut) if is_leaving => break Ending::Left,
                Found::Over(ending) => break ending,
            }
            quiet_since = Instant::now();
            self.stall(visit);
        };
        session.ended_at = Instant::now();
        self.sessions.push(session);
        Ok(())
    }

    /// Reads several channels over one connection.
    pub(super) fn v1(&mut self, visit: &Visit) -> io::Result<()> {
        let socket = open(self.connect(visit)?, "/", Some("enchufe.v1"))?;
        let mut talk = Talk {
            socket,
            visit,
            channels: self.scene.channels.iter().map(|name| Line::new(&self.name, name)).collect(),
            notes: 0,
            done: Vec::new(),
        };
        let ending = talk.run(self);
        let lines = std::mem::take(&mut talk.channels);
        let open = lines.into_iter().filter_map(|line| line.open);
        for mut session in open.chain(talk.done) {
            if session.ended_at == session.asked_at {
                session.ended_at = Instant::now();
                if session.ending != Ending::Told {
                    session.ending = ending;
                }
            }
            self.sessions.push(session);
        }
        // Whoever chose to be cut is cut with all that the connection reads.
        Ok(())
    }
}

/// What is being read of one channel, and what was asked that is not answered yet.
struct Line {
    reader: String,
    name: &'static str,
    open: Option<Session>,
    asked: VecDeque<Option<(Asked, Instant)>>,
    /// Whether the last thing asked for was to read it.
    is_wanted: bool,
}

impl Line {
    fn new(reader: &str, name: &'static str) -> Self {
        let reader = reader.to_owned();
        Self { reader, name, open: None, asked: VecDeque::new(), is_wanted: false }
    }

    /// What was asked for begins.
    fn begin(&mut self, body: &Value) {
        let Some(Some((asked, asked_at))) = self.asked.pop_front() else {
            return self.strange(body);
        };
        if self.open.is_some() {
            return self.strange(body);
        }
        let mut session = Session::new(&self.reader, Wire::V1, asked, asked_at);
        match crate::session::position(&body["position"]) {
            Some(position) => session.note(Note::Start(position)),
            None => session.strange(body.to_string()),
        }
        self.open = Some(session);
    }

    /// It was left, whether or not it had begun.
    fn leave(&mut self) -> Option<Session> {
        while let Some(Some(_)) = self.asked.pop_front() {}
        let mut session = self.open.take()?;
        session.ended_at = Instant::now();
        Some(session)
    }

    fn strange(&mut self, body: &Value) {
        let asked = Asked { channel: 0, since: enchufe::core::Since::Now, slow: None };
        let none = || Session::new(&self.reader, Wire::V1, asked, Instant::now());
        self.open.get_or_insert_with(none).strange(format!("not asked for: {body}"));
    }
}

/// A connection that speaks `enchufe.v1`.
struct Talk<'a> {
    socket: Socket,
    visit: &'a Visit,
    channels: Vec<Line>,
    notes: usize,
    done: Vec<Session>,
}

impl Talk<'_> {
    fn run(&mut self, reader: &mut Reader<'_>) -> Ending {
        let mut quiet_since = Instant::now();
        let mut is_leaving = false;
        let mut may_be_cut = false;
        for channel in 0..self.channels.len() {
            may_be_cut |= self.subscribe(reader, channel);
        }
        let ending = loop {
            if !is_leaving && reader.wants_no_more(self.visit, self.notes) {
                match self.visit.leave {
                    Leave::After { politely: true, .. } if self.socket.close(None).is_ok() => {
                        is_leaving = true;
                    }
                    _ => break Ending::Left,
                }
            }
            if self.visit.leave == Leave::AtTheEnd && self.has_every_end() {
                break Ending::Left;
            }
            match look(&mut self.socket) {
                Found::Message(Message::Text(text)) => self.hear(&text),
                Found::Message(Message::Close(frame)) => {
                    for line in &mut self.channels {
                        if let Some(session) = &mut line.open {
                            note_close(session, frame.as_ref());
                        }
                    }
                }
                Found::Message(Message::Binary(_)) => self.strange("a binary message"),
                Found::Message(_) => continue,
                Found::Nothing if quiet_since.elapsed() > PATIENCE => break Ending::GaveUp,
                Found::Nothing => continue,
                Found::Over(Ending::Cut) if is_leaving => break Ending::Left,
                Found::Over(ending) => break ending,
            }
            quiet_since = Instant::now();
            self.notes += 1;
            if self.visit.leave != Leave::AtTheEnd && !is_leaving && reader.rng.u32(..100) == 0 {
                may_be_cut |= self.change(reader);
            }
            reader.stall(self.visit);
        };
        let open = self.channels.iter_mut().filter_map(|line| line.open.as_mut());
        for session in open.chain(&mut self.done) {
            session.may_be_cut |= may_be_cut;
        }
        ending
    }

    fn has_every_end(&self) -> bool {
        self.channels.iter().all(|line| line.open.as_ref().is_some_and(Session::has_ended))
    }

    /// Leaves a channel, comes back to one, or both at once.
    fn change(&mut self, reader: &mut Reader<'_>) -> bool {
        let channel = reader.rng.usize(..self.channels.len());
        let is_wanted = self.channels[channel].is_wanted;
        if is_wanted {
            let name = &reader.scene.channels[channel];
            self.say(&json!({ "unsubscribe": { "channel": name } }));
            let line = &mut self.channels[channel];
            line.asked.push_back(None);
            line.is_wanted = false;
        }
        match reader.rng.u32(..8) {
            0 => self.say(&json!({ "ping": {} })),
            1 if is_wanted => return false,
            _ => {}
        }
        self.subscribe(reader, channel)
    }

    /// Whether it may be cut for it.
    fn subscribe(&mut self, reader: &mut Reader<'_>, channel: usize) -> bool {
        if let Some(position) = self.channels[channel].open.as_ref().and_then(Session::resume) {
            reader.had[channel] = Some(position);
        }
        let asked = reader.ask_for(channel, self.visit);
        let mut subscribe =
            json!({ "channel": reader.scene.channels[channel], "since": asked.since.to_string() });
        match asked.slow {
            None => {}
            Some(SlowPolicy::Skip) => subscribe["slow"] = "skip".into(),
            Some(SlowPolicy::Latest) => subscribe["slow"] = "latest".into(),
            Some(_) => subscribe["slow"] = "cut".into(),
        }
        let line = &mut self.channels[channel];
        line.asked.push_back(Some((asked, Instant::now())));
        line.is_wanted = true;
        self.say(&json!({ "subscribe": subscribe }));
        asked.slow == Some(SlowPolicy::Cut)
    }

    fn say(&mut self, command: &Value) {
        // Whether the connection has gone is found out when it is read.
        let _ = self.socket.send(Message::text(command.to_string()));
    }

    fn strange(&mut self, text: impl std::fmt::Display) {
        let mut open = self.channels.iter_mut().filter_map(|line| line.open.as_mut());
        match open.next().or(self.done.last_mut()) {
            Some(session) => session.strange(text.to_string()),
            None => panic!("{text}"),
        }
    }

    fn hear(&mut self, text: &str) {
        let Ok(event) = serde_json::from_str::<Value>(text) else {
            return self.strange(format!("no JSON: {text}"));
        };
        let Some((kind, body)) = event.as_object().and_then(|event| event.iter().next()) else {
            return self.strange(format!("no event: {text}"));
        };
        if kind == "pong" {
            return;
        }
        let name = body["channel"].as_str().unwrap_or_default();
        let Some(index) = self.channels.iter().position(|line| line.name == name) else {
            return self.strange(format!("of a channel that is not read: {text}"));
        };
        let line = &mut self.channels[index];
        match kind.as_str() {
            "subscribed" => line.begin(body),
            "unsubscribed" => self.done.extend(line.leave()),
            "error" if body["code"] == "stuck" => {
                line.asked.pop_front();
                line.is_wanted = false;
            }
            _ => match &mut line.open {
                None => self.strange(format!("before it was subscribed: {text}")),
                Some(session) => match kind.as_str() {
                    "message" => session.item(body),
                    "gap" => session.gap(body),
                    "end" => session.end(body),
                    "position" => match crate::session::position(&body["position"]) {
                        Some(position) => session.note(Note::Heartbeat(position)),
                        None => session.strange(text),
                    },
                    _ => session.strange(text),
                },
            },
        }
    }
}
