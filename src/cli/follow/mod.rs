//! `enchufe follow`: what channels say goes to standard output, whatever happens to connections.
//!
//! What is printed is on its way out before its position is kept: who goes on there after a crash
//! may have some messages twice, and none is missing.

mod form;
mod positions;

use std::io::{IsTerminal as _, stdout};

use tokio::{
    io::{AsyncWriteExt as _, Stdout},
    time::sleep_until,
};

pub(super) use self::positions::PositionsError;
use self::{form::Form, positions::Positions};
use super::{
    args,
    catalogue::{ChannelPhrase, Phrase, TlsPhrase},
    escape,
    exit_code::Exit,
    failure::{ChannelFailure, Failure},
    language::Language,
    now::at_once,
    output::{self, OutputError, Reader},
    signals::Stop,
};
use crate::{
    address::{ChannelAddress, ServerAddress},
    client::{Event, FollowError, FollowOptions, Follower, Subscription},
    core::{Since, SlowPolicy},
    limits,
};

/// Follows until every channel has ended, or for as long as it is wanted.
pub(super) async fn run(args: args::Follow, language: Language) -> Result<Exit, Failure> {
    let stop = Stop::new().map_err(Failure::System)?;
    let (server, mut subscriptions) = args.subscriptions()?;
    let positions = match &args.position_file {
        Some(path) => Some(Positions::read(path).map_err(ChannelFailure::Positions)?),
        None => None,
    };
    for subscription in &mut subscriptions {
        let kept = positions.as_ref().and_then(|known| known.position(&subscription.channel));
        if let Some(position) = kept {
            subscription.since = Since::After(position);
        }
    }
    let options = FollowOptions {
        open: args.server.open_options()?,
        message_bytes_max: args.max_message,
        reconnects: !args.no_reconnect,
        ..FollowOptions::default()
    };
    if args.server.client.insecure {
        let shown = server.to_string();
        output::warn(language, Phrase::Tls(TlsPhrase::Insecure(&shown)));
    }
    let follower = Follower::new(server.clone(), subscriptions, options)
        .map_err(|error| ChannelFailure::Follow { server: server.to_string(), error })?;
    let is_terminal = stdout().is_terminal();
    let following = Following {
        form: Form::new(&args, is_terminal),
        left: args.count.map(u64::from),
        exit_on_gap: args.exit_on_gap,
        server,
        follower,
        positions,
        ready: Vec::new(),
        out: tokio::io::stdout(),
        gaps: 0,
        language,
    };
    following.run(stop, (!is_terminal).then(Reader::of_standard_output)).await
}

impl args::Follow {
    fn subscriptions(&self) -> Result<(ServerAddress, Vec<Subscription>), Failure> {
        let named = self.server.address()?;
        let mut subscriptions = Vec::with_capacity(self.channels.len());
        let mut server: Option<ServerAddress> = None;
        for text in &self.channels {
            let address = ChannelAddress::parse(text, &named).map_err(ChannelFailure::Address)?;
            let known = server.get_or_insert_with(|| address.server.clone());
            if *known != address.server {
                let (one, other) = (known.to_string(), address.server.to_string());
                return Err(ChannelFailure::OtherServer { one, other }.into());
            }
            subscriptions.push(Subscription {
                channel: address.channel,
                since: self.since.or(address.since).unwrap_or(Since::Now),
                slow: self.slow.map(policy).or(address.slow),
            });
        }
        Ok((server.unwrap_or(named), subscriptions))
    }
}

fn policy(slow: args::Slow) -> SlowPolicy {
    match slow {
        args::Slow::Skip => SlowPolicy::Skip,
        args::Slow::Latest => SlowPolicy::Latest,
        args::Slow::Cut => SlowPolicy::Cut,
    }
}

struct Following {
    server: ServerAddress,
    follower: Follower,
    form: Form,
    positions: Option<Positions>,
    /// What is to be printed.
    ready: Vec<u8>,
    out: Stdout,
    /// How many messages are still wanted.
    left: Option<u64>,
    exit_on_gap: bool,
    gaps: u64,
    language: Language,
}

/// What to do after something was heard.
enum Then {
    GoOn,
    /// Everything that was wanted is there.
    Enough,
}

