//! The talk itself: sending and receiving at the same time, and knowing when it is over.
//!
//! Sending has a task of its own, so that a peer that answers while it is being sent to (an echo
//! of any size) is read from all the while. What it does is watched, because the end depends on
//! both directions: a stream ends when the peer closes; where nothing but messages can be sent, it
//! ends when the input has ended and then nothing comes for a while; and an input that was empty
//! from the start only listens. A connection that is lost gives the input back, for the next one.

use std::{io, time::Duration};

use enchufe_core::{
    Message, Position,
    ws::{CloseCode, CloseReason},
};
use memchr::memchr_iter;
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, coop::unconstrained},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    input::Input,
    retry,
    screen::Screen,
    sender::{Progress, Sender},
};
use crate::{
    cli::{exit_code::Exit, failure::Failure, output::OutputError, signals::Stop},
    limits,
    transport::{Connection, Incoming, RecvError, SendError},
};

/// What decides that a talk is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// How long after the last message, either way, nothing means that nothing will come.
    pub(super) wait: Duration,
    /// So many received messages are enough.
    pub(super) count: Option<u32>,
    /// What is counted is lines, since there are no messages.
    pub(super) counts_lines: bool,
    /// Only the peer ends it.
    pub(super) keep_open: bool,
    /// The peer can be told that the input has ended, and itself tells when it is done.
    pub(super) is_stream: bool,
    /// A person types, and Ctrl-D means the end.
    pub(super) is_dialogue: bool,
    /// The transport has a closing handshake.
    pub(super) has_goodbye: bool,
}

/// What was said so far, on all connections.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    /// Messages received; lines, where those are counted.
    pub(super) received: u64,
    /// Messages of the input that were sent.
    pub(super) sent: u64,
}

/// How a talk ended.
pub(super) enum Outcome {
    /// For good. A feed that closed in peace may have said after which position it goes on.
    Over(Result<Exit, Failure>, Option<Position>),
    /// The connection was lost, and it may help to make another one.
    Lost(Box<Lost>),
}

/// What is left of a talk whose connection was lost.
pub(super) struct Lost {
    pub(super) failure: Failure,
    /// What has not been sent is still in it.
    pub(super) input: Input,
    pub(super) account: Account,
    /// Messages that were sent after the last one that was received: nobody knows whether the peer
    /// has them.
    pub(super) unanswered: u64,
}

/// Why the loop of a talk ended.
enum End {
    PeerClosed,
    Lost(RecvError),
    Enough,
    Silence,
    Stopped(Exit),
    Output(OutputError),
    Sender,
}

/// What a talk begins with.
pub(super) struct Beginning {
    pub(super) input: Input,
    pub(super) account: Account,
    pub(super) ending: Ending,
    /// Whether messages that are ready together leave together.
    pub(super) gathers: bool,
    /// What is sent before any input.
    pub(super) opening: Vec<Message>,
    /// What the peer is told in the end.
    pub(super) goodbye: CloseReason,
}

/// Two ends that talk.
pub(super) struct Talk<'a> {
    incoming: Incoming,
    screen: &'a mut Screen,
    ending: Ending,
    received: u64,
    last_received: Option<Instant>,
    /// How much had been sent when something was received last.
    answered: u64,
    progress: watch::Receiver<Progress>,
    sender: JoinHandle<(Input, Result<(), Failure>)>,
    hang_up: CancellationToken,
}

impl<'a> Talk<'a> {
    /// Begins to send over `connection`.
    pub(super) fn begin(
        connection: Connection,
        screen: &'a mut Screen,
        beginning: Beginning,
    ) -> Self {
        let Beginning { input, account, ending, gathers, opening, goodbye } = beginning;
        let (incoming, outgoing) = connection.split();
        let last = (account.sent > 0).then(Instant::now);
        let progress = Progress { messages: account.sent, last, ..Progress::default() };
        let (report, progress) = watch::channel(progress);
        let hang_up = CancellationToken::new();
        let sender = Sender { input, outgoing, report, ending, gathers, opening, goodbye };
        let sender = tokio::spawn(sender.run(hang_up.clone()));
        Self {
            incoming,
            screen,
            ending,
            received: account.received,
            last_received: None,
            answered: account.sent,
            progress,
            sender,
            hang_up,
        }
    }

