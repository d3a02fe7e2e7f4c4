//! What the servers of this comparison share: messages come in as lines of standard input, and
//! each viewer has a task and a channel of its own.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::unix::pipe,
    sync::mpsc::{self, Receiver, Sender},
};

/// Messages that wait for one viewer. One that has so many misses what comes meanwhile.
const WAITING_MAX: usize = 1024;

/// The viewers' channels.
pub struct Hub<M>(Arc<Mutex<Vec<Sender<M>>>>);

impl<M> Clone for Hub<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Default for Hub<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Clone> Hub<M> {
    /// The channel of one more viewer.
    pub fn join(&self) -> Receiver<M> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        self.0.lock().expect("nobody panics with it").push(sender);
        receiver
    }

    /// Hands each line of standard input to all viewers. Must run on the viewers' runtime.
    pub async fn read_lines(self, message: impl Fn(String) -> M) {
        let stdin = std::fs::File::open("/dev/stdin").expect("standard input");
        let stdin = pipe::Receiver::from_file(stdin).expect("standard input is a pipe");
        let mut lines = BufReader::with_capacity(64 << 10, stdin).lines();
        while let Some(line) = lines.next_line().await.expect("lines of UTF-8") {
            let message = message(line);
            let mut viewers = self.0.lock().expect("nobody panics with it");
            viewers.retain(|viewer| {
                !matches!(
                    viewer.try_send(message.clone()),
                    Err(mpsc::error::TrySendError::Closed(_))
                )
            });
        }
    }
}
