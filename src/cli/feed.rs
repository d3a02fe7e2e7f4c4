//! `enchufe feed`: one source, one channel, a page.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{
    args::{self, Slow},
    catalogue::LivePhrase,
    exit_code::Exit,
    failure::{Failure, LiveFailure},
    language::Language,
    live, signals, source, tls,
};
use crate::{
    address::HttpAddress,
    core::{ChannelName, SlowPolicy},
    http::{self, Folder, Listener, Token},
    limits,
    live::{
        Node, NodeOptions,
        broker::{Broker, ChannelOptions},
    },
    server::Server,
    shutdown::Shutdown,
};

/// Runs until it is stopped, or until the end of the source with `--exit-on-end`.
pub(super) async fn run(args: args::Feed, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    let spec = args.source.spec()?;
    let channel: ChannelName = args.channel.parse().map_err(LiveFailure::Channel)?;
    let site = site(&args, &channel)?;
    let addresses: Vec<HttpAddress> =
        args.listen.iter().map(|text| HttpAddress::parse_listen(text)).collect::<Result<_, _>>()?;
    let served = args.listen.iter().zip(&addresses).map(served);
    let served: Vec<_> = served.chain(source::served(&spec)).collect();
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
    let (trigger, shutdown) = Shutdown::new();
    let server = Server::start(broker, &NodeOptions::default(), shutdown);
    let mut server = server.map_err(Failure::System)?;
    // Last of all: a program that runs has somewhere to be heard.
    let opened = site.readiness.need(format!("source of {channel}"));
    let mut surroundings = args.source.surroundings();
    surroundings.bind.tls = tls;
    surroundings.bind.ws.allowed_origins.clone_from(&args.allow_origin);
    surroundings.bind.ws.host_names.clone_from(&args.host_name);
    let source = spec.open(&surroundings).await.map_err(source::failure)?;
    opened.met();

    announce(language, &channel, &listeners, site.publish_token.is_some(), history_len_max);
    source::announce(&source, language);
    stop.pull(trigger.clone());
    let (ended, node) = (server.feed(channel, source), server.node().clone());
    let exit_on_end = args.exit_on_end;
    tokio::spawn(async move {
        // Whoever stops the server knows that its source ends with it.
        if let Ok(status) = ended.await {
            at_end(&status, exit_on_end, &node, language).await;
            if exit_on_end.is_some() {
                trigger.request();
            }
        }
    });
    for listener in listeners {
        server.serve(listener, site.clone());
    }
    server.finish().await;
    Ok(Exit::Success)
}

fn served((text, address): (&String, &HttpAddress)) -> tls::Served {
    let secure_host = address.is_secure.then(|| address.endpoint.host.clone());
    tls::Served { address: text.clone(), secure_host }
}

/// Says that the source has ended; where that is the end of all, waits until viewers have
/// everything.
async fn at_end(status: &str, exit_on_end: Option<Duration>, node: &Node, language: Language) {
    let Some(time) = exit_on_end else {
        return live::say(language, LivePhrase::SourceEnded(status));
    };
    live::say(language, LivePhrase::SourceEndedAndSoDoWe(status));
    let finished = async {
        while node.stats().unfinished > 0 {
            sleep(limits::UNREAD_POLL_INTERVAL).await;
        }
    };
    if timeout(time, finished).await.is_err() {
        let unfinished = node.stats().unfinished;
        tracing::warn!(unfinished, "viewers did not take everything in time");
    }
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
    options.flush_window = args.flush_window;
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
        metrics: args.metrics.into(),
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
