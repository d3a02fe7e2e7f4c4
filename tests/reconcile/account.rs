//! Whether what one session had is what it should have had.

use std::{collections::HashSet, ops::RangeInclusive};

use enchufe::core::{Epoch, Position, Since, SlowPolicy};

use crate::{
    difference::{Difference, Kind},
    message::Id,
    session::{Ending, Missing, Note, Session, Wire},
    truth::{Log, Truth},
};

/// What holds for a whole round.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Circumstances {
    /// The server was ended and started again.
    pub(crate) restarted: bool,
    /// Readers may be dropped for taking no answers.
    pub(crate) tiny_outbox: bool,
}

/// Where a reader stands.
#[derive(Debug, Clone)]
enum Place {
    At(Position),
    /// A raw reader is not told where it begins: before the first message it has, and between these.
    Between(RangeInclusive<u64>),
}

/// One session, being gone through.
struct Account<'a> {
    session: &'a Session,
    truth: &'a Truth,
    circumstances: Circumstances,
    place: Place,
    /// Of which log a raw reader has messages: a connection ends with the server.
    epoch: Option<Epoch>,
    /// What it had of which nobody knows where it stands.
    unplaced: HashSet<Id>,
    is_over: bool,
    found: Vec<Difference>,
}

/// All that is wrong with a session.
pub(crate) fn check(
    session: &Session,
    truth: &Truth,
    circumstances: Circumstances,
) -> Vec<Difference> {
    let place = match session.asked.since {
        // Who wants the newest only is told nothing of a log that is gone, either.
        Since::After(position)
            if session.wire == Wire::Raw && session.asked.slow != Some(SlowPolicy::Latest) =>
        {
            Place::At(position)
        }
        _ => Place::Between(0..=u64::MAX),
    };
    let mut account = Account {
        session,
        truth,
        circumstances,
        place,
        epoch: epoch(session, truth),
        unplaced: HashSet::new(),
        is_over: false,
        found: Vec::new(),
    };
    account.begin();
    for note in &session.notes {
        account.note(note);
    }
    account.finish();
    account.found
}

