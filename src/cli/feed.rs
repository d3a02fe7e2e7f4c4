//! `enchufe feed`: one source, one channel, a page.

use std::{io::IsTerminal, time::Duration};

use tokio::time::{sleep, timeout};

use super::{
    args::{self, FeedSource, Slow},
    catalogue::LivePhrase,
    exit_code::Exit,
    failure::{Failure, LiveFailure},
    language::Language,
    live, program, signals, tls,
    usage::misplaced,
};
use crate::{
    address::HttpAddress,
    core::{ChannelName, SlowPolicy},
    http::{self, Folder, Listener, Token},
    limits,
    live::{
        Node, NodeOptions,
        broker::{Broker, ChannelOptions},
        feed,
    },
    shutdown::{Shutdown, Trigger},
    source::{AnySource, Clock, Lines, Program, Random},
    transport::child::ExecOptions,
};

/// Runs until it is stopped, or until the end of the source with `--exit-on-end`.
pub(super) async fn run(args: args::Feed, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    args.check()?;
    let channel: ChannelName = args.channel.parse().map_err(LiveFailure::Channel)?;
    let site = site(&args, &channel)?;
    let addresses: Vec<HttpAddress> =
        args.listen.iter().map(|text| HttpAddress::parse_listen(text)).collect::<Result<_, _>>()?;
    let served: Vec<_> = args.listen.iter().zip(&addresses).map(served).collect();
    let tls = tls::certificate(&args.tls, &served, "enchufe feed", language).await?;
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in &addresses {
        let bound = Listener::bind(&address.endpoint, limits::BACKLOG).await;
        let listener = bound.map_err(|error| error.naming(address))?;
        listeners.push(match &tls {
            Some(tls) if address.is_secure => listener.with_tls(tls.clone()),
            _ => listener,
        });
    }
    let options = channel_options(&args);
    let history_len_max = options.history_len_max;
    let broker = Broker::memory();
    broker.declare(&channel, options);
    let node = Node::start(broker, &NodeOptions::default()).map_err(Failure::System)?;
    // Last of all: a program that runs has somewhere to be heard.
    let source = source(&args)?;

    announce(language, &channel, &listeners, site.publish_token.is_some(), history_len_max);
    let (trigger, shutdown) = Shutdown::new();
    stop.pull(trigger.clone());
    let feeding = Feeding {
        node: node.clone(),
        channel,
        exit_on_end: args.exit_on_end,
        trigger,
        shutdown: shutdown.clone(),
        language,
    };
    let feeding = tokio::spawn(feeding.run(source));
    let serving: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            tokio::spawn(http::serve(listener, node.clone(), site.clone(), shutdown.clone()))
        })
        .collect();
    shutdown.requested().await;
    node.shutdown().await;
    for task in serving {
        // A task that panicked has said so.
        task.await.ok();
    }
    feeding.await.ok();
    Ok(Exit::Success)
}

fn served((text, address): (&String, &HttpAddress)) -> tls::Served {
    let secure_host = address.is_secure.then(|| address.endpoint.host.clone());
    tls::Served { address: text.clone(), secure_host }
}

impl args::Feed {
    /// Refuses what clap cannot: the flags of one source, given to another, and nothing to read.
    fn check(&self) -> Result<(), Failure> {
        let name = match self.source {
            _ if self.exec => "--exec",
            Some(FeedSource::Clock) => "clock",
            Some(FeedSource::Random) => "random",
            Some(FeedSource::StandardInput) | None => "-",
        };
        match self.generator.misplaced(name) {
            Some(flag) => Err(misplaced(flag, name, "enchufe feed")),
            None if self.source.is_none() && !self.exec && std::io::stdin().is_terminal() => {
                Err(LiveFailure::NoSource.into())
            }
            None => Ok(()),
        }
    }
}

struct Feeding {
    node: Node,
    channel: ChannelName,
    exit_on_end: Option<Duration>,
    trigger: Trigger,
    shutdown: Shutdown,
    language: Language,
}

