//! Programs that are run for somebody: started, spoken to through pipes or a terminal, and ended
//! together with whatever they have started.
//!
//! A feed's source, a service that runs a program for each client and the address `exec:` all run
//! programs, and none of them may leave any behind. On Linux a *keeper* sees to that, a small
//! process between us and the program: see [`Keeper`].

mod find;
mod input;
#[cfg(target_os = "linux")]
mod keep;
#[cfg(target_os = "linux")]
mod keeper;
mod pty;
mod status;

use std::{
    ffi::OsString,
    io,
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    path::PathBuf,
    process::{Command as System, Stdio},
};

use rustix::process::{Pid, Signal};
use tokio::{net::unix::pipe, time::timeout};

use crate::limits;

pub(crate) use input::{Input, Output};
#[cfg(target_os = "linux")]
pub use keep::run as keep;
pub use status::Status;

/// A program, and how it is run.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its name or path.
    pub program: OsString,
    /// What it is told.
    pub arguments: Vec<OsString>,
    /// How it is run.
    pub options: ExecOptions,
}

/// How a program is run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ExecOptions {
    /// It sees a terminal instead of pipes, so that it prints its lines at once instead of block
    /// by block. The terminal passes everything on as it is: it does not echo, and puts no `\r`
    /// before a `\n`.
    pub pty: bool,
    /// The folder it runs in; ours if there is none.
    pub dir: Option<PathBuf>,
    /// What its environment has besides ours, later entries before earlier ones.
    pub env: Vec<(OsString, OsString)>,
    /// What of our environment it is not given.
    pub env_removed: Vec<OsString>,
    /// Who sees to it that nothing of it stays behind.
    pub keeper: Option<Keeper>,
}

/// The command that becomes the keeper of a program (Linux): one that calls [`keep`] with the words
/// that come behind its own.
///
/// The keeper adopts whatever the program's processes leave behind, wherever they have gone
/// (prctl(2), `PR_SET_CHILD_SUBREAPER`): also what has left the process group, the session or its
/// parent is found, asked to end (SIGTERM) and, after [`limits::PROGRAM_STOP_TIMEOUT`], killed. It
/// begins with that when the program ends, when it is told to, and when we are gone, even if we
/// were killed: then the socket between us is closed. (`PR_SET_PDEATHSIG` would tell the program
/// alone and none of those that it has started, and would mean one thread of ours instead of all.)
///
/// Without a keeper a program and its process group are ended as long as we are here to do it.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// What to run.
    pub program: PathBuf,
    /// The words before those that say what is to be kept.
    pub arguments: Vec<OsString>,
}

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no such program.
    #[error("cannot run '{0}': there is no such program")]
    NotFound(String),
    /// The system would not run it.
    #[error("cannot run '{program}': {error}")]
    Io {
        /// Its name.
        program: String,
        /// What the system said.
        error: io::Error,
    },
    /// It cannot run in this folder.
    #[error("cannot run '{program}' in '{dir}': {error}")]
    Dir {
        /// Its name.
        program: String,
        /// The folder.
        dir: String,
        /// What the system said.
        error: io::Error,
    },
    /// The system would give no pseudo-terminal.
    #[error("cannot give '{program}' a terminal: {error}")]
    Pty {
        /// Its name.
        program: String,
        /// What the system said.
        error: io::Error,
    },
}

/// What can be done about a program that does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartRemedy {
    /// It is not where it was looked for.
    Find,
    /// It is no program, or not for this user.
    Permit,
    /// The folder is not there, or not for this user.
    Dir,
}

impl StartError {
    /// What can be done about it, if we know.
    pub(crate) fn remedy(&self) -> Option<StartRemedy> {
        match self {
            Self::NotFound(_) => Some(StartRemedy::Find),
            Self::Dir { .. } => Some(StartRemedy::Dir),
            Self::Io { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
                Some(StartRemedy::Permit)
            }
            Self::Io { .. } | Self::Pty { .. } => None,
        }
    }

    /// The hint that goes with it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self.remedy()? {
            StartRemedy::Find => "give its path, or a name on the PATH",
            StartRemedy::Permit => "give a program: a file that this user may run (chmod +x)",
            StartRemedy::Dir => "--dir names the folder that it runs in",
        };
        Some(hint.to_owned())
    }
}

/// What of a program's three streams is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// What it prints. It reads nothing, and complains where we complain.
    Output,
    /// What it reads and what it prints. It complains where we complain.
    Both,
    /// All three.
    All,
}

/// A running program. Dropping it ends it: at once without a keeper, else as a keeper does it.
#[derive(Debug)]
pub(crate) struct Child {
    name: String,
    hold: Hold,
    status: Option<Status>,
}

#[derive(Debug)]
enum Hold {
    Direct(Direct),
    #[cfg(target_os = "linux")]
    Kept(keeper::Kept),
}

/// Our ends of the program's streams.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) input: Option<Input>,
    pub(crate) output: Output,
    pub(crate) complaints: Option<pipe::Receiver>,
}

/// The program's ends. Without an input it reads nothing, and it complains where we do if it has
/// nowhere else to.
struct Theirs {
    input: Option<OwnedFd>,
    output: OwnedFd,
    complaints: Option<OwnedFd>,
}

