//! One talk, or several in turn where a lost connection is made again.
//!
//! What the user sees outlives a connection: the input, with what was not sent, the screen, and the
//! account of what was said.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    args,
    ending::Account,
    face::Face,
    form::Event,
    input::Step,
    parting::after_goodbye,
    replay::Track,
    retry::{self, Backoff},
    screen::Screen,
    sender,
    talk::{Beginning, Lost, Outcome, Talk},
};
use crate::{
    address::Address,
    cli::{
        catalogue::Phrase, escape, exit_code::Exit, failure::Failure, language::Language, output,
        signals::Stop,
    },
    transport::{Connection, OpenOptions},
};

/// What is to be connected to, and how.
pub(super) struct Session {
    args: args::Connect,
    address: Address,
    options: OpenOptions,
    /// None when a loss is the end.
    backoff: Option<Backoff>,
    language: Language,
}

/// What came of waiting for a connection.
enum Waited<T> {
    Done(T),
    /// The user does not want it any more.
    Left(Exit),
}

impl Session {
    pub(super) fn new(args: args::Connect, address: Address, language: Language) -> Self {
        let backoff = args.reconnect.then(|| Backoff::new(args.reconnect_max));
        Self { options: args.options(language), address, backoff, args, language }
    }

    /// Talks until it is over. What is sent comes from standard input, or from one connection of
    /// the recording.
    pub(super) async fn run(
        mut self,
        track: Option<Track>,
        stop: &mut Stop,
    ) -> Result<Exit, Failure> {
        let mut connection = match self.connect(None, stop).await? {
            Waited::Done(connection) => connection,
            Waited::Left(exit) => return Ok(exit),
        };
        let mut face = Face::new(&self.args, track, &self.address, &connection, self.language)?;
        let mut account = Account::default();
        loop {
            let begun = Instant::now();
            let event = Event::Open { address: &self.address.redacted() };
            if let Err(error) = face.screen.happen(event).await {
                return face.expected.judge(error.into_result());
            }
            let beginning = Beginning {
                input: face.input,
                account,
                ending: face.ending,
                // Chunks of a stream are as long as one write can be already.
                gathers: self.backoff.is_none() && !face.ending.counts_lines,
                opening: sender::opening(&self.args.open, face.kind),
                goodbye: self.args.goodbye(),
            };
            let (screen, expected) = (&mut face.screen, &mut face.expected);
            let talk = Talk::begin(connection, screen, expected, beginning);
            let lost = match talk.run(stop, |failure| self.is_bearable(failure)).await {
                Outcome::Over(result, position) => {
                    if let Some(position) = position {
                        output::notice(&self.language.say(Phrase::ResumeAfter(&position)));
                    }
                    return face.expected.judge(result);
                }
                Outcome::Lost(lost) => *lost,
            };
            if let Some(backoff) = &mut self.backoff {
                backoff.stood(begun.elapsed());
            }
            self.tell(&mut face.screen, &lost);
            if let Address::Ws(address) = &mut self.address {
                match &lost.failure {
                    Failure::Closed(reason) if let Some(position) = retry::position(reason) => {
                        retry::resume(address, position);
                    }
                    _ if retry::asks_for_history(address) && lost.account.received > 0 => {
                        let phrase = warning(self.language, Phrase::PositionUnknown);
                        face.screen.say(&phrase);
                    }
                    _ => {}
                }
            }
            (account, face.input) = (lost.account, lost.input);
            let again = self.connect_again(lost.failure, &mut face, stop).await;
            connection = match again {
                Ok(Waited::Done(connection)) => connection,
                Ok(Waited::Left(exit)) => return face.expected.judge(Ok(exit)),
                Err(failure) => return face.expected.judge(Err(failure)),
            };
            self.say(Some(&mut face.screen), Phrase::Reconnected(&self.address.redacted()));
        }
    }

    fn is_bearable(&self, failure: &Failure) -> bool {
        self.backoff.is_some() && retry::may_help(failure)
    }

