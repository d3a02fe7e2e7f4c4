//! What a source is, before there is one: as a command line or a configuration says it.

use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
};

use super::{
    AnySource, Clock, File, FileStart, Interval, Lines, Numbers, Producers, Program, Random,
    Remote, Restart,
    check::{Check, Gate},
};
use crate::{
    address::{Address, ParseAddressError},
    limits,
    transport::{
        BindError, BindOptions, Framing, OpenOptions,
        child::{Command, ExecOptions, StartError},
    },
};

/// The words that name a source by themselves.
const WORDS: [&str; 2] = ["clock", "random"];

/// How many slips of the finger a word may be away to be suggested.
const SLIPS_MAX: usize = 2;

/// What a source is: where its messages come from, how they are told apart there, and what they
/// must be. Two that are equal are the same source, which goes on when a configuration is read
/// again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spec {
    /// Where messages come from.
    pub origin: Origin,
    /// How messages follow each other in a stream of bytes. What has messages of its own (clock and
    /// random, datagrams, WebSocket) keeps them.
    pub framing: Framing,
    /// What they must be.
    pub check: Check,
}

/// Where a source's messages come from. Its `Display` shows no secret of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The time.
    Clock {
        /// How far apart.
        interval: Interval,
    },
    /// Random numbers.
    Random {
        /// Which.
        numbers: Numbers,
        /// How far apart.
        interval: Interval,
    },
    /// This program's standard input.
    StandardInput,
    /// What a program prints.
    Exec {
        /// Its name or path.
        program: OsString,
        /// What it is told.
        arguments: Vec<OsString>,
        /// It sees a terminal, so that it prints its lines at once.
        pty: bool,
        /// Whether it is run again when it ends.
        restart: Restart,
    },
    /// What is said by all who connect to us.
    Listen {
        /// Where we listen.
        address: Address,
    },
    /// What a server says that we connect to.
    Connect {
        /// Where it is.
        address: Address,
    },
    /// What is added to a file, and to those that take its place.
    File {
        /// Where it is.
        path: PathBuf,
        /// Where it is begun, if it is there already.
        start: FileStart,
    },
}

/// What sources are opened with that no text says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Surroundings {
    /// How programs are run; whether they see a terminal is each one's own.
    pub exec: ExecOptions,
    /// How producers are listened for: with which certificate, and to which pages.
    pub bind: BindOptions,
    /// How many producers of one source are read at the same time.
    pub producers_max: usize,
    /// How servers are connected to: which are trusted, and what they are told.
    pub open: OpenOptions,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            exec: ExecOptions::default(),
            bind: BindOptions::default(),
            producers_max: limits::PRODUCERS_MAX,
            open: OpenOptions::default(),
        }
    }
}

/// The text names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseOriginError {
    /// It is no word for a source, and no address either.
    #[error("there is no source '{text}'")]
    Unknown {
        /// The text.
        text: String,
        /// The word that may have been meant.
        suggestion: Option<&'static str>,
    },
    /// It would be the address of a page.
    #[error("'{text}' is a page's address, not a source")]
    Page {
        /// The text.
        text: String,
        /// Where the messages of a channel there are likely to be had.
        suggestion: String,
    },
    /// It is no address.
    #[error(transparent)]
    Address(ParseAddressError),
    /// Nobody can connect to us there.
    #[error("nobody can be listened for at '{0}'")]
    NotListened(String),
}

/// Why there is no such source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenSourceError {
    /// The program does not run.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Nobody can connect to us.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The file cannot be read.
    #[error("cannot follow '{path}': {error}")]
    File {
        /// Where it is.
        path: String,
        /// What the system said.
        error: io::Error,
    },
}

impl Spec {
    /// The lines of `origin`, whatever they are.
    pub fn new(origin: Origin) -> Self {
        Self { origin, framing: Framing::Lines, check: Check::None }
    }

    /// Opens the source. A program runs from then on. Must be called within a runtime.
    ///
    /// # Errors
    ///
    /// See [`OpenSourceError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future opens nothing.
    pub async fn open(&self, surroundings: &Surroundings) -> Result<AnySource, OpenSourceError> {
        let source = match &self.origin {
            Origin::Clock { interval } => AnySource::from(Clock::new(*interval)),
            Origin::Random { numbers, interval } => Random::new(numbers.clone(), *interval).into(),
            Origin::StandardInput => Lines::framed(tokio::io::stdin(), self.framing).into(),
            Origin::Exec { program, arguments, pty, restart } => {
                let mut command = Command::new(program, arguments.clone());
                command.options = ExecOptions { pty: *pty, ..surroundings.exec.clone() };
                Program::run(command, self.framing, *restart)?.into()
            }
            Origin::Listen { address } => {
                let Surroundings { bind, producers_max, .. } = surroundings;
                Producers::listen(address, self.framing, bind, *producers_max).await?.into()
            }
            Origin::Connect { address } => {
                Remote::new(address.clone(), self.framing, surroundings.open.clone()).into()
            }
            Origin::File { path, start } => follow(path, self.framing, *start).await?.into(),
        };
        Ok(source.through(Gate::new(self.check)))
    }
}

