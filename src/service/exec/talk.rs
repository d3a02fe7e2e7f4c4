//! A client and its program, between which everything is passed on.

use std::future::ready;

use enchufe_core::{
    Kind, Message,
    ws::{CloseCode, CloseReason},
};
use tokio::time::{sleep, timeout};

use super::{ExecRules, ServiceError};
use crate::{
    limits,
    transport::{
        Connection, Framing, Incoming, Outgoing, Preface, Verdict,
        child::{Child, Status},
    },
};

/// A client and its program.
pub(super) struct Talk {
    from_client: Incoming,
    to_client: Outgoing,
    from_program: Incoming,
    /// Until it is in use.
    to_program: Option<Outgoing>,
    preface: Preface,
    is_stream: bool,
    /// Of what kind the messages to the client are; that which they can be if there is none.
    kind: Option<Kind>,
}

/// Why there is no more to pass on.
#[derive(Debug)]
pub(super) enum Over {
    /// The program has ended, and everything it printed has been passed on.
    Ended(Status),
    /// The client has left.
    Left,
    /// The client cannot be served any further.
    Failed(ServiceError),
    /// The server is ending.
    Stopping,
}

/// A client of a stream speaks HTTP.
#[derive(Debug, thiserror::Error)]
#[error("it speaks HTTP, as pages in a browser do: --allow-http lets it")]
struct SpeaksHttp;

impl Talk {
    pub(super) fn new(client: Connection, program: Connection, rules: ExecRules) -> Self {
        let (is_stream, is_inet) = (client.is_stream(), client.peer().ip().is_some());
        let (from_client, to_client) = client.split();
        let (from_program, to_program) = program.split();
        from_client.look_after_peer();
        let kind = match rules.framing {
            Framing::Raw => Some(Kind::Binary),
            _ => is_stream.then_some(Kind::Binary),
        };
        let is_judged = is_stream && is_inet && !rules.allow_http;
        let preface = if is_judged { Preface::default() } else { Preface::none() };
        let to_program = Some(to_program);
        Self { from_client, to_client, from_program, to_program, preface, is_stream, kind }
    }

    /// Passes on in both directions, as long as there is something to pass on. `ending` is the end
    /// of the program, and `complaining` that of its complaints.
    pub(super) async fn run(
        &mut self,
        ending: impl Future<Output = Status>,
        complaining: impl Future<Output = ()>,
    ) -> Over {
        let Self { from_client, to_client, from_program, to_program, preface, is_stream, kind } =
            self;
        let Some(to_program) = to_program.take() else { return Over::Left };
        let inward = inward(from_client, to_program, preface, *is_stream);
        // Everything that it printed and complained comes before its end.
        let ended = async {
            let ending = async { Ok(ending.await) };
            let complaining = async {
                complaining.await;
                Ok(())
            };
            let outward = outward(from_program, to_client, *kind);
            match tokio::try_join!(ending, outward, complaining) {
                Ok((status, (), ())) => Over::Ended(status),
                Err(error) => Over::Failed(error),
            }
        };
        tokio::select! {
            over = ended => over,
            over = inward => over,
        }
    }

    /// Lets a program whose client has left deal with what that has sent: it was told that nothing
    /// more comes, and has a moment. How it ended, if it did.
    pub(super) async fn settle(&mut self, child: &mut Child) -> Option<Status> {
        let unheard = async { while let Ok(Some(_)) = self.from_program.recv().await {} };
        let settled = async { tokio::join!(unheard, child.wait()).1 };
        timeout(limits::PROGRAM_SETTLE_TIMEOUT, settled).await.ok()
    }