    /// Waits a while after a loss, and connects, however often it takes.
    async fn connect_again(
        &mut self,
        lost: Failure,
        face: &mut Face,
        stop: &mut Stop,
    ) -> Result<Waited<Connection>, Failure> {
        match self.pause(lost, Some(&mut *face), stop).await? {
            Waited::Done(()) => self.connect(Some(face), stop).await,
            Waited::Left(exit) => Ok(Waited::Left(exit)),
        }
    }

    /// Connects, however often it takes.
    async fn connect(
        &mut self,
        mut face: Option<&mut Face>,
        stop: &mut Stop,
    ) -> Result<Waited<Connection>, Failure> {
        loop {
            let opened = tokio::select! {
                opened = Connection::open(&self.address, &self.options) => opened,
                exit = left(face.as_deref_mut(), stop) => return exit.map(Waited::Left),
            };
            let failure = match opened {
                Ok(connection) => return Ok(Waited::Done(self.framed(connection))),
                Err(error) => Failure::Open(error),
            };
            if !self.is_bearable(&failure) {
                return Err(failure);
            }
            if let Waited::Left(exit) = self.pause(failure, face.as_deref_mut(), stop).await? {
                return Ok(Waited::Left(exit));
            }
        }
    }

    fn framed(&self, connection: Connection) -> Connection {
        let framing = self.args.framing(connection.is_stream()).of_stream();
        connection.with_framing_up_to(framing, self.args.message_bytes_max())
    }

    /// Waits before the next try. The failure is the end when there were enough of them.
    async fn pause(
        &mut self,
        failure: Failure,
        mut face: Option<&mut Face>,
        stop: &mut Stop,
    ) -> Result<Waited<()>, Failure> {
        let asked = retry::retry_after(&failure);
        let pause = self.backoff.as_mut().and_then(|backoff| backoff.pause(asked, fastrand::f64));
        let Some(pause) = pause else { return after_goodbye(failure).map(Waited::Left) };
        self.tell_of_pause(&failure, pause, face.as_deref_mut().map(|face| &mut face.screen));
        tokio::select! {
            () = sleep(pause) => Ok(Waited::Done(())),
            exit = left(face, stop) => exit.map(Waited::Left),
        }
    }

    /// Tells of what may not have arrived, always: nothing is lost silently.
    fn tell(&self, screen: &mut Screen, lost: &Lost) {
        let warn = |phrase| warning(self.language, phrase);
        if lost.unanswered > 0 {
            screen.say(&warn(Phrase::Unanswered(lost.unanswered)));
        }
        if let Some(message) = lost.input.unsent() {
            screen.say(&warn(Phrase::CutOff { bytes: message.payload.len() }));
        }
    }

    fn tell_of_pause(&self, failure: &Failure, pause: Duration, screen: Option<&mut Screen>) {
        let report = self.language.report(failure);
        let why = report.map(|report| report.message).unwrap_or_default();
        self.say(screen, Phrase::Retrying { why: &why, pause });
    }

    /// Tells the user, on standard error where there is no conversation.
    fn say(&self, screen: Option<&mut Screen>, phrase: Phrase<'_>) {
        let text = self.language.say(phrase);
        match screen {
            Some(screen) => screen.say(&text),
            None => output::notice(&escape::line(text.as_bytes())),
        }
    }
}

fn warning(language: Language, phrase: Phrase<'_>) -> String {
    format!("{}: {}", language.say(Phrase::Warning), language.say(phrase))
}

/// Waits until the user wants to leave, by a signal or by a key, or until it is too late for what is
/// expected.
async fn left(face: Option<&mut Face>, stop: &mut Stop) -> Result<Exit, Failure> {
    let Some(face) = face else { return Ok(stop.requested().await) };
    let Face { input, expected, .. } = face;
    tokio::select! {
        exit = stop.requested() => Ok(exit),
        () = expected.overdue() => Err(expected.too_late()),
        step = input.left() => Ok(match step {
            Step::Interrupted => Exit::Interrupted,
            Step::End | Step::Send(_) => Exit::Success,
        }),
    }
}
