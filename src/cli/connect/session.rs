//! One talk, or several in turn where a lost connection is made again.
//!
//! What the user sees outlives a connection: the input, with what was not sent, the screen, and the
//! account of what was said.

use std::{
    io::{IsTerminal as _, stderr},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    Face, args,
    input::Step,
    retry::{self, Backoff},
    screen::Screen,
    sender,
    talk::{Account, Beginning, Lost, Outcome, Talk, after_goodbye},
};
use crate::{
    address::Address,
    cli::{
        catalogue::Phrase, exit_code::Exit, failure::Failure, language::Language, output,
        signals::Stop,
    },
    transport::{Connection, OpenOptions},
};

/// What is to be connected to, and how.
pub(super) struct Session {
    pub(super) args: args::Connect,
    pub(super) address: Address,
    pub(super) options: OpenOptions,
    /// None when a loss is the end.
    pub(super) backoff: Option<Backoff>,
    pub(super) language: Language,
}

/// What came of waiting for a connection.
enum Waited<T> {
    Done(T),
    /// The user does not want it any more.
    Left(Exit),
}

impl Session {
    /// Talks until it is over.
    pub(super) async fn run(mut self, stop: &mut Stop) -> Result<Exit, Failure> {
        let mut connection = match self.connect(None, stop).await? {
            Waited::Done(connection) => connection,
            Waited::Left(exit) => return Ok(exit),
        };
        let mut face = Face::new(&self.args, &self.address, &connection, self.language)?;
        let mut account = Account::default();
        loop {
            let begun = Instant::now();
            let beginning = Beginning {
                input: face.input,
                account,
                ending: face.ending,
                // Chunks of a stream are as long as one write can be already.
                gathers: self.backoff.is_none() && !face.ending.counts_lines,
                opening: sender::opening(&self.args.open, face.kind),
                goodbye: self.args.goodbye(),
            };
            let talk = Talk::begin(connection, &mut face.screen, beginning);
            let lost = match talk.run(stop, |failure| self.is_bearable(failure)).await {
                Outcome::Over(result, position) => {
                    if let Some(position) = position {
                        output::notice(&self.language.say(Phrase::ResumeAfter(&position)));
                    }
                    return result;
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
            if let Waited::Left(exit) = self.pause(lost.failure, Some(&mut face), stop).await? {
                return Ok(exit);
            }
            connection = match self.connect(Some(&mut face), stop).await? {
                Waited::Done(connection) => connection,
                Waited::Left(exit) => return Ok(exit),
            };
            self.say(Some(&mut face.screen), Phrase::Reconnected(&self.address.to_string()));
        }
    }

    fn is_bearable(&self, failure: &Failure) -> bool {
        self.backoff.is_some() && retry::may_help(failure)
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
                exit = left(face.as_deref_mut(), stop) => return Ok(Waited::Left(exit)),
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
            exit = left(face, stop) => Ok(Waited::Left(exit)),
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

    /// Tells a person. Elsewhere it is for the log.
    fn say(&self, screen: Option<&mut Screen>, phrase: Phrase<'_>) {
        let text = self.language.say(phrase);
        match screen {
            _ if !stderr().is_terminal() => tracing::info!("{text}"),
            Some(screen) => screen.say(&text),
            None => output::notice(&text),
        }
    }
}

fn warning(language: Language, phrase: Phrase<'_>) -> String {
    format!("{}: {}", language.say(Phrase::Warning), language.say(phrase))
}

/// Waits until the user wants to leave, by a signal or by a key.
async fn left(face: Option<&mut Face>, stop: &mut Stop) -> Exit {
    let typed = async {
        match face {
            Some(face) => face.input.left().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        exit = stop.requested() => exit,
        step = typed => match step {
            Step::Interrupted => Exit::Interrupted,
            Step::End | Step::Send(_) => Exit::Success,
        },
    }
}
