//! Standard output and error, for a program whose readers may go away.
//!
//! `println!` panics when the reader of a pipe has left, as in `enchufe serve … | head -1`. For us
//! that is a normal end: whoever wanted the data has enough of it.

use std::{
    io::{self, IsTerminal, Write},
    sync::Mutex,
};

use super::{exit_code::Exit, failure::Failure};

/// Standard output could not be written to.
#[derive(Debug)]
pub(crate) enum OutputError {
    /// Its reader has gone: the end, and a success.
    Closed,
    /// Anything else, such as a full disk.
    Failed(io::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(error),
        }
    }
}

impl OutputError {
    /// A reader that has gone has had enough: that is how a command ends well.
    pub(crate) fn into_result(self) -> Result<Exit, Failure> {
        match self {
            Self::Closed => Ok(Exit::Success),
            Self::Failed(error) => Err(Failure::Output(error)),
        }
    }
}

/// Writes `line` and a line break to standard output and flushes: a reader of the pipe sees every
/// line as it happens.
///
/// # Errors
///
/// When the reader has gone or the write failed.
pub(crate) fn line(line: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Writes `line` and a line break to standard error, whose reader we do not depend on.
pub(crate) fn notice(line: &str) {
    let mut out = io::stderr().lock();
    // Nobody is left to be told that nobody is listening.
    let _ = out.write_all(format!("{line}\n").as_bytes());
}

/// Asks on standard error: no line break, the answer comes after it.
pub(crate) fn ask(prompt: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(prompt.as_bytes()).and_then(|()| out.flush());
}

/// Whether standard error may be coloured: it is a terminal and `NO_COLOR` is unset or empty
/// (no-color.org).
pub(crate) fn stderr_has_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !refused && !dumb && io::stderr().is_terminal()
}

/// The lines a server prints for its user, from many tasks at once, until nobody reads them.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    ended: Mutex<Option<OutputError>>,
}

impl Lines {
    /// Prints one line. Returns whether anybody still reads.
    pub(crate) fn print(&self, text: &str) -> bool {
        // A panic elsewhere leaves nothing half-done here: the lock only remembers the first end.
        let mut ended = self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if ended.is_none() {
            *ended = line(text).err();
        }
        ended.is_none()
    }

    /// What ended the printing, if anything did.
    pub(crate) fn take_end(&self) -> Option<OutputError> {
        self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}
