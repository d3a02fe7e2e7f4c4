//! One connection: what it sends and when, and what comes back.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{LoadOptions, Pace, Tally, Trouble, payload::Payload};
use crate::{
    core::{Kind, Message},
    limits,
    shutdown::Shutdown,
    transport::{CloseCode, CloseReason, Connection, Incoming, Outgoing},
};

/// What all connections have in common.
pub(super) struct Plan {
    pub(super) options: LoadOptions,
    /// When the first message is due.
    pub(super) begin: Instant,
    /// From when on messages count.
    pub(super) measured: Instant,
    /// Until when messages are sent.
    pub(super) end: Instant,
    /// How many messages may still be sent.
    pub(super) left: AtomicU64,
}

pub(super) struct Client {
    plan: Arc<Plan>,
    tally: Arc<Tally>,
    index: usize,
    /// How many connections there are.
    count: usize,
    payload: Payload,
    /// When each message was due that is not answered yet, the oldest first.
    under_way: Mutex<VecDeque<Instant>>,
    /// How many messages more may be under way. It is closed when the connection has broken.
    credit: Semaphore,
    /// Nothing more will be sent.
    sent_all: Notify,
}

impl Client {
    pub(super) fn new(plan: Arc<Plan>, tally: Arc<Tally>, index: usize, count: usize) -> Self {
        let payload = Payload { size: plan.options.size };
        let credit = match plan.options.pace {
            Pace::InFlight(count) => count,
            Pace::Rate(_) => limits::LOAD_IN_FLIGHT_MAX,
        };
        let (under_way, sent_all) = (Mutex::default(), Notify::new());
        let credit = Semaphore::new(credit);
        Self { plan, tally, index, count, payload, under_way, credit, sent_all }
    }

    /// Runs until all is answered, the time for that is over or the connection has broken.
    pub(super) async fn run(self, connection: Connection, shutdown: Shutdown) {
        let is_stream = connection.is_stream();
        let (mut incoming, mut outgoing) = connection.split();
        let sending = async {
            let sent = shutdown.or(async { self.send(&mut outgoing).await.map(|()| None::<()>) });
            let is_broken = sent.await.is_err();
            self.sent_all.notify_one();
            is_broken
        };
        let receiving = async {
            let trouble = tokio::select! {
                trouble = self.receive(&mut incoming, is_stream) => Some(trouble),
                () = self.is_answered() => None,
            };
            let is_broken = trouble.is_some();
            trouble.into_iter().for_each(|trouble| self.tally.note(trouble));
            self.credit.close();
            is_broken
        };
        let (sending, receiving) = tokio::join!(sending, receiving);
        if sending || receiving {
            self.tally.broken.fetch_add(1, Ordering::Relaxed);
        }
        let measured = self.plan.measured;
        let lost = self.under_way().iter().filter(|due| **due >= measured).count();
        self.tally.lost.fetch_add(lost as u64, Ordering::Relaxed);
        let goodbye = outgoing.close(CloseReason::new(CloseCode::NORMAL, ""));
        // Whoever takes nothing is not waited for; the rest was counted.
        timeout(limits::LOAD_DRAIN, goodbye).await.ok();
    }

    /// Waits until nothing is under way any more after the last message, but not for ever.
    async fn is_answered(&self) {
        self.sent_all.notified().await;
        let all = match self.plan.options.pace {
            Pace::InFlight(count) => count,
            Pace::Rate(_) => limits::LOAD_IN_FLIGHT_MAX,
        };
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        // Whatever is answered gives its credit back.
        timeout(limits::LOAD_DRAIN, self.credit.acquire_many(all)).await.ok();
    }

