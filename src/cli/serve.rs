//! `enchufe serve`: a service for each client that connects.

use super::{
    addresses,
    args::{self, ServiceName},
    broadcast,
    catalogue::Phrase,
    exit_code::Exit,
    failure::{Failure, ServiceFailure},
    language::Language,
    output, page, signals,
    sockets::With,
    telling, tls,
    usage::misplaced,
};
use crate::{
    address::Address,
    guard::OriginPolicy,
    limits,
    serve::{ServeOptions, serve},
    service::{Discard, Echo, Feed, Greet},
    shutdown::Shutdown,
    source::{Clock, Random},
    transport::{BindOptions, BindWarning, Listener, child::Command},
};

/// Listens on every address or on none, then serves until it is stopped.
pub(super) async fn run(args: args::Serve, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    let addresses = addresses::parse(&args.addresses)?;
    args.check(&addresses)?;
    let command = args.command(&addresses).await?;
    let mut options = bind_options(&args)?;
    options.tls = tls::certificate(&args.tls, &args.served(&addresses), COMMAND, language).await?;
    let announcer = Announcer { is_quiet: args.quiet, language };
    let bound = match args.service {
        ServiceName::Broadcast => {
            Listening::Broadcast(broadcast::listen(&addresses, &options, &announcer).await?)
        }
        _ => Listening::Each(listen(&addresses, &options, &announcer).await?),
    };
    let (trigger, shutdown) = Shutdown::new();
    stop.pull(trigger.clone());
    let (lines, printing) = output::lines(move || trigger.request()).map_err(Failure::System)?;
    let lines = (!args.quiet).then_some(lines);
    let observer = telling::observer(args.service, lines, language);
    let mut options = ServeOptions { once: args.once, observer, ..ServeOptions::default() };
    if args.service == ServiceName::Exec {
        options.connections_max = limits::PROGRAMS_MAX;
    }
    if let Some(count) = args.max_connections {
        options.connections_max = usize::try_from(count).unwrap_or(usize::MAX);
    }
    match bound {
        Listening::Broadcast(bound) => {
            broadcast::run(&args, bound, options, shutdown).await?;
        }
        Listening::Each(listeners) => {
            serve_by_name(args, command, listeners, options, shutdown).await;
        }
    }
    printing.end().into_result(language)
}

const COMMAND: &str = "enchufe serve";

/// What is listened on: for a service for each client, or for all of them together.
enum Listening {
    Each(Vec<Listener>),
    Broadcast(broadcast::Bound),
}

impl args::Serve {
    fn served(&self, addresses: &[Address]) -> Vec<tls::Served> {
        let secure_host = |address: &Address| match address {
            Address::Tls(endpoint) => Some(endpoint.host.clone()),
            Address::Ws(ws) if ws.is_secure => Some(ws.endpoint.host()),
            _ => None,
        };
        let typed = self.addresses.iter().cloned().zip(addresses);
        typed
            .map(|(text, address)| tls::Served { address: text, secure_host: secure_host(address) })
            .collect()
    }

    /// The program of `serve exec`, which is there and may be run by those who can reach it.
    async fn command(&self, addresses: &[Address]) -> Result<Option<Command>, Failure> {
        if self.service != ServiceName::Exec {
            return Ok(None);
        }
        let command = self.program.command().ok_or(ServiceFailure::NoProgram)?;
        let is_remote = |address: &&Address| {
            address.host_port().is_some_and(|endpoint| !endpoint.host.is_loopback())
        };
        if let Some(address) = addresses.iter().find(is_remote)
            && !self.program.allow_remote_exec
        {
            let address = address.to_string();
            return Err(ServiceFailure::RemoteExec { address }.into());
        }
        let checked = command.clone();
        let check = tokio::task::spawn_blocking(move || checked.check()).await;
        check.map_err(|error| Failure::System(error.into()))?.map_err(ServiceFailure::Start)?;
        Ok(Some(command))
    }

