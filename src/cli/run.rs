//! `enchufe run`: the server that a file describes, which reads it again on SIGHUP.

mod prepare;
mod reload;

use std::path::{Path, PathBuf};

use tracing_subscriber::filter::Targets;

use super::{
    LogFilter, args,
    catalogue::{ConfigPhrase, Phrase},
    escape,
    exit_code::Exit,
    failure::Failure,
    language::Language,
    live, output, program,
    signals::{HangUps, Stop},
    source,
};
use crate::{
    config::{Config, Given, Key, Layers},
    core::ChannelName,
    crowd::Crowd,
    http::{self, Listener},
    limits,
    live::{NodeOptions, broker::Broker},
    server::Server,
    shutdown::Shutdown,
    source::{AnySource, Surroundings},
};
use prepare::Prepared;

/// Runs until it is stopped.
pub(super) async fn run(
    args: args::Run,
    log_flag: Option<String>,
    log: LogFilter,
    language: Language,
) -> Result<Exit, Failure> {
    let stop = Stop::new_for_server().map_err(Failure::System)?;
    // From here on SIGHUP ends nothing.
    let mut hang_ups = HangUps::new().map_err(Failure::System)?;
    let layers = layers(args.settings, log_flag);
    let file = File { path: args.file, layers, crowd: Crowd::default() };
    let (config, prepared) = file.read().await?;
    file.crowd.set_max(config.limits.connections_per_address_max);
    set_log(&log, &config);

    let listeners = bind(&config, language).await?;
    let broker = Broker::memory_with(prepared.rules);
    for (channel, options, _) in &prepared.channels {
        broker.declare(channel, options.clone());
    }
    let (trigger, shutdown) = Shutdown::new();
    let options = NodeOptions { viewers_max: config.limits.viewers_max, ..NodeOptions::default() };
    let mut server = Server::start(broker, &options, shutdown.clone()).map_err(Failure::System)?;
    // Before anybody is told that there is a server: it has all of its sources, or there is none.
    let mut sources = Vec::new();
    for (channel, _, spec) in &prepared.channels {
        let Some(spec) = spec else { continue };
        let opened = spec.open(&surroundings()).await.map_err(source::failure);
        sources.push((channel.clone(), opened?));
    }
    announce(language, &listeners, &config);
    stop.pull(trigger);
    for (channel, source) in sources {
        feed(&mut server, channel, source, language);
    }
    let serve = |(listener, site): (Listener, http::Options)| server.serve(listener, site);
    let controls = listeners.into_iter().zip(prepared.sites).map(serve).collect();
    let mut running = reload::Running { file, config, server, controls, log, language };
    loop {
        tokio::select! {
            () = shutdown.requested() => break,
            () = hang_ups.next() => running.reload().await,
        }
    }
    running.server.finish().await;
    Ok(Exit::Success)
}

/// A configuration's file, and what counts more than it.
struct File {
    path: PathBuf,
    layers: Layers,
    crowd: Crowd,
}

impl File {
    /// Reads the file and all that it names.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    async fn read(&self) -> Result<(Config, Prepared), Failure> {
        let (path, layers, crowd) = (self.path.clone(), self.layers.clone(), self.crowd.clone());
        let read = tokio::task::spawn_blocking(move || {
            let config = Config::load(Some(&path), &layers)?;
            let prepared = Prepared::new(&config, &crowd)?;
            Ok((config, prepared))
        });
        read.await.map_err(|error| Failure::System(error.into()))?
    }
}

/// What flags and the environment say.
pub(super) fn layers(args::Settings(mut flags): args::Settings, log: Option<String>) -> Layers {
    flags.extend(log.map(|log| Given { key: Key::Log, texts: vec![log] }));
    Layers::new(flags, |name| std::env::var(name).ok())
}

/// Reads a configuration and all that it names, as far as it can be tried without a server.
///
/// # Errors
///
/// All that is wrong.
pub(super) fn check(path: &Path, layers: &Layers) -> Result<Config, Failure> {
    let config = Config::load(Some(path), layers)?;
    Prepared::new(&config, &Crowd::default())?;
    Ok(config)
}

async fn bind(config: &Config, language: Language) -> Result<Vec<Listener>, Failure> {
    let mut listeners = Vec::with_capacity(config.listen.len());
    for listen in &config.listen {
        let certificate = prepare::certificate(listen, language).await?;
        let bound = Listener::bind(&listen.address.endpoint, limits::BACKLOG).await;
        let listener = bound.map_err(|error| error.naming(&listen.address))?;
        listeners.push(match certificate {
            Some(tls) => listener.with_tls(tls),
            None => listener,
        });
    }
    Ok(listeners)
}

/// What the sources of a configuration are opened with.
fn surroundings() -> Surroundings {
    Surroundings { exec: program::options(), ..Surroundings::default() }
}

/// Has a source feed a channel, and says when it has ended.
fn feed(server: &mut Server, channel: ChannelName, source: AnySource, language: Language) {
    source::announce(&source, language);
    let ended = server.feed(channel.clone(), source);
    tokio::spawn(async move {
        // Nobody is told of a source that was stopped.
        if let Ok(status) = ended.await {
            let (channel, status) = (channel.as_str(), status.as_str());
            say(language, ConfigPhrase::SourceEnded { channel, status });
        }
    });
}

fn set_log(log: &LogFilter, config: &Config) {
    // What is no filter was refused with the rest.
    let Ok(filter) = config.log.parse::<Targets>() else { return };
    if let Err(error) = log.reload(filter) {
        tracing::warn!(%error, "the filter of the log stays");
    }
}

fn say(language: Language, phrase: ConfigPhrase<'_>) {
    output::notice(&escape::line(language.say(Phrase::Config(phrase)).as_bytes()));
}

fn announce(language: Language, listeners: &[Listener], config: &Config) {
    for listener in listeners {
        live::warn_of(language, listener, config.publish_token_file.is_some());
        let s = if listener.is_secure() { "s" } else { "" };
        for endpoint in listener.local_addresses() {
            let address = format!("http{s}://{}", live::authority(&endpoint));
            output::notice(&language.say(Phrase::ListeningOn(&address)));
        }
    }
    say(language, ConfigPhrase::Serves { channels: config.channels.len() });
}
