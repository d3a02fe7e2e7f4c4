//! Why a command failed: what the catalogue words and the exit code stands for.

use std::{io, time::Duration};

use super::{connect::FramingError, exit_code::Exit, follow::PositionsError, usage::Usage};
use crate::{
    address::{ParseAddressError, ParseChannelAddressError},
    client::{AttemptError, FollowError, PublishError},
    config::Problem,
    core::channel::ParseChannelNameError,
    http::{OpenFolderError, ReadTokenError},
    load::{ProcessError, Trouble},
    recording::{CreateError, ReadError},
    resolve::ResolveError,
    source::ParseOriginError,
    transport::{
        BindError, CloseReason, OpenError, RecvError, SendError,
        child::StartError,
        tls::{Distrust, PemError, development::DevelopmentError},
        ws::Refusal,
    },
};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line cannot be meant.
    Usage(Usage),
    /// Already shown, as clap shows the help to who gives no command.
    Shown,
    /// The text is no address.
    Address(ParseAddressError),
    /// Nothing can be served there.
    Bind(BindError),
    /// No connection came to stand.
    Open(OpenError),
    /// A name has no address.
    Resolve(ResolveError),
    /// The connection broke while receiving.
    Recv(RecvError),
    /// The connection broke while sending.
    Send(SendError),
    /// The peer closed with a code that means trouble.
    Closed(CloseReason),
    /// Nothing came back in time.
    NoReply { wait: Duration },
    /// Not everything came that was expected.
    Unmet(Box<Unmet>),
    /// What is to be replayed cannot be.
    Replay(ReplayFailure),
    /// `connect -`: standard input is what is to be sent.
    ConnectToStdio,
    /// The input cannot be cut into messages.
    Framing(FramingError),
    /// The text is no filter for the log.
    Log(String),
    /// There is no certificate to serve with.
    Tls(TlsFailure),
    /// feed and demo.
    Live(LiveFailure),
    /// publish and follow.
    Channel(Box<ChannelFailure>),
    /// run and config: something is wrong with the configuration.
    Config(Box<Problem>),
    /// Several things are wrong, each of which is said.
    Several(Vec<Failure>),
    /// bench.
    Bench(BenchFailure),
    /// top.
    Top(TopFailure),
    /// relay.
    Relay(RelayFailure),
    /// serve, of programs.
    Service(ServiceFailure),
    /// Standard input cannot be read.
    Input(io::Error),
    /// Standard output cannot be written.
    Output(io::Error),
    /// The system refuses what every run needs, such as a thread.
    System(io::Error),
}

/// The first thing of those expected that did not come, and what came instead.
#[derive(Debug)]
pub(crate) struct Unmet {
    /// The pattern.
    pub(crate) pattern: String,
    /// The first is 1.
    pub(crate) number: usize,
    /// So many are expected in all.
    pub(crate) of: usize,
    /// Why nothing more is waited for.
    pub(crate) why: Why,
    /// The last messages that came after the one before was met, each in one line and bounded.
    pub(crate) heard: Vec<String>,
    /// So many came before those.
    pub(crate) forgotten: u64,
}

/// Why nothing more is waited for.
#[derive(Debug)]
pub(crate) enum Why {
    /// The time is over.
    TooLate(Duration),
    /// The talk is over.
    Ended,
    /// It was broken off.
    Failed(Box<Failure>),
}

/// Why a recording cannot be replayed.
#[derive(Debug)]
pub(crate) enum ReplayFailure {
    /// The file cannot be read, or is no recording.
    Recording { path: String, error: ReadError },
    /// There is no connection in it.
    Empty { path: String },
    /// There is no connection of that number.
    NoConnection { path: String, number: u64 },
    /// There are more connections than are replayed.
    TooMany { path: String, connections_max: usize },
}