    /// What clap cannot know: flags of one service given to another, and flags of WebSocket
    /// without one.
    fn check(&self, addresses: &[Address]) -> Result<(), Failure> {
        let is_served =
            |address: &&Address| !matches!(address, Address::Exec(_) | Address::File(_));
        if let Some(address) = addresses.iter().find(|address| !is_served(address)) {
            let address = address.to_string();
            return Err(ServiceFailure::NotServed { address }.into());
        }
        let name = self.service.name();
        let flag = self.generator.misplaced(name);
        let greeting =
            (self.greeting.is_some() && self.service != ServiceName::Greet).then_some("--greeting");
        let count = self.count.filter(|_| !self.service.is_generated()).map(|_| "--count");
        let program = self.program.given().filter(|_| self.service != ServiceName::Exec);
        let is_broadcast = self.service == ServiceName::Broadcast;
        let whole = [(self.once, "--once"), (self.max_message.is_some(), "--max-message")];
        let whole = whole.iter().find(|(is_given, _)| *is_given && is_broadcast);
        let whole = whole.map(|(_, flag)| *flag);
        if let Some(flag) = flag.or(greeting).or(count).or(program).or(whole) {
            return Err(misplaced(flag, name, COMMAND));
        }
        let typed = self.addresses.join(" ");
        let is_stream = |address: &Address| address.is_stream();
        if self.program.framing.is_some() && addresses.iter().all(is_stream) {
            return Err(misplaced("--framing", &typed, COMMAND));
        }
        let ws_flags = [
            (!self.allow_origin.is_empty(), "--allow-origin"),
            (!self.host_name.is_empty(), "--host-name"),
            (self.page.is_some(), "--page"),
            (self.max_message.is_some(), "--max-message"),
        ];
        match ws_flags.iter().find(|(is_given, _)| *is_given) {
            Some((_, flag)) if !addresses.iter().any(Address::is_ws) => {
                return Err(misplaced(flag, &typed, COMMAND));
            }
            _ => {}
        }
        let with = With { addresses, typed: &typed, command: COMMAND };
        with.check(self.listening.flags())?;
        with.check(self.sockets.flags())
    }
}

fn bind_options(args: &args::Serve) -> Result<BindOptions, Failure> {
    let mut options = args.sockets.to_bind(&args.listening);
    if let Some(bytes) = args.max_message {
        options.ws.message_bytes_max = bytes;
    }
    options.ws.origin_policy = match args.service {
        service if service.is_generated() => OriginPolicy::AnyMayRead,
        _ => OriginPolicy::SameOrigin,
    };
    options.ws.keep_requests = args.service == ServiceName::Exec;
    options.ws.allowed_origins.clone_from(&args.allow_origin);
    options.ws.host_names.clone_from(&args.host_name);
    options.ws.page = Some(page::handler(args.service.name(), args.page.as_deref())?);
    Ok(options)
}

/// What is said of where it listens.
pub(super) struct Announcer {
    is_quiet: bool,
    language: Language,
}

impl Announcer {
    /// Not everything is served as asked.
    pub(super) fn warn(&self, warning: &BindWarning) {
        output::warn(self.language, Phrase::Bind(warning));
    }

    /// Somebody listens at `local`, which was asked for as `asked`. A port that the system has chosen
    /// is said whatever happens: nobody could know it.
    pub(super) fn listening(&self, asked: &Address, local: &Address) {
        let is_chosen = asked.host_port().is_some_and(|endpoint| endpoint.port == 0);
        if !self.is_quiet || is_chosen {
            output::notice(&self.language.say(Phrase::ListeningOn(&local.to_string())));
        }
    }
}

async fn listen(
    addresses: &[Address],
    options: &BindOptions,
    announcer: &Announcer,
) -> Result<Vec<Listener>, Failure> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        listeners.push(Listener::bind(address, options).await?);
    }
    for (asked, listener) in addresses.iter().zip(&listeners) {
        listener.warnings().iter().for_each(|warning| announcer.warn(warning));
        for local in listener.local_addresses() {
            announcer.listening(asked, local);
        }
    }
    Ok(listeners)
}

async fn serve_by_name(
    args: args::Serve,
    command: Option<Command>,
    listeners: Vec<Listener>,
    options: ServeOptions,
    shutdown: Shutdown,
) {
    let (observer, count) = (options.observer.clone(), args.count.map(u64::from));
    match args.service {
        ServiceName::Echo => serve(listeners, Echo, options, shutdown).await,
        ServiceName::Discard => serve(listeners, Discard, options, shutdown).await,
        ServiceName::Exec => {
            let Some(command) = command else { return };
            let service = args.program.service(command, observer);
            serve(listeners, service, options, shutdown).await
        }
        // It has its own way to be served.
        ServiceName::Broadcast => return,
        ServiceName::Greet => {
            let service = Greet::new(args.greeting.unwrap_or_default(), observer);
            serve(listeners, service, options, shutdown).await
        }
        ServiceName::Clock => {
            let interval = args.generator.interval.unwrap_or(Clock::DEFAULT_INTERVAL);
            let service = Feed::new(move || Clock::new(interval), observer);
            serve(listeners, service.up_to(count), options, shutdown).await
        }
        ServiceName::Random => {
            let interval = args.generator.interval.unwrap_or(Random::DEFAULT_INTERVAL);
            let numbers = args.generator.numbers();
            let service = Feed::new(move || Random::new(numbers.clone(), interval), observer);
            serve(listeners, service.up_to(count), options, shutdown).await
        }
    };
}