async fn follow(path: &Path, framing: Framing, start: FileStart) -> Result<File, OpenSourceError> {
    let owned = path.to_owned();
    let follow = tokio::task::spawn_blocking(move || File::follow(&owned, framing, start)).await;
    let followed = follow.map_err(io::Error::from).and_then(|followed| followed);
    followed.map_err(|error| OpenSourceError::File { path: path.display().to_string(), error })
}

impl Origin {
    /// Parses what a command line or a configuration calls a source: `-`, `clock`, `random`,
    /// `exec:PROGRAM ARGUMENTS`, `file:PATH`, `listen:ADDRESS`, or the address of a server. Intervals, numbers and what becomes of programs are the default
    /// ones.
    ///
    /// # Errors
    ///
    /// When the text names no source.
    pub fn parse(text: &str) -> Result<Self, ParseOriginError> {
        match text {
            "clock" => return Ok(Self::Clock { interval: Clock::DEFAULT_INTERVAL }),
            "random" => {
                let (numbers, interval) = (Numbers::DIGITS, Random::DEFAULT_INTERVAL);
                return Ok(Self::Random { numbers, interval });
            }
            _ => {}
        }
        if let Some(address) = text.strip_prefix("listen:") {
            let parsed = Address::parse_serve(address);
            return match parsed.map_err(|error| misunderstood(text, error))? {
                Address::Stdio | Address::Exec(_) | Address::File(_) => {
                    Err(ParseOriginError::NotListened(excerpt(address)))
                }
                address => Ok(Self::Listen { address }),
            };
        }
        match Address::parse_connect(text).map_err(|error| misunderstood(text, error))? {
            Address::Stdio => Ok(Self::StandardInput),
            Address::Exec(command) => {
                let mut words = command.words.into_iter().map(OsString::from);
                let program = words.next().expect("an address has a program");
                let (arguments, restart) = (words.collect(), Restart::Never);
                Ok(Self::Exec { program, arguments, pty: false, restart })
            }
            Address::File(path) => Ok(Self::File { path, start: FileStart::default() }),
            address => Ok(Self::Connect { address }),
        }
    }

    /// Whether what it gives is a stream of bytes, without messages of its own.
    pub fn is_stream(&self) -> bool {
        match self {
            Self::Clock { .. } | Self::Random { .. } => false,
            Self::StandardInput | Self::Exec { .. } | Self::File { .. } => true,
            Self::Listen { address } | Self::Connect { address } => address.is_stream(),
        }
    }
}

/// What is wrong with a text that is no address.
fn misunderstood(text: &str, error: ParseAddressError) -> ParseOriginError {
    match error {
        ParseAddressError::Http { text, suggestion } => ParseOriginError::Page { text, suggestion },
        // A port alone is one, to be told how to write it.
        _ if text.contains(':') || text.bytes().all(|byte| byte.is_ascii_digit()) => {
            ParseOriginError::Address(error)
        }
        _ => {
            let near = |word: &&&str| strsim::osa_distance(word, text) <= SLIPS_MAX;
            let suggestion = WORDS.iter().find(near).copied();
            ParseOriginError::Unknown { text: excerpt(text), suggestion }
        }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(limits::EXCERPT_CHARS_MAX).collect()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock { .. } => f.write_str("clock"),
            Self::Random { .. } => f.write_str("random"),
            Self::StandardInput => f.write_str("-"),
            // Its arguments may hold a secret.
            Self::Exec { program, .. } => write!(f, "exec:{}", program.to_string_lossy()),
            Self::File { path, .. } => write!(f, "file:{}", path.display()),
            Self::Listen { address } => write!(f, "listen:{}", address.redacted()),
            Self::Connect { address } => f.write_str(&address.redacted()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_word_or_an_address() {
        for (text, shown) in [
            ("clock", "clock"),
            ("random", "random"),
            ("-", "-"),
            ("stdio", "-"),
            ("exec:./job --secret x", "exec:./job"),
            ("file:app.log", "file:app.log"),
            ("listen:7000", "listen:tcp://localhost:7000"),
            ("listen:udp://127.0.0.1:0", "listen:udp://127.0.0.1:0"),
            ("listen:unix:/tmp/x", "listen:unix:/tmp/x"),
            ("tcp://localhost:7000", "tcp://localhost:7000"),
            ("ws://localhost:80/a?token=x", "ws://localhost:80/a?token=REDACTED"),
        ] {
            let origin = Origin::parse(text).expect(text);
            assert_eq!(origin.to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_source_is_named_with_what_may_have_been_meant() {
        let unknown = |text: &str| match Origin::parse(text) {
            Err(ParseOriginError::Unknown { suggestion, .. }) => suggestion,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!((unknown("clok"), unknown("ramdon")), (Some("clock"), Some("random")));
        assert_eq!(unknown("vmstat"), None);
        let page = Origin::parse("http://127.0.0.1:80/");
        assert!(matches!(page, Err(ParseOriginError::Page { .. })), "{page:?}");
        let listened = Origin::parse("listen:exec:./job");
        assert!(matches!(listened, Err(ParseOriginError::NotListened(_))), "{listened:?}");
        for text in ["7000", "listen:", "exec:", "tpc://localhost:1"] {
            let parsed = Origin::parse(text);
            assert!(matches!(parsed, Err(ParseOriginError::Address(_))), "{text}: {parsed:?}");
        }
    }
}
