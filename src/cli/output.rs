//! Standard output and error, for a program whose readers may go away.
//!
//! `println!` panics when the reader of a pipe has left, as in `enchufe serve … | head -1`. For us
//! that is a normal end: whoever wanted the data has enough of it.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use super::{catalogue::Phrase, escape, exit_code::Exit, failure::Failure, language::Language};
use crate::limits;

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

/// Writes these bytes to standard output, and nothing else.
///
/// # Errors
///
/// When the reader has gone or the write failed.
pub(crate) fn data(bytes: &[u8]) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Writes `line` and a line break to standard error, whose reader we do not depend on.
pub(crate) fn notice(line: &str) {
    let mut out = io::stderr().lock();
    // Nobody is left to be told that nobody is listening.
    let _ = out.write_all(format!("{line}\n").as_bytes());
}

/// Warns on standard error, in one line whatever a peer or a name server has put into it.
pub(crate) fn warn(language: Language, phrase: Phrase<'_>) {
    let text = escape::line(language.say(phrase).as_bytes());
    notice(&format!("{}: {text}", language.say(Phrase::Warning)));
}

/// Asks on standard error: no line break, the answer comes after it.
pub(crate) fn ask(prompt: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(prompt.as_bytes()).and_then(|()| out.flush());
}

/// Writes `line` over the last line of the terminal on standard error, no longer than that is wide.
pub(crate) fn status(line: &str) {
    let width = stderr_columns().saturating_sub(1);
    let line: String = line.chars().take(width).collect();
    let mut out = io::stderr().lock();
    let _ = write!(out, "\r{line}\x1b[K").and_then(|()| out.flush());
}

/// How many characters fit into a row of the terminal on standard error.
fn stderr_columns() -> usize {
    const USUAL: usize = 80;
    #[cfg(unix)]
    let columns = rustix::termios::tcgetwinsize(io::stderr()).map(|size| usize::from(size.ws_col));
    #[cfg(not(unix))]
    let columns: Result<usize, ()> = Err(());
    columns.ok().filter(|columns| *columns > 0).unwrap_or(USUAL)
}

/// Whether standard error may be coloured. `NO_COLOR` (no-color.org), unless it is empty, says no;
/// then `CLICOLOR_FORCE`, unless it is 0, says yes and `CLICOLOR=0` no (bixense.com/clicolors); then
/// it depends on the terminal.
pub(crate) fn stderr_has_colour() -> bool {
    has_colour(|name| std::env::var(name).ok(), io::stderr().is_terminal())
}

/// The same of standard output.
pub(crate) fn stdout_has_colour() -> bool {
    has_colour(|name| std::env::var(name).ok(), io::stdout().is_terminal())
}

fn has_colour(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let is_set =
        |name, off: &str| variable(name).is_some_and(|value| value != off && !value.is_empty());
    let is = |name, wanted: &str| variable(name).is_some_and(|value| value == wanted);
    if is_set("NO_COLOR", "") {
        return false;
    }
    is_set("CLICOLOR_FORCE", "0") || (is_terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb"))
}

/// Whoever reads standard output, where it is known when they leave: a pipe or a socket.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Watched, and never written to.
    #[cfg(unix)]
    output: Option<tokio::net::unix::pipe::Sender>,
}

impl Reader {
    /// Must be called within a runtime.
    #[cfg(unix)]
    pub(crate) fn of_standard_output() -> Self {
        let output = rustix::io::dup(io::stdout()).ok();
        // A file cannot be watched, and has no reader who leaves.
        let output = output.and_then(|output| {
            tokio::net::unix::pipe::Sender::from_owned_fd_unchecked(output).ok()
        });
        Self { output }
    }

    /// Must be called within a runtime.
    #[cfg(not(unix))]
    pub(crate) fn of_standard_output() -> Self {
        Self {}
    }

    /// Waits until nobody can read what would be written; for ever where that is not known.
    /// Cancel-safe.
    #[cfg(unix)]
    pub(crate) async fn gone(&self) {
        // Whether there is room does not matter here, and a pipe with nobody behind it is an error.
        let gone = match &self.output {
            Some(output) => output.ready(tokio::io::Interest::ERROR).await.is_ok(),
            None => false,
        };
        if !gone {
            std::future::pending().await
        }
    }

    /// Elsewhere the next write finds out.
    #[cfg(not(unix))]
    pub(crate) async fn gone(&self) {
        std::future::pending().await
    }
}

/// The lines a server prints for its user, from many tasks at once.
///
/// They are printed by a thread of their own through a bounded queue: a reader of our output that
/// stops must not stop the server. Lines that find the queue full are counted.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    queue: mpsc::SyncSender<String>,
    missed: Arc<AtomicU64>,
}

/// The end of [`Lines`].
#[derive(Debug)]
pub(crate) struct Printing {
    ended: mpsc::Receiver<Option<OutputError>>,
    missed: Arc<AtomicU64>,
}

/// What became of the lines.
#[derive(Debug)]
pub(crate) struct Printed {
    end: Option<OutputError>,
    missed: u64,
}

impl Printed {
    /// Tells the user of lines that were not printed, and how the command ends: a reader that has
    /// gone has had enough.
    pub(crate) fn into_result(self, language: Language) -> Result<Exit, Failure> {
        if self.missed > 0 {
            warn(language, Phrase::LinesMissed(self.missed));
        }
        self.end.map_or(Ok(Exit::Success), OutputError::into_result)
    }
}

/// Starts to print lines. `on_end` is called when nobody reads them any more.
///
/// # Errors
///
/// When the system refuses a thread.
pub(crate) fn lines(on_end: impl FnOnce() + Send + 'static) -> io::Result<(Lines, Printing)> {
    let (queue, waiting) = mpsc::sync_channel::<String>(limits::PRINT_QUEUE_LEN_MAX);
    let (done, ended) = mpsc::channel();
    let print = move || {
        let end = waiting.iter().find_map(|text| line(&text).err());
        if end.is_some() {
            on_end();
        }
        // Whoever started us may be gone already.
        let _ = done.send(end);
    };
    thread::Builder::new().name("printer".into()).spawn(print)?;
    let missed = Arc::new(AtomicU64::new(0));
    Ok((Lines { queue, missed: Arc::clone(&missed) }, Printing { ended, missed }))
}

impl Lines {
    /// Prints one line, soon.
    pub(crate) fn print(&self, text: String) {
        if let Err(mpsc::TrySendError::Full(_)) = self.queue.try_send(text) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Printing {
    /// Waits until what was said is printed, for a bounded time. Every [`Lines`] must be gone.
    pub(crate) fn end(self) -> Printed {
        let end = self.ended.recv_timeout(limits::HANG_UP_TIMEOUT).ok().flatten();
        Printed { end, missed: self.missed.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::has_colour;

    #[test]
    fn colour_is_for_terminals_unless_a_variable_says_otherwise() {
        for (variables, on_terminal, elsewhere) in [
            (&[][..], true, false),
            (&[("TERM", "dumb")], false, false),
            (&[("NO_COLOR", "1")], false, false),
            (&[("NO_COLOR", "")], true, false),
            (&[("CLICOLOR", "0")], false, false),
            (&[("CLICOLOR", "1")], true, false),
            (&[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")], true, true),
            (&[("CLICOLOR_FORCE", "0")], true, false),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(has_colour(variable, true), on_terminal, "{variables:?}");
            assert_eq!(has_colour(variable, false), elsewhere, "{variables:?}");
        }
    }
}