impl Account<'_> {
    fn differ(&mut self, kind: Kind, text: impl std::fmt::Display) {
        let Session { reader, wire, asked, notes, .. } = self.session;
        let text = format!(
            "{reader} ({wire:?}, channel {}, since {}, {:?}, {} notes, stands at {:?}): {text}",
            asked.channel,
            asked.since,
            asked.slow,
            notes.len(),
            self.place
        );
        self.found.push(Difference::new(kind, text));
    }

    fn log(&self, position: Position) -> Option<&Log> {
        self.truth.log(self.session.asked.channel, position.epoch)
    }

    /// What a raw reader is not told is narrowed down by what it has asked for.
    fn begin(&mut self) {
        if self.session.wire != Wire::Raw || matches!(self.session.asked.since, Since::After(_)) {
            return;
        }
        let mut logs = self.truth.logs(self.session.asked.channel);
        if let (Some((_, log)), None, Place::Between(_)) = (logs.next(), logs.next(), &self.place) {
            self.place = Place::Between(beginning(self.session, log));
        }
    }

    fn note(&mut self, note: &Note) {
        // The end of one channel is not that of the connection.
        let goes_on = self.session.wire == Wire::V1 && matches!(note, Note::Close(..));
        if self.is_over && !goes_on {
            return self.differ(Kind::AfterTheEnd, format!("{note:?}"));
        }
        match note {
            Note::Start(position) => self.start(*position),
            Note::Message(Some(position), id) => {
                let is_here = usize::from(id.channel) == self.session.asked.channel;
                if is_here && self.truth.place(*id, position.epoch) == Some(*position) {
                    self.advance(*position);
                } else {
                    self.differ(Kind::Misplaced, format!("{id} at {position}"));
                }
            }
            Note::Message(None, id) => self.raw(*id),
            Note::Gap(gap, at) => self.gap(gap, *at),
            Note::Heartbeat(position) => {
                if !matches!(self.place, Place::At(at) if at == *position) {
                    self.differ(Kind::Heartbeat, position);
                }
            }
            Note::End(position) => self.end(*position),
            Note::Close(code, reason, at) => self.close(*code, reason, *at),
            Note::Strange(text) if text.ends_with("altered") => self.differ(Kind::Altered, text),
            Note::Strange(text) => self.differ(Kind::Strange, text),
        }
    }

    fn start(&mut self, position: Position) {
        if let Place::At(at) = self.place {
            return self.differ(Kind::Start, format!("at {position}, after {at}"));
        }
        self.place = Place::At(position);
        if let Since::After(asked) = self.session.asked.since {
            if asked != position {
                self.differ(Kind::Start, position);
            }
            return;
        }
        // A log to which nothing was ever published is not known, and begins at its beginning.
        let range = self.log(position).map_or(0..=0, |log| beginning(self.session, log));
        if !range.contains(&position.offset) {
            self.differ(Kind::Start, format!("at {position}, not in {range:?}"));
        }
    }

    /// A message that stands here comes next.
    fn advance(&mut self, position: Position) {
        let conflates =
            self.session.wire == Wire::Raw && self.session.asked.slow == Some(SlowPolicy::Latest);
        match self.place.clone() {
            Place::At(at) if at.epoch != position.epoch => {
                // A raw reader would have been closed, had it not asked for the newest only.
                if !conflates {
                    self.differ(Kind::Start, format!("{position} without a reset"));
                }
            }
            Place::At(at) if position.offset <= at.offset => {
                self.differ(Kind::Order, format!("{position} comes now"));
                return;
            }
            Place::At(at) => {
                let log = self.log(position).expect("what stands there is known");
                let lost = log.first_between(at.offset, position.offset);
                if let Some((offset, id)) = lost.filter(|_| !conflates) {
                    self.differ(Kind::Lost, format!("{id} at {offset}, before {position}"));
                }
            }
            Place::Between(range) => {
                let log = self.log(position).expect("what stands there is known");
                let before = log.entries.range(..position.offset).next_back();
                let before = before.map_or(0, |(offset, _)| *offset);
                if before > *range.end() && !conflates {
                    self.differ(Kind::Lost, format!("what is before {position}: {range:?}"));
                } else if position.offset <= *range.start() {
                    self.differ(Kind::Start, format!("{position} is too early: {range:?}"));
                }
            }
        }
        self.place = Place::At(position);
    }

    /// A message of a form that does not say where it stands.
    fn raw(&mut self, id: Id) {
        let places = self.truth.places(id);
        let is_here = usize::from(id.channel) == self.session.asked.channel;
        let in_this_life = places.iter().find(|place| Some(place.epoch) == self.epoch);
        let place = in_this_life.or(places.first()).copied().filter(|_| is_here);
        match place {
            Some(position) => self.advance(position),
            // Nobody who is told where it stands has it.
            None if is_here && self.truth.is_in_doubt(id) => {
                if !self.unplaced.insert(id) {
                    self.differ(Kind::Order, format!("{id} again"));
                }
            }
            None if is_here => self.differ(Kind::Unacknowledged, id),
            None => self.differ(Kind::Misplaced, format!("{id} is of another channel")),
        }
    }

    fn gap(&mut self, gap: &Missing, at: std::time::Instant) {
        match self.place {
            Place::At(place) if place != gap.after => {
                self.differ(Kind::Gap, format!("{gap:?} is from elsewhere"));
            }
            Place::At(_) => {}
            // A reader whose position is of another log is told so first of all.
            Place::Between(_) => self.start(gap.after),
        }
        let is_known = gap.next.epoch == gap.after.epoch;
        let is_conflated = gap.reason == "conflated";
        let allowed = match gap.reason.as_str() {
            "conflated" => is_known && self.session.asked.slow == Some(SlowPolicy::Latest),
            "expired" | "slow" => is_known,
            "reset" => !is_known || gap.after.offset > self.head_when_asked(gap.after),
            _ => false,
        };
        if !allowed {
            self.differ(Kind::Gap, format!("{gap:?}: nobody had a reason for that"));
        }
        let gone = self.log(gap.next).map_or(0, |log| log.gone_at_most(at));
        if !is_conflated && gap.next.before().offset > gone {
            self.differ(Kind::Gap, format!("{gap:?} is still here: all through {gone} is gone"));
        }
        if gap.reason != "reset" && gap.next.offset <= gap.after.offset + 1 {
            self.differ(Kind::Gap, format!("{gap:?} is empty"));
        }
        if let Some(count) = gap.count {
            let between =
                |log: &Log| log.entries.range(gap.after.offset + 1..gap.next.offset).count();
            let known = self.log(gap.next).filter(|_| is_known).map_or(0, between) as u64;
            // What stays in doubt for ever may be among them: this broker numbers without holes.
            let most = gap.next.offset.saturating_sub(gap.after.offset + 1);
            if !(known..=most).contains(&count) {
                self.differ(Kind::Missing, format!("{gap:?}, but it is {known} to {most}"));
            }
        }
        self.place = Place::At(gap.next.before());
    }

    fn head_when_asked(&self, position: Position) -> u64 {
        self.log(position).map_or(0, |log| log.head_at_least(self.session.asked_at))
    }

    fn end(&mut self, position: Position) {
        self.is_over = true;
        let head = self.log(position).map_or(0, Log::final_head);
        match self.place {
            Place::At(at) if at != position => {
                self.differ(Kind::Lost, format!("it ends at {position}"));
            }
            _ if position.offset != head => {
                self.differ(Kind::Ending, format!("the end at {position}, but the head is {head}"));
            }
            _ => {}
        }
    }

    fn close(&mut self, code: u16, reason: &str, at: std::time::Instant) {
        self.is_over = true;
        let allowed = match code {
            // The answer to our own.
            1000 | 1005 => return,
            1001 => self.circumstances.restarted,
            4000 => self.session.wire == Wire::Raw,
            4001 => self.session.may_be_cut,
            4002 => self.session.wire == Wire::Raw,
            _ => false,
        };
        if !allowed {
            return self.differ(Kind::Ending, format!("{code} {reason}"));
        }
        if self.session.wire != Wire::Raw {
            return;
        }
        let Ok(resume) = reason.parse::<Position>() else {
            return self.differ(Kind::Ending, format!("{code} says no position: '{reason}'"));
        };
        if code == 4002 {
            let gone = self.log(resume).map_or(0, |log| log.gone_at_most(at));
            let moved = match &self.place {
                Place::At(at) => at.epoch != resume.epoch || at.offset != resume.offset,
                Place::Between(range) => resume.offset > *range.start(),
            };
            if !moved || resume.offset > gone {
                self.differ(Kind::Gap, format!("4002 {resume}, but all through {gone} is gone"));
            }
            return;
        }
        let stands_there = match &self.place {
            Place::At(at) => *at == resume,
            Place::Between(range) => range.contains(&resume.offset),
        };
        let conflates = self.session.asked.slow == Some(SlowPolicy::Latest);
        if !stands_there && !conflates {
            self.differ(Kind::Ending, format!("{code}: to be resumed after {resume}"));
        }
        if code == 4000 {
            let head = self.log(resume).map_or(0, Log::final_head);
            if resume.offset != head {
                self.differ(Kind::Ending, format!("the end at {resume}, but the head is {head}"));
            }
        }
    }

    fn finish(&mut self) {
        match self.session.ending {
            Ending::Left | Ending::Told => {}
            Ending::Cut => {
                let is_http = matches!(self.session.wire, Wire::Events | Wire::NdJson);
                let may_be = self.circumstances.restarted
                    || (is_http && self.session.may_be_cut)
                    || (self.session.wire == Wire::V1 && self.circumstances.tiny_outbox);
                if !may_be && !self.is_over {
                    self.differ(Kind::Ending, "cut off without a word");
                }
            }
            Ending::GaveUp => {
                let text = format!("nothing more came for {:?}", crate::session::PATIENCE);
                self.differ(Kind::Behind, text);
            }
        }
    }
}

