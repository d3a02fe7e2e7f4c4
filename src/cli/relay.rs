//! `enchufe relay`: what comes in at one address goes out at another.

mod plan;
mod stats;
mod tap;

use self::{plan::Plan, stats::Stats, tap::Tap};
use super::{
    args,
    catalogue::{Phrase, TlsPhrase},
    complain,
    exit_code::Exit,
    failure::{Failure, RelayFailure},
    language::Language,
    output, signals, tls,
};
use crate::{
    address::Address,
    limits,
    recording::{self, CreateError, Entry},
    relay::{Far, Journal, Keeping, Near, Report, Sink, Trouble, relay},
    shutdown::Shutdown,
    transport::{BindOptions, CloseCode, Connection, Listener},
};

const COMMAND: &str = "enchufe relay";

/// Relays until it is stopped, or until the one connection has ended.
pub(super) async fn run(args: args::Relay, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    let plan = Plan::new(&args)?;
    if let Some(path) = &args.record {
        // Nobody is to connect, and nothing to be replaced, for a recording that cannot be.
        recording::check(path, args.force).map_err(not_recorded)?;
    }
    if args.client.insecure {
        let shown = plan.opened_secure().redacted();
        output::warn(language, Phrase::Tls(TlsPhrase::Insecure(&shown)));
    }
    let mut bind = plan.bind_options(&args);
    bind.tls = tls::certificate(&args.tls, &plan.served(), COMMAND, language).await?;
    let open = plan.open_options(&args);
    let (trigger, shutdown) = Shutdown::new();
    let stopped = stop.pull(trigger.clone());
    let far = match plan.listens_far {
        true => Far::Listener(listen(&plan.far, &bind, language).await?),
        false => Far::Address(plan.far.clone(), open.clone()),
    };
    let near = match plan.listens_near {
        true => Near::Listener(listen(&plan.near, &bind, language).await?),
        false => {
            let opened = tokio::select! {
                opened = Connection::open(&plan.near, &open) => opened?,
                () = shutdown.requested() => return Ok(client_exit(&stopped)),
            };
            Near::Connection(opened)
        }
    };
    let (stats, printing) =
        Stats::start(&args, plan.is_one(&args), language, trigger).map_err(Failure::System)?;
    let (journal, keeping) = journal(&args, &plan)?.unzip();
    let options = plan.relay_options(&args, journal, stats.observer());
    let mut relayed = relay(near, far, options, shutdown.clone()).await;
    let ended = keeping.map_or(Ok(()), kept).and_then(|()| match shutdown.is_requested() {
        true if !plan.is_server() => Ok(client_exit(&stopped)),
        true => Ok(Exit::Success),
        false if plan.is_one(&args) => outcome(relayed.last.take()),
        false => Ok(Exit::Success),
    });
    // The sum comes last: it stands below what went wrong.
    let exit = ended.unwrap_or_else(|failure| {
        complain(&failure, language);
        failure.exit()
    });
    stats.sum(&relayed);
    drop(stats);
    printing.map_or(Ok(Exit::Success), |printing| printing.end().into_result(language))?;
    Ok(exit)
}

/// What a relay that nobody can connect to exits with: it is a client on both sides.
fn client_exit(stopped: &signals::Stopped) -> Exit {
    // Without a signal it was a reader of ours that left.
    stopped.exit().unwrap_or(Exit::Success)
}

async fn listen(
    address: &Address,
    options: &BindOptions,
    language: Language,
) -> Result<Listener, Failure> {
    let listener = Listener::bind(address, options).await?;
    for warning in listener.warnings() {
        output::warn(language, Phrase::Bind(warning));
    }
    for address in listener.local_addresses() {
        output::notice(&language.say(Phrase::ListeningOn(&address.to_string())));
    }
    Ok(listener)
}

impl<W: std::io::Write + Send + 'static> Sink for recording::Writer<W> {
    fn write(&mut self, entry: &Entry) -> std::io::Result<()> {
        Self::write(self, entry)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Self::flush(self)
    }
}

/// Those who are shown what passes, if there are any.
fn journal(args: &args::Relay, plan: &Plan) -> Result<Option<(Journal, Keeping)>, Failure> {
    let started = jiff::Timestamp::now();
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    if let Some(path) = &args.record {
        let shown = |address: &Address| address.redacted();
        let header = recording::Header { started, from: shown(&plan.near), to: shown(&plan.far) };
        let writer = recording::Writer::create(path, args.force, &header);
        let writer = writer.map_err(not_recorded)?;
        sinks.push(Box::new(writer));
    }
    if let Some(form) = args.tap {
        sinks.push(Box::new(Tap::new(form, started)));
    }
    match sinks.is_empty() {
        true => Ok(None),
        false => Journal::start(sinks).map(Some).map_err(Failure::System),
    }
}

fn not_recorded(error: CreateError) -> Failure {
    Failure::Relay(RelayFailure::Create(error))
}

/// Waits until what passed is written.
fn kept(keeping: Keeping) -> Result<(), Failure> {
    let errors = match keeping.end(limits::HANG_UP_TIMEOUT) {
        Ok(errors) => errors,
        Err(_elapsed) => return Err(Failure::Relay(RelayFailure::Unwritten)),
    };
    // A reader of standard error that has gone has seen enough.
    let mut failures =
        errors.into_iter().filter(|error| error.kind() != std::io::ErrorKind::BrokenPipe);
    failures.next().map_or(Ok(()), |error| Err(Failure::Relay(RelayFailure::Write(error))))
}

/// How the only connection went.
fn outcome(last: Option<Report>) -> Result<Exit, Failure> {
    let Some(report) = last else { return Ok(Exit::Success) };
    match (report.trouble, report.closed) {
        (Some(Trouble::Open(error)), _) => Err(Failure::Open(error)),
        (Some(Trouble::Recv(error)), _) => Err(Failure::Recv(error)),
        (Some(Trouble::Send(error)), _) => Err(Failure::Send(error)),
        (Some(Trouble::Idle(time)), _) => Err(Failure::Relay(RelayFailure::Idle(time))),
        (None, Some((_, reason)))
            if ![CloseCode::NORMAL, CloseCode::GOING_AWAY].contains(&reason.code) =>
        {
            Err(Failure::Closed(reason))
        }
        (None, _) => Ok(Exit::Success),
    }
}
