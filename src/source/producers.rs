//! What many say who connect: each one's messages whole and in their order.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use enchufe_core::{
    Message,
    ws::{CloseCode, CloseReason},
};
use tokio::{task::JoinSet, time::Instant};

use super::{
    Source,
    inflow::{Inflow, Outflow},
    intake::{Intake, Taken},
};
use crate::{
    address::Address,
    limits,
    shutdown::{Shutdown, Trigger},
    transport::{
        BindError, BindOptions, BindWarning, Connection, Framing, Listener, TcpKeepalive, Throttle,
    },
};

/// The messages of all who connect to an address. They are read as fast as their messages are
/// published; the messages of one come in its order and whole, those of several as they come.
///
/// A producer that breaks off, that speaks HTTP or that is one too many is logged; what it had begun
/// to say and not finished is not published. Datagrams for which there is no room are counted and
/// logged.
pub struct Producers {
    inflow: Inflow,
    local_addresses: Vec<Address>,
    warnings: Vec<BindWarning>,
    stop: Trigger,
}

impl Producers {
    /// Listens on `address`, and reads from so many producers at the same time.
    ///
    /// # Errors
    ///
    /// When it cannot be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future listens on nothing.
    pub async fn listen(
        address: &Address,
        framing: Framing,
        options: &BindOptions,
        producers_max: usize,
    ) -> Result<Self, BindError> {
        let mut options = options.clone();
        // One that has gone without a word is found out.
        let keepalive = TcpKeepalive::within(limits::DEAD_AFTER);
        options.sockets.keepalive = options.sockets.keepalive.or(keepalive);
        options.datagrams.queue_len_max = limits::PRODUCED_DATAGRAMS_MAX;
        options.datagrams.idle_timeout = limits::PRODUCER_DATAGRAM_IDLE;
        let listener = Listener::bind(address, &options).await?;
        let local_addresses = listener.local_addresses().to_vec();
        let warnings = listener.warnings().to_vec();
        let (outflow, inflow) = Inflow::new(limits::PRODUCED_LEN_MAX);
        let (stop, stopped) = Shutdown::new();
        let reading = Reading { framing, outflow, hall: Arc::default(), stopped };
        // Datagrams have no connections, and their peers a bound of their own.
        let is_datagram = matches!(address, Address::Udp(_) | Address::Unixgram(_));
        let producers_max = if is_datagram { usize::MAX } else { producers_max };
        tokio::spawn(reading.accept(listener, producers_max));
        Ok(Self { inflow, local_addresses, warnings, stop })
    }

    /// Where it listens, with the chosen port; one address for each socket.
    pub fn local_addresses(&self) -> &[Address] {
        &self.local_addresses
    }

    /// What is not as asked.
    pub fn warnings(&self) -> &[BindWarning] {
        &self.warnings
    }

    /// Stops listening and reading.
    pub(super) fn stop(&mut self) {
        self.stop.request();
        let unpublished = self.inflow.close();
        if unpublished > 0 {
            tracing::warn!(unpublished, "messages were read and could not be published any more");
        }
    }
}

impl Drop for Producers {
    fn drop(&mut self) {
        self.stop.request();
    }
}

impl Source for Producers {
    async fn next(&mut self) -> Option<Message> {
        self.inflow.next().await
    }
}

/// What reads the producers of one address.
#[derive(Clone)]
struct Reading {
    framing: Framing,
    outflow: Outflow,
    hall: Arc<Hall>,
    stopped: Shutdown,
}

/// Who is being read.
#[derive(Default)]
struct Hall {
    seats: Mutex<HashMap<u64, Seat>>,
    numbers: AtomicU64,
    throttle: Mutex<Throttle>,
}

/// One producer.
struct Seat {
    /// When it was last heard; nothing while it waits to be published.
    heard_at: Option<Instant>,
    leave: Trigger,
}

impl Hall {
    fn seats(&self) -> MutexGuard<'_, HashMap<u64, Seat>> {
        // Nothing that could panic happens under the lock.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a producer, which is asked to leave by what comes with it.
    fn enter(self: &Arc<Self>, stopped: &Shutdown) -> (Ticket, Shutdown) {
        let (leave, asked) = stopped.child();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.seats().insert(number, Seat { heard_at: Some(Instant::now()), leave });
        (Ticket { hall: Arc::clone(self), number }, asked)
    }