/// The log of which a reader has messages that stand in no other.
fn epoch(session: &Session, truth: &Truth) -> Option<Epoch> {
    session.notes.iter().find_map(|note| match note {
        Note::Message(_, id) => match truth.places(*id) {
            [only] => Some(only.epoch),
            _ => None,
        },
        _ => None,
    })
}

/// Where a reader may begin that asked for this at that time.
fn beginning(session: &Session, log: &Log) -> RangeInclusive<u64> {
    let head = log.head(session.asked_at, session.begun_at);
    let (low, high) = (*head.start(), *head.end());
    let (least, most) = (*log.before_oldest(low).start(), *log.before_oldest(high).end());
    match session.asked.since {
        Since::Now => head,
        Since::All => least..=most,
        Since::Last(count) => {
            low.saturating_sub(count).max(least)..=high.saturating_sub(count).max(most)
        }
        Since::Age(age) => {
            let older = session.asked_at.checked_sub(age + SLACK);
            let younger = session.begun_at.checked_sub(age.saturating_sub(SLACK));
            let from = older.map_or(0, |at| log.head_at_least(at));
            let to = younger.map_or(0, |at| log.head_at_most(at));
            from.max(least)..=to.max(most)
        }
        Since::After(position) => position.offset..=position.offset,
    }
}

/// How far the clocks of a publisher and of the server may be apart.
const SLACK: std::time::Duration = std::time::Duration::from_millis(100);