    /// Receives until the talk is over, then hangs up. A loss that is `bearable` is not the end.
    pub(super) async fn run(
        mut self,
        stop: &mut Stop,
        bearable: impl Fn(&Failure) -> bool,
    ) -> Outcome {
        let end = self.receive(stop).await;
        let flushed = self.screen.flush().await;
        if let Err(error) = flushed {
            self.screen.restore();
            return Outcome::Over(error.into_result(), None);
        }
        let loss = match end {
            End::PeerClosed => self.incoming.closed_with().cloned().map(Failure::Closed),
            End::Lost(error) => Some(self.broken_off(Failure::Recv(error))),
            End::Sender => {
                let (input, failure) = match (&mut self.sender).await {
                    Ok((input, Err(failure))) => (input, failure),
                    ended => return self.over(Err(ended_early(ended))),
                };
                let failure = self.after_sender(failure).await;
                return match bearable(&failure) {
                    true => self.lost(failure, input),
                    false => self.over(after_goodbye(failure)),
                };
            }
            end => {
                self.screen.restore();
                return Outcome::Over(self.end_well(end).await, None);
            }
        };
        if let Some(failure) = loss {
            if bearable(&failure) {
                return match self.abandon().await {
                    Ok(input) => self.lost(failure, input),
                    Err(failure) => self.over(Err(failure)),
                };
            }
            if let Err(failure) = after_goodbye(failure) {
                self.screen.restore();
                if matches!(failure, Failure::Closed(_)) {
                    self.screen.peer_closed();
                }
                return Outcome::Over(Err(failure), None);
            }
        }
        self.screen.restore();
        self.screen.peer_closed();
        let resumes_after = self.incoming.closed_with().and_then(retry::position);
        Outcome::Over(self.after_close(stop).await, resumes_after)
    }

    fn over(self, result: Result<Exit, Failure>) -> Outcome {
        self.screen.restore();
        Outcome::Over(result, None)
    }

    fn lost(self, failure: Failure, input: Input) -> Outcome {
        let sent = self.progress.borrow().messages;
        Outcome::Lost(Box::new(Lost {
            failure,
            input,
            account: Account { received: self.received, sent },
            unanswered: sent - self.answered,
        }))
    }

    /// An end that we chose.
    async fn end_well(&mut self, end: End) -> Result<Exit, Failure> {
        let progress = *self.progress.borrow();
        self.leave().await;
        match end {
            End::Stopped(exit) => Ok(exit),
            End::Output(error) => error.into_result(),
            End::Silence
                if self.received == 0 && progress.messages > 0 && !self.ending.is_dialogue =>
            {
                Err(Failure::NoReply { wait: self.ending.wait })
            }
            _ => Ok(Exit::Success),
        }
    }

    async fn receive(&mut self, stop: &mut Stop) -> End {
        loop {
            let deadline = self.deadline();
            let partial = Instant::now() + limits::PARTIAL_LINE_DELAY;
            // A peer that never stops sending what is no message uses up what this task may do in
            // one go: that must keep neither time from passing nor the input from ending.
            tokio::select! {
                biased;
                exit = stop.requested() => return End::Stopped(exit),
                received = self.incoming.recv() => {
                    let mut message = match received {
                        Ok(Some(message)) => message,
                        Ok(None) => return End::PeerClosed,
                        Err(error) => return End::Lost(error),
                    };
                    let is_enough = self.count(&mut message);
                    // A reader of our output that has stopped must not keep us from stopping.
                    let shown = tokio::select! {
                        shown = self.screen.show(&message) => shown,
                        exit = stop.requested() => return End::Stopped(exit),
                    };
                    if let Err(error) = shown {
                        return End::Output(error);
                    }
                    if is_enough {
                        return End::Enough;
                    }
                    self.last_received = Some(Instant::now());
                    self.answered = self.progress.borrow().messages;
                }
                settled = self.screen.settle(), if self.screen.is_dirty() => {
                    if let Err(error) = settled {
                        return End::Output(error);
                    }
                }
                changed = unconstrained(self.progress.changed()) => {
                    if self.progress.borrow().is_interrupted {
                        return End::Stopped(Exit::Interrupted);
                    }
                    if changed.is_err() {
                        return End::Sender;
                    }
                }
                () = unconstrained(sleep_until(deadline.unwrap_or(partial))), if deadline.is_some() =>
                {
                    if !self.incoming.has_violation() {
                        return End::Silence;
                    }
                }
                () = sleep_until(partial), if self.screen.has_partial_line() => {
                    if let Err(error) = self.screen.flush().await {
                        return End::Output(error);
                    }
                }
            }
        }
    }

    /// Counts what was received, cuts off what is more than was asked for, and says whether it is
    /// enough now.
    fn count(&mut self, message: &mut Message) -> bool {
        let Some(count) = self.ending.count.map(u64::from) else {
            self.received += 1;
            return false;
        };
        if !self.ending.counts_lines {
            self.received += 1;
            return self.received >= count;
        }
        let left = usize::try_from(count - self.received).unwrap_or(usize::MAX);
        match memchr_iter(b'\n', &message.payload).nth(left.saturating_sub(1)) {
            Some(last) => {
                message.payload.truncate(last + 1);
                true
            }
            None => {
                self.received += memchr_iter(b'\n', &message.payload).count() as u64;
                false
            }
        }
    }

