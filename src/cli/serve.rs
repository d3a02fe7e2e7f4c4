//! `enchufe serve`: a service for each client that connects, and the tutorial's own lines about
//! what happens.

use super::{
    addresses,
    args::{self, ServiceName},
    catalogue::Phrase,
    escape,
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output::{self, Lines},
    signals,
};
use crate::{
    address::Address,
    guard::OriginPolicy,
    serve::{ServeOptions, serve},
    service::{Echo, Event, Feed, Greet, Observer},
    shutdown::Shutdown,
    source::{Clock, Random},
    transport::{BindOptions, Listener},
};

/// Listens on every address or on none, then serves until it is stopped.
pub(super) async fn run(args: args::Serve, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    let addresses = addresses::parse(&args.addresses)?;
    let listeners = listen(&addresses, &bind_options(&args)?, language).await?;
    let (trigger, shutdown) = Shutdown::new();
    stop.pull(trigger.clone());
    let (lines, printing) = output::lines(move || trigger.request()).map_err(Failure::System)?;
    let observer = observer(args.service, (!args.quiet).then_some(lines), language);
    let mut options = ServeOptions { once: args.once, observer, ..ServeOptions::default() };
    if let Some(count) = args.max_connections {
        options.connections_max = usize::try_from(count).unwrap_or(usize::MAX);
    }
    serve_by_name(args, listeners, options, shutdown).await;
    let printed = printing.end();
    if printed.missed > 0 {
        warn(language, Phrase::LinesMissed(printed.missed));
    }
    printed.end.map_or(Ok(Exit::Success), output::OutputError::into_result)
}

fn bind_options(args: &args::Serve) -> Result<BindOptions, Failure> {
    let mut options = BindOptions::default();
    if let Some(backlog) = args.backlog {
        options.backlog = backlog;
    }
    if let Some(bytes) = args.message_bytes_max {
        options.ws.message_bytes_max = bytes;
    }
    options.ws.origin_policy = match args.service {
        ServiceName::Clock | ServiceName::Random => OriginPolicy::AnyMayRead,
        ServiceName::Echo | ServiceName::Greet => OriginPolicy::SameOrigin,
    };
    options.ws.allowed_origins.clone_from(&args.allow_origin);
    options.ws.host_names.clone_from(&args.host_name);
    Ok(options)
}

async fn listen(
    addresses: &[Address],
    options: &BindOptions,
    language: Language,
) -> Result<Vec<Listener>, Failure> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = Listener::bind(address, options).await?;
        for warning in listener.warnings() {
            warn(language, Phrase::Bind(warning));
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

async fn serve_by_name(
    args: args::Serve,
    listeners: Vec<Listener>,
    options: ServeOptions,
    shutdown: Shutdown,
) {
    let observer = options.observer.clone();
    match args.service {
        ServiceName::Echo => serve(listeners, Echo, options, shutdown).await,
        ServiceName::Greet => {
            let service = Greet::new(args.greeting.unwrap_or_default(), observer);
            serve(listeners, service, options, shutdown).await
        }
        ServiceName::Clock => {
            let interval = args.generator.interval.unwrap_or(Clock::DEFAULT_INTERVAL);
            let service = Feed::new(move || Clock::new(interval), observer);
            serve(listeners, service, options, shutdown).await
        }
        ServiceName::Random => {
            let interval = args.generator.interval.unwrap_or(Random::DEFAULT_INTERVAL);
            let numbers = args.generator.numbers();
            let service = Feed::new(move || Random::new(numbers.clone(), interval), observer);
            serve(listeners, service, options, shutdown).await
        }
    };
}

/// Puts what happens into words: on standard output what the tutorial's servers print, on standard
/// error the rest.
pub(super) fn observer(service: ServiceName, lines: Option<Lines>, language: Language) -> Observer {
    let print = move |line: String| {
        if let Some(lines) = &lines {
            lines.print(line);
        }
    };
    Observer::new(move |event| match (service, event) {
        (_, Event::Listening(address)) => {
            output::notice(&language.say(Phrase::ListeningOn(&address.to_string())));
        }
        (ServiceName::Echo, Event::Connected(peer)) => {
            print(language.say(Phrase::ConnectedBy(&peer.escaped())));
        }
        (ServiceName::Greet, Event::Received { message, .. }) => {
            print(format!("< {}", escape::line(&message.payload)));
        }
        (ServiceName::Greet, Event::Sent { message, .. }) => {
            print(format!("> {}", escape::line(&message.payload)));
        }
        (ServiceName::Random, Event::Sent { message, .. }) => {
            print(escape::line(&message.payload));
        }
        (_, Event::Refused { peer, connections_max }) => {
            let peer = &peer.escaped();
            warn(language, Phrase::TurnedAway { peer, connections_max: *connections_max });
        }
        (_, Event::Dropped(clients)) => warn(language, Phrase::Dropped(*clients)),
        (_, Event::Closed { peer, error: Some(error) }) => {
            tracing::info!(peer = %peer.escaped(), %error, "a client was not served to its end");
        }
        _ => {}
    })
}

fn warn(language: Language, phrase: Phrase<'_>) {
    let text = escape::line(language.say(phrase).as_bytes());
    output::notice(&format!("{}: {text}", language.say(Phrase::Warning)));
}
