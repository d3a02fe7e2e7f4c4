//! What a server says that we connect to, again and again when the connection is lost.

use std::{collections::VecDeque, fmt, pin::Pin};

use enchufe_core::{Message, ws::CloseReason};
use tokio::time::{Instant, sleep_until};

use super::{
    Source,
    backoff::Backoff,
    intake::{Intake, Taken},
};
use crate::{
    address::Address,
    limits,
    resolve::ResolveError,
    transport::{Connection, Framing, OpenError, OpenOptions},
};

type Opening = Pin<Box<dyn Future<Output = Result<Connection, OpenError>> + Send>>;

/// The messages of a server. It is connected to in the background, and again, after pauses that grow,
/// when the connection is lost, cannot be made or is closed. What is said meanwhile is missing, which
/// the log says. It ends when connecting again cannot help: the server is not to be trusted or is no
/// such server, or it closes a WebSocket with a code that means so.
///
/// A server of datagrams learns of us by an empty one, which is sent again every
/// [`limits::HELLO_INTERVAL`]: such servers forget those who are silent.
pub struct Remote {
    address: Address,
    framing: Framing,
    options: OpenOptions,
    backoff: Backoff,
    state: State,
    /// What came with the last read.
    messages: VecDeque<Message>,
    /// When the connection was lost.
    lost_at: Option<Instant>,
}

enum State {
    Pausing(Instant),
    Opening(Opening),
    Open(Box<Talk>),
    Over(String),
}

/// A connection that stands.
struct Talk {
    connection: Connection,
    intake: Intake,
    /// When a server of datagrams is next told that we are there.
    hello_at: Option<Instant>,
}

/// What became of a connection.
enum Event {
    Messages(Vec<Message>),
    /// It may stand again. What was left of it is whole.
    Lost(String, Vec<Message>),
    Over(String, Vec<Message>),
}

impl Remote {
    /// Connects to `address` once it is asked for messages.
    pub fn new(address: Address, framing: Framing, options: OpenOptions) -> Self {
        let state = State::Pausing(Instant::now());
        let (backoff, messages) = (Backoff::default(), VecDeque::new());
        Self { address, framing, options, backoff, state, messages, lost_at: None }
    }

    /// Gives the connection up.
    pub(super) fn stop(&mut self) {
        self.state = State::Over("stopped".to_owned());
    }

    fn begin(&self) -> State {
        let (address, options) = (self.address.clone(), self.options.clone());
        State::Opening(Box::pin(async move { Connection::open(&address, &options).await }))
    }

    /// The connection stands.
    fn opened(&mut self, connection: Connection) -> State {
        self.backoff.begun();
        let address = self.address.redacted();
        match self.lost_at.take() {
            None => tracing::info!(address, "connected"),
            Some(at) => {
                let missing_ms = at.elapsed().as_millis();
                let missing = "connected again: what was said in between is missing";
                tracing::warn!(address, missing_ms, "{missing}");
            }
        }
        let is_datagram = matches!(self.address, Address::Udp(_) | Address::Unixgram(_));
        let hello_at = is_datagram.then(Instant::now);
        let intake = Intake::of_server(&connection, self.framing);
        State::Open(Box::new(Talk { connection, intake, hello_at }))
    }

    /// There is no connection: it is tried again after a pause.
    fn pause(&mut self, reason: &dyn fmt::Display) -> State {
        let (address, pause) = (self.address.redacted(), self.backoff.ended());
        let pause_ms = pause.as_millis();
        self.lost_at.get_or_insert_with(Instant::now);
        let missing = "not connected: what is said meanwhile is missing";
        tracing::warn!(address, %reason, pause_ms, "{missing}");
        State::Pausing(Instant::now() + pause)
    }
}

impl Talk {
    /// Cancel-safe: what has come is kept by the connection until it is returned.
    async fn next(&mut self) -> Event {
        loop {
            let Self { connection, intake, hello_at } = self;
            let due = async {
                match *hello_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let received = tokio::select! {
                biased;
                () = due => {
                    *hello_at = Some(Instant::now() + limits::HELLO_INTERVAL);
                    // Datagrams leave whole or not at all, and at once.
                    match connection.send(Message::binary("")).await {
                        Ok(()) => continue,
                        Err(error) => return Event::Lost(error.to_string(), Vec::new()),
                    }
                }
                received = connection.recv() => received,
            };
            return match received {
                Ok(Some(message)) => match intake.take(message) {
                    Taken { messages, refused: None } if messages.is_empty() => continue,
                    Taken { messages, refused: None } => Event::Messages(messages),
                    Taken { messages, refused: Some(refused) } => {
                        Event::Over(refused.to_string(), messages)
                    }
                },
                Ok(None) => closed(connection.closed_with(), intake.rest()),
                Err(error) => {
                    let unfinished_bytes = intake.unfinished_bytes();
                    if unfinished_bytes > 0 {
                        tracing::warn!(unfinished_bytes, "the end of a message did not come");
                    }
                    Event::Lost(error.to_string(), Vec::new())
                }
            };
        }
    }
}

/// A stream that has ended may be there again; a WebSocket says whether it may help to come back (see
/// `core/src/ws/codes.rs`).
fn closed(reason: Option<&CloseReason>, rest: Taken) -> Event {
    match (reason, rest) {
        (None, Taken { messages, refused: None }) => {
            Event::Lost("the server has closed the connection".to_owned(), messages)
        }
        (None, Taken { messages, refused: Some(refused) }) => {
            Event::Lost(refused.to_string(), messages)
        }
        (Some(reason), _) => {
            let told = format!("closed with {}", reason.code);
            match reason.code.number() {
                1001 | 1005 | 1011..=1014 | 4001 | 4002 => Event::Lost(told, Vec::new()),
                _ => Event::Over(told, Vec::new()),
            }
        }
    }
}

/// Whether connecting again could not help.
fn is_final(error: &OpenError) -> bool {
    match error {
        OpenError::Refused { .. }
        | OpenError::TimedOut { .. }
        | OpenError::Unreachable { .. }
        | OpenError::NoAnswer { .. }
        | OpenError::NoDescriptors { .. }
        // It is about to be made, or to be made anew.
        | OpenError::NotFound { .. }
        | OpenError::PermissionDenied { .. }
        | OpenError::Io { .. } => false,
        OpenError::Unresolved { error, .. } => !matches!(error, ResolveError::Unavailable { .. }),
        OpenError::Refusal { refusal, .. } => !matches!(refusal.status, 408 | 429 | 500..=599),
        _ => true,
    }
}

impl Source for Remote {
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Some(message);
            }
            self.state = match &mut self.state {
                State::Pausing(until) => {
                    sleep_until(*until).await;
                    self.begin()
                }
                State::Opening(opening) => match opening.await {
                    Ok(connection) => self.opened(connection),
                    Err(error) if is_final(&error) => State::Over(error.to_string()),
                    Err(error) => self.pause(&error),
                },
                State::Open(talk) => match talk.next().await {
                    Event::Messages(messages) => {
                        self.messages = messages.into();
                        continue;
                    }
                    Event::Lost(reason, rest) => {
                        self.messages = rest.into();
                        self.pause(&reason)
                    }
                    Event::Over(reason, rest) => {
                        self.messages = rest.into();
                        State::Over(reason)
                    }
                },
                State::Over(_) => return None,
            };
        }
    }

    async fn status(&mut self) -> String {
        match &self.state {
            State::Over(reason) => reason.clone(),
            _ => "not over".to_owned(),
        }
    }
}