impl Feeding {
    async fn run(self, mut source: AnySource) {
        let fed = feed(self.node.broker(), &self.channel, &mut source, &self.shutdown).await;
        if let Err(error) = fed {
            tracing::error!(%error, "the source cannot be published");
        }
        source.stop().await;
        if self.shutdown.is_requested() {
            return;
        }
        let state = self.node.broker().state(&self.channel);
        let end = state.ok().and_then(|state| state.end);
        let status = end.as_deref().map_or("", |end| end.status.as_str());
        match self.exit_on_end {
            None => live::say(self.language, LivePhrase::SourceEnded(status)),
            Some(time) => {
                live::say(self.language, LivePhrase::SourceEndedAndSoDoWe(status));
                let finished = async {
                    while self.node.stats().unfinished > 0 {
                        sleep(limits::UNREAD_POLL_INTERVAL).await;
                    }
                };
                if timeout(time, finished).await.is_err() {
                    let unfinished = self.node.stats().unfinished;
                    tracing::warn!(unfinished, "viewers did not take everything in time");
                }
                self.trigger.request();
            }
        }
    }
}

fn source(args: &args::Feed) -> Result<AnySource, Failure> {
    if let Some((program, arguments)) = args.program.split_first().filter(|_| args.exec) {
        let options = ExecOptions { pty: args.pty, ..program::options() };
        let started = Program::start(program, arguments, options);
        let program = started.map_err(LiveFailure::Start)?;
        return Ok(AnySource::Program(Box::new(program)));
    }
    Ok(match args.source {
        Some(FeedSource::Clock) => {
            let interval = args.generator.interval.unwrap_or(Clock::DEFAULT_INTERVAL);
            AnySource::Clock(Clock::new(interval))
        }
        Some(FeedSource::Random) => {
            let interval = args.generator.interval.unwrap_or(Random::DEFAULT_INTERVAL);
            AnySource::Random(Random::new(args.generator.numbers(), interval))
        }
        Some(FeedSource::StandardInput) | None => AnySource::StandardInput(Lines::stdin()),
    })
}

fn channel_options(args: &args::Feed) -> ChannelOptions {
    let mut options = ChannelOptions::default();
    if let Some(count) = args.history {
        options.history_len_max = usize::try_from(count).unwrap_or(usize::MAX);
        // Whoever asks for so many messages means to have them.
        options.history_bytes_max = usize::MAX;
    }
    if let Some(bytes) = args.history_bytes {
        options.history_bytes_max = bytes;
    }
    options.slow = match args.slow {
        Slow::Skip => SlowPolicy::Skip,
        Slow::Latest => SlowPolicy::Latest,
        Slow::Cut => SlowPolicy::Cut,
    };
    options
}

fn site(args: &args::Feed, channel: &ChannelName) -> Result<http::Options, Failure> {
    let token = |path: &Option<std::path::PathBuf>| {
        path.as_deref().map(Token::read).transpose().map_err(LiveFailure::Token)
    };
    let page = args.page.as_deref().map(Folder::open).transpose().map_err(LiveFailure::Page)?;
    Ok(http::Options {
        default_channel: Some(channel.clone()),
        allowed_origins: args.allow_origin.clone(),
        host_names: args.host_name.clone(),
        publish_token: token(&args.publish_token_file)?,
        read_token: token(&args.read_token_file)?,
        page,
        ..http::Options::default()
    })
}

fn announce(
    language: Language,
    channel: &ChannelName,
    listeners: &[Listener],
    has_token: bool,
    history_len_max: usize,
) {
    live::say(language, LivePhrase::FeedIsLive(channel.as_str()));
    for listener in listeners {
        live::warn_of(language, listener, has_token);
        let s = if listener.is_secure() { "s" } else { "" };
        for endpoint in listener.local_addresses() {
            let authority = live::authority(&endpoint);
            let path = http::channel_path(channel);
            let shell = format!("curl -N http{s}://{authority}{path}");
            live::entry(language, LivePhrase::Page, &format!("http{s}://{authority}/"));
            live::entry(language, LivePhrase::WebSocket, &format!("ws{s}://{authority}{path}"));
            live::entry(language, LivePhrase::Shell, &shell);
        }
    }
    live::say(language, LivePhrase::Keeps(history_len_max));
}
