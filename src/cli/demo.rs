//! `enchufe demo`: the whole tutorial at once.

use enchufe_core::ChannelName;
use tokio::task::JoinSet;

use super::{
    args::{self, ServiceName},
    catalogue::{Part, Phrase},
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output::{self, Lines},
    page, signals,
    site::{self, Site},
    telling,
};
use crate::{
    address::{Address, Host, HostPort, WsAddress},
    http,
    live::{broker::ChannelOptions, feed},
    serve::{ServeOptions, serve},
    service::{Echo, Greet, Greeting},
    shutdown::Shutdown,
    source::{Clock, Random, Source},
    transport::{BindError, BindOptions, Listener},
};

/// The ports of the tutorial's programs: the clock and the numbers, which both want the same one;
/// greet; echo.
const TUTORIAL: Ports = Ports { page: 5678, greet: 8765, echo: 65432 };
/// What is suggested when they are taken.
const OTHER_BASE: u16 = 15678;

struct Ports {
    page: u16,
    greet: u16,
    echo: u16,
}

impl Ports {
    /// Three in a row; 0 stands for free ones.
    fn from_base(base: u16) -> Self {
        match base {
            0 => Self { page: 0, greet: 0, echo: 0 },
            page => Self { page, greet: page + 1, echo: page + 2 },
        }
    }
}

/// Starts what can be started, and serves until it is stopped.
pub(super) async fn run(args: args::Demo, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    let parts = Parts::bind(&args.port_base.map_or(TUTORIAL, Ports::from_base), language).await?;
    let (trigger, shutdown) = Shutdown::new();
    stop.pull(trigger.clone());
    let (lines, printing) = output::lines(move || trigger.request()).map_err(Failure::System)?;
    parts.announce(language);
    let serving = Serving { lines, language, shutdown: shutdown.clone() };
    let mut servers = JoinSet::new();
    if let Some(listener) = parts.echo {
        servers.spawn(serving.clone().echo(listener));
    }
    if let Some(listener) = parts.greet {
        servers.spawn(serving.clone().greet(listener));
    }
    drop(serving);
    let mut site = Site::start()?;
    if let Some(listener) = parts.page {
        show(&mut site, &mut servers, listener, &shutdown);
    }
    shutdown.requested().await;
    site.end().await;
    while servers.join_next().await.is_some() {}
    printing.end().into_result(language)
}

/// What could be started.
struct Parts {
    page: Option<http::Listener>,
    greet: Option<Listener>,
    echo: Option<Listener>,
}

impl Parts {
    async fn bind(ports: &Ports, language: Language) -> Result<Self, Failure> {
        let loopback = |port| HostPort { host: Host::V4(std::net::Ipv4Addr::LOCALHOST), port };
        let localhost = HostPort { host: Host::Name("localhost".into()), port: ports.greet };
        let greet = Address::Ws(WsAddress { endpoint: localhost, path: None });
        let echo = Address::Tcp(loopback(ports.echo));
        let mut options = BindOptions::default();
        options.ws.page = Some(page::handler(ServiceName::Greet.name(), None)?);
        let mut failed = None;
        let mut missing = |part, error| {
            say_missing(part, &error, language);
            failed = Some(error);
        };
        let page = site::listen(&loopback(ports.page), language).await;
        let page = page.map_err(|error| missing(Part::Page, error)).ok();
        let greet = Listener::bind(&greet, &options).await;
        let greet = greet.map_err(|error| missing(Part::Greet, error)).ok();
        let echo = Listener::bind(&echo, &options).await;
        let echo = echo.map_err(|error| missing(Part::Echo, error)).ok();
        match (failed, &page, &greet, &echo) {
            (Some(_), None, None, None) => Err(Failure::NothingStarted),
            _ => Ok(Self { page, greet, echo }),
        }
    }

    /// Says what listens where, and what to try next.
    fn announce(&self, language: Language) {
        let serving = |address: &str, part| {
            output::notice(&language.say(Phrase::Serving { address, part }));
        };
        let page = self.page.iter().flat_map(http::Listener::local_addresses);
        let page: Vec<String> = page.map(|endpoint| format!("http://{endpoint}")).collect();
        page.iter().for_each(|address| serving(address, Part::Page));
        for (listener, part) in [(&self.greet, Part::Greet), (&self.echo, Part::Echo)] {
            for address in listener.iter().flat_map(Listener::local_addresses) {
                serving(&address.to_string(), part);
            }
            for warning in listener.iter().flat_map(Listener::warnings) {
                output::warn(language, Phrase::Bind(warning));
            }
        }
        let port = |listener: &Option<Listener>| {
            listener.iter().flat_map(Listener::local_addresses).find_map(|address| match address {
                Address::Tcp(endpoint) => Some(endpoint.port),
                Address::Ws(ws) => Some(ws.endpoint.port),
                _ => None,
            })
        };
        let page = page.first().map(String::as_str);
        let next = Phrase::TryNext { page, greet: port(&self.greet), echo: port(&self.echo) };
        output::notice(&language.say(next));
    }
}

fn say_missing(part: Part, error: &BindError, language: Language) {
    match error {
        BindError::InUse { address } => {
            output::warn(language, Phrase::Taken { address, part, other_base: OTHER_BASE });
        }
        other => {
            let report = language.bind_error(other);
            output::warn(language, Phrase::Text(&report.message));
        }
    }
}

/// What the small servers need.
#[derive(Clone)]
struct Serving {
    lines: Lines,
    language: Language,
    shutdown: Shutdown,
}

impl Serving {
    async fn echo(self, listener: Listener) {
        let observer = telling::observer(ServiceName::Echo, Some(self.lines), self.language);
        let options = ServeOptions { observer, ..ServeOptions::default() };
        serve(vec![listener], Echo, options, self.shutdown).await;
    }

    async fn greet(self, listener: Listener) {
        let observer = telling::observer(ServiceName::Greet, Some(self.lines), self.language);
        let service = Greet::new(Greeting::default(), observer.clone());
        let options = ServeOptions { observer, ..ServeOptions::default() };
        serve(vec![listener], service, options, self.shutdown).await;
    }
}

/// The page with both feeds, each of them one source that all viewers share.
fn show(site: &mut Site, servers: &mut JoinSet<()>, listener: http::Listener, shutdown: &Shutdown) {
    let time: ChannelName = "time".parse().expect("a channel's name");
    let numbers: ChannelName = "numbers".parse().expect("a channel's name");
    start(site, servers, &time, Clock::default(), shutdown);
    start(site, servers, &numbers, Random::default(), shutdown);
    let options = http::Options { default_channel: Some(time), ..http::Options::default() };
    site.serve(listener, options, shutdown.clone());
}

fn start(
    site: &Site,
    servers: &mut JoinSet<()>,
    channel: &ChannelName,
    mut source: impl Source + Send + 'static,
    shutdown: &Shutdown,
) {
    let options = ChannelOptions { generated: true, ..ChannelOptions::default() };
    site.broker().declare(channel, options);
    let (broker, channel, shutdown) = (site.broker().clone(), channel.clone(), shutdown.clone());
    servers.spawn(async move {
        if let Err(error) = feed(&broker, &channel, &mut source, &shutdown).await {
            tracing::error!(%channel, %error, "the channel takes no more");
        }
    });
}