    async fn send(&self, outgoing: &mut Outgoing) -> Result<(), ()> {
        let mut number = 0;
        let mut next_due = self.first_due();
        loop {
            if let Some(due) = next_due {
                if due >= self.plan.end {
                    return Ok(());
                }
                sleep_until(due).await;
            }
            let Ok(Ok(credit)) = timeout_at(self.plan.end, self.credit.acquire()).await else {
                // The time is over, or the connection has broken, which the receiver tells.
                return Ok(());
            };
            credit.forget();
            loop {
                if self.take_one().is_none() {
                    self.credit.add_permits(1);
                    return outgoing.flush().await.map_err(drop);
                }
                let due = next_due.unwrap_or_else(Instant::now);
                next_due = next_due.map(|due| due + self.interval());
                self.under_way().push_back(due);
                if due >= self.plan.measured {
                    self.tally.sent.fetch_add(1, Ordering::Relaxed);
                }
                let kind = if self.plan.options.binary { Kind::Binary } else { Kind::Text };
                let message = Message { kind, payload: self.payload.message(number) };
                number += 1;
                outgoing.feed(message).await.map_err(drop)?;
                // What may be sent now leaves together.
                let is_due = next_due.is_none_or(|due| due <= Instant::now());
                match self.credit.try_acquire() {
                    Ok(credit) if is_due && Instant::now() < self.plan.end => credit.forget(),
                    _ => break,
                }
            }
            outgoing.flush().await.map_err(drop)?;
        }
    }

    /// At a rate, when the first message of this connection is due: the connections take turns.
    fn first_due(&self) -> Option<Instant> {
        match self.plan.options.pace {
            Pace::InFlight(_) => None,
            Pace::Rate(rate) => {
                Some(self.plan.begin + Duration::from_secs_f64(self.index as f64 / rate))
            }
        }
    }

    /// At a rate, the time between two messages of this connection.
    fn interval(&self) -> Duration {
        match self.plan.options.pace {
            Pace::InFlight(_) => Duration::ZERO,
            Pace::Rate(rate) => Duration::from_secs_f64(self.count as f64 / rate),
        }
    }

    /// One of the messages that may still be sent.
    fn take_one(&self) -> Option<u64> {
        let left = &self.plan.left;
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).ok()
    }

    /// Takes answers until the connection is lost; says why it was.
    async fn receive(&self, incoming: &mut Incoming, is_stream: bool) -> Trouble {
        let mut number = 0;
        // How much of the current answer has come, and whether it is right so far.
        let (mut offset, mut is_right) = (0, true);
        loop {
            let mut payload = match incoming.recv().await {
                Ok(Some(message)) => message.payload,
                Ok(None) => return Trouble::Closed(incoming.closed_with().cloned()),
                Err(error) => return Trouble::Recv(Arc::new(error)),
            };
            let now = Instant::now();
            let mut answers = 0;
            if is_stream {
                while !payload.is_empty() {
                    let piece = payload.split_to(payload.len().min(self.payload.size - offset));
                    is_right &= self.payload.matches(number, offset, &piece);
                    offset += piece.len();
                    if offset == self.payload.size {
                        self.judge(is_right);
                        (offset, is_right, number, answers) = (0, true, number + 1, answers + 1);
                    }
                }
            } else {
                let is_right =
                    payload.len() == self.payload.size && self.payload.matches(number, 0, &payload);
                self.judge(is_right);
                (number, answers) = (number + 1, answers + 1);
            }
            self.answered(answers, now);
        }
    }

    fn judge(&self, is_right: bool) {
        if !is_right {
            self.tally.different.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The oldest messages under way were answered, so many of them.
    fn answered(&self, count: usize, now: Instant) {
        let mut under_way = self.under_way();
        let asked = count.min(under_way.len());
        let measured = self.plan.measured;
        let latencies = under_way.drain(..asked).filter(|due| *due >= measured);
        self.tally.answered(self.index, now, latencies.map(|due| now - due));
        drop(under_way);
        self.tally.unasked.fetch_add((count - asked) as u64, Ordering::Relaxed);
        self.credit.add_permits(asked);
    }

    fn under_way(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        // A push or a drain leaves it whole.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
