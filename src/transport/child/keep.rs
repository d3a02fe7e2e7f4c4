//! The keeper itself: a process that runs one program, and leaves nothing of it behind.
//!
//! See [`Keeper`](super::Keeper). Its standard input is a socket, through which it is given the
//! program's streams and says how the program ended; when the socket ends, so does everything.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs,
    io::{self, IoSliceMut, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{net::UnixStream as Socket, process::CommandExt as _},
    },
    process::Command,
};

use rustix::{
    io::Errno,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
    process::{
        Pid, Signal, WaitOptions, WaitStatus, getpid, ioctl_tiocsctty, kill_process,
        set_child_subreaper, setsid, wait,
    },
};
use tokio::{
    io::AsyncReadExt as _,
    net::UnixStream,
    signal::unix::{Signal as Signals, SignalKind, signal},
    time::{Instant, sleep, sleep_until},
};

use super::keeper::{ERROR, EXIT, GROUP, SIGNAL, TERMINAL};
use crate::limits;

/// Runs the program that `words` name, and keeps it until it, and whatever it has started, is gone.
/// To be called by a process of its own, before it has any threads: see
/// [`Keeper`](super::Keeper).
///
/// # Errors
///
/// When standard input is no socket of somebody who wants a program kept.
pub fn run(words: &[OsString]) -> io::Result<()> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut keeping = Keeping::begin()?;
        match keeping.start(program, arguments) {
            Ok(()) => keeping.keep().await,
            Err(error) => {
                keeping.say(ERROR, error.raw_os_error().unwrap_or_default());
                Ok(())
            }
        }
    })
}

/// The program's ends, and whether they are a terminal.
struct Given {
    is_terminal: bool,
    ends: [OwnedFd; 3],
}

struct Keeping {
    control: UnixStream,
    /// For words, which fit into the socket's room.
    words: Socket,
    given: Option<Given>,
    children: Signals,
    /// Signals that are for the program, not for us: a terminal sends them to both.
    _ignored: Vec<Signals>,
    program: Option<Pid>,
    is_terminal: bool,
}

impl Keeping {
    fn begin() -> io::Result<Self> {
        let socket = Socket::from(io::stdin().as_fd().try_clone_to_owned()?);
        let given = receive(&socket)?;
        let me = getpid();
        set_child_subreaper(Some(me))?;
        // Away from the terminal of whoever serves, whose Ctrl-C is not for us.
        setsid().ok();
        if given.is_terminal {
            ioctl_tiocsctty(&given.ends[1])?;
        }
        let children = signal(SignalKind::child())?;
        let ignored = [
            Signal::HUP,
            Signal::INT,
            Signal::QUIT,
            Signal::TERM,
            Signal::TSTP,
            Signal::TTIN,
            Signal::TTOU,
            Signal::USR1,
            Signal::USR2,
        ];
        let ignored = ignored.map(|one| signal(SignalKind::from_raw(one.as_raw())));
        let _ignored = ignored.into_iter().collect::<io::Result<_>>()?;
        socket.set_nonblocking(true)?;
        let words = socket.try_clone()?;
        let control = UnixStream::from_std(socket)?;
        let is_terminal = given.is_terminal;
        Ok(Self {
            control,
            words,
            given: Some(given),
            children,
            _ignored,
            program: None,
            is_terminal,
        })
    }

    fn start(&mut self, program: &OsString, arguments: &[OsString]) -> io::Result<()> {
        let Some(Given { ends: [input, output, complaints], .. }) = self.given.take() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(input).stdout(output).stderr(complaints);
        if !self.is_terminal {
            // On a terminal it stays in our group, which is the one in the foreground.
            command.process_group(0);
        }
        let child = command.spawn()?;
        // What `command` has of the program's ends goes with it, or they would never end.
        drop(command);
        self.program = super::pid(Some(child.id()));
        let group = if self.is_terminal { Some(getpid()) } else { self.program };
        self.say(GROUP, group.map_or(0, |group| group.as_raw_nonzero().get()));
        Ok(())
    }

    fn say(&mut self, word: &str, number: i32) {
        // Nobody is left to be told if this fails.
        let _ = self.words.write_all(format!("{word} {number}\n").as_bytes());
    }

    async fn keep(mut self) -> io::Result<()> {
        let mut byte = [0];
        while self.program.is_some() {
            tokio::select! {
                _ = self.control.read(&mut byte) => break,
                _ = self.children.recv() => { self.reap(); }
            }
        }
        // Shells on a terminal heed its end alone. Whoever is stopped hears nothing until it goes on.
        let asks: &[Signal] = match self.is_terminal {
            true => &[Signal::HUP, Signal::TERM, Signal::CONT],
            false => &[Signal::TERM, Signal::CONT],
        };
        if !self.end(asks, true).await {
            self.end(&[Signal::KILL], false).await;
        }
        Ok(())
    }

    /// Sends signals to all that is left, once or again and again; whether all has gone in time.
    async fn end(&mut self, signals: &[Signal], once: bool) -> bool {
        let deadline = Instant::now() + limits::PROGRAM_STOP_TIMEOUT;
        let mut sent = false;
        while self.reap() {
            if !(once && sent) {
                sent = true;
                for process in descendants() {
                    for signal in signals {
                        // One that has ended meanwhile needs no more.
                        kill_process(process, *signal).ok();
                    }
                }
            }
            tokio::select! {
                _ = self.children.recv() => {}
                () = sleep(limits::RETRY_PAUSE), if !once => {}
                () = sleep_until(deadline) => return !self.reap(),
            }
        }
        true
    }

    /// Takes notice of what has ended; whether anything is left.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if Some(pid) == self.program => {
                    self.program = None;
                    self.tell(status);
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    fn tell(&mut self, status: WaitStatus) {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => self.say(EXIT, code),
            (None, Some(number)) => self.say(SIGNAL, number),
            (None, None) => {}
        }
    }
}

/// Waits for the program's ends.
fn receive(socket: &Socket) -> io::Result<Given> {
    let mut kind = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    recvmsg(socket, &mut [IoSliceMut::new(&mut kind)], &mut ancillary, flags)?;
    let ends = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(ends) => Some(ends.collect::<Vec<_>>()),
        _ => None,
    });
    let ends = ends.and_then(|ends| <[OwnedFd; 3]>::try_from(ends).ok());
    let ends = ends.ok_or(io::ErrorKind::InvalidInput)?;
    Ok(Given { is_terminal: kind == [TERMINAL], ends })
}

/// Every process that came from this one, however far.
fn descendants() -> HashSet<Pid> {
    let parents = parents();
    let mut found = HashSet::new();
    let mut unseen = vec![getpid()];
    while let Some(parent) = unseen.pop() {
        let children = parents.iter().filter(|(_, its)| *its == parent).map(|(child, _)| *child);
        unseen.extend(children.filter(|child| found.insert(*child)));
    }
    found
}

/// Every process and its parent. (A process's list of its children, `/proc/PID/task/TID/children`,
/// is a thing that not every kernel has.)
fn parents() -> Vec<(Pid, Pid)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pid = |text: &str| Pid::from_raw(text.parse().ok()?);
    let pair = |process: fs::DirEntry| {
        let child = pid(process.file_name().to_str()?)?;
        let stat = fs::read(process.path().join("stat")).ok()?;
        // Behind the name, which is in parentheses and may have some: the state and the parent.
        let rest = &stat[memchr::memrchr(b')', &stat)? + 1..];
        let parent = std::str::from_utf8(rest).ok()?.split_whitespace().nth(1)?;
        Some((child, pid(parent)?))
    };
    processes.filter_map(pair).collect()
}
