//! The terminal while it is watched: taken, and given back as it was, whatever happens.

use std::io::{self, Stdout, Write as _};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor, execute,
        terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
    },
};

/// The whole terminal. Dropped, it is as it was before; also when something panics, before that is
/// said.
pub(super) struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    ///
    /// When it is none. It is then as it was.
    pub(super) fn take() -> io::Result<Self> {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            told(panic);
        }));
        let taken = terminal::enable_raw_mode()
            .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, cursor::Hide))
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        taken.map(Self).inspect_err(|_| give_back())
    }

    /// Draws the whole of it anew, as large as it is by now.
    ///
    /// # Errors
    ///
    /// When the terminal has gone.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        self.0.draw(draw).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Twice does no harm.
fn give_back() {
    // Whoever has hung up need not be told.
    let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
    let _ = io::stdout().flush();
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs::File,
        io::Read as _,
        process::{Command, Stdio},
        thread,
    };

    use rustix::{
        fs::{Mode, OFlags, open},
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::tcgetattr,
    };

    use super::*;

    #[test]
    #[ignore = "the test below runs it, on a terminal"]
    fn takes_the_terminal_and_panics() {
        let mut screen = Screen::take().expect("a terminal");
        screen.draw(|frame| frame.render_widget("on the screen", frame.area())).expect("drawn");
        panic!("as a test");
    }

    #[test]
    fn after_a_panic_the_terminal_is_as_it_was_and_the_panic_is_to_be_seen() {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a pseudo-terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("its other side");
        let path = ptsname(&master, Vec::new()).expect("its name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = open(path.as_c_str(), flags, Mode::empty()).expect("its other side");
        let before = tcgetattr(&line).expect("its modes");
        let side = || Stdio::from(line.try_clone().expect("one more descriptor"));
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "cli::top::screen::tests::takes_the_terminal_and_panics"])
            .args(["--ignored", "--nocapture"])
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .expect("it starts");
        let mut output = File::from(master);
        let (sender, shown) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = output.read(&mut bytes) {
                sender.send(bytes[..len].to_vec()).ok();
            }
        });
        assert!(!child.wait().expect("a status").success(), "it panicked");
        let after = tcgetattr(&line).expect("its modes");
        assert_eq!(after.local_modes, before.local_modes);
        assert_eq!(
            (after.input_modes, after.output_modes),
            (before.input_modes, before.output_modes)
        );
        // Nobody writes any more: what was shown comes to an end.
        drop(line);
        let shown =
            String::from_utf8_lossy(&shown.iter().flatten().collect::<Vec<u8>>()).into_owned();
        let taken = shown.find("\x1b[?1049h").expect("it took the screen");
        let given_back = shown.find("\x1b[?1049l").expect("it gave the screen back");
        let said = shown.find("as a test").expect("the panic is said");
        assert!(taken < given_back && given_back < said, "{shown:?}");
    }
}
