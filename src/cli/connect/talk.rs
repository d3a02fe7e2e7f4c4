//! The talk itself: sending and receiving at the same time, and knowing when it is over.
//!
//! Sending has a task of its own, so that a peer that answers while it is being sent to (an echo
//! of any size) is read from all the while. What it does is watched, because the end depends on
//! both directions: a stream ends when the peer closes; where nothing but messages can be sent, it
//! ends when the input has ended and then nothing comes for a while; and an input that was empty
//! from the start only listens. A connection that is lost gives the input back, for the next one.
//!
//! The loop is [`Talk::receive`]; what follows it is in `parting.rs`.

use enchufe_core::{Message, Position, ws::CloseReason};
use tokio::{
    sync::watch,
    task::{JoinHandle, coop::unconstrained},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    ending::{Account, Ending},
    expect::Expectations,
    input::Input,
    screen::{Screen, Tended},
    sender::{Progress, Sender},
};
use crate::{
    cli::{exit_code::Exit, failure::Failure, output::OutputError, signals::Stop},
    limits,
    transport::{Connection, Incoming, RecvError},
};

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
pub(super) enum End {
    PeerClosed,
    Lost(RecvError),
    /// Everything that was asked for is there.
    Enough,
    /// What was expected is not there.
    TooLate,
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
    pub(super) incoming: Incoming,
    pub(super) screen: &'a mut Screen,
    pub(super) expected: &'a mut Expectations,
    pub(super) ending: Ending,
    pub(super) received: u64,
    last_received: Option<Instant>,
    /// How much had been sent when something was received last.
    pub(super) answered: u64,
    pub(super) progress: watch::Receiver<Progress>,
    pub(super) sender: JoinHandle<(Input, Result<(), Failure>)>,
    pub(super) hang_up: CancellationToken,
}

impl<'a> Talk<'a> {
    /// Begins to send over `connection`.
    pub(super) fn begin(
        connection: Connection,
        screen: &'a mut Screen,
        expected: &'a mut Expectations,
        beginning: Beginning,
    ) -> Self {
        let Beginning { input, account, ending, gathers, opening, goodbye } = beginning;
        let (incoming, outgoing) = connection.split();
        let last = (account.sent > 0).then(Instant::now);
        let Account { received, sent, sent_bytes } = account;
        let progress = Progress { messages: sent, bytes: sent_bytes, last, ..Progress::default() };
        let (report, progress) = watch::channel(progress);
        let hang_up = CancellationToken::new();
        let sender = Sender { input, outgoing, report, ending, gathers, opening, goodbye };
        let sender = tokio::spawn(sender.run(hang_up.clone()));
        expected.begin(ending.counts_lines);
        Self {
            incoming,
            screen,
            expected,
            ending,
            received,
            last_received: None,
            answered: sent,
            progress,
            sender,
            hang_up,
        }
    }

    /// Receives until the talk is over.
    pub(super) async fn receive(&mut self, stop: &mut Stop) -> End {
        loop {
            let deadline = self.deadline();
            let partial = Instant::now() + limits::PARTIAL_LINE_DELAY;
            let has_partial = self.screen.has_partial_line() || self.expected.have_partial_line();
            let has_input_ended = self.progress.borrow().ended.is_some();
            // A peer that never stops sending what is no message uses up what this task may do in
            // one go: that must keep neither time from passing nor the input from ending.
            tokio::select! {
                biased;
                exit = stop.requested() => return End::Stopped(exit),
                received = self.incoming.recv() => {
                    let message = match received {
                        Ok(Some(message)) => message,
                        Ok(None) => return End::PeerClosed,
                        Err(error) => return End::Lost(error),
                    };
                    // A reader of our output that has stopped must not keep us from stopping.
                    let taken = tokio::select! {
                        taken = self.take(message) => taken,
                        exit = stop.requested() => return End::Stopped(exit),
                    };
                    match taken {
                        Ok(is_enough) if is_enough => return End::Enough,
                        Ok(_) => {}
                        Err(error) => return End::Output(error),
                    }
                    self.last_received = Some(Instant::now());
                    self.answered = self.progress.borrow().messages;
                }
                tended = unconstrained(self.screen.tend(has_input_ended)) => match tended {
                    Tended::Settled(Ok(())) => {}
                    Tended::Settled(Err(error)) => return End::Output(error),
                    Tended::Measure => {
                        let sent = self.progress.borrow().bytes;
                        self.screen.measure(sent);
                    }
                },
                changed = unconstrained(self.progress.changed()) => {
                    if self.progress.borrow().is_interrupted {
                        return End::Stopped(Exit::Interrupted);
                    }
                    if changed.is_err() {
                        return End::Sender;
                    }
                }
                () = unconstrained(self.expected.overdue()) => return End::TooLate,
                () = unconstrained(sleep_until(deadline.unwrap_or(partial))), if deadline.is_some() =>
                {
                    if !self.incoming.has_violation() {
                        return End::Silence;
                    }
                }
                () = sleep_until(partial), if has_partial => {
                    if let Err(error) = self.screen.flush().await {
                        return End::Output(error);
                    }
                    self.expected.look_at_partial_line();
                    if self.is_as_expected() {
                        return End::Enough;
                    }
                }
            }
        }
    }

    /// Takes what was received: counts it, shows it, and compares it with what is expected.
    /// Whether it is enough now.
    pub(super) async fn take(&mut self, mut message: Message) -> Result<bool, OutputError> {
        let is_enough = self.ending.count(&mut self.received, &mut message);
        self.screen.show(&message).await?;
        self.expected.hear(&message.payload);
        Ok(is_enough || self.is_as_expected())
    }

    /// Whether everything came that was expected, and nothing else is waited for.
    fn is_as_expected(&self) -> bool {
        self.expected.are_met() && !self.ending.keep_open && self.ending.count.is_none()
    }

    /// When silence means the end.
    fn deadline(&self) -> Option<Instant> {
        // With a violation it is over already, once the peer has had time to read why. And what is
        // expected has a time of its own.
        if self.incoming.has_violation() || self.expected.are_pending() {
            return None;
        }
        self.ending.silence(&self.progress.borrow(), self.received, self.last_received)
    }
}
