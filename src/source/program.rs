//! The lines that a program prints. It runs once, whatever the number of viewers.

use std::ffi::OsString;

use enchufe_core::Message;

use super::{Lines, Source};
use crate::transport::child::{Child, Command, ExecOptions, Output, StartError, Streams};

/// A running program.
pub struct Program {
    child: Child,
    lines: Lines<Output>,
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
        command.check()?;
        let (child, ends) = command.start(Streams::Output)?;
        Ok(Self { child, lines: Lines::new(ends.output) })
    }

    /// Ends the program and whatever it has started: asks, waits a moment, then insists.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the insisting to the program's drop.
    pub async fn stop(&mut self) {
        self.child.stop().await;
    }
}

impl Source for Program {
    async fn next(&mut self) -> Option<Message> {
        self.lines.next().await
    }

    async fn status(&mut self) -> String {
        self.child.wait().await.to_string()
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
