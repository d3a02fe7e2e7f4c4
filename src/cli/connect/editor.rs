//! The line editor of a conversation: a thread that reads keys, and a printer that writes above
//! what is being typed.

use std::{
    env,
    io::{self, Write as _},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use enchufe_core::Message;
use rustyline::{Config, DefaultEditor, ExternalPrinter, error::ReadlineError};
use tokio::sync::mpsc;

use crate::{
    cli::{escape, failure::Failure},
    limits,
};

/// What the user typed.
pub(super) enum Typed {
    /// A line, as the message it stands for.
    Message(Message),
    /// Ctrl-D, or a terminal that has gone.
    End,
    /// Ctrl-C.
    Interrupted,
}

/// The editor, on a thread of its own: reading keys blocks.
pub(super) struct Editor {
    lines: mpsc::Sender<Typed>,
    prompt: String,
    is_stream: bool,
    is_reading: Arc<AtomicBool>,
    history: Option<PathBuf>,
}

/// The default prompt, and the mark of a line that was sent.
const SENT: &str = "> ";
/// The mark of a line that was received.
const RECEIVED: &str = "< ";

impl Editor {
    /// Starts the editor. Lines come out of the receiver, in the order typed.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be used.
    pub(super) fn open(
        prompt: Option<&str>,
        is_stream: bool,
    ) -> Result<(mpsc::Receiver<Typed>, Printer), Failure> {
        let config = Config::builder().history_ignore_space(true).auto_add_history(false);
        let config = config
            .max_history_size(limits::EDITOR_HISTORY_LEN_MAX)
            .and_then(|config| config.history_ignore_dups(true));
        let mut editor = config
            .and_then(|config| DefaultEditor::with_config(config.build()))
            .map_err(|error| Failure::Input(io::Error::other(error)))?;
        let history = history_file();
        if let Some(history) = &history {
            // There is none the first time, and one that cannot be read is as good as none.
            let _ = editor.load_history(history);
        }
        // A dumb terminal has no printer; then lines are written as they come.
        let above = editor.create_external_printer().ok();
        let above = above.map(|printer| Box::new(printer) as Box<dyn ExternalPrinter + Send>);
        let modes = modes::Saved::now();
        let is_reading = Arc::new(AtomicBool::new(false));
        // One line at a time: the next is asked for when this one is taken.
        let (lines, typed) = mpsc::channel(1);
        let this = Self {
            lines,
            prompt: prompt.unwrap_or(SENT).to_owned(),
            is_stream,
            is_reading: Arc::clone(&is_reading),
            history,
        };
        thread::Builder::new()
            .name("editor".into())
            .spawn(move || this.run(editor))
            .map_err(Failure::Input)?;
        Ok((typed, Printer { above, modes, is_reading }))
    }

    fn run(self, mut editor: DefaultEditor) {
        loop {
            self.is_reading.store(true, Ordering::SeqCst);
            let line = editor.readline(&self.prompt);
            self.is_reading.store(false, Ordering::SeqCst);
            let typed = match line {
                Ok(line) => {
                    if self.prompt != SENT {
                        write(&format!("{SENT}{}\n", escape::line(line.as_bytes())));
                    }
                    self.remember(&mut editor, &line);
                    Typed::Message(self.message(line))
                }
                Err(ReadlineError::Interrupted) => Typed::Interrupted,
                Err(_) => Typed::End,
            };
            let is_last = !matches!(typed, Typed::Message(_));
            if self.lines.blocking_send(typed).is_err() || is_last {
                return;
            }
        }
    }

    fn message(&self, mut line: String) -> Message {
        if self.is_stream {
            line.push('\n');
            Message::binary(line)
        } else {
            Message::text(line)
        }
    }

    /// A history that cannot be kept is no reason to stop talking.
    fn remember(&self, editor: &mut DefaultEditor, line: &str) {
        let added = editor.add_history_entry(line).unwrap_or(false);
        if let (true, Some(history)) = (added, &self.history) {
            let _ = editor.append_history(history);
        }
    }
}

/// Where lines are remembered: `$XDG_STATE_HOME/enchufe/connect_history`, by default below
/// `~/.local/state` (XDG Base Directory Specification).
fn history_file() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    let folder = state.join("enchufe");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("connect_history"))
}

/// Writes above what is being typed.
pub(super) struct Printer {
    above: Option<Box<dyn ExternalPrinter + Send>>,
    modes: modes::Saved,
    is_reading: Arc<AtomicBool>,
}

impl Printer {
    /// Shows what was received, every line of it marked, so that none can pass for one sent.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        let mut shown = String::new();
        for line in escape::text(bytes).split('\n') {
            shown.push_str(RECEIVED);
            shown.push_str(line);
            shown.push('\n');
        }
        let left = match &mut self.above {
            Some(above) => above.print(shown).is_err(),
            None => {
                write(&shown);
                false
            }
        };
        if left {
            self.above = None;
        }
    }

    /// Leaves the terminal as it was found, also when the editor still waits for keys.
    pub(super) fn restore(&mut self) {
        if self.is_reading.swap(false, Ordering::SeqCst) {
            // Back to the left, clear the prompt, end bracketed paste.
            write("\r\x1b[J\x1b[?2004l");
        }
        self.modes.restore();
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.restore();
    }
}

/// To the terminal; one that has gone is noticed by the reading side.
fn write(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The modes of the terminal, which the editor changes while it reads.
#[cfg(unix)]
mod modes {
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    /// The modes at one moment.
    pub(super) struct Saved(Option<Termios>);

    impl Saved {
        pub(super) fn now() -> Self {
            Self(tcgetattr(std::io::stdin()).ok())
        }

        pub(super) fn restore(&self) {
            if let Some(modes) = &self.0 {
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, modes);
            }
        }
    }
}

/// Elsewhere the console belongs to the process and is reset with its end.
#[cfg(not(unix))]
mod modes {
    pub(super) struct Saved;

    impl Saved {
        pub(super) fn now() -> Self {
            Self
        }

        pub(super) fn restore(&self) {}
    }
}
