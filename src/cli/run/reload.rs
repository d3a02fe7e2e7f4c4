//! A configuration that is read again while its server runs: all of it holds, or nothing.
//!
//! Channels keep their logs and their epochs, and viewers their connections, so that no reader
//! misses anything by it.

use super::{
    File, LogFilter, feed,
    prepare::{self, Prepared},
    say, set_log, surroundings,
};
use crate::{
    cli::{
        catalogue::{ConfigPhrase, Phrase},
        complain,
        failure::Failure,
        language::Language,
        output, source,
    },
    config::{Certificate, Config, Key, Listen},
    core::ChannelName,
    http,
    server::Server,
    source::{AnySource, Origin, Spec},
    transport::tls::ServerTls,
};

/// A server that runs, and the configuration that holds for it.
pub(super) struct Running {
    pub(super) file: File,
    pub(super) config: Config,
    pub(super) server: Server,
    /// For each listener of the configuration that it was started with.
    pub(super) controls: Vec<http::Control>,
    pub(super) log: LogFilter,
    pub(super) language: Language,
}

/// What has to be done about sources.
#[derive(Default)]
struct Sources {
    /// They were stopped.
    stopped: Vec<(ChannelName, Spec)>,
    /// They are to feed.
    opened: Vec<(ChannelName, AnySource)>,
}

impl Running {
    /// Reads the configuration again. What is wrong with it is said, and then all stays as it was;
    /// and what cannot change while the server runs is said.
    pub(super) async fn reload(&mut self) {
        let path = self.file.path.display().to_string();
        match self.try_reload().await {
            Ok(()) => say(self.language, ConfigPhrase::Reloaded(&path)),
            Err(failure) => {
                complain(&failure, self.language);
                say(self.language, ConfigPhrase::KeptOld(&path));
            }
        }
    }

    async fn try_reload(&mut self) -> Result<(), Failure> {
        let (config, prepared) = self.file.read().await?;
        let certificates = self.certificates(&config).await?;
        // Until here nothing has changed, and from the sources on nothing can fail.
        let sources = self.change_sources(&prepared).await?;

        let broker = self.server.node().broker().clone();
        for (channel, options, _) in &prepared.channels {
            broker.declare(channel, options.clone());
        }
        broker.set_rules(prepared.rules);
        for (channel, source) in sources.opened {
            feed(&mut self.server, channel, source, self.language);
        }
        self.file.crowd.set_max(config.limits.connections_per_address_max);
        self.server.node().set_viewers_max(config.limits.viewers_max);
        set_log(&self.log, &config);
        for (index, control) in self.controls.iter().enumerate() {
            let address = &self.config.listen[index].address;
            let same = config.listen.iter().position(|listen| listen.address == *address);
            let Some(site) = same.and_then(|same| prepared.sites.get(same)) else { continue };
            control.set(site.clone());
        }
        for (index, tls) in certificates {
            self.controls[index].set_tls(tls);
        }
        self.tell(&config);
        // The listeners are still those of the start: what differs is said again next time.
        let listen = std::mem::take(&mut self.config.listen);
        let listen =
            listen.into_iter().map(|old| same(&config.listen, &old).cloned().unwrap_or(old));
        self.config = Config { listen: listen.collect(), ..config };
        Ok(())
    }

    /// Certificates from other files than before, each with the number of its listener.
    async fn certificates(&self, config: &Config) -> Result<Vec<(usize, ServerTls)>, Failure> {
        let mut changed = Vec::new();
        for (index, old) in self.config.listen.iter().enumerate() {
            let Some(new) = same(&config.listen, old) else { continue };
            if new.certificate != old.certificate
                && let Some(tls) = prepare::certificate(new, self.language).await?
            {
                changed.push((index, tls));
            }
        }
        Ok(changed)
    }

    /// Stops the sources that are others now, and opens those instead. When one cannot be opened,
    /// those of before go on.
    async fn change_sources(&mut self, prepared: &Prepared) -> Result<Sources, Failure> {
        let mut changes = Sources::default();
        let mut wanted = Vec::new();
        for (channel, _, spec) in &prepared.channels {
            let before = self.source(channel).cloned();
            if before == *spec {
                continue;
            }
            let Some(spec) = spec else { continue };
            let state = self.server.node().broker().state(channel);
            if state.is_ok_and(|state| state.end.is_some()) {
                self.say(ConfigPhrase::ChannelEnded(channel.as_str()));
            } else if spec.origin == Origin::StandardInput {
                // Whoever reads it has read more of it than it has said.
                self.say(ConfigPhrase::InputStays(channel.as_str()));
            } else {
                wanted.push((channel.clone(), spec.clone()));
            }
        }
        // An address that is to be listened on is free again before another source wants it.
        let old: Vec<_> = self
            .config
            .channels
            .iter()
            .filter_map(|channel| Some((channel.name()?, channel.source.clone()?)))
            .collect();
        for (channel, spec) in old {
            let new = prepared.channels.iter().find(|(name, ..)| *name == channel);
            let goes_on = new.is_some_and(|(_, _, new)| new.as_ref() == Some(&spec));
            if !goes_on {
                self.server.stop_feeding(&channel).await;
                changes.stopped.push((channel, spec));
            }
        }
        for (channel, spec) in wanted {
            match spec.open(&surroundings()).await {
                Ok(source) => changes.opened.push((channel, source)),
                Err(error) => {
                    self.undo(changes).await;
                    return Err(source::failure(error));
                }
            }
        }
        Ok(changes)
    }

    async fn undo(&mut self, changes: Sources) {
        for (_, mut source) in changes.opened {
            source.stop().await;
        }
        for (channel, spec) in changes.stopped {
            match spec.open(&surroundings()).await {
                Ok(source) => feed(&mut self.server, channel, source, self.language),
                Err(error) => tracing::error!(%channel, %error, "its source does not go on"),
            }
        }
    }

    /// The source that feeds a channel according to the configuration that holds.
    fn source(&self, channel: &ChannelName) -> Option<&Spec> {
        let own = self.config.channels.iter().find(|own| own.name().as_ref() == Some(channel));
        own.and_then(|own| own.source.as_ref())
    }

    /// Says what does not hold before the server is started again.
    fn tell(&self, config: &Config) {
        for new in &config.listen {
            if same(&self.config.listen, new).is_none() {
                self.say(ConfigPhrase::ListensLater(&new.text));
            }
        }
        for old in &self.config.listen {
            match same(&config.listen, old) {
                None => self.say(ConfigPhrase::ListensStill(&old.text)),
                Some(new) if is_secure(old) != is_secure(new) => {
                    self.say(ConfigPhrase::CertificateLater(&old.text));
                }
                Some(_) => {}
            }
        }
        if config.limits.connections_max != self.config.limits.connections_max {
            self.say(ConfigPhrase::HoldsLater(Key::ConnectionsMax));
        }
        for old in self.config.channels.iter().filter_map(|channel| channel.name()) {
            if !config.channels.iter().any(|new| new.name().as_ref() == Some(&old)) {
                self.say(ConfigPhrase::ChannelStays(old.as_str()));
            }
        }
    }

    fn say(&self, phrase: ConfigPhrase<'_>) {
        output::warn(self.language, Phrase::Config(phrase));
    }
}

/// The listener of the same address.
fn same<'a>(listeners: &'a [Listen], other: &Listen) -> Option<&'a Listen> {
    listeners.iter().find(|listen| listen.address == other.address)
}

fn is_secure(listen: &Listen) -> bool {
    matches!(listen.certificate, Some(Certificate::Files { .. } | Certificate::Development))
}
