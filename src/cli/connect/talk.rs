//! The talk itself: sending and receiving at the same time, and knowing when it is over.
//!
//! Sending has a task of its own, so that a peer that answers while it is being sent to (an echo
//! of any size) is read from all the while. What it does is watched, because the end depends on
//! both directions: a stream ends when the peer closes; where nothing but messages can be sent, it
//! ends when the input has ended and then nothing comes for a while; and an input that was empty
//! from the start only listens.

use std::{io, time::Duration};

use enchufe_core::{
    Message,
    ws::{CloseCode, CloseReason},
};
use memchr::memchr_iter;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    input::{Input, Step},
    screen::Screen,
};
use crate::{
    cli::{exit_code::Exit, failure::Failure, output::OutputError, signals::Stop},
    limits,
    transport::{Connection, Incoming, Outgoing, RecvError},
};

/// What decides that a talk is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// How long after the last message, either way, nothing means that nothing will come.
    pub(super) wait: Duration,
    /// So many received messages (lines, on a stream) are enough.
    pub(super) count: Option<u32>,
    /// Only the peer ends it.
    pub(super) keep_open: bool,
    /// The peer can be told that the input has ended, and itself tells when it is done.
    pub(super) is_stream: bool,
    /// A person types, and Ctrl-D means the end.
    pub(super) is_dialogue: bool,
    /// The transport has a closing handshake.
    pub(super) has_goodbye: bool,
}

/// What the sending side has done so far.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    messages: u64,
    last: Option<Instant>,
    is_sending: bool,
    has_ended: bool,
    is_interrupted: bool,
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

/// Two ends that talk.
pub(super) struct Talk {
    incoming: Incoming,
    screen: Screen,
    ending: Ending,
    received: u64,
    last_received: Option<Instant>,
    progress: watch::Receiver<Progress>,
    sender: JoinHandle<Result<(), Failure>>,
    hang_up: CancellationToken,
}

impl Talk {
    /// Begins to send `input` over `connection`.
    pub(super) fn begin(
        connection: Connection,
        input: Input,
        screen: Screen,
        ending: Ending,
    ) -> Self {
        let (incoming, outgoing) = connection.split();
        let (report, progress) = watch::channel(Progress::default());
        let hang_up = CancellationToken::new();
        let sender = Sender { input, outgoing, report, ending };
        let sender = tokio::spawn(sender.run(hang_up.clone()));
        Self {
            incoming,
            screen,
            ending,
            received: 0,
            last_received: None,
            progress,
            sender,
            hang_up,
        }
    }

    /// Receives until the talk is over, then hangs up.
    pub(super) async fn run(mut self, stop: &mut Stop) -> Result<Exit, Failure> {
        let end = self.receive(stop).await;
        let flushed = self.screen.flush().await;
        self.screen.restore();
        match end {
            End::PeerClosed => self.after_close(stop).await,
            End::Lost(error) => Err(Failure::Recv(error)),
            End::Enough => {
                self.leave().await;
                Ok(Exit::Success)
            }
            End::Silence => {
                let progress = *self.progress.borrow();
                self.leave().await;
                if self.received == 0 && progress.messages > 0 && !self.ending.is_dialogue {
                    return Err(Failure::NoReply { wait: self.ending.wait });
                }
                Ok(Exit::Success)
            }
            End::Stopped(exit) => {
                self.leave().await;
                Ok(exit)
            }
            End::Output(error) => {
                self.leave().await;
                error.into_result()
            }
            End::Sender => self.after_sender().await,
        }
        .and_then(|exit| flushed.map(|()| exit).or_else(OutputError::into_result))
    }

