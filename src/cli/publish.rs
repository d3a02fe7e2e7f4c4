//! `enchufe publish`: what is given, or what comes in, goes to a channel, each message once.
//!
//! While a request is under way the next one gathers: a slow input is published message by message,
//! a fast one in batches.

use std::io::{IsTerminal as _, stdin};

use bytes::BytesMut;
use enchufe_core::Message;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, Stdin};

use super::{
    args,
    catalogue::{ChannelPhrase, Phrase, TlsPhrase},
    connect::{FramingError, Input, Kind, Step},
    escape,
    exit_code::Exit,
    failure::{ChannelFailure, Failure},
    language::Language,
    now::at_once,
    output::{self, OutputError},
    signals::Stop,
};
use crate::{
    address::ChannelAddress,
    client::{PublishOptions, Published, Publisher, RetryObserver},
    core::json::PositionText,
    limits,
};

/// Publishes everything there is.
pub(super) async fn run(args: args::Publish, language: Language) -> Result<Exit, Failure> {
    let stop = Stop::new().map_err(Failure::System)?;
    let address = args.address()?;
    let channel = format!("'{}' ({})", address.channel, address.server);
    let shown = channel.clone();
    let observer = RetryObserver::new(move |error, pause| {
        let why = language.say(Phrase::Channel(ChannelPhrase::Attempt { channel: &shown, error }));
        let text = language.say(Phrase::Retrying { why: &why, pause });
        output::notice(&escape::line(text.as_bytes()));
    });
    let options = PublishOptions {
        open: args.server.open_options()?,
        timeout: args.timeout,
        observer,
        ..PublishOptions::default()
    };
    if args.server.client.insecure {
        let shown = address.server.to_string();
        output::warn(language, Phrase::Tls(TlsPhrase::Insecure(&shown)));
    }
    let publisher = Publisher::new(&address.server, &address.channel, options);
    let input = match &args.data {
        Some(data) if data != "-" => Source::Given(Some(args.kind().message(data.clone().into()))),
        None if stdin().is_terminal() => return Err(ChannelFailure::NothingToPublish.into()),
        _ if args.whole => Source::Whole(Whole::new(&args)),
        _ => {
            let (framing, kind) = (args.framing, args.kind());
            let input = Input::standard(framing, kind, None, args.max_message);
            Source::Standard(Box::new(input))
        }
    };
    let printing = match (args.positions, args.json) {
        (true, _) => Printing::Positions,
        (_, true) => Printing::Json,
        _ => Printing::Nothing,
    };
    let publishing = Publishing {
        channel,
        publisher,
        printing,
        acknowledged: 0,
        language,
        batch: Batch::default(),
    };
    publishing.run(input, stop).await
}

impl args::Publish {
    fn address(&self) -> Result<ChannelAddress, Failure> {
        let address = ChannelAddress::parse(&self.channel, &self.server.address()?)
            .map_err(ChannelFailure::Address)?;
        match (address.since, address.slow) {
            (None, None) => Ok(address),
            _ => Err(ChannelFailure::QueryToPublish.into()),
        }
    }

    fn kind(&self) -> Kind {
        if self.binary { Kind::Binary } else { Kind::Detected }
    }
}

/// Where messages come from.
enum Source {
    /// The command line.
    Given(Option<Message>),
    /// Standard input, cut into messages.
    Standard(Box<Input>),
    /// All of standard input.
    Whole(Whole),
}

/// All of standard input as one message: nothing ends it but the end.
struct Whole {
    stdin: Stdin,
    read: BytesMut,
    kind: Kind,
    bytes_max: usize,
    is_taken: bool,
}

impl Whole {
    fn new(args: &args::Publish) -> Self {
        let (kind, bytes_max) = (args.kind(), args.max_message);
        let (stdin, read) = (tokio::io::stdin(), BytesMut::new());
        Self { stdin, read, kind, bytes_max, is_taken: false }
    }

    /// As [`Input::next`].
    async fn next(&mut self) -> Result<Option<Message>, Failure> {
        if self.is_taken {
            return Ok(None);
        }
        loop {
            self.read.reserve(limits::CHUNK_BYTES);
            let count = self.stdin.read_buf(&mut self.read).await.map_err(Failure::Input)?;
            if self.read.len() > self.bytes_max {
                let bytes_max = self.bytes_max;
                return Err(Failure::Framing(FramingError::TooLong { bytes_max }));
            }
            if count == 0 {
                return Ok(Some(self.kind.message(self.read.clone().freeze())));
            }
        }
    }
}

impl Source {
    /// As [`Input::next`].
    async fn next(&mut self) -> Result<Option<Message>, Failure> {
        match self {
            Self::Given(message) => Ok(message.clone()),
            Self::Standard(input) => Ok(match input.next().await? {
                Step::Send(message) => Some(message),
                Step::End | Step::Interrupted => None,
            }),
            Self::Whole(whole) => whole.next().await,
        }
    }

    /// The message that [`Self::next`] gave is taken.
    fn taken(&mut self) {
        match self {
            Self::Given(message) => *message = None,
            Self::Standard(input) => input.sent(),
            Self::Whole(whole) => whole.is_taken = true,
        }
    }
}

