//! Where a feed's messages come from.
//!
//! A source is asked for its next message and knows nothing of who will read it: the same clock
//! feeds one client of `serve clock` or a channel that thousands share.

mod backoff;
mod check;
mod clock;
mod file;
mod inflow;
mod intake;
mod interval;
mod lines;
mod producers;
mod program;
mod random;
mod remote;
mod spec;

use enchufe_core::Message;
use tokio::io::Stdin;

use crate::{address::Address, transport::BindWarning};
use check::Gate;

pub use check::Check;
pub use clock::Clock;
pub use file::{File, FileStart};
pub use interval::{Interval, ParseIntervalError};
pub use lines::Lines;
pub use producers::Producers;
pub use program::{Program, Restart};
pub use random::{Numbers, ParseNumbersError, Random};
pub use remote::Remote;
pub use spec::{OpenSourceError, Origin, ParseOriginError, Spec, Surroundings};

/// Something that yields messages until it ends.
///
/// A new source is one file, one `mod` and one variant here, and one of [`Origin`] with its arm in
/// [`Spec::open`].
pub trait Source {
    /// The next message, or `None` when there will be no more.
    ///
    /// # Cancel safety
    ///
    /// Implementations are cancel-safe: dropping the future loses no message and starts no waiting
    /// time again.
    fn next(&mut self) -> impl Future<Output = Option<Message>> + Send;

    /// How it ended, once [`next`](Source::next) has said that there is no more: `exit 0`,
    /// `end of input`.
    fn status(&mut self) -> impl Future<Output = String> + Send {
        async { "end".to_owned() }
    }
}

/// Any of the sources, for whoever learns only at run time which one it is, with the check that its
/// messages must pass. [`Spec::open`] makes one.
pub struct AnySource {
    kind: Kind,
    gate: Gate,
}

enum Kind {
    Clock(Clock),
    Random(Random),
    StandardInput(Lines<Stdin>),
    Program(Box<Program>),
    File(File),
    Producers(Producers),
    Remote(Box<Remote>),
}

impl AnySource {
    /// Ends what runs for the source's sake: a program, a thread that reads.
    ///
    /// # Cancel safety
    ///
    /// See [`Program::stop`].
    pub async fn stop(&mut self) {
        match &mut self.kind {
            Kind::Program(program) => program.stop().await,
            Kind::File(file) => file.stop(),
            Kind::Producers(producers) => producers.stop(),
            Kind::Remote(remote) => remote.stop(),
            Kind::Clock(_) | Kind::Random(_) | Kind::StandardInput(_) => {}
        }
    }

    /// How many messages failed the check and were left out.
    pub fn left_out(&self) -> u64 {
        self.gate.left_out()
    }

    /// Where it listens for producers, if it does; one address for each socket.
    pub fn local_addresses(&self) -> &[Address] {
        match &self.kind {
            Kind::Producers(producers) => producers.local_addresses(),
            _ => &[],
        }
    }

    /// What of that is not as asked.
    pub fn warnings(&self) -> &[BindWarning] {
        match &self.kind {
            Kind::Producers(producers) => producers.warnings(),
            _ => &[],
        }
    }

    fn through(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    async fn next_unchecked(&mut self) -> Option<Message> {
        match &mut self.kind {
            Kind::Clock(source) => source.next().await,
            Kind::Random(source) => source.next().await,
            Kind::StandardInput(source) => source.next().await,
            Kind::Program(source) => source.next().await,
            Kind::File(source) => source.next().await,
            Kind::Producers(source) => source.next().await,
            Kind::Remote(source) => source.next().await,
        }
    }
}

impl Source for AnySource {
    async fn next(&mut self) -> Option<Message> {
        loop {
            // Cancel-safe: what the source has given is judged without waiting.
            match self.next_unchecked().await {
                Some(message) if self.gate.passes(&message) => return Some(message),
                Some(_) => {}
                None => {
                    self.gate.settle();
                    return None;
                }
            }
        }
    }

    async fn status(&mut self) -> String {
        match &mut self.kind {
            Kind::Clock(source) => source.status().await,
            Kind::Random(source) => source.status().await,
            Kind::StandardInput(source) => source.status().await,
            Kind::Program(source) => source.status().await,
            Kind::File(source) => source.status().await,
            Kind::Producers(source) => source.status().await,
            Kind::Remote(source) => source.status().await,
        }
    }
}

impl From<Clock> for AnySource {
    fn from(source: Clock) -> Self {
        Kind::Clock(source).into()
    }
}

impl From<Random> for AnySource {
    fn from(source: Random) -> Self {
        Kind::Random(source).into()
    }
}

impl From<Lines<Stdin>> for AnySource {
    fn from(source: Lines<Stdin>) -> Self {
        Kind::StandardInput(source).into()
    }
}

impl From<Program> for AnySource {
    fn from(source: Program) -> Self {
        Kind::Program(Box::new(source)).into()
    }
}

impl From<File> for AnySource {
    fn from(source: File) -> Self {
        Kind::File(source).into()
    }
}

impl From<Producers> for AnySource {
    fn from(source: Producers) -> Self {
        Kind::Producers(source).into()
    }
}

impl From<Remote> for AnySource {
    fn from(source: Remote) -> Self {
        Kind::Remote(Box::new(source)).into()
    }
}

impl From<Kind> for AnySource {
    fn from(kind: Kind) -> Self {
        Self { kind, gate: Gate::default() }
    }
}
