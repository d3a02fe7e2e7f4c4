//! Who sees what passes: a recording, a person who watches.
//!
//! They are written to by a thread of their own through a bounded queue. When they cannot keep up,
//! the relay waits for them: a recording with holes, or a view that leaves things out, would be a
//! lie.

use std::{fmt, io, sync::Arc, sync::mpsc::RecvTimeoutError, thread, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};

use crate::{
    limits::{JOURNAL_BYTES_MAX, JOURNAL_LEN_MAX},
    recording::{Entry, What},
};

/// Takes what passed, in its order.
pub trait Sink: Send + 'static {
    /// Takes one entry. It may block.
    ///
    /// # Errors
    ///
    /// Those of whatever it writes to. It is not given anything more then.
    fn write(&mut self, entry: &Entry) -> io::Result<()>;

    /// Nothing more comes for now: what was held back is to be shown.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    fn flush(&mut self) -> io::Result<()>;
}

/// What passes is told to this. Clones tell the same.
#[derive(Clone)]
pub struct Journal {
    queue: mpsc::Sender<(Entry, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
    begun: Instant,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("begun", &self.begun).finish_non_exhaustive()
    }
}

/// The end of a [`Journal`].
#[derive(Debug)]
pub struct Keeping(std::sync::mpsc::Receiver<Vec<io::Error>>);

impl Keeping {
    /// Waits until all that was told is written, for so long at most; every [`Journal`] must be
    /// gone. It blocks, and yields what went wrong with the sinks.
    ///
    /// # Errors
    ///
    /// When they did not get done in time.
    pub fn end(self, time: Duration) -> Result<Vec<io::Error>, RecvTimeoutError> {
        self.0.recv_timeout(time)
    }
}

impl Journal {
    /// Begins to keep one. All its times count from now.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn start(sinks: Vec<Box<dyn Sink>>) -> io::Result<(Self, Keeping)> {
        let (queue, entries) = mpsc::channel(JOURNAL_LEN_MAX);
        let (done, ended) = std::sync::mpsc::channel();
        thread::Builder::new().name("journal".into()).spawn(move || {
            // Whoever started us may be gone already.
            let _ = done.send(keep(sinks, entries));
        })?;
        let room = Arc::new(Semaphore::new(JOURNAL_BYTES_MAX));
        Ok((Self { queue, room, begun: Instant::now() }, Keeping(ended)))
    }

    /// Tells what happened on a connection, now, and waits until there is room for it.
    ///
    /// # Cancel safety
    ///
    /// It is told whole or not at all.
    pub(super) async fn note(&self, connection: u64, what: What) {
        let at = self.begun.elapsed();
        let bytes = match &what {
            What::Payload { payload, .. } => payload.len().min(JOURNAL_BYTES_MAX),
            _ => 0,
        };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await;
        let permit = room.expect("the semaphore is never closed");
        // Without its thread, which ends only after us, there is nobody to tell.
        let _ = self.queue.send((Entry { at, connection, what }, permit)).await;
    }
}

fn keep(
    sinks: Vec<Box<dyn Sink>>,
    mut entries: mpsc::Receiver<(Entry, OwnedSemaphorePermit)>,
) -> Vec<io::Error> {
    let mut sinks: Vec<_> = sinks.into_iter().map(Some).collect();
    let mut errors = Vec::new();
    let mut each = |work: &mut dyn FnMut(&mut dyn Sink) -> io::Result<()>| {
        for place in &mut sinks {
            let Some(sink) = place else { continue };
            if let Err(error) = work(sink.as_mut()) {
                tracing::error!(%error, "what passes is not written any more");
                errors.push(error);
                *place = None;
            }
        }
    };
    while let Some((entry, _permit)) = entries.blocking_recv() {
        each(&mut |sink| sink.write(&entry));
        if entries.is_empty() {
            each(&mut |sink| sink.flush());
        }
    }
    each(&mut |sink| sink.flush());
    errors
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::recording::{Direction, Kind};

    fn payload(bytes: usize) -> What {
        let payload = Bytes::from(vec![0; bytes]);
        What::Payload { direction: Direction::Forth, kind: Kind::Bytes, payload }
    }

    /// Takes nothing until it is let.
    struct Stuck(std::sync::mpsc::Receiver<()>);

    impl Sink for Stuck {
        fn write(&mut self, _: &Entry) -> io::Result<()> {
            let _ = self.0.recv();
            Ok(())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// How many entries of so many bytes are taken for a sink that writes nothing.
    async fn taken(bytes: usize) -> usize {
        let (go_on, stuck) = std::sync::mpsc::channel();
        let (journal, keeping) = Journal::start(vec![Box::new(Stuck(stuck))]).expect("a thread");
        let mut count = 0;
        let patience = Duration::from_millis(200);
        while tokio::time::timeout(patience, journal.note(1, payload(bytes))).await.is_ok() {
            count += 1;
        }
        drop((go_on, journal));
        assert!(keeping.end(Duration::from_secs(20)).expect("it ends").is_empty());
        count
    }

    #[tokio::test]
    async fn what_nobody_writes_is_kept_up_to_the_bounds_and_then_waited_for() {
        // One is in the hands of the thread.
        assert_eq!(taken(1).await, JOURNAL_LEN_MAX + 1);
        assert_eq!(taken(JOURNAL_BYTES_MAX / 4).await, 4);
        assert_eq!(taken(JOURNAL_BYTES_MAX * 2).await, 1);
    }

    struct Full;

    impl Sink for Full {
        fn write(&mut self, _: &Entry) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_sink_that_fails_is_left_alone_and_said_at_the_end() {
        let (journal, keeping) = Journal::start(vec![Box::new(Full)]).expect("a thread");
        journal.note(1, payload(1)).await;
        journal.note(1, payload(1)).await;
        drop(journal);
        let errors = keeping.end(Duration::from_secs(20)).expect("it ends");
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].kind(), io::ErrorKind::StorageFull);
    }
}