/// What the next request publishes.
#[derive(Default)]
struct Batch {
    messages: Vec<Message>,
    bytes: usize,
    /// Nothing more will come.
    has_ended: bool,
    /// Why no more will come.
    failure: Option<Failure>,
}

impl Batch {
    /// Waits for the first message, and takes what is there with it.
    async fn begin(&mut self, source: &mut Source) {
        match source.next().await {
            Ok(Some(message)) => self.take(message, source),
            Ok(None) => self.has_ended = true,
            Err(failure) => (self.has_ended, self.failure) = (true, Some(failure)),
        }
        at_once(self.gather(source)).await;
    }

    fn take(&mut self, message: Message, source: &mut Source) {
        source.taken();
        self.bytes += message.payload.len();
        self.messages.push(message);
    }

    /// Gathers until it is full or the input has ended. It waits for more: to be cancelled once
    /// what is there can be sent. Nothing is lost then.
    async fn gather(&mut self, source: &mut Source) {
        while !self.has_ended && self.has_room(0) {
            match source.next().await {
                Ok(Some(message)) if self.has_room(message.payload.len()) => {
                    self.take(message, source);
                }
                // It comes again, for the next one.
                Ok(Some(_)) => return,
                Ok(None) => self.has_ended = true,
                Err(failure) => (self.has_ended, self.failure) = (true, Some(failure)),
            }
        }
    }

    /// Whether a message of so many bytes more fits in. One always does.
    fn has_room(&self, bytes: usize) -> bool {
        self.messages.is_empty()
            || (self.messages.len() < limits::PUBLISH_LEN_MAX
                && self.bytes + bytes < limits::PUBLISH_BYTES_MAX)
    }
}

/// What is printed of what the server acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Printing {
    Nothing,
    Positions,
    Json,
}

struct Publishing {
    /// What messages are published to, for messages to the user.
    channel: String,
    publisher: Publisher,
    printing: Printing,
    /// How many messages the server has acknowledged.
    acknowledged: u64,
    language: Language,
    batch: Batch,
}

impl Publishing {
    async fn run(mut self, mut source: Source, mut stop: Stop) -> Result<Exit, Failure> {
        loop {
            if self.batch.messages.is_empty() && !self.batch.has_ended {
                tokio::select! {
                    // What is there at once goes together.
                    biased;
                    exit = stop.requested() => {
                        self.tell(0);
                        return Ok(exit);
                    }
                    () = self.batch.begin(&mut source) => {}
                }
            }
            if self.batch.messages.is_empty() {
                return match self.batch.failure.take() {
                    None => Ok(Exit::Success),
                    Some(failure) => {
                        self.tell(0);
                        Err(failure)
                    }
                };
            }
            let messages = std::mem::take(&mut self.batch.messages);
            self.batch.bytes = 0;
            let published = {
                let publishing = self.publisher.publish(&messages);
                let gathering = async {
                    self.batch.gather(&mut source).await;
                    std::future::pending().await
                };
                tokio::select! {
                    published = publishing => published,
                    exit = stop.requested() => {
                        self.tell(messages.len() as u64);
                        return Ok(exit);
                    }
                    never = gathering => never,
                }
            };
            match published {
                Ok(published) => self.acknowledge(&published, messages.len())?,
                Err(error) => {
                    let in_doubt = if error.is_in_doubt { messages.len() as u64 } else { 0 };
                    let (channel, acknowledged) = (self.channel, self.acknowledged);
                    let failure =
                        ChannelFailure::Publish { channel, error, acknowledged, in_doubt };
                    return Err(failure.into());
                }
            }
        }
    }

    fn acknowledge(&mut self, published: &Published, count: usize) -> Result<(), Failure> {
        self.acknowledged += count as u64;
        if published.is_reset {
            let (channel, doubled) =
                (&self.channel, if published.may_be_doubled { count } else { 0 });
            let before = self.acknowledged - count as u64;
            let phrase = ChannelPhrase::Reset { channel, before, doubled: doubled as u64 };
            output::warn(self.language, Phrase::Channel(phrase));
        }
        let (first, last) = (published.first, published.last);
        let printed = match self.printing {
            Printing::Nothing => Ok(()),
            Printing::Positions if count == 1 => output::line(&last.to_string()),
            Printing::Positions => output::line(&format!("{first} {last}")),
            Printing::Json => {
                let line = Acknowledged {
                    first: PositionText(first),
                    last: PositionText(last),
                    messages: count,
                    duplicate: published.was_repeated,
                };
                // Texts and numbers are always JSON.
                output::line(&serde_json::to_string(&line).unwrap_or_default())
            }
        };
        match printed {
            Err(OutputError::Failed(error)) => Err(Failure::Output(error)),
            // Who does not want to read it still wants it published.
            Err(OutputError::Closed) => {
                self.printing = Printing::Nothing;
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Says what became of the messages, when not all were published.
    fn tell(&self, in_doubt: u64) {
        let (channel, acknowledged) = (self.channel.as_str(), self.acknowledged);
        let phrase = ChannelPhrase::Stopped { channel, acknowledged, in_doubt };
        let text = self.language.say(Phrase::Channel(phrase));
        output::notice(&escape::line(text.as_bytes()));
    }
}

/// What the server acknowledged, as JSON.
#[derive(Serialize)]
struct Acknowledged {
    first: PositionText,
    last: PositionText,
    messages: usize,
    duplicate: bool,
}
