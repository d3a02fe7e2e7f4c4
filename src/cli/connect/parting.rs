//! How a talk is left: whose doing its end was, what is still said and heard, and what becomes of
//! it.

use std::io;

use enchufe_core::ws::{CloseCode, CloseReason};
use tokio::{
    task::JoinError,
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{
    ending::Account,
    form::Event,
    input::Input,
    retry,
    sender::Progress,
    talk::{End, Lost, Outcome, Talk},
};
use crate::{
    cli::{
        exit_code::Exit, failure::Failure, language::Language, output::OutputError, signals::Stop,
    },
    limits,
    transport::{RecvError, SendError},
};

impl Talk<'_> {
    /// Receives until the talk is over, then hangs up. A loss that is `bearable` is not the end.
    pub(super) async fn run(
        mut self,
        stop: &mut Stop,
        bearable: impl Fn(&Failure) -> bool,
    ) -> Outcome {
        let end = self.receive(stop).await;
        let flushed = self.screen.flush().await;
        let sent = self.progress.borrow().bytes;
        self.screen.measure_last(sent);
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
                self.tell_end(Some(&failure)).await;
                return match bearable(&failure) {
                    true => self.lost(failure, input),
                    false => self.over(after_goodbye(failure)),
                };
            }
            end => {
                self.screen.restore();
                return Outcome::Over(self.end_well(end, stop).await, None);
            }
        };
        self.expected.finish();
        self.tell_end(loss.as_ref()).await;
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
        let Progress { messages: sent, bytes: sent_bytes, .. } = *self.progress.borrow();
        Outcome::Lost(Box::new(Lost {
            failure,
            input,
            account: Account { received: self.received, sent, sent_bytes },
            unanswered: sent - self.answered,
        }))
    }

    /// Says how the peer ended it, where the output has room for that.
    async fn tell_end(&mut self, failure: Option<&Failure>) {
        // What programs read is in one language.
        let report = failure.and_then(|failure| Language::English.report(failure));
        let event = match (failure, &report) {
            (None, _) => Event::End,
            (Some(Failure::Closed(reason)), _) => Event::Close(reason),
            (Some(Failure::Recv(_) | Failure::Send(_)), Some(report)) => {
                Event::Lost { error: &report.message }
            }
            // What is wrong with the input was not the peer's doing.
            (Some(_), _) => return,
        };
        // A reader who has gone was not interested in the end.
        let _ = self.screen.happen(event).await;
    }

    /// An end that we chose.
    async fn end_well(&mut self, end: End, stop: &mut Stop) -> Result<Exit, Failure> {
        let progress = *self.progress.borrow();
        match end {
            // What a person has left is not written to any more.
            End::Silence if !self.ending.is_dialogue => {
                let parted = tokio::select! {
                    parted = self.part() => parted,
                    exit = stop.requested() => return Ok(exit),
                };
                if let Err(error) = parted {
                    return error.into_result();
                }
            }
            _ => self.leave().await,
        }
        let was_asked = self.ending.wants_reply_to(progress.messages);
        match (end, self.ending.patience(self.received)) {
            (End::Stopped(exit), _) => Ok(exit),
            (End::Output(error), _) => error.into_result(),
            (End::TooLate, _) => Err(self.expected.too_late()),
            (End::Silence, Some(wait)) if self.received == 0 && was_asked => {
                Err(Failure::NoReply { wait })
            }
            _ => Ok(Exit::Success),
        }
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

    /// The peer has closed: was that all?
    async fn after_close(mut self, stop: &mut Stop) -> Result<Exit, Failure> {
        // A stream that says no more may still listen: it gets the rest of our input. Elsewhere
        // closed is closed, and only a message that is on its way is waited for.
        let is_heard = self.ending.is_stream && !self.ending.is_dialogue;
        let done = |progress: &Progress| {
            if is_heard { progress.ended.is_some() } else { !progress.is_sending }
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
            while let Some(message) = self.incoming.recv().await.ok()? {
                self.take(message).await.ok()?;
            }
            self.expected.finish();
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
            Ok((
                _,
                Err(failure @ (Failure::Input(_) | Failure::Framing(_) | Failure::Replay(_))),
            )) => Err(failure),
            Ok((input, _)) => Ok(input),
            Err(error) => Err(Failure::Input(io::Error::other(error))),
        }
    }

    /// Hangs up after a silence, and takes what the peer says until it takes note of that: an
    /// answer that comes late is an answer.
    async fn part(&mut self) -> Result<(), OutputError> {
        self.hang_up.cancel();
        let deadline = Instant::now() + limits::HANG_UP_TIMEOUT;
        let _ = timeout_at(deadline, &mut self.sender).await;
        while self.ending.has_goodbye
            && let Ok(Ok(Some(message))) = timeout_at(deadline, self.incoming.recv()).await
        {
            self.take(message).await?;
        }
        self.screen.settle().await
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
