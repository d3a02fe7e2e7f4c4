//! The line editor of a conversation, on a thread of its own.

use std::{
    env, io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustyline::{Config, DefaultEditor, ExternalPrinter, error::ReadlineError};
use tokio::sync::mpsc;

use super::printer::{Printer, write};
use crate::{
    cli::{escape, failure::Failure},
    limits,
};

/// What the user typed.
pub(super) enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-D, or a terminal that has gone.
    End,
    /// Ctrl-C.
    Interrupted,
}

/// The editor, on a thread of its own: reading keys blocks.
pub(super) struct Editor {
    lines: mpsc::Sender<Typed>,
    prompt: String,
    cut: Arc<Cut>,
    history: Option<PathBuf>,
}

/// Says that the end of the editor's input will not be the user's doing.
#[derive(Debug, Default)]
pub(super) struct Cut(AtomicBool);

impl Cut {
    /// The input ends now.
    pub(super) fn announce(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_announced(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What the editor leaves on the screen when its input ends, taken back: the line it was on.
const ERASE_LINE: &str = "\x1b[A\r\x1b[J";

/// The default prompt, and the mark of a line that was sent.
const SENT: &str = "> ";
impl Editor {
    /// Starts the editor. Lines come out of the receiver, in the order typed.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be used.
    pub(super) fn open(prompt: Option<&str>) -> Result<(mpsc::Receiver<Typed>, Printer), Failure> {
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
        let cut = Arc::new(Cut::default());
        // Closed by the end of the thread, whatever ends it.
        let (alive, ended) = std::sync::mpsc::channel();
        let printer = Printer::new(above, Arc::clone(&cut), ended);
        // One line at a time: the next is asked for when this one is taken.
        let (lines, typed) = mpsc::channel(1);
        let this = Self { lines, prompt: prompt.unwrap_or(SENT).to_owned(), cut, history };
        thread::Builder::new()
            .name("editor".into())
            .spawn(move || {
                let _alive = alive;
                this.run(editor);
            })
            .map_err(Failure::Input)?;
        Ok((typed, printer))
    }

    fn run(&self, mut editor: DefaultEditor) {
        while !self.cut.is_announced() {
            let typed = match editor.readline(&self.prompt) {
                Ok(lines) => {
                    // What was pasted may be several.
                    for line in lines.split('\n') {
                        if self.prompt != SENT {
                            write(&format!("{SENT}{}\n", escape::line(line.as_bytes())));
                        }
                        self.remember(&mut editor, line);
                        if self.lines.blocking_send(Typed::Line(line.to_owned())).is_err() {
                            return;
                        }
                    }
                    continue;
                }
                Err(ReadlineError::Eof) if self.cut.is_announced() => {
                    write(ERASE_LINE);
                    Typed::End
                }
                Err(ReadlineError::Interrupted) => Typed::Interrupted,
                Err(_) => Typed::End,
            };
            // Whoever hears no more has ended already.
            let _ = self.lines.blocking_send(typed);
            return;
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
