//! Our side of a program's keeper: see [`Keeper`](super::Keeper).

use std::{
    fs::File,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{net::UnixStream as Socket, process::CommandExt as _},
    },
    process::Stdio,
    time::Duration,
};

use bytes::BytesMut;
use rustix::{
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::{Pid, Signal},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::timeout,
};

use super::{Command, Keeper, Status, Theirs};
use crate::limits;

/// A program that sees pipes, or a terminal; the keeper's first letter says which.
pub(super) const PIPES: u8 = b'p';
pub(super) const TERMINAL: u8 = b't';

/// What a keeper says, each on a line with a number: the process group that runs, the program's
/// exit code, the signal that ended it, the error for which it was not run.
pub(super) const GROUP: &str = "group";
pub(super) const EXIT: &str = "exit";
pub(super) const SIGNAL: &str = "signal";
pub(super) const ERROR: &str = "error";

/// The most of a keeper's words that are kept, in bytes. It has two lines to say.
const SAID_BYTES_MAX: usize = 256;

/// A keeper asks and insists, each for so long; then it is killed itself.
const END_TIMEOUT: Duration = limits::PROGRAM_STOP_TIMEOUT.saturating_mul(3);

/// A program with its keeper.
#[derive(Debug)]
pub(super) struct Kept {
    keeper: tokio::process::Child,
    /// The keeper hears of our end by the end of this.
    control: UnixStream,
    said: BytesMut,
    /// The program's process group, for the case that its keeper was killed.
    group: Option<Pid>,
}

impl Kept {
    /// Starts the keeper, which starts the program.
    pub(super) fn start(keeper: &Keeper, command: &Command, theirs: Theirs) -> io::Result<Self> {
        let (ours, its) = Socket::pair()?;
        let mut words = keeper.arguments.clone();
        words.push(command.program.clone());
        words.extend(command.arguments.iter().cloned());
        let mut prepared = command.prepared(keeper.program.as_os_str(), &words);
        prepared
            .arg0("enchufe")
            .stdin(OwnedFd::from(its))
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        let keeper = tokio::process::Command::from(prepared).spawn()?;
        let kind = if command.options.pty { TERMINAL } else { PIPES };
        hand_over(&ours, kind, theirs)?;
        ours.set_nonblocking(true)?;
        let control = UnixStream::from_std(ours)?;
        Ok(Self { keeper, control, said: BytesMut::new(), group: None })
    }

    /// Safe to cancel: what was read is kept.
    pub(super) async fn wait(&mut self) -> Status {
        loop {
            if let Some(status) = self.next_line() {
                return status;
            }
            let read = self.control.read_buf(&mut self.said).await;
            if !matches!(read, Ok(1..)) || self.said.len() > SAID_BYTES_MAX {
                // It was killed: nobody else is left to end what it kept.
                self.kill();
                return Status::Unknown;
            }
        }
    }

    /// Takes in whole lines, until one says how the program ended.
    fn next_line(&mut self) -> Option<Status> {
        while let Some(end) = memchr::memchr(b'\n', &self.said) {
            let line = self.said.split_to(end + 1);
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            let (word, number) = line.split_once(' ').unwrap_or((&line, ""));
            let Ok(number) = number.parse() else { return Some(Status::Unknown) };
            match word {
                GROUP => self.group = Pid::from_raw(number),
                EXIT => return Some(Status::Exit(number)),
                SIGNAL => return Some(Status::Signal(number)),
                ERROR => return Some(Status::NotRun(number)),
                _ => return Some(Status::Unknown),
            }
        }
        None
    }

    /// Has the keeper end everything, and waits for that.
    pub(super) async fn stop(&mut self, name: &str) {
        // It has gone already if this fails.
        self.control.shutdown().await.ok();
        if timeout(END_TIMEOUT, self.keeper.wait()).await.is_err() {
            tracing::warn!(program = name, "its keeper does not end and is killed");
            self.keeper.start_kill().ok();
            self.kill();
        }
        self.group = None;
    }

    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            rustix::process::kill_process_group(group, Signal::KILL).ok();
        }
    }
}

/// Gives the keeper the program's ends.
fn hand_over(socket: &Socket, kind: u8, theirs: Theirs) -> io::Result<()> {
    let input = match theirs.input {
        Some(input) => input,
        None => File::open("/dev/null")?.into(),
    };
    let complaints = match theirs.complaints {
        Some(complaints) => complaints,
        None => io::stderr().as_fd().try_clone_to_owned()?,
    };
    let ends = [input.as_fd(), theirs.output.as_fd(), complaints.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&ends));
    // The socket is new and has room.
    sendmsg(socket, &[IoSlice::new(&[kind])], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}
