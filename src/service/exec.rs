//! Runs a program for each client: its standard input is what the client sends, and what it prints
//! is what the client gets.
//!
//! The program lives as long as its client, and nothing that it has started lives longer. What it
//! is told in its environment is in `environment`.

mod environment;
mod talk;

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use enchufe_core::ws::{CloseCode, CloseReason};
use tokio::{net::unix::pipe, sync::mpsc};
use tokio_util::task::TaskTracker;

use super::{Event, Observer, Service, ServiceError};
use crate::{
    limits,
    shutdown::Shutdown,
    source::{Lines, Source as _},
    transport::{Connection, Framing, Peer, child::Command, exec},
};
use environment::Environment;
use talk::{Over, Talk};

/// A line that a program wrote to its standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// For which client it runs.
    pub peer: Peer,
    /// What it wrote, without the line's end. It may repeat what came from a stranger.
    pub line: Bytes,
}

/// How programs serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecRules {
    /// How messages follow each other in what the program reads and prints, where the transport
    /// has messages (WebSocket, datagrams). Streams are passed on as they are.
    pub framing: Framing,
    /// Lets clients of streams speak HTTP to the program. Otherwise they are disconnected, because
    /// any page that a browser shows can send a request to a port of this machine.
    pub allow_http: bool,
}

impl Default for ExecRules {
    fn default() -> Self {
        Self { framing: Framing::LineFeed, allow_http: false }
    }
}

/// Runs a program for each client.
#[derive(Debug)]
pub struct Exec {
    command: Command,
    rules: ExecRules,
    environment: Environment,
    complaints: mpsc::Sender<Complaint>,
    observer: Observer,
    served: AtomicU64,
}

impl Exec {
    /// A service that runs `command`, passes what the programs complain to `complaints`, and tells
    /// `observer` how they end. While nobody takes the complaints, the programs wait.
    pub fn new(
        command: Command,
        rules: ExecRules,
        complaints: mpsc::Sender<Complaint>,
        observer: Observer,
    ) -> Self {
        let environment = Environment::new(&command);
        Self { command, rules, environment, complaints, observer, served: AtomicU64::new(0) }
    }

    /// The command for one client.
    fn command_for(&self, connection: &mut Connection) -> Command {
        let number = self.served.fetch_add(1, Ordering::Relaxed) + 1;
        let request = connection.take_request();
        let mut command = self.command.clone();
        self.environment.describe(&mut command, number, connection.peer(), request.as_deref());
        command
    }
}

impl Service for Exec {
    async fn serve(
        &self,
        mut connection: Connection,
        shutdown: Shutdown,
    ) -> Result<(), ServiceError> {
        let peer = connection.peer().clone();
        let started = match exec::start(&self.command_for(&mut connection)) {
            Ok(started) => started,
            Err(error) => {
                let reason = CloseReason::new(CloseCode::INTERNAL, "the program cannot be run");
                connection.close(reason).await?;
                return Err(ServiceError::Failed(error.into()));
            }
        };
        let exec::Started { connection: program, mut child, complaints } = started;
        let framing = if connection.is_stream() { Framing::Raw } else { self.rules.framing };
        let mut talk = Talk::new(connection, program.with_framing(framing), self.rules);
        let complaining = TaskTracker::new();
        if let Some(complaints) = complaints {
            complaining.spawn(pass_on(complaints, peer.clone(), self.complaints.clone()));
        }
        complaining.close();
        let ending = async {
            let status = child.wait().await;
            // What it has left behind goes with it, so that its output ends.
            child.stop().await;
            status
        };
        let over = tokio::select! {
            over = talk.run(ending, complaining.wait()) => over,
            () = shutdown.requested() => Over::Stopping,
        };
        match &over {
            Over::Ended(status) => self.observer.tell(&Event::Ended { peer: &peer, status }),
            Over::Stopping => {}
            Over::Left | Over::Failed(_) => {
                if let Some(status) = talk.settle(&mut child).await {
                    self.observer.tell(&Event::Ended { peer: &peer, status: &status });
                }
            }
        }
        // Neither a client that takes its time nor a program that does keeps the other.
        let ((), parted) = tokio::join!(child.stop(), talk.part(over));
        complaining.wait().await;
        parted
    }
}

/// Passes on what a program complains, line by line.
async fn pass_on(complaints: pipe::Receiver, peer: Peer, to: mpsc::Sender<Complaint>) {
    let mut lines = Lines::up_to(complaints, limits::COMPLAINT_BYTES_MAX);
    while let Some(message) = lines.next().await {
        let complaint = Complaint { peer: peer.clone(), line: message.payload };
        // When nobody wants them, they are still read for the program's sake.
        let _ = to.send(complaint).await;
    }
}
