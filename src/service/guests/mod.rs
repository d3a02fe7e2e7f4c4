//! The clients of a service that has a [`Handler`] or a [`StreamHandler`], as tenants of a shard.

mod answers;
mod compressors;
mod hall;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use enchufe_core::ws::{CloseCode, CloseReason};

use super::{Event, Flow, Handler, Observer, Replies, ServiceError, StreamHandler};
use crate::{
    limits,
    shard::{Ending, Full, Outlet as _, Received, Room, Table, Tenant},
    transport::{Peer, RecvError, SendError},
};
use answers::{Answers, Waiting};
use compressors::{Compression, Compressors};
pub(crate) use hall::Hall;
use hall::{Letter, Newcomer, Visit};

/// What is kept of a client.
pub(crate) struct Guest {
    service: Hot,
    peer: Peer,
    /// What it has not taken yet.
    waiting: Option<Box<Waiting>>,
    is_closing: bool,
    /// How its answers may be compressed.
    compression: Option<Compression>,
    /// Counts it for as long as it is here.
    _visit: Visit,
}

/// The hot form of the service.
pub(super) enum Hot {
    Messages(Box<dyn Handler>),
    Bytes(Box<dyn StreamHandler>),
}

/// The clients of one shard.
pub(super) struct Guests {
    inbox: Arc<Inbox>,
    answers: Answers,
    compressors: Compressors,
    observer: Observer,
}

/// How a shard hears of newcomers, of which there are no more than the server admits.
///
/// The waker is in it, and so lives until the shard has ended: one that is dropped takes back the
/// wake-up that was not noticed yet.
pub(super) struct Inbox {
    letters: Mutex<Vec<Letter>>,
    waker: Arc<mio::Waker>,
}

impl Inbox {
    fn new(waker: Arc<mio::Waker>) -> Self {
        Self { letters: Mutex::default(), waker }
    }

    fn post(&self, letter: Letter) {
        self.letters().push(letter);
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "a shard cannot be woken");
        }
    }

    fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.letters())
    }

    fn letters(&self) -> MutexGuard<'_, Vec<Letter>> {
        // A push or a take leaves it whole.
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    fn take_in(&self, newcomer: Newcomer, table: &mut Table<Guest>) {
        let Newcomer { admission, service, peer, deflate, visit } = newcomer;
        let named = peer.clone();
        let admitted = table.admit(admission, |_| Guest {
            service,
            peer,
            waiting: None,
            is_closing: false,
            compression: deflate.map(Compression::new),
            _visit: visit,
        });
        if let Err(error) = admitted {
            tracing::warn!(peer = %named, %error, "a client cannot be watched and is dropped");
            let error = ServiceError::Recv(RecvError::Io { peer: named.clone(), error });
            self.observer.tell(&Event::Closed { peer: &named, error: Some(&error) });
        }
    }
}

impl Tenant for Guests {
    type Outlet = Answers;

    #[inline]
    fn outlet(&mut self) -> &mut Answers {
        &mut self.answers
    }

    fn on_wake(&mut self, table: &mut Table<Guest>) {
        for letter in self.inbox.take() {
            match letter {
                Letter::Newcomer(newcomer) => self.take_in(*newcomer, table),
                Letter::Stop => table.stop(),
                Letter::Abandon => table.abandon(),
            }
        }
    }

    #[inline]
    fn on_message(
        &mut self,
        guest: &mut Guest,
        received: Received<'_>,
        mut room: Room<'_>,
    ) -> Result<(), Full> {
        let Hot::Messages(handler) = &mut guest.service else { return Ok(()) };
        let deflater = match &mut guest.compression {
            Some(compression) if received.compressed => Some(self.compressors.get(compression)),
            _ => None,
        };
        let out = self.answers.of(&mut guest.waiting);
        let before = (room.taken(), out.len());
        let mut replies = Replies::new(room.lend(), out, deflater);
        let dealing = AssertUnwindSafe(|| handler.on_message(received.message, &mut replies));
        match catch_unwind(dealing) {
            Ok(Flow::Continue) => {}
            Ok(Flow::Close(reason)) => self.answers.close(guest, &reason),
            Err(_) => {
                // A handler that panics takes its own client with it and nobody else.
                tracing::error!(peer = %guest.peer, "a service panicked");
                room.truncate(before.0);
                self.answers.of(&mut guest.waiting).truncate(before.1);
                self.answers.close(guest, &CloseReason::new(CloseCode::INTERNAL, ""));
            }
        }
        Ok(())
    }

    fn on_bytes(&mut self, guest: &mut Guest, bytes: &mut [u8]) -> usize {
        let Hot::Bytes(handler) = &mut guest.service else { return 0 };
        let len = bytes.len();
        match catch_unwind(AssertUnwindSafe(|| handler.on_bytes(bytes))) {
            Ok(answer) => answer.min(len),
            Err(_) => {
                tracing::error!(peer = %guest.peer, "a service panicked");
                self.answers.end(guest);
                0
            }
        }
    }

    fn on_heartbeat(&mut self, _: &mut Guest) {}

    fn on_end(&mut self, guest: Guest, ending: Ending) {
        self.answers.forget();
        let peer = guest.peer;
        let error = error(&peer, ending);
        tracing::debug!(%peer, ?error, "closed");
        self.observer.tell(&Event::Closed { peer: &peer, error: error.as_ref() });
    }

    fn on_round(&mut self, _: &Table<Guest>) {}
}

/// Why a client was not served to its end; `None` when it was.
fn error(peer: &Peer, ending: Ending) -> Option<ServiceError> {
    let named = peer.clone();
    Some(match ending {
        Ending::Closed => return None,
        Ending::Abnormal => RecvError::Abnormal { peer: named }.into(),
        Ending::Violation(violation) => {
            let (code, reason) = (violation.code, violation.to_string());
            RecvError::Violation { peer: named, code, reason }.into()
        }
        Ending::Silent => RecvError::Silent { peer: named, silence: limits::DEAD_AFTER }.into(),
        Ending::Deaf => SendError::TimedOut { peer: named, timeout: limits::DEAD_AFTER }.into(),
        Ending::Broken(error) => RecvError::from_io(peer, error).into(),
    })
}
