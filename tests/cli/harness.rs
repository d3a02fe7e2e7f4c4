//! Runs the program and waits for what it says, never for a time.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

/// Longer than anything here takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program with these arguments, in English, away from the settings of whoever runs the test.
pub(crate) fn enchufe(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_enchufe"));
    command.args(arguments);
    for name in
        ["ENCHUFE_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "ENCHUFE_LOG", "ENCHUFE_LOG_FORMAT"]
    {
        command.env_remove(name);
    }
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "ENCHUFE_SERVER", "ENCHUFE_TOKEN_FILE"] {
        command.env_remove(name);
    }
    command
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    /// Standard output, which is text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text on standard output")
    }

    /// Standard output after checking that all went well.
    pub(crate) fn success(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.text()
    }
}

/// Runs to the end with this standard input.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Ended {
    run_command(enchufe(arguments), input)
}

/// Runs a prepared command to its end with this standard input.
pub(crate) fn run_command(mut command: Command, input: &[u8]) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    // A program that does not read all of its input is none of our business.
    let feeder = thread::spawn(move || stdin.write_all(&input).is_ok());
    let ended = wait(child);
    feeder.join().expect("the feeder does not panic");
    ended
}

/// Waits for the end of a program whose outputs are piped.
pub(crate) fn wait(mut child: Child) -> Ended {
    let mut stdout = child.stdout.take().expect("piped");
    let mut stderr = child.stderr.take().expect("piped");
    let watchdog = Watchdog::of(&child);
    let out = thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).map(|_| bytes)
    });
    let mut errors = String::new();
    stderr.read_to_string(&mut errors).expect("text on standard error");
    let stdout = out.join().expect("no panic").expect("standard output");
    let status = child.wait().expect("a status");
    drop(watchdog);
    Ended { code: status.code(), stdout, stderr: errors }
}

/// Kills a program that hangs, so that its test fails instead of hanging with it.
pub(crate) struct Watchdog(
    #[expect(dead_code, reason = "dropping it is what counts")] mpsc::Sender<()>,
);

impl Watchdog {
    /// Watches until it is dropped.
    pub(crate) fn of(child: &Child) -> Self {
        let id = child.id();
        let (done, watched) = mpsc::channel::<()>();
        thread::spawn(move || {
            if let Err(mpsc::RecvTimeoutError::Timeout) = watched.recv_timeout(PATIENCE) {
                signal(id, "KILL");
            }
        });
        Self(done)
    }
}

/// Sends a signal by its name.
pub(crate) fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &id.to_string()]).status();
    assert!(sent.expect("kill(1)").success(), "kill -s {name} {id}");
}

/// A program that goes on until it is stopped, with its lines as they come.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    /// Starts the program.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_command(enchufe(arguments))
    }

    /// Starts a prepared command.
    pub(crate) fn start_command(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stdin = child.stdin.take();
        let stdout = lines(child.stdout.take().expect("piped"));
        let stderr = lines(child.stderr.take().expect("piped"));
        Self { child, stdin, stdout, stderr }
    }

    /// The next line on standard output.
    pub(crate) fn line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).expect("a line on standard output")
    }

    /// The next line on standard output, if there is one.
    #[allow(dead_code, reason = "not every test binary has such a program")]
    pub(crate) fn try_line(&self) -> Option<String> {
        match self.stdout.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("neither a line nor the end"),
        }
    }

    /// The next line on standard error.
    pub(crate) fn notice(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).expect("a line on standard error")
    }

    /// The address in the next line that says where it listens.
    pub(crate) fn address(&self) -> String {
        loop {
            let notice = self.notice();
            let said = ["listening on ", "escuchando en "];
            if let Some(address) = said.iter().find_map(|said| notice.strip_prefix(said)) {
                return address.to_owned();
            }
        }
    }

    /// Writes to its standard input.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("still open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("it reads");
    }

    /// Ends its standard input.
    #[allow(dead_code, reason = "not every test binary has such a program")]
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Its standard input, for another program to write to.
    #[allow(dead_code, reason = "not every test binary has such a program")]
    pub(crate) fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("still open")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it with SIGTERM.
    pub(crate) fn stop(self) -> Ended {
        signal(self.child.id(), "TERM");
        self.end()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        self.stdin = None;
        let _watchdog = Watchdog::of(&self.child);
        let rest = |lines: &Receiver<String>| {
            let mut text = String::new();
            while let Ok(line) = lines.recv() {
                text.push_str(&line);
                text.push('\n');
            }
            text
        };
        let stdout = rest(&self.stdout).into_bytes();
        let stderr = rest(&self.stderr);
        let status = self.child.wait().expect("a status");
        Ended { code: status.code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is gone already, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
