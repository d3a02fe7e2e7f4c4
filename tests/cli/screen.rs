//! A terminal to run the program on: a pseudo-terminal and what a person would see on it.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    num::NonZero,
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use crate::harness::Watchdog;
use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

/// Longer than anything here takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

const ROWS: NonZero<u16> = NonZero::new(24).expect("some rows");
const COLUMNS: NonZero<u16> = NonZero::new(80).expect("some columns");

/// The program on a terminal.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    /// Kept open, so that the terminal outlives the program and can be looked at.
    line: OwnedFd,
    seen: Arc<(Mutex<vt100::Parser>, Condvar)>,
}

/// Which of the program's streams are the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wiring {
    /// All of them.
    All,
    /// All but standard input, which is `/dev/null`.
    OutputOnly,
    /// All but standard output, which is `/dev/null`.
    AllButOutput,
    /// Standard error alone; the others are `/dev/null`.
    ErrorsOnly,
}

impl Terminal {
    /// Starts a command on a terminal of its own.
    pub(crate) fn start(mut command: Command, wiring: Wiring) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = openpt(flags).expect("a pseudo-terminal");
        grantpt(&keys).and_then(|()| unlockpt(&keys)).expect("its other side");
        let path = ptsname(&keys, Vec::new()).expect("its name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = open(path.as_c_str(), flags, Mode::empty()).expect("its other side");
        let size =
            Winsize { ws_row: ROWS.get(), ws_col: COLUMNS.get(), ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&keys, size).expect("its size");
        let side = || Stdio::from(line.try_clone().expect("one more descriptor"));
        let is_null = |wirings: [Wiring; 2]| wirings.contains(&wiring);
        let input_is_null = is_null([Wiring::OutputOnly, Wiring::ErrorsOnly]);
        command.stdin(if input_is_null { Stdio::null() } else { side() });
        let output_is_null = is_null([Wiring::AllButOutput, Wiring::ErrorsOnly]);
        command.stdout(if output_is_null { Stdio::null() } else { side() });
        command.stderr(side()).env("TERM", "xterm-256color");
        let child = command.spawn().expect("the program starts");
        let seen = Arc::new((Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)), Condvar::new()));
        let keys = File::from(keys);
        let mut output = keys.try_clone().expect("one more descriptor");
        let watched = Arc::clone(&seen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = output.read(&mut bytes) {
                watched.0.lock().expect("no panic").process(&bytes[..len]);
                watched.1.notify_all();
            }
        });
        Self { child, keys, line, seen }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("somebody reads the keys");
    }

    /// Waits until a row of the screen is this text, and nothing else but spaces.
    pub(crate) fn sees(&self, row: &str) {
        self.sees_rows(&format!("the row {row:?}"), |rows| rows.iter().any(|seen| seen == row));
    }

    /// Waits until these are the last rows of the screen, those that are empty left out.
    pub(crate) fn sees_last(&self, last: &[&str]) {
        self.sees_rows(&format!("the last rows {last:?}"), |rows| {
            rows.len() >= last.len() && rows[rows.len() - last.len()..] == *last
        });
    }

    /// Waits until the rows of the screen, without the empty ones at the end, are as they should.
    pub(crate) fn sees_rows(&self, what: &str, is_right: impl Fn(&[String]) -> bool) {
        let rows = |parser: &vt100::Parser| -> Vec<String> {
            let rows = parser.screen().rows(0, COLUMNS.get()).map(|row| row.trim_end().to_owned());
            let mut rows: Vec<String> = rows.collect();
            while rows.last().is_some_and(String::is_empty) {
                rows.pop();
            }
            rows
        };
        let parser = self.seen.0.lock().expect("no panic");
        let waited =
            self.seen.1.wait_timeout_while(parser, PATIENCE, |parser| !is_right(&rows(parser)));
        let (parser, timeout) = waited.expect("no panic");
        assert!(!timeout.timed_out(), "did not see {what} in:\n{}", rows(&parser).join("\n"));
    }

    /// Makes the terminal another size, as a window that is drawn smaller.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.keys, size).expect("its size");
        let (rows, columns) = (NonZero::new(rows), NonZero::new(columns));
        let mut parser = self.seen.0.lock().expect("no panic");
        parser.screen_mut().set_size(rows.expect("some"), columns.expect("some"));
    }

    /// Whether a program has the whole screen to itself.
    pub(crate) fn is_taken(&self) -> bool {
        self.seen.0.lock().expect("no panic").screen().alternate_screen()
    }

    /// Waits until the screen is taken, or given back.
    pub(crate) fn until_taken(&self, taken: bool) {
        let parser = self.seen.0.lock().expect("no panic");
        let waited = self.seen.1.wait_timeout_while(parser, PATIENCE, |parser| {
            parser.screen().alternate_screen() != taken
        });
        assert!(!waited.expect("no panic").1.timed_out(), "the screen is not taken: {taken}");
    }

    /// Waits for the end: the exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let _watchdog = Watchdog::of(&self.child);
        self.child.wait().expect("a status").code()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the first character on the screen has a colour.
    pub(crate) fn has_colour(&self) -> bool {
        let parser = self.seen.0.lock().expect("no panic");
        let first = parser.screen().cell(0, 0).expect("a cell");
        first.fgcolor() != vt100::Color::Default
    }

    /// Whether the terminal shows what is typed, as it did before the program.
    pub(crate) fn is_as_before(&self) -> bool {
        let modes = tcgetattr(&self.line).expect("the modes").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It is gone already, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