/// Why there is no certificate to serve with.
#[derive(Debug)]
pub(crate) enum TlsFailure {
    /// The files of the flags cannot be used.
    Pem(PemError),
    /// None could be made.
    Development(DevelopmentError),
    /// Nobody knows where to keep one.
    NoFolder,
}

/// Why `bench` measured nothing.
#[derive(Debug)]
pub(crate) enum BenchFailure {
    /// Datagrams may be lost and come in any order.
    Datagrams(String),
    /// The server's processor time cannot be read.
    Process(ProcessError),
    /// More was asked for than there may be.
    Bound { what: &'static str, value: usize, max: usize },
    /// No channel is at this address.
    NoChannel(String),
    /// The first viewer was refused.
    Subscribe(Trouble),
    /// A message was not taken.
    Publish(String),
}

/// Why `relay` failed.
#[derive(Debug)]
pub(crate) enum RelayFailure {
    /// There is no file to record to.
    Create(CreateError),
    /// What passed could not be written.
    Write(io::Error),
    /// Nobody takes what passed.
    Unwritten,
    /// Nothing moved on the only connection.
    Idle(Duration),
}

/// Why `feed` or `demo` failed.
#[derive(Debug)]
pub(crate) enum LiveFailure {
    /// No source was named, and standard input is a terminal.
    NoSource,
    /// The text names no source.
    Source(ParseOriginError),
    /// The channel cannot have that name.
    Channel(ParseChannelNameError),
    /// One's own page cannot be served.
    Page(OpenFolderError),
    /// A token's file cannot be used.
    Token(ReadTokenError),
    /// The program does not run.
    Start(StartError),
    /// The file cannot be followed.
    Follow { path: String, error: io::Error },
    /// Every address of the demo was taken.
    NothingStarted,
}

/// Why `top` shows nothing.
#[derive(Debug)]
pub(crate) enum TopFailure {
    /// The text is no server's URL.
    NoServer(String),
    /// The server does not say how it stands.
    Refused { server: String, status: u16, message: String, hint: Option<String> },
    /// What it says is not what this version understands.
    NotUnderstood { server: String, reason: String },
}

/// Why `publish` or `follow` failed.
#[derive(Debug)]
pub(crate) enum ChannelFailure {
    /// The text is no channel, or no server of channels.
    Address(ParseChannelAddressError),
    /// One connection has channels of one server.
    OtherServer { one: String, other: String },
    /// The URL says how to read what is to be published to.
    QueryToPublish,
    /// There is no message, and standard input is a terminal.
    NothingToPublish,
    /// The file of positions cannot be used.
    Positions(PositionsError),
    /// Nothing more comes from there.
    Follow { server: String, error: FollowError },
    /// The server has acknowledged so many messages, of so many more it is not known whether they
    /// were published, and none of the rest was.
    Publish { channel: String, error: PublishError, acknowledged: u64, in_doubt: u64 },
}

impl ChannelFailure {
    /// With what words the server refused, if it did.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Follow {
                error: FollowError::Open(OpenError::Refusal { refusal, .. }), ..
            } => Some(refusal),
            Self::Publish { error, .. } => match &error.error {
                AttemptError::Refused(refusal) => Some(refusal),
                _ => None,
            },
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Address(_) | Self::OtherServer { .. } | Self::QueryToPublish => Exit::Usage,
            Self::NothingToPublish | Self::Positions(_) => Exit::Usage,
            Self::Follow { error, .. } => match error {
                FollowError::Open(error) => of_opening(error),
                FollowError::Recv(error) => of_receiving(error),
                FollowError::Closed(_) | FollowError::Nonsense { .. } => Exit::Closed,
                FollowError::Refused { .. } => Exit::Refused,
                FollowError::TooMany(_) => Exit::Usage,
                _ => Exit::Network,
            },
            Self::Publish { error, .. } => match &error.error {
                AttemptError::Refused(_) => Exit::Refused,
                AttemptError::Request(_) => Exit::Usage,
                AttemptError::Late(_) => Exit::Timeout,
                _ if error.gave_up_after.is_some() => Exit::Timeout,
                AttemptError::Open(error) => of_opening(error),
                AttemptError::Lost | AttemptError::NotHttp => Exit::Network,
                _ => Exit::Closed,
            },
        }
    }
}

