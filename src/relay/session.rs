//! One connection of a relay: opening its other side, both directions, and the end of both sides.

use std::{pin::Pin, pin::pin, sync::Arc};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    RelayOptions, Report, Trouble,
    activity::Activity,
    ending::{self, End, Farewell, Interruption},
    lane::{Ended, Lane, Log, Stop},
};
use crate::{
    address::Address,
    limits::LINGER,
    recording::{Direction, What},
    shutdown::Shutdown,
    transport::{
        CloseCode, CloseReason, Connection, Framing, Incoming, Listener, Nature, OpenError,
        OpenOptions, Outgoing, Peer, SendError,
    },
};

/// The second side, for all connections.
#[derive(Debug)]
pub(super) enum Far {
    Address(Address, Box<OpenOptions>),
    Listener(Box<Mutex<Listener>>),
}

impl Far {
    async fn connection(&self) -> Result<Connection, OpenError> {
        match self {
            Self::Address(address, options) => Connection::open(address, options).await,
            Self::Listener(listener) => Ok(listener.lock().await.accept().await),
        }
    }
}

/// Relays one connection to its end.
pub(super) async fn run(
    number: u64,
    near: Connection,
    far: Arc<Far>,
    options: Arc<RelayOptions>,
    shutdown: Shutdown,
) -> Report {
    let begun = Instant::now();
    let peer = near.peer().clone();
    let log = Log { journal: options.journal.clone(), number };
    log.note(What::Open { peer: peer.to_string() }).await;
    let session = Session { options, shutdown, activity: Arc::new(Activity::new()), log };
    let mut report = session.run(near, &far, Report::new(number, peer)).await;
    report.duration = begun.elapsed();
    let (direction, reason) = report.closed.clone().unzip();
    let (code, reason) = reason.map(|closed| (closed.code.number(), closed.reason)).unzip();
    let reason = reason.unwrap_or_default();
    let error = report.trouble.as_ref().map(ToString::to_string);
    session.log.note(What::Close { direction, code, reason, error }).await;
    report
}

struct Session {
    options: Arc<RelayOptions>,
    shutdown: Shutdown,
    activity: Arc<Activity>,
    log: Log,
}

impl Session {
    async fn run(&self, near: Connection, far: &Far, mut report: Report) -> Report {
        let opened = tokio::select! {
            opened = far.connection() => opened,
            () = self.shutdown.requested() => {
                // Nothing of it was read, so nothing is missing on the other side.
                let goodbye = CloseReason::new(CloseCode::GOING_AWAY, "");
                let _ = near.close(goodbye).await;
                return report;
            }
        };
        match opened {
            Ok(far) => self.talk(near, far, report).await,
            Err(error) => {
                let side = Side::of(near);
                side.part(Farewell::Abort(ending::refusal(&error)), &self.shutdown).await;
                report.trouble = Some(Trouble::Open(error));
                report
            }
        }
    }

    async fn talk(&self, near: Connection, far: Connection, report: Report) -> Report {
        let (near, near_stop) = self.framed(near);
        let (far, far_stop) = self.framed(far);
        let (near, far) = (near.split(), far.split());
        let forth = self.lane(Direction::Forth, (&near_stop, near.0), (&far_stop, far.1));
        let back = self.lane(Direction::Back, (&far_stop, far.0), (&near_stop, near.1));
        let stops = [CancellationToken::new(), CancellationToken::new()];
        let mut forth = pin!(forth.run(stops[0].clone()));
        let mut back = pin!(back.run(stops[1].clone()));
        let mut interrupted = pin!(self.interrupted());
        let (first, second, interruption) = tokio::select! {
            first = &mut forth => self.after(first, back, &stops[1], interrupted).await,
            first = &mut back => self.after(first, forth, &stops[0], interrupted).await,
            interruption = &mut interrupted => {
                stops.iter().for_each(CancellationToken::cancel);
                let (first, second) = tokio::join!(forth, back);
                (first, second, Some(interruption))
            }
        };
        self.conclude(first, second, interruption, report).await
    }

    fn framed(&self, connection: Connection) -> (Connection, Stop) {
        let (nature, peer) = (connection.nature(), connection.peer().clone());
        match self.options.framing {
            Some(framing) if nature == Nature::Stream => {
                let is_framed = framing != Framing::Raw;
                let bytes_max = self.options.message_bytes_max;
                let connection = connection.with_framing_up_to(framing, bytes_max);
                (connection, Stop { nature, peer, is_framed })
            }
            _ => (connection, Stop { nature, peer, is_framed: false }),
        }
    }

    fn lane(&self, direction: Direction, from: (&Stop, Incoming), to: (&Stop, Outgoing)) -> Lane {
        Lane {
            direction,
            from: from.0.clone(),
            to: to.0.clone(),
            incoming: from.1,
            outgoing: to.1,
            is_binary: self.options.is_binary,
            activity: Arc::clone(&self.activity),
            log: self.log.clone(),
        }
    }

