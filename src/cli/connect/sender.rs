//! The sending side of a talk, which has a task of its own.

use bytes::Bytes;
use enchufe_core::{Message, ws::CloseReason};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    ending::Ending,
    input::{Input, Step},
};
use crate::{
    cli::failure::Failure,
    transport::{Outgoing, SendError},
};

/// What the sending side has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// Messages of the input that were sent, on earlier connections too.
    pub(super) messages: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// When the last message was sent.
    pub(super) last: Option<Instant>,
    pub(super) is_sending: bool,
    /// When the input ended, if it has.
    pub(super) ended: Option<Instant>,
    pub(super) is_interrupted: bool,
}

/// The sending side.
pub(super) struct Sender {
    pub(super) input: Input,
    pub(super) outgoing: Outgoing,
    pub(super) report: watch::Sender<Progress>,
    pub(super) ending: Ending,
    /// Whether messages leave together. Where a connection that is lost is made again they do not:
    /// of several that were on their way nobody could say which had left.
    pub(super) gathers: bool,
    /// What is sent before any input.
    pub(super) opening: Vec<Message>,
    /// What the peer is told in the end.
    pub(super) goodbye: CloseReason,
}

impl Sender {
    /// Sends until the input ends, then keeps the connection until it is to hang up. The input
    /// comes back: what it has not sent is still in it.
    pub(super) async fn run(mut self, hang_up: CancellationToken) -> (Input, Result<(), Failure>) {
        let result = self.send_and_stay(&hang_up).await;
        // After half a message nothing can be said, not even goodbye.
        let is_whole = result.is_ok() && !self.report.borrow().is_sending;
        let result = match is_whole {
            true => self.outgoing.close(self.goodbye).await.map_err(Failure::Send),
            false => result,
        };
        (self.input, result)
    }

    async fn send_and_stay(&mut self, hang_up: &CancellationToken) -> Result<(), Failure> {
        if let Some(sent) = hang_up.run_until_cancelled(self.send()).await {
            sent?;
            hang_up.cancelled().await;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Failure> {
        for message in std::mem::take(&mut self.opening) {
            self.send_one(message).await?;
        }
        loop {
            match self.input.next().await? {
                Step::Send(message) if self.gathers => self.send_what_is_ready(message).await?,
                Step::Send(message) => {
                    let bytes = message.payload.len() as u64;
                    self.send_one(message).await?;
                    self.input.sent();
                    self.report.send_modify(|progress| {
                        progress.messages += 1;
                        progress.bytes += bytes;
                    });
                }
                Step::End => {
                    // An input that was empty from the start listens: the peer must not take us
                    // for gone.
                    let said = self.report.borrow().messages > 0 || self.ending.ends_when_empty();
                    if said && !self.ending.keep_open {
                        self.outgoing.finish().await?;
                    }
                    self.report.send_modify(|progress| progress.ended = Some(Instant::now()));
                    return Ok(());
                }
                Step::Interrupted => {
                    self.report.send_modify(|progress| progress.is_interrupted = true);
                    return Ok(());
                }
            }
        }
    }

    /// Sends the message together with those that were read with it, in few writes.
    async fn send_what_is_ready(&mut self, message: Message) -> Result<(), Failure> {
        self.report.send_modify(|progress| progress.is_sending = true);
        let (mut next, mut count, mut bytes, mut failure) = (Some(message), 0, 0, None);
        self.input.sent();
        while let Some(message) = next.take() {
            (count, bytes) = (count + 1, bytes + message.payload.len() as u64);
            self.outgoing.feed(message).await?;
            // What cannot be read is said after what could be was sent.
            (next, failure) = match self.input.ready() {
                Ok(next) => (next, None),
                Err(failure) => (None, Some(failure)),
            };
        }
        self.outgoing.flush().await?;
        self.report.send_modify(|progress| {
            progress.is_sending = false;
            progress.messages += count;
            progress.bytes += bytes;
            progress.last = Some(Instant::now());
        });
        failure.map_or(Ok(()), Err)
    }

    async fn send_one(&mut self, message: Message) -> Result<(), SendError> {
        self.report.send_modify(|progress| progress.is_sending = true);
        self.outgoing.send(message).await?;
        self.report.send_modify(|progress| {
            progress.is_sending = false;
            progress.last = Some(Instant::now());
        });
        Ok(())
    }
}

/// The opening messages, of a kind that the transport has.
pub(super) fn opening(texts: &[String], kind: super::input::Kind) -> Vec<Message> {
    texts.iter().map(|text| kind.message(Bytes::copy_from_slice(text.as_bytes()))).collect()
}