    async fn receive(&mut self, stop: &mut Stop) -> End {
        loop {
            let deadline = self.deadline();
            let partial = Instant::now() + limits::PARTIAL_LINE_DELAY;
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
                }
                settled = self.screen.settle(), if self.screen.is_dirty() => {
                    if let Err(error) = settled {
                        return End::Output(error);
                    }
                }
                changed = self.progress.changed() => {
                    if self.progress.borrow().is_interrupted {
                        return End::Stopped(Exit::Interrupted);
                    }
                    if changed.is_err() {
                        return End::Sender;
                    }
                }
                () = sleep_until(deadline.unwrap_or(partial)), if deadline.is_some() => {
                    return End::Silence;
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
        if !self.ending.is_stream {
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
        if !progress.has_ended || keep_open || count.is_some() || (is_stream && !is_dialogue) {
            return None;
        }
        match progress.last {
            Some(sent) => {
                Some(self.last_received.map_or(sent, |received| received.max(sent)) + wait)
            }
            // Nothing was sent: a person who says nothing leaves, an empty input listens.
            None => is_dialogue.then(Instant::now),
        }
    }
}

impl Talk {
    /// The peer has closed: was that all?
    async fn after_close(mut self, stop: &mut Stop) -> Result<Exit, Failure> {
        self.screen.peer_closed();
        if let Some(reason) = self.incoming.closed_with()
            && !matches!(reason.code, CloseCode::NORMAL | CloseCode::GOING_AWAY)
        {
            return Err(Failure::Closed(reason.clone()));
        }
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
        if sent { Ok(Exit::Success) } else { Err(sender_failure(self.sender).await) }
    }

    /// The sending side has failed. When the connection broke, the peer may have said why.
    async fn after_sender(mut self) -> Result<Exit, Failure> {
        let failure = sender_failure(self.sender).await;
        if !matches!(failure, Failure::Send(_)) {
            return Err(failure);
        }
        let rest = async {
            while let Some(message) = self.incoming.recv().await.ok()? {
                self.screen.show(&message).await.ok()?;
            }
            self.screen.settle().await.ok()?;
            self.incoming.closed_with().cloned()
        };
        match timeout(limits::HANG_UP_TIMEOUT, rest).await {
            Ok(Some(reason)) => Err(Failure::Closed(reason)),
            _ => Err(failure),
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

async fn sender_failure(sender: JoinHandle<Result<(), Failure>>) -> Failure {
    match sender.await {
        Ok(Err(failure)) => failure,
        Ok(Ok(())) => Failure::Input(io::Error::other("the input ended early")),
        Err(error) => Failure::Input(io::Error::other(error)),
    }
}

/// The sending side.
struct Sender {
    input: Input,
    outgoing: Outgoing,
    report: watch::Sender<Progress>,
    ending: Ending,
}

impl Sender {
    /// Sends until the input ends, then keeps the connection until it is to hang up.
    async fn run(mut self, hang_up: CancellationToken) -> Result<(), Failure> {
        if let Some(sent) = hang_up.run_until_cancelled(self.send()).await {
            sent?;
            hang_up.cancelled().await;
        }
        // After half a message nothing can be said, not even goodbye.
        if !self.report.borrow().is_sending {
            let goodbye = CloseReason { code: CloseCode::NORMAL, reason: String::new() };
            self.outgoing.close(goodbye).await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Failure> {
        loop {
            match self.input.next().await? {
                Step::Send(message) => {
                    self.report.send_modify(|progress| progress.is_sending = true);
                    self.outgoing.send(message).await?;
                    self.report.send_modify(|progress| {
                        progress.is_sending = false;
                        progress.messages += 1;
                        progress.last = Some(Instant::now());
                    });
                }
                Step::End => {
                    // An input that was empty from the start listens: the peer must not take us
                    // for gone.
                    let said = self.report.borrow().messages > 0 || self.ending.is_dialogue;
                    if said && !self.ending.keep_open {
                        self.outgoing.finish().await?;
                    }
                    self.report.send_modify(|progress| progress.has_ended = true);
                    return Ok(());
                }
                Step::Interrupted => {
                    self.report.send_modify(|progress| progress.is_interrupted = true);
                    return Ok(());
                }
            }
        }
    }
}