    /// Waits until the connection is to end though neither side has ended it.
    async fn interrupted(&self) -> Interruption {
        let idle = async {
            match self.options.idle_timeout {
                Some(time) => {
                    self.activity.idle(time).await;
                    Interruption::Idle(time)
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.shutdown.requested() => Interruption::Shutdown,
            idle = idle => idle,
        }
    }

    /// Sees to the second direction once the first has ended.
    async fn after<F, I>(
        &self,
        mut first: Ended,
        mut second: Pin<&mut F>,
        stop: &CancellationToken,
        mut interrupted: Pin<&mut I>,
    ) -> (Ended, Ended, Option<Interruption>)
    where
        F: Future<Output = Ended>,
        I: Future<Output = Interruption>,
    {
        let is_half_closed =
            matches!(first.end, End::Finished(_)) && first.from.nature == Nature::Stream;
        let is_undeliverable = matches!(first.end, End::Undeliverable(_));
        // Standard input cannot be told that its output has gone, nor be waited for then: whoever
        // types may have nothing more to say.
        let is_for_us = first.to.peer == Peer::Stdio;
        if is_for_us || !(is_half_closed || is_undeliverable) {
            stop.cancel();
            let left = (is_for_us && is_undeliverable).then_some(Interruption::Shutdown);
            return (first, second.await, left);
        }
        if is_half_closed {
            self.log.note(What::End { direction: first.direction }).await;
            if let Some(outgoing) = &mut first.outgoing {
                // When it fails the other direction has failed too, and tells.
                let _ = outgoing.finish().await;
            }
        }
        // Nothing but silence tells that a side which cannot be half closed has answered.
        let answers = is_half_closed && first.to.nature != Nature::Stream;
        let quiet = async {
            match answers {
                true => self.activity.quiet(self.options.wait).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            second = &mut second => return (first, second, None),
            interruption = &mut interrupted => {
                stop.cancel();
                return (first, second.await, Some(interruption));
            }
            () = quiet => {}
        }
        if first.to.nature == Nature::Ws
            && let Some(outgoing) = first.outgoing.take()
        {
            // It may still send until it answers.
            let _ = outgoing.close(CloseReason::new(CloseCode::NORMAL, "")).await;
            tokio::select! {
                second = &mut second => return (first, second, None),
                interruption = &mut interrupted => {
                    stop.cancel();
                    return (first, second.await, Some(interruption));
                }
                () = self.activity.quiet(LINGER) => {}
            }
        }
        stop.cancel();
        (first, second.await, None)
    }

    /// Ends both sides and says how it was.
    async fn conclude(
        &self,
        first: Ended,
        second: Ended,
        interruption: Option<Interruption>,
        mut report: Report,
    ) -> Report {
        let farewells = ending::farewells(first.from.nature, &first.end, &second.end, interruption);
        for ended in [&first, &second] {
            match ended.direction {
                Direction::Forth => report.forth = ended.moved,
                Direction::Back => report.back = ended.moved,
            }
        }
        let (x, y) = (
            Side { nature: first.from.nature, incoming: first.incoming, outgoing: second.outgoing },
            Side {
                nature: second.from.nature,
                incoming: second.incoming,
                outgoing: first.outgoing,
            },
        );
        let [to_x, to_y] = farewells;
        tokio::join!(x.part(to_x, &self.shutdown), y.part(to_y, &self.shutdown));
        if let Some(Interruption::Idle(time)) = interruption {
            report.trouble = Some(Trouble::Idle(time));
        }
        let ends = [(first.end, first.direction), (second.end, second.direction)];
        for (end, direction) in ending::causes_first(ends) {
            let trouble = match end {
                End::Broken(error) => Trouble::Recv(error),
                // Whoever read our output has had enough, and that is no trouble.
                End::Undeliverable(SendError::Closed { peer: Peer::Stdio }) => continue,
                End::Undeliverable(error) => Trouble::Send(error),
                End::Finished(Some(reason)) => {
                    report.closed.get_or_insert((direction, reason));
                    continue;
                }
                End::Finished(None) | End::Stopped { .. } => continue,
            };
            report.trouble.get_or_insert(trouble);
        }
        report
    }
}

/// Both halves of what leads to one side.
struct Side {
    nature: Nature,
    incoming: Incoming,
    /// Nothing when it was closed already.
    outgoing: Option<Outgoing>,
}

impl Side {
    fn of(connection: Connection) -> Self {
        let nature = connection.nature();
        let (incoming, outgoing) = connection.split();
        Self { nature, incoming, outgoing: Some(outgoing) }
    }

    /// Says goodbye. One that still sends is read on for a while, because closing on unread bytes
    /// resets a connection, and what was sent last could be lost.
    async fn part(mut self, farewell: Farewell, shutdown: &Shutdown) {
        let Some(mut outgoing) = self.outgoing.take() else { return };
        match (self.nature, farewell) {
            (Nature::Datagram, _) | (Nature::Stream, Farewell::Abort(_)) => outgoing.abort(),
            (_, Farewell::Nothing) => {}
            (Nature::Stream, Farewell::Close(_)) => {
                let _ = outgoing.finish().await;
                if self.incoming.is_socket() {
                    tokio::select! {
                        () = shutdown.requested() => {}
                        _ = timeout(LINGER, self.discard()) => {}
                    }
                }
            }
            (Nature::Ws, Farewell::Close(reason)) => self.close(outgoing, &reason).await,
            (Nature::Ws, Farewell::Abort(text)) => {
                self.close(outgoing, &Farewell::bad_gateway(text)).await;
            }
        }
    }

    /// Whether it hears the reason or is gone, this is the end; and it comes within a bound.
    async fn close(&mut self, outgoing: Outgoing, reason: &CloseReason) {
        let _ = outgoing.close(reason.clone()).await;
        self.discard().await;
    }

    async fn discard(&mut self) {
        while let Ok(Some(_)) = self.incoming.recv().await {}
    }
}
