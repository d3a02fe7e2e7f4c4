//! `enchufe demo`: every system of the tutorial in one command, with feeds that all share.

use tokio::task::JoinSet;

use super::{
    args::{self, ServiceName},
    catalogue::{LivePhrase, Phrase},
    exit_code::Exit,
    failure::{Failure, LiveFailure},
    language::Language,
    live, output, page as browser_page, signals, telling,
};
use crate::{
    address::{Address, Host, HostPort, WsAddress},
    core::ChannelName,
    http::{self, Listener as HttpListener},
    limits,
    live::{
        Node, NodeOptions,
        broker::{Broker, ChannelOptions},
        feed,
    },
    serve::{ServeOptions, serve},
    service::{Echo, Greet},
    shutdown::Shutdown,
    source::{AnySource, Clock, Numbers, Random},
    transport::{BindError, BindOptions, Listener},
};

/// The tutorial's ports, or three from a base; 0 stands for free ones.
struct Ports {
    page: u16,
    greet: u16,
    echo: u16,
}

impl Ports {
    fn new(base: Option<u16>) -> Self {
        match base {
            None => Self { page: 5678, greet: 8765, echo: 65432 },
            Some(0) => Self { page: 0, greet: 0, echo: 0 },
            // The base was checked to leave room for three.
            Some(base) => Self { page: base, greet: base + 1, echo: base + 2 },
        }
    }
}

/// Runs until it is stopped.
pub(super) async fn run(args: args::Demo, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    let ports = Ports::new(args.port_base);
    let loopback = HostPort { host: Host::V4(std::net::Ipv4Addr::LOCALHOST), port: ports.page };
    let echo = Address::Tcp(HostPort { port: ports.echo, ..loopback.clone() });
    let localhost = HostPort { host: Host::Name("localhost".into()), port: ports.greet };
    let greet = Address::Ws(WsAddress { endpoint: localhost.into(), path: None, is_secure: false });

    let page = HttpListener::bind(&loopback, limits::BACKLOG).await;
    let page = started(language, &format!("http://{loopback}"), page)?;
    let echoing = Listener::bind(&echo, &BindOptions::default()).await;
    let echoing = started(language, &echo.to_string(), echoing)?;
    let mut options = BindOptions::default();
    options.ws.page = Some(browser_page::handler("greet", None)?);
    let greeting = Listener::bind(&greet, &options).await;
    let greeting = started(language, &greet.to_string(), greeting)?;
    if page.is_none() && echoing.is_none() && greeting.is_none() {
        return Err(LiveFailure::NothingStarted.into());
    }
    let chosen = |listener: &Option<Listener>, address: &Address| {
        listener.as_ref().map(|listener| with_chosen_port(address, listener))
    };
    announce(language, page.as_ref(), chosen(&echoing, &echo), chosen(&greeting, &greet));

    let (trigger, shutdown) = Shutdown::new();
    stop.pull(trigger.clone());
    let (lines, printing) = output::lines(move || trigger.request()).map_err(Failure::System)?;
    let mut tasks = JoinSet::new();
    if let Some(listener) = echoing {
        let observer = telling::observer(ServiceName::Echo, Some(lines.clone()), language);
        let options = ServeOptions { observer, ..ServeOptions::default() };
        let shutdown = shutdown.clone();
        tasks.spawn(async move {
            serve(vec![listener], Echo, options, shutdown).await;
        });
    }
    if let Some(listener) = greeting {
        let observer = telling::observer(ServiceName::Greet, Some(lines.clone()), language);
        let options = ServeOptions { observer, ..ServeOptions::default() };
        let (service, shutdown) =
            (Greet::new(Default::default(), options.observer.clone()), shutdown.clone());
        tasks.spawn(async move {
            serve(vec![listener], service, options, shutdown).await;
        });
    }
    drop(lines);
    if let Some(listener) = page {
        let node = feeds(&mut tasks, &shutdown)?;
        let site =
            http::Options { default_channel: Some(name("time")), ..http::Options::default() };
        tasks.spawn(http::serve(listener, node.clone(), site, shutdown.clone()));
        let shutdown = shutdown.clone();
        tasks.spawn(async move {
            shutdown.requested().await;
            node.shutdown().await;
        });
    }
    // A task that panicked has said so.
    while tasks.join_next().await.is_some() {}
    printing.end().into_result(language)
}

fn name(text: &str) -> ChannelName {
    text.parse().expect("the demo's channels have good names")
}

/// The clock and the numbers: one of each, whatever the number of viewers.
fn feeds(tasks: &mut JoinSet<()>, shutdown: &Shutdown) -> Result<Node, Failure> {
    let broker = Broker::memory();
    let clock = AnySource::from(Clock::new(Clock::DEFAULT_INTERVAL));
    let random = AnySource::from(Random::new(Numbers::DIGITS, Random::DEFAULT_INTERVAL));
    for (channel, mut source) in [(name("time"), clock), (name("numbers"), random)] {
        let options = ChannelOptions { generated: true, ..ChannelOptions::default() };
        broker.declare(&channel, options);
        let (broker, shutdown) = (broker.clone(), shutdown.clone());
        tasks.spawn(async move {
            if let Err(error) = feed(&broker, &channel, &mut source, &shutdown).await {
                tracing::error!(%channel, %error, "the feed has ended");
            }
        });
    }
    Node::start(broker, &NodeOptions::default()).map_err(Failure::System)
}

/// What was bound, or nothing when the address is taken: the rest starts all the same.
fn started<T>(
    language: Language,
    address: &str,
    bound: Result<T, BindError>,
) -> Result<Option<T>, Failure> {
    match bound {
        Ok(bound) => Ok(Some(bound)),
        Err(BindError::InUse { .. }) => {
            let program = live::program();
            let phrase = LivePhrase::Taken { address, program: &program };
            output::warn(language, Phrase::Live(phrase));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The address as it was asked for, with the port that it got: `localhost` stays one name for
/// both address families.
fn with_chosen_port(address: &Address, listener: &Listener) -> Address {
    let mut address = address.clone();
    let bound = listener.local_addresses().iter().find_map(Address::host_port);
    if let (Some(endpoint), Some(bound)) = (address.host_port_mut(), bound) {
        endpoint.port = bound.port;
    }
    address
}

fn announce(
    language: Language,
    page: Option<&HttpListener>,
    echo: Option<Address>,
    greet: Option<Address>,
) {
    let program = live::program();
    let mut tries = Vec::new();
    live::say(language, LivePhrase::DemoIsLive);
    if let Some(endpoint) = page.and_then(|page| page.local_addresses().next()) {
        let authority = live::authority(&endpoint);
        live::entry(language, LivePhrase::Page, &format!("http://{authority}/"));
        let channels = format!("ws://{authority}/channels/time  ws://{authority}/channels/numbers");
        live::entry(language, LivePhrase::WebSocket, &channels);
        tries.push(format!("{program} connect ws://{authority}/channels/numbers"));
    }
    if let Some(greet) = greet {
        live::entry(language, LivePhrase::Greet, &greet.to_string());
        tries.insert(0, format!("echo Ana | {program} connect {greet}"));
    }
    if let Some(echo) = echo {
        live::entry(language, LivePhrase::Echo, &echo.to_string());
        tries.insert(0, format!("echo -n 'Hello, world' | {program} connect {echo}"));
    }
    live::say(language, LivePhrase::TryNext);
    for command in tries {
        output::notice(&format!("  {command}"));
    }
    live::say(language, LivePhrase::CtrlCEnds);
}