impl Following {
    async fn run(mut self, mut stop: Stop, reader: Option<Reader>) -> Result<Exit, Failure> {
        let followed = tokio::select! {
            exit = stop.requested() => Ok(exit),
            () = gone(reader.as_ref()) => Err(OutputError::Closed.into()),
            followed = self.follow() => followed.map(|()| match self.gaps {
                0 => Exit::Success,
                _ => Exit::Gap,
            }),
        };
        let result = match followed {
            Err(Ended::Output(error)) => error.into_result(),
            Err(Ended::Failed(failure)) => {
                for (channel, position) in self.follower.positions() {
                    let channel = channel.as_str();
                    self.notice(ChannelPhrase::ResumeAfter { channel, position });
                }
                Err(failure)
            }
            Ok(exit) => Ok(exit),
        };
        if let Some(positions) = &mut self.positions {
            positions.save().map_err(ChannelFailure::Positions)?;
        }
        self.follower.close().await;
        result
    }

    /// Prints until there is no more, or enough.
    async fn follow(&mut self) -> Result<(), Ended> {
        loop {
            let due = self.positions.as_ref().and_then(Positions::due);
            let event = tokio::select! {
                event = self.follower.next() => event,
                () = sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    self.keep_positions()?;
                    continue;
                }
            };
            let mut then = self.hear(event).await?;
            // One write for all that is there is what makes a fast channel fast.
            while let Then::GoOn = then
                && self.ready.len() < limits::FOLLOW_GATHERED_BYTES_MAX
                && let Some(event) = at_once(self.follower.next()).await
            {
                then = self.hear(event).await?;
            }
            self.print().await?;
            if let Then::Enough = then {
                return Ok(());
            }
        }
    }

    async fn hear(&mut self, event: Result<Option<Event>, FollowError>) -> Result<Then, Ended> {
        let event = match event {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(Then::Enough),
            Err(error) => {
                self.print().await?;
                let server = self.server.to_string();
                return Err(Failure::from(ChannelFailure::Follow { server, error }).into());
            }
        };
        self.form.put(&event, &mut self.ready);
        match event {
            Event::Message { .. } => {
                if let Some(left) = &mut self.left {
                    *left -= 1;
                    if *left == 0 {
                        return Ok(Then::Enough);
                    }
                }
            }
            Event::Gap { channel, gap } => {
                self.gaps += 1;
                // What came before the gap stands before it.
                self.print().await?;
                let channel = channel.as_str();
                let text =
                    self.language.say(Phrase::Channel(ChannelPhrase::Gap { channel, gap: &gap }));
                self.warn(&text);
                if self.exit_on_gap {
                    return Ok(Then::Enough);
                }
            }
            Event::End { channel, status, .. } => {
                self.print().await?;
                let (channel, status) = (channel.as_str(), status.as_str());
                self.notice(ChannelPhrase::Ended { channel, status });
            }
            Event::Lost { error, pause } => {
                self.print().await?;
                let server = self.server.to_string();
                let failure = ChannelFailure::Follow { server, error }.into();
                let report = self.language.report(&failure);
                let why = report.map(|report| report.message).unwrap_or_default();
                let text = self.language.say(Phrase::Retrying { why: &why, pause });
                output::notice(&escape::line(text.as_bytes()));
            }
            Event::Resumed => {
                let server = self.server.to_string();
                let text = self.language.say(Phrase::Reconnected(&server));
                output::notice(&escape::line(text.as_bytes()));
            }
            Event::Subscribed { .. } | Event::Position { .. } => {}
        }
        Ok(Then::GoOn)
    }

    /// Hands on what is ready, and notes the positions that go with it.
    async fn print(&mut self) -> Result<(), Ended> {
        if !self.ready.is_empty() {
            self.out.write_all(&self.ready).await.map_err(OutputError::from)?;
            self.out.flush().await.map_err(OutputError::from)?;
            self.ready.clear();
        }
        if let Some(positions) = &mut self.positions {
            positions.note(self.follower.positions());
            if positions.due().is_some_and(|due| due <= tokio::time::Instant::now()) {
                self.keep_positions()?;
            }
        }
        Ok(())
    }

    fn keep_positions(&mut self) -> Result<(), Ended> {
        if let Some(positions) = &mut self.positions {
            positions.save().map_err(|error| Failure::from(ChannelFailure::Positions(error)))?;
        }
        Ok(())
    }

    fn notice(&self, phrase: ChannelPhrase<'_>) {
        let text = self.language.say(Phrase::Channel(phrase));
        output::notice(&escape::line(text.as_bytes()));
    }

    fn warn(&self, text: &str) {
        let warning = self.language.say(Phrase::Warning);
        output::notice(&format!("{warning}: {}", escape::line(text.as_bytes())));
    }
}

/// Why following ended before everything was there.
enum Ended {
    Output(OutputError),
    Failed(Failure),
}

impl From<OutputError> for Ended {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Waits until nobody reads what is printed; for ever on a terminal.
async fn gone(reader: Option<&Reader>) {
    match reader {
        Some(reader) => reader.gone().await,
        None => std::future::pending().await,
    }
}
