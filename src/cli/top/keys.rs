//! Keys that are pressed, and the terminal's new sizes.

use std::{io, thread};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

use crate::limits;

/// What was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Ctrl-C.
    Interrupt,
    /// A character.
    Character(char),
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// So many rows down, or up.
    Scroll(isize),
    /// To the right, or left.
    Sideways(isize),
    /// The terminal has another size.
    Resized,
    /// Nobody presses keys any more.
    Gone,
}

/// Keys from a thread of its own: reading a terminal waits. The thread ends with the process.
pub(super) struct Keys(mpsc::Receiver<Key>);

impl Keys {
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub(super) fn listen() -> io::Result<Self> {
        let (sender, keys) = mpsc::channel(limits::TOP_KEYS_MAX);
        thread::Builder::new().name("keys".into()).spawn(move || {
            while let Ok(event) = event::read() {
                if let Some(key) = key(&event)
                    && sender.blocking_send(key).is_err()
                {
                    return;
                }
            }
        })?;
        Ok(Self(keys))
    }

    /// The next key. Cancel-safe.
    pub(super) async fn next(&mut self) -> Key {
        self.0.recv().await.unwrap_or(Key::Gone)
    }
}

fn key(event: &Event) -> Option<Key> {
    const PAGE: isize = 10;
    let pressed = match event {
        Event::Resize(_, _) => return Some(Key::Resized),
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        _ => return None,
    };
    let control = pressed.modifiers.contains(KeyModifiers::CONTROL);
    Some(match pressed.code {
        KeyCode::Char('c' | 'C') if control => Key::Interrupt,
        KeyCode::Char(_) if control => return None,
        KeyCode::Char(character) => Key::Character(character),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Down => Key::Scroll(1),
        KeyCode::Up => Key::Scroll(-1),
        KeyCode::PageDown => Key::Scroll(PAGE),
        KeyCode::PageUp => Key::Scroll(-PAGE),
        KeyCode::Right => Key::Sideways(1),
        KeyCode::Left => Key::Sideways(-1),
        _ => return None,
    })
}
