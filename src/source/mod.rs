//! Where a feed's messages come from.
//!
//! A source is asked for its next message and knows nothing of who will read it: the same clock
//! feeds one client of `serve clock` or a channel that thousands share.

mod clock;
mod interval;
mod lines;
mod program;
mod random;

use enchufe_core::Message;

pub use clock::Clock;
pub use interval::{Interval, ParseIntervalError};
pub use lines::Lines;
pub use program::Program;
pub use random::{Numbers, ParseNumbersError, Random};

/// Something that yields messages until it ends.
///
/// A new source is one file, one `mod` and one `pub use` here.
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

/// Any of the sources, for whoever learns only at run time which one it is.
#[non_exhaustive]
pub enum AnySource {
    /// The time.
    Clock(Clock),
    /// Numbers.
    Random(Random),
    /// The lines of standard input.
    StandardInput(Lines<tokio::io::Stdin>),
    /// The lines of a program.
    Program(Box<Program>),
}

impl AnySource {
    /// Ends what runs outside of this process for the source's sake.
    ///
    /// # Cancel safety
    ///
    /// See [`Program::stop`].
    pub async fn stop(&mut self) {
        if let Self::Program(program) = self {
            program.stop().await;
        }
    }
}

impl Source for AnySource {
    async fn next(&mut self) -> Option<Message> {
        match self {
            Self::Clock(source) => source.next().await,
            Self::Random(source) => source.next().await,
            Self::StandardInput(source) => source.next().await,
            Self::Program(source) => source.next().await,
        }
    }

    async fn status(&mut self) -> String {
        match self {
            Self::Clock(source) => source.status().await,
            Self::Random(source) => source.status().await,
            Self::StandardInput(source) => source.status().await,
            Self::Program(source) => source.status().await,
        }
    }
}
