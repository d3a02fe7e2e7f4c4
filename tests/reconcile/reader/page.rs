//! Readers of history, page by page.

use std::{
    io::{self, Read as _, Write as _},
    time::{Duration, Instant},
};

use enchufe::core::Since;
use serde_json::Value;

use super::{Leave, Reader, Visit, query};
use crate::session::{Ending, Note, Session, Wire, position};

/// How many pages one visit has at most.
const PAGES: usize = 5;

impl Reader<'_> {
    /// Reads pages until there is no more for now.
    pub(super) fn pages(&mut self, channel: usize) -> io::Result<()> {
        let is_finishing = self.signals.finish.load(std::sync::atomic::Ordering::Relaxed);
        let leave = match is_finishing {
            true => Leave::AtTheEnd,
            false => Leave::After { notes: 0, politely: false },
        };
        let visit =
            Visit { wire: Wire::Page, stalls: 0, stall: Duration::ZERO, leave, is_small: false };
        let mut asked = self.ask_for(channel, &visit);
        for _ in 0..PAGES {
            let limit = self.rng.u32(1..80);
            let asked_at = Instant::now();
            let body =
                self.page(&visit, channel, &format!("{}&limit={limit}", query(&asked, false)))?;
            let mut session = Session::new(&self.name, Wire::Page, asked, asked_at);
            let next = note(&body, &mut session);
            session.ended_at = Instant::now();
            let is_over = session.has_ended();
            self.sessions.push(session);
            match next {
                Some(next) if !is_over && body["head"] != body["next"] => {
                    asked.since = Since::After(next);
                }
                _ => break,
            }
        }
        if is_finishing {
            // The end is not far.
            std::thread::sleep(super::MOMENT);
        }
        Ok(())
    }

    fn page(&mut self, visit: &Visit, channel: usize, query: &str) -> io::Result<Value> {
        let mut reins = self.connect(visit)?;
        reins.stream.set_read_timeout(Some(crate::session::PATIENCE))?;
        let path = self.scene.paths[channel];
        let head = format!(
            "GET /channels/{path}?{query} HTTP/1.0\r\nHost: {}\r\nAccept: application/json\r\n\r\n",
            self.scene.address()
        );
        reins.write_all(head.as_bytes())?;
        let mut answer = Vec::new();
        reins.read_to_end(&mut answer)?;
        let answer = String::from_utf8(answer).map_err(io::Error::other)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        serde_json::from_str(body).map_err(io::Error::other)
    }
}

/// Notes what a page has, and gives where the next one begins.
fn note(body: &Value, session: &mut Session) -> Option<enchufe::core::Position> {
    let Some(next) = position(&body["next"]) else {
        session.strange(format!("no page: {body}"));
        return None;
    };
    if body["gap"].is_object() {
        session.gap(&body["gap"]);
    } else if let Some(first) = body["items"].get(0).and_then(|item| position(&item["position"])) {
        // A page does not say where it begins, but what it was asked for.
        match session.asked.since {
            Since::After(asked) => session.note(Note::Start(asked)),
            _ => session.note(Note::Start(first.before())),
        }
    } else {
        session.note(Note::Start(next));
    }
    for item in body["items"].as_array().into_iter().flatten() {
        session.item(item);
    }
    // What is complete through here has been told.
    session.note(Note::Heartbeat(next));
    if body["end"].is_object() {
        session.end(&body["end"]);
    }
    session.ending = Ending::Told;
    Some(next)
}