    /// Asks the one to leave that has said nothing for longest, if that is long: whether there is
    /// one.
    fn make_room(&self) -> bool {
        let mut seats = self.seats();
        let quietest = seats.iter().filter_map(|(number, seat)| Some((seat.heard_at?, *number)));
        match quietest.min() {
            Some((heard_at, number)) if heard_at.elapsed() >= limits::PRODUCER_QUIET => {
                if let Some(seat) = seats.remove(&number) {
                    seat.leave.request();
                }
                true
            }
            _ => false,
        }
    }

    /// Whether to warn now; then with how many warnings were withheld before.
    fn warn(&self) -> Option<u64> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).warn()
    }
}

/// A producer's place among those who are read.
struct Ticket {
    hall: Arc<Hall>,
    number: u64,
}

impl Ticket {
    fn heard(&self, at: Option<Instant>) {
        if let Some(seat) = self.hall.seats().get_mut(&self.number) {
            seat.heard_at = at;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.hall.seats().remove(&self.number);
    }
}

impl Reading {
    /// Takes producers until it is stopped; then the listener is closed, and they are told.
    async fn accept(self, mut listener: Listener, producers_max: usize) {
        let (mut producers, mut refusals) = (JoinSet::new(), JoinSet::new());
        loop {
            let connection = tokio::select! {
                biased;
                () = self.stopped.requested() => break,
                Some(_) = producers.join_next() => continue,
                Some(_) = refusals.join_next() => continue,
                connection = listener.accept() => connection,
            };
            let is_full = self.hall.seats().len() >= producers_max;
            if is_full && !self.hall.make_room() {
                if let Some(withheld) = self.hall.warn() {
                    let peer = connection.peer().escaped();
                    tracing::warn!(
                        peer,
                        producers_max,
                        withheld,
                        "one producer too many is refused"
                    );
                }
                if connection.is_stream() || refusals.len() < limits::REFUSALS_MAX {
                    refusals.spawn(refuse(connection));
                }
                continue;
            }
            let (ticket, leave) = self.hall.enter(&self.stopped);
            producers.spawn(self.clone().read(connection, ticket, leave));
        }
        drop(listener);
        while producers.join_next().await.is_some() {}
    }

    /// Reads one producer to its end.
    async fn read(self, mut connection: Connection, ticket: Ticket, leave: Shutdown) {
        let peer = connection.peer().escaped();
        let mut intake = Intake::of_client(&connection, self.framing);
        let lost = |unfinished_bytes: usize, reason: &str| {
            if let Some(withheld) = self.hall.warn() {
                let missing = "a producer is read no further: what else it said is missing";
                tracing::warn!(peer, reason, unfinished_bytes, withheld, "{missing}");
            }
        };
        loop {
            let received = tokio::select! {
                biased;
                () = leave.requested() => {
                    let unfinished_bytes = intake.unfinished_bytes();
                    if !self.stopped.is_requested() {
                        lost(unfinished_bytes, "it was quiet, and another came");
                    }
                    let reason = CloseReason::new(CloseCode::GOING_AWAY, "");
                    // It leaves either way.
                    let _ = connection.close(reason).await;
                    return;
                }
                received = connection.recv() => received,
            };
            let (is_over, Taken { messages, refused }) = match received {
                Ok(Some(message)) => (false, intake.take(message)),
                Ok(None) => (true, intake.rest()),
                Err(error) => {
                    lost(intake.unfinished_bytes(), &error.to_string());
                    return;
                }
            };
            if !messages.is_empty() {
                ticket.heard(None);
                if self.outflow.send(messages).await.is_err() {
                    // Nobody publishes any more, and `leave` has been requested.
                    continue;
                }
            }
            ticket.heard(Some(Instant::now()));
            if let Some(refused) = refused {
                lost(intake.unfinished_bytes(), &refused.to_string());
                return refuse(connection).await;
            }
            if is_over {
                return;
            }
        }
    }
}

/// Turns a producer away, who is told so where its transport has a word for it.
async fn refuse(connection: Connection) {
    let reason =
        CloseReason::new(CloseCode::TRY_AGAIN_LATER, "too many producers: try again later");
    // Whoever is turned away does not always stay to hear why.
    let _ = connection.turn_away(reason).await;
}
