//! `enchufe feed`: one source becomes a channel with a page.

use std::{io::IsTerminal as _, path::Path};

use enchufe_core::{ChannelName, SlowPolicy};
use tokio::time::timeout;

use super::{
    args::{self, FeedSource},
    catalogue::Phrase,
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output, signals,
    site::{self, Site},
    usage::misplaced,
};
use crate::{
    address::HostPort,
    http::{Folder, Listener, Options, Token, channel_path},
    live::{broker::ChannelOptions, feed},
    shutdown::{Shutdown, Trigger},
    source::{Clock, Lines, Program, Random, Source},
};

/// Listens on every address or on none, then feeds until it is stopped.
pub(super) async fn run(args: args::Feed, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    args.check()?;
    let channel: ChannelName = args.channel.parse()?;
    let options = site_options(&args, &channel)?;
    let listeners = listen(&args, language).await?;
    let (trigger, shutdown) = Shutdown::new();
    stop.pull(trigger.clone());
    // Last of what can fail: a program that has run has done something.
    let (source, generator) = (args.source(), &args.generator);
    let mut program = match (source, args.program.split_first()) {
        (None, Some((program, arguments))) => {
            Some(Program::start(program, arguments, args.pty).map_err(Failure::Start)?)
        }
        _ => None,
    };
    let mut site = Site::start()?;
    site.broker().declare(&channel, channel_options(&args));
    for listener in listeners {
        announce(&listener, &channel, &args, language);
        site.serve(listener, options.clone(), shutdown.clone());
    }
    let feeding =
        Feeding { args: &args, channel: &channel, language, site: &site, trigger, shutdown };
    match (&mut program, source) {
        (Some(program), _) => {
            feeding.run(program).await;
            program.stop().await;
        }
        (None, Some(FeedSource::Clock)) => {
            let interval = generator.interval.unwrap_or(Clock::DEFAULT_INTERVAL);
            feeding.run(&mut Clock::new(interval)).await;
        }
        (None, Some(FeedSource::Random)) => {
            let interval = generator.interval.unwrap_or(Random::DEFAULT_INTERVAL);
            feeding.run(&mut Random::new(generator.numbers(), interval)).await;
        }
        (None, _) => feeding.run(&mut Lines::stdin()).await,
    }
    site.end().await;
    Ok(Exit::Success)
}

impl args::Feed {
    /// The source that is not a program: standard input when something is piped in.
    fn source(&self) -> Option<FeedSource> {
        self.source.or((!self.exec).then_some(FeedSource::StandardInput))
    }

    /// What clap cannot know: flags of one source given to another, and nothing to read from.
    fn check(&self) -> Result<(), Failure> {
        let name = match self.source() {
            None => "--exec",
            Some(FeedSource::StandardInput) => "-",
            Some(FeedSource::Clock) => "clock",
            Some(FeedSource::Random) => "random",
        };
        if let Some(flag) = self.generator.misplaced(name) {
            return Err(misplaced(flag, name, "enchufe feed"));
        }
        if self.source.is_none() && !self.exec && std::io::stdin().is_terminal() {
            return Err(Failure::NoSource);
        }
        Ok(())
    }
}

fn site_options(args: &args::Feed, channel: &ChannelName) -> Result<Options, Failure> {
    let token = |path: &Path| Token::read(path).map_err(Failure::Token);
    Ok(Options {
        default_channel: Some(channel.clone()),
        allowed_origins: args.allow_origin.clone(),
        host_names: args.host_name.clone(),
        publish_token: args.publish_token_file.as_deref().map(token).transpose()?,
        read_token: args.read_token_file.as_deref().map(token).transpose()?,
        page: args.page.as_deref().map(Folder::open).transpose().map_err(Failure::Page)?,
        ..Options::default()
    })
}

fn channel_options(args: &args::Feed) -> ChannelOptions {
    let slow = match args.slow {
        args::Slow::Skip => SlowPolicy::Skip,
        args::Slow::Latest => SlowPolicy::Latest,
        args::Slow::Cut => SlowPolicy::Cut,
    };
    let mut options = ChannelOptions { slow, ..ChannelOptions::default() };
    if let Some(count) = args.history {
        options.history_len_max = usize::try_from(count).unwrap_or(usize::MAX);
    }
    if let Some(bytes) = args.history_bytes {
        options.history_bytes_max = bytes;
    }
    options
}

async fn listen(args: &args::Feed, language: Language) -> Result<Vec<Listener>, Failure> {
    let endpoints = args.listen.iter().map(|text| HostPort::parse_http_listen(text));
    let endpoints: Vec<HostPort> = endpoints.collect::<Result<_, _>>()?;
    let mut listeners = Vec::with_capacity(endpoints.len());
    for endpoint in &endpoints {
        listeners.push(site::listen(endpoint, language).await?);
    }
    Ok(listeners)
}

fn announce(listener: &Listener, channel: &ChannelName, args: &args::Feed, language: Language) {
    let path = &channel_path(channel);
    for endpoint in listener.local_addresses() {
        let address = format!("http://{endpoint}");
        output::notice(&language.say(Phrase::FeedOn { address: &address, path }));
    }
    if !listener.is_loopback() && args.publish_token_file.is_none() {
        output::warn(language, Phrase::PublishingRefused);
    }
}

/// A source on its way to its channel.
struct Feeding<'a> {
    args: &'a args::Feed,
    channel: &'a ChannelName,
    language: Language,
    site: &'a Site,
    trigger: Trigger,
    shutdown: Shutdown,
}

impl Feeding<'_> {
    /// Feeds until the source ends, and then serves what it said until shutdown, or until everybody
    /// has read it.
    async fn run(&self, source: &mut impl Source) {
        if let Err(error) = feed(self.site.broker(), self.channel, source, &self.shutdown).await {
            tracing::error!(channel = %self.channel, %error, "the channel takes no more");
        }
        if self.shutdown.is_requested() {
            return;
        }
        let status = source.status().await;
        match self.args.exit_on_end {
            None => {
                output::notice(&self.language.say(Phrase::SourceEnded(&status)));
                self.shutdown.requested().await;
            }
            Some(patience) => {
                let _ = tokio::select! {
                    read = timeout(patience, self.site.is_read()) => read,
                    () = self.shutdown.requested() => Ok(()),
                };
                self.trigger.request();
            }
        }
    }
}
