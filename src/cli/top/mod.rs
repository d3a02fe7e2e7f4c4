//! `enchufe top`: a running server, watched on a terminal or printed once.

mod fetch;
mod keys;
mod report;
mod screen;
mod table;
mod view;

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use self::{
    fetch::Server,
    keys::Keys,
    report::Report,
    screen::Screen,
    table::Choice,
    view::{Contact, View},
};
use super::{
    args,
    args::Column,
    catalogue::{Phrase, TlsPhrase, TopPhrase},
    escape,
    exit_code::Exit,
    failure::{Failure, LiveFailure},
    language::Language,
    output, signals,
};
use crate::{http::Token, limits, transport::OpenOptions};

pub(super) use report::Standing;

/// Runs until it is ended; where there is no terminal, once.
pub(super) async fn run(args: args::Top, language: Language) -> Result<Exit, Failure> {
    let mut stop = signals::Stop::new().map_err(Failure::System)?;
    let token = args.token_file.as_deref().map(Token::read).transpose();
    let mut options = OpenOptions { timeout: limits::TOP_TIMEOUT, ..OpenOptions::default() };
    options.tls.ca.clone_from(&args.ca);
    options.tls.insecure = args.insecure;
    let server = Server::new(&args.server, token.map_err(LiveFailure::Token)?, options)?;
    if args.insecure {
        output::warn(language, Phrase::Tls(TlsPhrase::Insecure(&server.name)));
    }
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let interval = args.interval.clamp(limits::TOP_INTERVAL_MIN, limits::INTERVAL_MAX);
    let choice = Choice { sort: args.sort, reversed: false, filter: args.filter.clone() };
    if args.once || args.json || !is_terminal {
        tokio::select! {
            exit = stop.requested() => Ok(exit),
            printed = once(&server, interval, &choice, args.json, language) => printed,
        }
    } else {
        // A server that was never there is a mistake, and is said before the screen is taken.
        let first = tokio::select! {
            exit = stop.requested() => return Ok(exit),
            first = server.ask() => first?,
        };
        let watch = Watch::new(server, interval, first, choice, language);
        watch.run(stop).await
    }
}

/// Prints one table, of what happens within an interval.
async fn once(
    server: &Server,
    interval: Duration,
    choice: &Choice,
    is_json: bool,
    language: Language,
) -> Result<Exit, Failure> {
    let (before, begun) = (server.ask().await?, Instant::now());
    sleep_until(begun + interval).await;
    let now = server.ask().await?;
    let standing = Standing::between(&before, &now, begun.elapsed());
    let printed = match is_json {
        true => output::line(&json(server, &standing, choice)),
        false => {
            let heading = view::heading(&standing, language);
            let titles: Vec<String> =
                Column::ALL.map(|column| view::title(column, language)).to_vec();
            let others = view::others(&standing, language);
            let cells = |row| Column::ALL.map(|column| table::cell(row, column, &others)).to_vec();
            let rows: Vec<Vec<String>> = choice.rows(&standing).into_iter().map(cells).collect();
            let lines = table::lines(&titles, &rows);
            let server = escape::line(server.name.as_bytes());
            let all = [server].into_iter().chain(heading).chain([String::new()]).chain(lines);
            all.into_iter().try_for_each(|line| output::line(&line))
        }
    };
    printed.map_or_else(output::OutputError::into_result, |()| Ok(Exit::Success))
}

fn json(server: &Server, standing: &Standing, choice: &Choice) -> String {
    #[derive(Serialize)]
    struct Whole<'a> {
        server: &'a str,
        #[serde(flatten)]
        standing: &'a Standing,
    }
    let mut shown = standing.clone();
    shown.channels = choice.rows(standing).into_iter().cloned().collect();
    let whole = Whole { server: &server.name, standing: &shown };
    serde_json::to_string(&whole).expect("numbers and names are JSON")
}

/// A server that is watched.
struct Watch {
    server: Server,
    interval: Duration,
    before: (Report, Instant),
    view: View,
}

impl Watch {
    fn new(
        server: Server,
        interval: Duration,
        first: Report,
        choice: Choice,
        language: Language,
    ) -> Self {
        let standing = Standing::between(&first, &first, interval);
        let view = View::new(server.name.clone(), standing, choice, language);
        Self { server, interval, before: (first, Instant::now()), view }
    }

    async fn run(mut self, mut stop: signals::Stop) -> Result<Exit, Failure> {
        let mut screen = Screen::take().map_err(Failure::Output)?;
        let mut keys = Keys::listen().map_err(Failure::System)?;
        let mut next = Instant::now() + self.interval;
        loop {
            screen.draw(|frame| self.view.draw(frame)).map_err(Failure::Output)?;
            tokio::select! {
                exit = stop.requested() => return Ok(exit),
                key = keys.next() => match self.view.on_key(key) {
                    Some(exit) => return Ok(exit),
                    None => continue,
                },
                // Given up when a key is pressed, and then done at once: nothing was changed.
                asked = ask(&self.server, next) => self.take(asked)?,
            }
            next = Instant::now() + self.interval;
        }
    }

    /// Takes what the server said, or that it does not answer. What it refuses it will refuse again.
    fn take(&mut self, asked: Result<Report, Failure>) -> Result<(), Failure> {
        match asked {
            Ok(report) => {
                let now = Instant::now();
                let (before, then) = std::mem::replace(&mut self.before, (report, now));
                let standing = Standing::between(&before, &self.before.0, now - then);
                self.view.show(standing);
                Ok(())
            }
            Err(failure @ Failure::Open(_)) => {
                self.view.contact = Contact::Lost(failure);
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }
}

async fn ask(server: &Server, when: Instant) -> Result<Report, Failure> {
    sleep_until(when).await;
    server.ask().await
}

/// What the view and the table say, in the user's language.
fn say(language: Language, phrase: TopPhrase<'_>) -> String {
    language.say(Phrase::Top(phrase))
}