    /// When silence means the end; never while there is more to send, or the peer decides.
    fn deadline(&self) -> Option<Instant> {
        let progress = *self.progress.borrow();
        let Ending { wait, count, keep_open, is_stream, is_dialogue, .. } = self.ending;
        if self.incoming.has_violation() {
            // It is over already, once the peer has had time to read why.
            return None;
        }
        if !progress.has_ended || keep_open || count.is_some() || (is_stream && !is_dialogue) {
            return None;
        }
        if progress.messages == 0 {
            // Nothing was said: a person who says nothing leaves, an empty input listens.
            return is_dialogue.then(Instant::now);
        }
        progress.last.max(self.last_received).map(|last| last + wait)
    }

    /// A WebSocket that breaks without a goodbye ended abnormally, whichever of its packets told
    /// us.
    fn broken_off(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Recv(RecvError::Reset { peer })
            | Failure::Send(SendError::Closed { peer })
                if self.ending.has_goodbye =>
            {
                Failure::Recv(RecvError::Abnormal { peer })
            }
            other => other,
        }
    }
}

impl Talk<'_> {
    /// The peer has closed: was that all?
    async fn after_close(mut self, stop: &mut Stop) -> Result<Exit, Failure> {
        // A stream that says no more may still listen: it gets the rest of our input. Elsewhere
        // closed is closed, and only a message that is on its way is waited for.
        let is_heard = self.ending.is_stream && !self.ending.is_dialogue;
        let done = |progress: &Progress| {
            if is_heard { progress.has_ended } else { !progress.is_sending }
        };
        let patience = if is_heard { None } else { Some(Instant::now() + limits::HANG_UP_TIMEOUT) };
        let sent = tokio::select! {
            sent = self.progress.wait_for(done) => sent.is_ok(),
            () = sleep_until(patience.unwrap_or_else(Instant::now)), if patience.is_some() => true,
            exit = stop.requested() => return Ok(exit),
        };
        if sent {
            return Ok(Exit::Success);
        }
        match self.sender.await {
            // What came too late to be sent is not sent, as when it had come later still.
            Ok((_, Err(Failure::Send(SendError::Closed { .. })))) if !is_heard => Ok(Exit::Success),
            Ok((_, Err(failure))) => Err(failure),
            ended => Err(ended_early(ended)),
        }
    }

    /// The sending side has failed. When the connection broke, the peer may have said why.
    async fn after_sender(&mut self, failure: Failure) -> Failure {
        if !matches!(failure, Failure::Send(_)) {
            return failure;
        }
        if self.incoming.has_violation() {
            return match self.incoming.recv().await {
                Err(error) => Failure::Recv(error),
                Ok(_) => failure,
            };
        }
        let rest = async {
            while let Some(mut message) = self.incoming.recv().await.ok()? {
                self.count(&mut message);
                self.screen.show(&message).await.ok()?;
            }
            self.screen.settle().await.ok()?;
            self.incoming.closed_with().cloned()
        };
        match timeout(limits::HANG_UP_TIMEOUT, rest).await {
            Ok(Some(reason)) => Failure::Closed(reason),
            _ => self.broken_off(failure),
        }
    }

    /// Takes the input back from a connection that is gone.
    async fn abandon(&mut self) -> Result<Input, Failure> {
        // Soon nothing is being sent: the rest of a frame goes out before a Close frame is
        // answered, and what is gone takes nothing.
        let idle = self.progress.wait_for(|progress| !progress.is_sending);
        let _ = timeout(limits::HANG_UP_TIMEOUT, idle).await;
        self.hang_up.cancel();
        match (&mut self.sender).await {
            Ok((_, Err(failure @ (Failure::Input(_) | Failure::Framing(_))))) => Err(failure),
            Ok((input, _)) => Ok(input),
            Err(error) => Err(Failure::Input(io::Error::other(error))),
        }
    }

    /// Hangs up, and waits for the peer to take note of it, but not for long.
    async fn leave(&mut self) {
        self.hang_up.cancel();
        let goodbye = async {
            // Whatever went wrong, this is the end.
            let _ = (&mut self.sender).await;
            while self.ending.has_goodbye && matches!(self.incoming.recv().await, Ok(Some(_))) {}
        };
        let _ = timeout(limits::HANG_UP_TIMEOUT, goodbye).await;
    }
}

/// A peer that closes and has nothing to complain about is a success.
pub(super) fn after_goodbye(failure: Failure) -> Result<Exit, Failure> {
    match failure {
        Failure::Closed(CloseReason {
            code: CloseCode::NORMAL | CloseCode::GOING_AWAY, ..
        }) => Ok(Exit::Success),
        other => Err(other),
    }
}

/// The sending side ended although nobody told it to.
fn ended_early(ended: Result<(Input, Result<(), Failure>), JoinError>) -> Failure {
    match ended {
        Ok((_, Err(failure))) => failure,
        Ok(_) => Failure::Input(io::Error::other("the input ended early")),
        Err(error) => Failure::Input(io::Error::other(error)),
    }
}
