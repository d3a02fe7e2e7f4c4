//! A program as a connection: what is sent is its standard input, what it prints is received.

use std::{ffi::OsString, sync::Arc, time::Duration};

use tokio::{
    net::unix::pipe,
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::{
    Connection, OpenError, Peer, RecvError,
    child::{Child, Command, ExecOptions, StartError, Status, Streams},
    stream,
};
use crate::{address::ExecAddress, limits};

/// A program that was started for somebody.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its input and output.
    pub(crate) connection: Connection,
    /// The program itself, which ends when this is dropped.
    pub(crate) child: Child,
    /// What it complains.
    pub(crate) complaints: Option<pipe::Receiver>,
}

/// Starts a program whose three streams are ours. Must be called within a runtime.
///
/// # Errors
///
/// When it, or what it needs, cannot be had.
pub(crate) fn start(command: &Command) -> Result<Started, StartError> {
    let (child, ends) = command.start(Streams::All)?;
    let peer = Peer::Program(command.name());
    let halves = stream::program(ends.input, ends.output, &peer, None);
    let connection = Connection::stream(halves, peer);
    Ok(Started { connection, child, complaints: ends.complaints })
}

/// A program that runs as long as one half of its connection is there.
#[derive(Debug, Clone)]
pub(super) struct Running(Arc<Mutex<Child>>);

impl Running {
    /// Judges a program that prints no more: one that failed did not just close. One that has
    /// closed its output and runs on is not waited for.
    ///
    /// # Cancel safety
    ///
    /// Safe; the time that was waited counts again.
    pub(super) async fn judge(&self, peer: &Peer) -> Result<(), RecvError> {
        let deadline = Instant::now() + STATUS_TIMEOUT;
        let status = timeout_at(deadline, async { self.0.lock().await.wait().await }).await;
        match status {
            Ok(Status::Exit(0)) | Err(_) => Ok(()),
            Ok(status) => Err(RecvError::Exited { peer: peer.clone(), status }),
        }
    }
}

const STATUS_TIMEOUT: Duration = limits::PROGRAM_STATUS_TIMEOUT;

/// Starts the program of an address. Its complaints go where ours go.
pub(super) async fn open(
    address: &ExecAddress,
    options: &ExecOptions,
) -> Result<((stream::Incoming, stream::Outgoing), Peer), OpenError> {
    let failed = |error| OpenError::Start { address: address.to_string(), error };
    let (program, arguments) = address.words.split_first().expect("an address has a program");
    let mut command = Command::new(program, arguments.iter().map(OsString::from).collect());
    command.options = options.clone();
    let checked = command.clone();
    let check = tokio::task::spawn_blocking(move || checked.check()).await;
    check.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())).map_err(failed)?;
    let (child, ends) = command.start(Streams::Both).map_err(failed)?;
    let peer = Peer::Program(command.name());
    let running = Running(Arc::new(Mutex::new(child)));
    Ok((stream::program(ends.input, ends.output, &peer, Some(running)), peer))
}
