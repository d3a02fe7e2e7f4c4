//! The lines that a program prints. It runs once, whatever the number of viewers, or is run again
//! when it ends.

use std::ffi::OsString;

use enchufe_core::Message;
use tokio::time::{Instant, sleep_until};

use super::{Lines, Source, backoff::Backoff};
use crate::transport::{
    Framing,
    child::{Child, Command, ExecOptions, Output, StartError, Status, Streams},
};

/// Whether a program that has ended is run again, after pauses that grow and are bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// It is not: its end is the end of the source.
    #[default]
    Never,
    /// When it failed: with another code than 0, or by a signal.
    OnFailure,
    /// Whenever it ends: the source has no end.
    Always,
}

impl Restart {
    fn wants(self, status: &Status) -> bool {
        match self {
            Self::Never => false,
            Self::OnFailure => !status.is_success(),
            Self::Always => true,
        }
    }
}

/// A program that is running, or will be again.
pub struct Program {
    command: Command,
    framing: Framing,
    restart: Restart,
    backoff: Backoff,
    run: Run,
}

/// Where a program is in its life.
#[expect(clippy::large_enum_variant, reason = "it runs for most of its life")]
enum Run {
    Running {
        child: Child,
        lines: Lines<Output>,
    },
    /// It has ended; it is run again at this time.
    Pausing(Instant),
    /// It has ended for good.
    Over(String),
}

impl Program {
    /// Starts a program with its standard input empty and its standard error ours. With a terminal
    /// it prints its lines at once instead of block by block.
    ///
    /// # Errors
    ///
    /// When it cannot be started. Must be called within a runtime.
    pub fn start(
        program: &OsString,
        arguments: &[OsString],
        options: ExecOptions,
    ) -> Result<Self, StartError> {
        let mut command = Command::new(program, arguments.to_vec());
        command.options = options;
        Self::run(command, Framing::Lines, Restart::Never)
    }

    /// As [`Self::start`], with messages that follow each other in this way, and run again when it
    /// ends as it is told.
    ///
    /// # Errors
    ///
    /// When it cannot be started. Must be called within a runtime.
    pub fn run(command: Command, framing: Framing, restart: Restart) -> Result<Self, StartError> {
        command.check()?;
        let mut backoff = Backoff::default();
        let run = Run::begin(&command, framing)?;
        backoff.begun();
        Ok(Self { command, framing, restart, backoff, run })
    }

    /// Ends the program and whatever it has started: asks, waits a moment, then insists. It is not
    /// run again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the insisting to the program's drop.
    pub async fn stop(&mut self) {
        self.restart = Restart::Never;
        match &mut self.run {
            Run::Running { child, .. } => child.stop().await,
            Run::Pausing(_) => self.run = Run::Over("between two runs".to_owned()),
            Run::Over(_) => {}
        }
    }

    /// What follows when it has ended so.
    fn after(&mut self, status: &Status) -> Run {
        if !self.restart.wants(status) {
            return Run::Over(status.to_string());
        }
        self.pause(&status.to_string())
    }

    fn pause(&mut self, status: &str) -> Run {
        let (pause, program) = (self.backoff.ended(), self.command.name());
        let pause_ms = pause.as_millis();
        tracing::warn!(program, status, pause_ms, "it has ended and is run again after a pause");
        Run::Pausing(Instant::now() + pause)
    }
}

impl Run {
    fn begin(command: &Command, framing: Framing) -> Result<Self, StartError> {
        let (child, ends) = command.start(Streams::Output)?;
        Ok(Self::Running { child, lines: Lines::framed(ends.output, framing) })
    }
}

impl Source for Program {
    async fn next(&mut self) -> Option<Message> {
        loop {
            match &mut self.run {
                Run::Running { lines, child } => {
                    let next = lines.next().await;
                    if next.is_some() || self.restart == Restart::Never {
                        return next;
                    }
                    // It may have closed its output and run on. Cancel-safe: asked again, both
                    // answer the same.
                    let status = child.wait().await;
                    child.stop().await;
                    self.run = self.after(&status);
                }
                Run::Pausing(until) => {
                    sleep_until(*until).await;
                    self.run = match Run::begin(&self.command, self.framing) {
                        Ok(run) => {
                            self.backoff.begun();
                            run
                        }
                        // Its file may be about to be replaced.
                        Err(error) => self.pause(&error.to_string()),
                    };
                }
                Run::Over(_) => return None,
            }
        }
    }

    async fn status(&mut self) -> String {
        match &mut self.run {
            Run::Running { child, .. } => child.wait().await.to_string(),
            Run::Pausing(_) => "between two runs".to_owned(),
            Run::Over(status) => status.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, pty: bool) -> Program {
        let options = ExecOptions { pty, ..ExecOptions::default() };
        Program::start(&"sh".into(), &["-c".into(), script.into()], options).expect("a shell")
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

    /// A program that is run again, and adds a line to a file whenever it runs.
    fn again(script: &str, restart: Restart) -> Program {
        let command = Command::new("sh", vec!["-c".into(), script.into()]);
        Program::run(command, Framing::Lines, restart).expect("a shell")
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_failed_is_run_again_until_it_ends_well() {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = folder.path().join("runs");
        let script = format!(
            "echo x >>{0}; wc -l <{0} | tr -d ' '; [ $(wc -l <{0}) -ge 3 ] || kill -9 $$",
            runs.display()
        );
        let (lines, status) = run(again(&script, Restart::OnFailure)).await;
        assert_eq!((lines, status), (["1", "2", "3"].map(str::to_owned).into(), "exit 0".into()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_is_always_run_again_has_no_end_until_it_is_stopped() {
        let mut program = again("echo $$", Restart::Always);
        let mut runs = std::collections::HashSet::new();
        for _ in 0..4 {
            let line = program.next().await.expect("it is run again");
            runs.insert(line.to_text().into_owned());
        }
        assert_eq!(runs.len(), 4, "each is a process of its own");
        program.stop().await;
        assert!(program.next().await.is_none());
    }

    #[tokio::test]
    async fn a_program_whose_end_is_final_is_not_run_again() {
        for (restart, script) in [(Restart::Never, "exit 3"), (Restart::OnFailure, "exit 0")] {
            let (lines, status) = run(again(script, restart)).await;
            assert_eq!((lines.len(), format!("exit {}", &script[5..])), (0, status));
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = Program::start(&"/no/such/program".into(), &[], ExecOptions::default()).err();
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