impl Command {
    /// A program from its words: its name, and what it is told.
    pub fn new(program: impl Into<OsString>, arguments: Vec<OsString>) -> Self {
        Self { program: program.into(), arguments, options: ExecOptions::default() }
    }

    /// What errors and peers call it.
    pub(crate) fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    /// Starts it. Whether a keeper could run it shows only in its [status](Child::wait).
    ///
    /// # Errors
    ///
    /// When it, its keeper or its streams cannot be had. Must be called within a runtime.
    pub(crate) fn start(&self, streams: Streams) -> Result<(Child, Ends), StartError> {
        let name = self.name();
        let failed = |error| StartError::Io { program: name.clone(), error };
        let (ends, theirs) = if self.options.pty {
            pty::streams(streams)
                .map_err(|error| StartError::Pty { program: name.clone(), error })?
        } else {
            pipes(streams).map_err(failed)?
        };
        let hold = self.hold(theirs)?;
        tracing::info!(program = name, "started");
        Ok((Child { name, hold, status: None }, ends))
    }

    fn hold(&self, theirs: Theirs) -> Result<Hold, StartError> {
        #[cfg(target_os = "linux")]
        if let Some(keeper) = &self.options.keeper {
            let failed = |error| StartError::Io { program: self.name(), error };
            return Ok(Hold::Kept(keeper::Kept::start(keeper, self, theirs).map_err(failed)?));
        }
        Ok(Hold::Direct(Direct::start(self, theirs)?))
    }

    /// The command for the system, without its streams.
    fn prepared(&self, program: &std::ffi::OsStr, arguments: &[OsString]) -> System {
        let mut command = System::new(program);
        command.args(arguments);
        for name in &self.options.env_removed {
            command.env_remove(name);
        }
        command.envs(self.options.env.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = &self.options.dir {
            command.current_dir(dir);
        }
        command
    }
}

fn pipes(streams: Streams) -> io::Result<(Ends, Theirs)> {
    let (sender, receiver) = pipe::pipe()?;
    let mut ends = Ends { input: None, output: Output::Pipe(receiver), complaints: None };
    let output = sender.into_blocking_fd()?;
    let mut theirs = Theirs { input: None, output, complaints: None };
    if streams != Streams::Output {
        let (sender, receiver) = pipe::pipe()?;
        ends.input = Some(Input::pipe(sender));
        theirs.input = Some(receiver.into_blocking_fd()?);
    }
    if streams == Streams::All {
        let (sender, receiver) = pipe::pipe()?;
        ends.complaints = Some(receiver);
        theirs.complaints = Some(sender.into_blocking_fd()?);
    }
    Ok((ends, theirs))
}

impl Child {
    /// Waits for its end: how it ended.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(crate) async fn wait(&mut self) -> Status {
        if let Some(status) = &self.status {
            return status.clone();
        }
        let status = match &mut self.hold {
            Hold::Direct(direct) => direct.wait().await,
            #[cfg(target_os = "linux")]
            Hold::Kept(kept) => kept.wait().await,
        };
        tracing::info!(program = self.name, %status, "ended");
        self.status.insert(status).clone()
    }

    /// Ends the program and whatever it has started: asks, waits a moment, then insists. What has
    /// already ended by itself may have left something behind, which this ends, too.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the insisting to the program's drop.
    pub(crate) async fn stop(&mut self) {
        match &mut self.hold {
            Hold::Direct(direct) => direct.stop(&self.name).await,
            #[cfg(target_os = "linux")]
            Hold::Kept(kept) => kept.stop(&self.name).await,
        }
        // It is known by now, and is put into the log.
        self.wait().await;
    }
}

/// A program that is our own child, the leader of a process group.
#[derive(Debug)]
struct Direct {
    child: tokio::process::Child,
    group: Option<Pid>,
}

impl Direct {
    fn start(command: &Command, theirs: Theirs) -> Result<Self, StartError> {
        let mut prepared = command.prepared(&command.program, &command.arguments);
        prepared
            .stdin(theirs.input.map_or_else(Stdio::null, Stdio::from))
            .stdout(theirs.output)
            .stderr(theirs.complaints.map_or_else(Stdio::inherit, Stdio::from))
            .process_group(0);
        let mut prepared = tokio::process::Command::from(prepared);
        // What it has of the program's ends goes with it: they would never be seen to end.
        let child = prepared.spawn().map_err(|error| command.failed(error))?;
        let group = pid(child.id());
        Ok(Self { child, group })
    }

    async fn wait(&mut self) -> Status {
        self.child.wait().await.map_or(Status::Unknown, Status::from)
    }

    async fn stop(&mut self, name: &str) {
        self.signal(Signal::TERM);
        if timeout(limits::PROGRAM_STOP_TIMEOUT, self.child.wait()).await.is_err() {
            tracing::warn!(program = name, "does not end by itself and is killed");
        }
        // Whoever is left of the group did not hear, or did not want to.
        self.signal(Signal::KILL);
        self.child.wait().await.ok();
        // Its number may soon be that of another.
        self.group = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            rustix::process::kill_process_group(group, signal).ok();
        }
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

fn pid(id: Option<u32>) -> Option<Pid> {
    id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}
