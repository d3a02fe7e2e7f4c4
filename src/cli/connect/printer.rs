//! Writes above the line that is being typed, and puts the terminal right at the end.

use std::{
    io::{self, Write as _},
    sync::{Arc, mpsc},
    thread,
};

use rustyline::ExternalPrinter;

use super::editor::Cut;
use crate::{cli::escape, limits};

/// The mark of a line that was received.
const RECEIVED: &str = "< ";
/// Up a row and down again: the editor redraws its line, and nothing has changed.
const NOTHING: &str = "\x1b[A\n";
/// Ends bracketed paste, which the editor leaves on when it is stopped.
const PASTE_PLAINLY: &str = "\x1b[?2004l";

/// Writes above the line that is being typed.
pub(super) struct Printer {
    /// None on a terminal that knows no cursor: there lines are written as they come.
    above: Option<Box<dyn ExternalPrinter + Send>>,
    cut: Arc<Cut>,
    ended: mpsc::Receiver<()>,
    terminal: terminal::Saved,
    is_restored: bool,
}

impl Printer {
    /// `ended` is closed when the editor's thread ends.
    pub(super) fn new(
        above: Option<Box<dyn ExternalPrinter + Send>>,
        cut: Arc<Cut>,
        ended: mpsc::Receiver<()>,
    ) -> Self {
        Self { above, cut, ended, terminal: terminal::Saved::now(), is_restored: false }
    }

    /// Shows what was received, every line of it marked, so that none can pass for one sent.
    ///
    /// It waits while the terminal takes nothing, as when the user has stopped it with Ctrl-S.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        let mut shown = String::new();
        for line in escape::text(bytes).split('\n') {
            shown.push_str(RECEIVED);
            shown.push_str(line);
            shown.push('\n');
        }
        self.show(&shown);
    }

    /// Shows a line that did not come from the peer, without the mark of one that did.
    pub(super) fn said(&mut self, line: &str) {
        self.show(&format!("{line}\n"));
    }

    fn show(&mut self, shown: &str) {
        let editor = self.above.as_mut();
        let printed = editor.is_some_and(|above| {
            tokio::task::block_in_place(|| above.print(shown.to_owned())).is_ok()
        });
        if !printed {
            // The editor has ended.
            self.above = None;
            write(shown);
        }
    }

    /// Leaves the terminal as it was found, also when the editor still waits for keys. Later calls
    /// do nothing.
    pub(super) fn restore(&mut self) {
        if std::mem::replace(&mut self.is_restored, true) {
            return;
        }
        let has_ended = self.ended.try_recv() == Err(mpsc::TryRecvError::Disconnected);
        if let (false, Some(above)) = (has_ended, self.above.take()) {
            self.stop_editor(above);
        }
        self.terminal.restore();
    }

    /// Makes the editor see the end of its input. Nothing else makes it return, and as long as it
    /// runs it may redraw its line over whatever comes after us.
    fn stop_editor(&self, mut above: Box<dyn ExternalPrinter + Send>) {
        let Some(input) = self.terminal.cut_input() else { return };
        let cut = Arc::clone(&self.cut);
        let stop = move || {
            // It takes one message at a time, and keys before messages: when it has taken the
            // first of these, everything before is on the screen.
            let taken = above.print(NOTHING.into()).and_then(|()| above.print(NOTHING.into()));
            cut.announce();
            input();
            // Makes it look at its input, which has ended now. It may be gone already.
            let _ = taken.and_then(|()| above.print(NOTHING.into()));
        };
        if thread::Builder::new().name("editor-end".into()).spawn(stop).is_ok() {
            // The end of the thread closes the channel; nothing is ever sent.
            let _ = self.ended.recv_timeout(limits::HANG_UP_TIMEOUT);
        }
        write(PASTE_PLAINLY);
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.restore();
    }
}

/// To the terminal; one that has gone is noticed by the reading side.
pub(super) fn write(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What the editor changes about the terminal while it reads, and how its input is ended.
#[cfg(unix)]
mod terminal {
    use std::{fs::File, os::fd::OwnedFd};

    use rustix::{
        io::dup,
        stdio::dup2_stdin,
        termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
    };

    /// The terminal on standard input, and its modes at one moment.
    pub(super) struct Saved(Option<(OwnedFd, Termios)>);

    impl Saved {
        pub(super) fn now() -> Self {
            let input = std::io::stdin();
            Self(dup(&input).ok().zip(tcgetattr(&input).ok()))
        }

        pub(super) fn restore(&self) {
            if let Some((terminal, modes)) = &self.0 {
                let _ = tcsetattr(terminal, OptionalActions::Now, modes);
            }
        }

        /// What makes standard input end for whoever reads it.
        #[expect(clippy::unused_self, reason = "it is the terminal's input on other systems too")]
        pub(super) fn cut_input(&self) -> Option<impl FnOnce() + Send + use<>> {
            let nothing = File::open("/dev/null").ok()?;
            Some(move || {
                let _ = dup2_stdin(&nothing);
            })
        }
    }
}

/// Elsewhere the console is put right by the end of the process.
#[cfg(not(unix))]
mod terminal {
    pub(super) struct Saved;

    impl Saved {
        pub(super) fn now() -> Self {
            Self
        }

        pub(super) fn restore(&self) {}

        pub(super) fn cut_input(&self) -> Option<fn()> {
            None
        }
    }
}