fn of_opening(error: &OpenError) -> Exit {
    match error {
        OpenError::TimedOut { .. } => Exit::Timeout,
        // 101 with an answer that does not fit is no refusal.
        OpenError::Refusal { .. } => Exit::Refused,
        OpenError::Tls { error: Distrust::Ca(_) | Distrust::UnusableCa { .. }, .. } => Exit::Usage,
        OpenError::Start { .. } | OpenError::File { .. } => Exit::Usage,
        _ => Exit::Network,
    }
}

fn of_receiving(error: &RecvError) -> Exit {
    match error {
        RecvError::Abnormal { .. } | RecvError::Violation { .. } => Exit::Closed,
        RecvError::Silent { .. } => Exit::Timeout,
        RecvError::Exited { .. } => Exit::Closed,
        _ => Exit::Network,
    }
}

/// Why `serve` does not run programs.
#[derive(Debug)]
pub(crate) enum ServiceFailure {
    /// None was named.
    NoProgram,
    /// Other machines could have it run.
    RemoteExec { address: String },
    /// It does not run.
    Start(StartError),
    /// Nobody can listen there: a program, a file.
    NotServed { address: String },
}

impl Failure {
    /// What the failure exits with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Shown | Self::Address(_) => Exit::Usage,
            Self::Log(_) | Self::ConnectToStdio | Self::Framing(_) => Exit::Usage,
            Self::Replay(_) => Exit::Usage,
            Self::Unmet(_) => Exit::Unmet,
            Self::Live(LiveFailure::NothingStarted) => Exit::Network,
            Self::Relay(RelayFailure::Idle(_)) => Exit::Timeout,
            Self::Bench(BenchFailure::Publish(_) | BenchFailure::Subscribe(_)) => Exit::Refused,
            Self::Live(_) | Self::Tls(_) | Self::Bench(_) | Self::Relay(_) => Exit::Usage,
            Self::Service(_) | Self::Config(_) | Self::Top(TopFailure::NoServer(_)) => Exit::Usage,
            Self::Top(TopFailure::Refused { .. }) => Exit::Refused,
            Self::Top(TopFailure::NotUnderstood { .. }) => Exit::Closed,
            Self::Several(failures) => failures.first().map_or(Exit::Usage, Failure::exit),
            Self::Input(_) | Self::Output(_) => Exit::Usage,
            Self::Bind(_) | Self::Resolve(_) | Self::Send(_) | Self::System(_) => Exit::Network,
            Self::Open(error) => of_opening(error),
            Self::Recv(error) => of_receiving(error),
            Self::Channel(failure) => failure.exit(),
            Self::Closed(_) => Exit::Closed,
            Self::NoReply { .. } => Exit::Timeout,
        }
    }
}

impl From<ParseAddressError> for Failure {
    fn from(error: ParseAddressError) -> Self {
        Self::Address(error)
    }
}

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        Self::Bind(error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl From<TlsFailure> for Failure {
    fn from(error: TlsFailure) -> Self {
        Self::Tls(error)
    }
}

impl From<ServiceFailure> for Failure {
    fn from(error: ServiceFailure) -> Self {
        Self::Service(error)
    }
}

impl From<ChannelFailure> for Failure {
    fn from(error: ChannelFailure) -> Self {
        Self::Channel(Box::new(error))
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Several(problems.into_iter().map(|problem| Self::Config(Box::new(problem))).collect())
    }
}

impl From<LiveFailure> for Failure {
    fn from(error: LiveFailure) -> Self {
        Self::Live(error)
    }
}