    /// Parts from the client, which is told how the program ended if its transport can tell it.
    pub(super) async fn part(self, over: Over) -> Result<(), ServiceError> {
        let Self { mut from_client, mut to_client, is_stream, .. } = self;
        let reason = match over {
            Over::Left => return Ok(()),
            Over::Failed(ServiceError::Failed(error)) if !is_stream => {
                let reason = CloseReason::new(CloseCode::INTERNAL, error.to_string());
                to_client.close(reason).await?;
                drain(&mut from_client).await;
                return Err(ServiceError::Failed(error));
            }
            Over::Failed(error) => return Err(error),
            Over::Ended(Status::Exit(0)) => CloseReason::new(CloseCode::NORMAL, ""),
            Over::Ended(status) => CloseReason::new(CloseCode::INTERNAL, status.to_string()),
            Over::Stopping if is_stream => return Ok(()),
            Over::Stopping => CloseReason::new(CloseCode::GOING_AWAY, ""),
        };
        if is_stream {
            to_client.finish().await?;
        } else {
            to_client.close(reason).await?;
        }
        // To close on what was not read would reset the connection, and the client could lose what
        // it was sent.
        drain(&mut from_client).await;
        Ok(())
    }
}

async fn drain(client: &mut Incoming) {
    let drained = async { while let Ok(Some(_)) = client.recv().await {} };
    // One that stays is dropped.
    let _ = timeout(limits::LINGER, drained).await;
}

/// Passes on what the client sends, until it has left.
async fn inward(
    client: &mut Incoming,
    program: Outgoing,
    preface: &mut Preface,
    is_stream: bool,
) -> Over {
    let (mut program, mut untaken) = (Some(program), 0);
    loop {
        let message = match client.recv().await {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(error) => return Over::Failed(error.into()),
        };
        let message = match preface.judge(message.payload) {
            Verdict::Pass(payload) => Message { kind: message.kind, payload },
            Verdict::Wait => continue,
            Verdict::Http => return Over::Failed(ServiceError::Failed(SpeaksHttp.into())),
        };
        let bytes = message.payload.len();
        let Some(hears) = &mut program else {
            untaken += bytes;
            continue;
        };
        let sent = tokio::select! {
            biased;
            sent = hears.send(message) => sent,
            // A program that takes nothing keeps us from reading.
            () = gone_for_a_while(client) => return Over::Left,
        };
        if sent.is_err() {
            (program, untaken) = (None, untaken + bytes);
        }
    }
    let rest = preface.rest();
    if let Some(mut hears) = program.filter(|_| is_stream) {
        if !rest.is_empty() {
            // A program that hears no more has ended, or does so at its own pace.
            let _ = hears.send(Message::binary(rest)).await;
        }
        let _ = hears.finish().await;
    }
    if untaken > 0 {
        tracing::warn!(bytes = untaken, "a program has closed its input: what came then is lost");
    }
    if is_stream {
        // It may have closed its side alone, and wait for what the program still prints.
        gone(client).await;
    }
    Over::Left
}

/// Waits until the client has gone.
async fn gone(client: &Incoming) {
    while !client.is_gone() {
        sleep(limits::GONE_POLL_INTERVAL).await;
    }
}

/// Waits until the client has gone and the program has had its time to take what it had sent.
async fn gone_for_a_while(client: &Incoming) {
    gone(client).await;
    sleep(limits::PROGRAM_SETTLE_TIMEOUT).await;
}

/// Passes on what the program prints, to its end. Messages are of the kind, or of that which they
/// can be.
async fn outward(
    program: &mut Incoming,
    client: &mut Outgoing,
    kind: Option<Kind>,
) -> Result<(), ServiceError> {
    let mut has_fed = false;
    loop {
        let printed = tokio::select! {
            biased;
            printed = program.recv() => printed,
            // Whatever is there already leaves in one write.
            () = ready(()), if has_fed => {
                client.flush().await?;
                has_fed = false;
                continue;
            }
        };
        let Message { payload, .. } = match printed {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(error) => return Err(ServiceError::Failed(error.into())),
        };
        let message = match kind {
            Some(kind) => Message { kind, payload },
            None => Message::detect(payload),
        };
        client.feed(message).await?;
        has_fed = true;
    }
    client.flush().await?;
    Ok(client.finish().await?)
}
