//! `enchufe bench`: loads a server, says how it goes, and prints what came of it.

use std::{
    io::{self, IsTerminal as _},
    sync::Arc,
    time::Duration,
};

use super::{
    args,
    catalogue::{BenchPhrase, Phrase, TlsPhrase, remedy},
    escape,
    exit_code::Exit,
    failure::{BenchFailure, Failure},
    language::Language,
    output::{self, OutputError},
    signals,
};
use crate::{
    address::{Address, redacted},
    load::{LoadError, LoadOptions, Pace, Report, Tally, Trouble, ViewError, Viewing, load, view},
    shutdown::Shutdown,
    transport::OpenOptions,
};

/// How often a terminal is told how it goes.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// Loads until the time is over or a signal ends it; the report is of what happened until then, and
/// says so.
pub(super) async fn run(args: args::Bench, language: Language) -> Result<Exit, Failure> {
    let stop = signals::Stop::new().map_err(Failure::System)?;
    let address = Address::parse_connect(&args.address)?;
    if args.client.insecure {
        let shown = address.redacted();
        output::warn(language, Phrase::Tls(TlsPhrase::Insecure(&shown)));
    }
    let (trigger, shutdown) = Shutdown::new();
    let stopped = stop.pull(trigger);
    if args.viewers.is_some() {
        let options = args.options();
        let viewing = view(&address, &options, args.publish, &shutdown).await?;
        print_viewing(&viewing, &args, language).or_else(|error| error.into_result().map(drop))?;
        hint(viewing.trouble.as_ref(), language);
        let outcome = if viewing.is_flawless() { Exit::Success } else { Exit::Network };
        return Ok(stopped.exit().filter(|_| viewing.interrupted).unwrap_or(outcome));
    }
    let (options, tally) = (args.options(), Arc::new(Tally::default()));
    let telling = tokio::spawn(tell(Arc::clone(&tally), language));
    let report = load(&address, &options, &tally, &shutdown).await;
    telling.abort();
    // The line it was telling on is cleared by whoever was told to end.
    let was_told = telling.await.is_err();
    if was_told && io::stderr().is_terminal() {
        output::status("");
    }
    let report = report?;
    print(&report, &args, language).or_else(|error| error.into_result().map(drop))?;
    hint(report.trouble.as_ref(), language);
    let outcome = if report.is_flawless() { Exit::Success } else { Exit::Network };
    // A signal that came too late has stopped nothing.
    Ok(stopped.exit().filter(|_| report.interrupted).unwrap_or(outcome))
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::Bench(match error {
            LoadError::Open(error) => return Self::Open(error),
            LoadError::Process(error) => BenchFailure::Process(error),
            LoadError::Datagrams(address) => BenchFailure::Datagrams(address),
            LoadError::Bound { what, value, max } => BenchFailure::Bound { what, value, max },
        })
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::Bench(match error {
            ViewError::Open(error) => return Self::Open(error),
            // There they are called viewers.
            ViewError::Bound(LoadError::Bound { what: "connections", value, max }) => {
                BenchFailure::Bound { what: "viewers", value, max }
            }
            ViewError::Bound(error) => return error.into(),
            ViewError::Process(error) => BenchFailure::Process(error),
            ViewError::NoChannel(address) => BenchFailure::NoChannel(address),
            ViewError::Subscribe(trouble) => BenchFailure::Subscribe(trouble),
            ViewError::Publish(why) => BenchFailure::Publish(why),
        })
    }
}

/// Says what to do about what went wrong first.
fn hint(trouble: Option<&Trouble>, language: Language) {
    if let Some(hint) = trouble.and_then(|trouble| remedy(trouble, language)) {
        let hint = escape::line(hint.as_bytes());
        output::notice(&format!("{}: {hint}", language.say(Phrase::Hint)));
    }
}

fn print_viewing(
    viewing: &Viewing,
    args: &args::Bench,
    language: Language,
) -> Result<(), OutputError> {
    if args.json {
        return output::line(&serde_json::to_string(viewing).expect("numbers are JSON"));
    }
    let address = &redacted(&args.address);
    let text = language.say(Phrase::Bench(BenchPhrase::Viewing { viewing, address }));
    text.lines().try_for_each(|line| output::line(&escape::line(line.as_bytes())))
}

fn print(report: &Report, args: &args::Bench, language: Language) -> Result<(), OutputError> {
    if args.json {
        return output::line(&serde_json::to_string(report).expect("numbers are JSON"));
    }
    let address = &redacted(&args.address);
    let text = language.say(Phrase::Bench(BenchPhrase::Report { report, address }));
    // A peer that closes may say anything.
    text.lines().try_for_each(|line| output::line(&escape::line(line.as_bytes())))
}

/// Says on a terminal how it goes.
async fn tell(tally: Arc<Tally>, language: Language) {
    if !io::stderr().is_terminal() {
        return;
    }
    let mut before = tally.progress();
    loop {
        tokio::time::sleep(TELL_INTERVAL).await;
        let progress = tally.progress();
        let per_second = progress.answered - before.answered;
        let phrase = BenchPhrase::Progress { progress: &progress, per_second };
        output::status(&language.say(Phrase::Bench(phrase)));
        before = progress;
    }
}

impl args::Bench {
    fn options(&self) -> LoadOptions {
        let mut open = OpenOptions { timeout: self.timeout, ..OpenOptions::default() };
        self.client.apply(&mut open);
        open.ws.message_bytes_max = open.ws.message_bytes_max.max(self.size);
        let in_flight = Pace::InFlight(self.in_flight as usize);
        LoadOptions {
            connections: self.viewers.unwrap_or(self.connections) as usize,
            size: self.size,
            pace: self.rate.map_or(in_flight, Pace::Rate),
            duration: self.duration,
            count: self.count.map(u64::from),
            warmup: self.warmup,
            sources: self.source.clone(),
            pid: self.pid,
            binary: self.binary,
            open,
        }
    }
}
