//! The lines that a program prints. It runs once, whatever the number of viewers.

use std::{
    ffi::OsString,
    io,
    process::{ExitStatus, Stdio},
};

use enchufe_core::Message;
use tokio::{
    io::AsyncRead,
    process::{Child, Command},
    time::timeout,
};

use super::{Lines, Source};
use crate::limits;

/// A running program.
pub struct Program {
    name: String,
    child: Child,
    /// The process group that it leads.
    group: Option<rustix::process::Pid>,
    lines: Lines<Box<dyn AsyncRead + Send + Unpin>>,
    status: Option<io::Result<ExitStatus>>,
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
    /// The system would give no pseudo-terminal.
    #[error("cannot give '{program}' a terminal: {error}")]
    Pty {
        /// Its name.
        program: String,
        /// What the system said.
        error: io::Error,
    },
}

impl Program {
    /// Starts a program with its standard input empty and its standard error ours. With `pty` it
    /// prints to a pseudo-terminal, so that it prints its lines at once instead of block by block.
    ///
    /// It is the leader of a process group of its own, so that its end can be the end of whatever
    /// it has started, too.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(
        program: &OsString,
        arguments: &[OsString],
        pty: bool,
    ) -> Result<Self, StartError> {
        let name = program.to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let terminal = if pty {
            let (ours, theirs) = super::pty::open()
                .map_err(|error| StartError::Pty { program: name.clone(), error })?;
            command.stdout(theirs);
            Some(ours)
        } else {
            command.stdout(Stdio::piped());
            None
        };
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StartError::NotFound(name.clone()),
            _ => StartError::Io { program: name.clone(), error },
        })?;
        // The command keeps its copy of the terminal's other end open as long as it is here.
        drop(command);
        let reader: Box<dyn AsyncRead + Send + Unpin> = match (terminal, child.stdout.take()) {
            (Some(terminal), _) => Box::new(terminal),
            (None, Some(stdout)) => Box::new(stdout),
            (None, None) => Box::new(tokio::io::empty()),
        };
        tracing::info!(program = name, "started");
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let group = pid.and_then(rustix::process::Pid::from_raw);
        Ok(Self { name, child, group, lines: Lines::new(reader), status: None })
    }

    /// Ends the program and whatever it has started: asks, waits a moment, then insists.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the insisting to the program's drop.
    pub async fn stop(&mut self) {
        if self.status.is_some() {
            return;
        }
        self.signal(rustix::process::Signal::TERM);
        if timeout(limits::PROGRAM_STOP_TIMEOUT, self.child.wait()).await.is_err() {
            tracing::warn!(program = self.name, "does not end by itself and is killed");
        }
        // Whoever is left of the group did not hear, or did not want to.
        self.signal(rustix::process::Signal::KILL);
        self.child.wait().await.ok();
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(group) = self.group {
            rustix::process::kill_process_group(group, signal).ok();
        }
    }
}

impl Source for Program {
    async fn next(&mut self) -> Option<Message> {
        self.lines.next().await
    }

    async fn status(&mut self) -> String {
        if self.status.is_none() {
            self.status = Some(self.child.wait().await);
        }
        match &self.status {
            Some(Ok(status)) => describe(*status),
            Some(Err(error)) => format!("unknown: {error}"),
            None => "unknown".to_owned(),
        }
    }
}

/// `exit 0`, or `signal 9`.
fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if let Some(signal) = status.signal() {
            return format!("signal {signal}");
        }
    }
    status.code().map_or_else(|| "exit unknown".to_owned(), |code| format!("exit {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, pty: bool) -> Program {
        Program::start(&"sh".into(), &["-c".into(), script.into()], pty).expect("a shell")
    }

    async fn run(mut program: Program) -> (Vec<String>, String) {
        let mut lines = Vec::new();
        while let Some(line) = program.next().await {
            lines.push(line.to_text().into_owned());
        }
        (lines, program.status().await)
    }

    #[tokio::test]
    async fn lines_and_then_the_exit_status() {
        for pty in [false, true] {
            let (lines, status) = run(shell("printf 'a\\nb\\nc'; exit 3", pty)).await;
            assert_eq!(
                (lines, status),
                (vec!["a".into(), "b".into(), "c".into()], "exit 3".into())
            );
        }
    }

    #[tokio::test]
    async fn a_signal_is_said_by_its_number() {
        let (_, status) = run(shell("kill -9 $$", false)).await;
        assert_eq!(status, "signal 9");
    }

    #[tokio::test]
    async fn a_terminal_is_what_the_program_sees_only_when_it_was_asked_for() {
        let script = "test -t 1 && echo terminal || echo none";
        assert_eq!(run(shell(script, true)).await.0, ["terminal"]);
        assert_eq!(run(shell(script, false)).await.0, ["none"]);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = Program::start(&"/no/such/program".into(), &[], false).err();
        let error = error.expect("it cannot run").to_string();
        assert_eq!(error, "cannot run '/no/such/program': there is no such program");
    }

    #[tokio::test]
    async fn stopping_ends_what_the_program_has_started_too() {
        let mut program = shell("trap '' TERM; sleep 1000 & echo $!; wait; wait", false);
        let line = program.next().await.expect("the process id");
        let pid: i32 = line.to_text().parse().expect("a number");
        let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
        program.stop().await;
        assert!(program.next().await.is_none(), "its standard output is closed");
        // It may still be there as a zombie that nobody waits for, but it does not run for long.
        let has_ended = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z "))
        };
        for _ in 0..1_000 {
            if has_ended() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("it goes on");
    }
}
