//! Readers over plain HTTP: Server-Sent Events and lines of JSON.

use std::{
    io::{self, Read as _, Write as _},
    time::Instant,
};

use enchufe::core::Since;
use serde_json::Value;

use super::{Reader, Reins, Visit, is_pause, query};
use crate::session::{Ending, Note, PATIENCE, Session, Wire, decode};

/// What comes in lines, however it is cut.
struct Lines {
    reins: Reins,
    bytes: Vec<u8>,
    at: usize,
}

enum Found {
    Line(String),
    Nothing,
    Over(Ending),
}

impl Lines {
    fn new(reins: Reins) -> Self {
        Self { reins, bytes: Vec::new(), at: 0 }
    }

    fn look(&mut self) -> Found {
        if let Some(length) = self.bytes[self.at..].iter().position(|byte| *byte == b'\n') {
            let line = &self.bytes[self.at..self.at + length];
            let line = String::from_utf8_lossy(line).into_owned();
            self.at += length + 1;
            return Found::Line(line);
        }
        self.bytes.drain(..self.at);
        self.at = 0;
        let mut buffer = [0; 16 << 10];
        match self.reins.read(&mut buffer) {
            Ok(0) => Found::Over(Ending::Cut),
            Ok(count) => {
                self.bytes.extend_from_slice(&buffer[..count]);
                self.look()
            }
            Err(error) if is_pause(&error) => Found::Nothing,
            Err(_) if self.reins.are_cut() => Found::Over(Ending::Left),
            Err(_) => Found::Over(Ending::Cut),
        }
    }

    /// The next line, waited for.
    fn wait(&mut self) -> io::Result<String> {
        let begun = Instant::now();
        loop {
            match self.look() {
                Found::Line(line) => return Ok(line),
                Found::Nothing if begun.elapsed() < PATIENCE => {}
                _ => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

/// An event of an event stream that is not complete yet (WHATWG HTML §9.2.6).
#[derive(Default)]
struct Event {
    name: String,
    data: Vec<String>,
    id: Option<String>,
}

impl Reader<'_> {
    /// Reads one channel until the visit is over.
    pub(super) fn stream(&mut self, visit: &Visit, channel: usize) -> io::Result<()> {
        let asked = self.ask_for(channel, visit);
        let is_events = visit.wire == Wire::Events;
        let accept = if is_events { "text/event-stream" } else { "application/x-ndjson" };
        let (mut query, mut fields) = (query(&asked, true), format!("Accept: {accept}\r\n"));
        if let (true, Since::After(position), true) = (is_events, asked.since, self.rng.bool()) {
            // The header wins.
            query = query.replace(&position.to_string(), "now");
            fields.push_str(&format!("Last-Event-ID: {position}\r\n"));
        }
        let asked_at = Instant::now();
        let mut reins = self.connect(visit)?;
        let path = self.scene.paths[channel];
        let head = format!(
            "GET /channels/{path}?{query} HTTP/1.0\r\nHost: {}\r\n{fields}\r\n",
            self.scene.address()
        );
        reins.write_all(head.as_bytes())?;
        let mut lines = Lines::new(reins);
        let status = lines.wait()?;
        while !lines.wait()?.trim().is_empty() {}
        let mut session = Session::new(&self.name, visit.wire, asked, asked_at);
        if status.contains(" 204 ") {
            // Where it is, is the end.
            if let Since::After(position) = asked.since {
                session.note(Note::Start(position));
                session.note(Note::End(position));
            }
            session.ending = Ending::Told;
        } else if status.contains(" 200 ") {
            session.ending = self.follow(visit, &mut lines, &mut session);
        } else {
            session.strange(status);
        }
        session.ended_at = Instant::now();
        self.sessions.push(session);
        Ok(())
    }

    fn follow(&mut self, visit: &Visit, lines: &mut Lines, session: &mut Session) -> Ending {
        let (mut quiet_since, mut event) = (Instant::now(), Event::default());
        loop {
            if self.wants_no_more(visit, session.notes.len()) {
                return Ending::Left;
            }
            match lines.look() {
                Found::Line(line) if visit.wire == Wire::Events => {
                    event_line(&line, &mut event, session);
                }
                Found::Line(line) => json_line(&line, session),
                Found::Nothing if quiet_since.elapsed() > PATIENCE => return Ending::GaveUp,
                Found::Nothing => continue,
                Found::Over(_) if session.has_ended() => return Ending::Told,
                Found::Over(ending) => return ending,
            }
            quiet_since = Instant::now();
            self.stall(visit);
        }
    }
}

fn json_line(line: &str, session: &mut Session) {
    let Ok(value) = serde_json::from_str::<Value>(line) else {
        return session.strange(format!("no JSON: {line}"));
    };
    if value.get("data").or(value.get("base64")).is_some() {
        session.item(&value);
    } else if let Some(gap) = value.get("gap") {
        session.gap(gap);
    } else if let Some(end) = value.get("end") {
        session.end(end);
    } else {
        own_position(value["position"].as_str().unwrap_or_default(), session);
    }
}

/// The first thing that is said is where the reader begins; later on it is a heartbeat.
fn own_position(text: &str, session: &mut Session) {
    match text.parse() {
        Ok(position) if session.notes.is_empty() => session.note(Note::Start(position)),
        Ok(position) => session.note(Note::Heartbeat(position)),
        Err(_) => session.strange(format!("no position: '{text}'")),
    }
}

fn event_line(line: &str, event: &mut Event, session: &mut Session) {
    if !line.is_empty() {
        let Some((field, value)) = line.split_once(':') else {
            return session.strange(format!("no field: {line}"));
        };
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "id" => event.id = Some(value),
            "event" => event.name = value,
            "data" => event.data.push(value),
            _ => session.strange(format!("no field of an event: {line}")),
        }
        return;
    }
    let Event { name, data, id } = std::mem::take(event);
    let (id, text) = (id.unwrap_or_default(), data.join("\n"));
    let json = || serde_json::from_str::<Value>(&text).unwrap_or_default();
    match (name.as_str(), data.is_empty()) {
        ("", true) => own_position(&id, session),
        ("", false) => session.payload(id.parse().ok(), text.as_bytes(), true),
        ("base64", _) => {
            let bytes = decode(&text).unwrap_or_default();
            // Text travels so, too, where an event stream could not carry it.
            let is_text = std::str::from_utf8(&bytes).is_ok();
            session.payload(id.parse().ok(), &bytes, is_text);
        }
        ("gap", _) => {
            session.gap(&json());
            let resume = session.resume().map(|position| position.to_string());
            if resume.as_deref() != Some(&id) {
                session.strange(format!("the id of {text} is {id}"));
            }
        }
        ("end", _) => session.end(&json()),
        _ => session.strange(format!("no event of ours: {name}")),
    }
}
