//! A channel for clients of streams and datagrams: what each of them says, all of them read.
//!
//! WebSocket clients of such a channel are viewers of the node and need none of this. A client here
//! is a cursor of its own, which is pulled as fast as the client reads. One that has fallen behind
//! what the channel keeps is disconnected, over TCP with a reset: a stream has no words for a gap.
//! So is one for which publishers have waited too long. What a client says is read as fast as it can
//! be published, and no faster.

use std::{
    future::{pending, ready},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use enchufe_core::{ChannelName, Message, Publication, Since, SlowPolicy};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::{
    limits,
    live::{Cursor, CursorEvent, Node, broker::Broker},
    service::{Service, ServiceError},
    shutdown::Shutdown,
    transport::{
        CloseCode, CloseReason, Connection, Framing, Incoming, Outgoing, RecvError, SendError,
    },
};

/// Publishes what each client says, and sends each client what is published: on streams a line is
/// a message.
#[derive(Clone)]
pub struct Broadcast {
    broker: Broker,
    channel: ChannelName,
    arrivals: Arrivals,
    /// Where its clients count as readers.
    node: Option<Node>,
}

/// A client has fallen behind what the channel keeps.
#[derive(Debug, thiserror::Error)]
#[error("it was too slow, and would have missed messages")]
struct TooSlow;

impl Broadcast {
    /// A service for the readers of a channel of `broker` that may publish.
    pub fn new(broker: Broker, channel: ChannelName) -> Self {
        Self { broker, channel, arrivals: Arrivals::default(), node: None }
    }

    /// Has its clients be among those who read the channel on `node`.
    pub fn on_node(self, node: Node) -> Self {
        Self { node: Some(node), ..self }
    }

    async fn serve_from(
        &self,
        arrival: Arrival,
        connection: Connection,
        shutdown: Shutdown,
    ) -> Result<(), ServiceError> {
        let failed = |error| ServiceError::Failed(Box::new(error));
        let is_stream = connection.is_stream();
        let connection = connection.with_framing(Framing::Lines);
        let start = self.broker.resolve(&self.channel, Since::Now).await.map_err(failed)?;
        let slow = Some(SlowPolicy::Cut);
        let cursor = Cursor::open(&self.broker, &self.channel, start, slow).await;
        let cursor = cursor.map_err(failed)?;
        let _reading = self.node.as_ref().map(|node| node.enter(self.channel.clone()));
        arrival.hears().await;
        let (mut incoming, mut outgoing) = connection.split();
        incoming.look_after_peer();
        let telling = async {
            match tell(cursor, &mut outgoing, &shutdown).await {
                // Who takes nothing more may have said something before it left, which is heard
                // until the server ends.
                Err(ServiceError::Send(_)) if is_stream => {
                    shutdown.requested().await;
                    Ok(())
                }
                told => told,
            }
        };
        let listening = async {
            tokio::select! {
                heard = self.listen(&mut incoming, is_stream) => heard,
                () = shutdown.requested() => pending().await,
            }
        };
        let too_late = async {
            shutdown.requested().await;
            sleep(limits::HANG_UP_TIMEOUT).await;
        };
        let served = tokio::select! {
            told = telling => told,
            heard = listening => heard,
            () = too_late => Err(ServiceError::Failed(TooSlow.into())),
        };
        if served.is_err() {
            // So that it does not take what it has for everything.
            outgoing.abort();
            return served;
        }
        let code = if shutdown.is_requested() { CloseCode::GOING_AWAY } else { CloseCode::NORMAL };
        // Whoever takes nothing is not told: it has been waited for.
        let reason = CloseReason::new(code, "");
        let _ = timeout(limits::HANG_UP_TIMEOUT, outgoing.close(reason)).await;
        served
    }

    /// Publishes what the client says until it leaves.
    async fn listen(&self, client: &mut Incoming, is_stream: bool) -> Result<(), ServiceError> {
        let mut said = Vec::new();
        loop {
            let heard = hear(client, &mut said).await;
            if !said.is_empty() {
                let published = self.broker.publish(&self.channel, mem::take(&mut said), None);
                published.await.map_err(|error| ServiceError::Failed(error.into()))?;
            }
            if heard? == Heard::Everything {
                break;
            }
        }
        // It may have closed its side alone, and go on reading.
        while is_stream && !client.is_gone() {
            sleep(limits::GONE_POLL_INTERVAL).await;
        }
        Ok(())
    }
}

/// Sends the client what comes, to the end of the channel, or to where it is when the server ends.
async fn tell(
    mut cursor: Cursor,
    client: &mut Outgoing,
    shutdown: &Shutdown,
) -> Result<(), ServiceError> {
    loop {
        let event = tokio::select! {
            biased;
            event = cursor.next() => event,
            () = shutdown.requested() => return Ok(()),
        };
        match event {
            CursorEvent::Publications(items) => {
                tokio::select! {
                    biased;
                    sent = send(client, items) => sent?,
                    () = cursor.given_up() => return Err(ServiceError::Failed(TooSlow.into())),
                }
            }
            CursorEvent::Gap(_) | CursorEvent::Cut => {
                return Err(ServiceError::Failed(TooSlow.into()));
            }
            CursorEvent::End(_) => return Ok(()),
        }
    }
}

/// Whether there may be more to hear of a client.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Something,
    Everything,
}

/// Waits for what a client says, and takes with it what else is there already.
async fn hear(client: &mut Incoming, said: &mut Vec<Message>) -> Result<Heard, RecvError> {
    let mut bytes = 0;
    while said.len() < limits::SAID_LEN_MAX && bytes < limits::PUBLISHING_BYTES_MAX {
        let message = tokio::select! {
            biased;
            message = client.recv() => message?,
            () = ready(()), if !said.is_empty() => break,
        };
        let Some(Message { payload, .. }) = message else { return Ok(Heard::Everything) };
        bytes += payload.len();
        said.push(Message::detect(payload));
    }
    Ok(Heard::Something)
}

async fn send(client: &mut Outgoing, items: Vec<Arc<Publication>>) -> Result<(), SendError> {
    for item in items {
        client.feed(item.message().to_owned()).await?;
    }
    client.flush().await
}

impl Service for Broadcast {
    async fn serve(&self, connection: Connection, shutdown: Shutdown) -> Result<(), ServiceError> {
        self.serve_from(self.arrivals.next(), connection, shutdown).await
    }

    fn welcome(
        self: Arc<Self>,
        connection: Connection,
        shutdown: Shutdown,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send + 'static {
        let arrival = self.arrivals.next();
        async move { self.serve_from(arrival, connection, shutdown).await }
    }
}

/// Sees to it that nobody is heard before those who came earlier hear: each of them waits for the
/// one before it.
#[derive(Clone, Default)]
struct Arrivals(Arc<Mutex<Option<oneshot::Receiver<()>>>>);

/// One client, in the order in which they came.
struct Arrival {
    before: Option<oneshot::Receiver<()>>,
    here: oneshot::Sender<()>,
}

impl Arrivals {
    fn next(&self) -> Arrival {
        let (here, last) = oneshot::channel();
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(last);
        Arrival { before, here }
    }
}

impl Arrival {
    /// It hears from now on. Waits until those who came before do, too, or have gone.
    async fn hears(self) {
        if let Some(before) = self.before {
            before.await.ok();
        }
        // Nobody may have come since.
        self.here.send(()).ok();
    }
}
