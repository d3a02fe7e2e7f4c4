//! What is added to a file, and to those that take its place.
//!
//! A file is looked at every [`limits::FILE_POLL_INTERVAL`], which works on every file system. One
//! that was renamed or deleted is read on for a while beside the one that has its name now: its
//! writer may not know yet.

use std::{
    collections::VecDeque,
    fs::{self, Metadata},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    thread,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use enchufe_core::Message;

use super::{
    Source,
    inflow::{Inflow, Outflow},
};
use crate::{
    limits,
    transport::{Cutter, Framing, Throttle},
};

/// Where a file is begun that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileStart {
    /// With what is added from now on; a line that is being written is whole.
    #[default]
    End,
    /// With what is there.
    Beginning,
}

/// The messages of a file as it grows, which has no end. A thread reads it.
///
/// When another file takes its name (it was renamed and made anew, or a symbolic link was
/// switched), the rest of the old one comes before the new one, from its beginning. What is added to
/// the old one later comes, too, until nothing was for [`limits::FILE_LEFT_QUIET`]. A file that was
/// cut short is read from its beginning, and the log says so: what it had and was not read is
/// missing. One that is not there is waited for.
#[derive(Debug)]
pub struct File {
    inflow: Inflow,
}

impl File {
    /// Follows the file at `path`.
    ///
    /// # Errors
    ///
    /// When something is there that cannot be read.
    pub fn follow(path: &Path, framing: Framing, start: FileStart) -> io::Result<Self> {
        let mut follower = Follower {
            path: path.to_owned(),
            framing,
            current: None,
            left: VecDeque::new(),
            throttle: Throttle::default(),
        };
        match Opened::at(path) {
            Ok(opened) => follower.current = Some(Tail::begin(opened, framing, start)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), "there is no such file yet: it is waited for");
            }
            Err(error) => return Err(error),
        }
        let (outflow, inflow) = Inflow::new(1);
        thread::Builder::new().name("follow".to_owned()).spawn(move || follower.run(&outflow))?;
        Ok(Self { inflow })
    }
}

impl File {
    /// Has its thread stop.
    pub(super) fn stop(&mut self) {
        self.inflow.close();
    }
}

impl Source for File {
    async fn next(&mut self) -> Option<Message> {
        self.inflow.next().await
    }
}

/// Follows a file for as long as somebody wants to know.
struct Follower {
    path: PathBuf,
    framing: Framing,
    current: Option<Tail>,
    /// Those that have lost the name, the oldest first.
    left: VecDeque<Tail>,
    throttle: Throttle,
}

/// Nobody wants to know any more.
struct Unwanted;

impl From<Unwanted> for Trouble {
    fn from(_: Unwanted) -> Self {
        Self::Unwanted
    }
}

/// Why a look was broken off.
enum Trouble {
    Unwanted,
    /// It may pass.
    Io(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Follower {
    fn run(mut self, to: &Outflow) {
        while !to.is_closed() {
            match self.look(to) {
                Ok(()) => {}
                Err(Trouble::Unwanted) => return,
                Err(Trouble::Io(error)) => {
                    if let Some(withheld) = self.throttle.warn() {
                        let path = self.path.display();
                        tracing::warn!(%path, %error, withheld, "the file cannot be read: trying on");
                    }
                }
            }
            thread::sleep(limits::FILE_POLL_INTERVAL);
        }
    }

    /// Reads what has come since the last look.
    ///
    /// How long the newest file is, is asked before the older ones are read: whatever its writer
    /// wrote to those before it wrote that much to this one, comes first.
    fn look(&mut self, to: &Outflow) -> Result<(), Trouble> {
        let is_replaced = self.is_replaced()?;
        let newest = self.current.as_mut().map(Tail::judge).transpose()?;
        self.read_left(to)?;
        let (Some(tail), Some(end)) = (&mut self.current, newest) else {
            if let Some(opened) = self.open()? {
                self.current = Some(Tail::begin(opened, self.framing, FileStart::Beginning)?);
            }
            return Ok(());
        };
        if let Some(unfinished) = tail.restart_if_cut_short(end)? {
            let path = self.path.display();
            let lost = "the file was cut short: what it had and was not read is missing";
            tracing::warn!(%path, unfinished_bytes = unfinished, "{lost}");
            return Ok(());
        }
        if !is_replaced {
            tail.read(end.len, to)?;
            return Ok(());
        }
        // All of it: whoever has written to the other one has written this before.
        tail.read(u64::MAX, to)?;
        if let Some(opened) = self.open()? {
            tracing::info!(path = %self.path.display(), "another file has the name");
            let new = Tail::begin(opened, self.framing, FileStart::Beginning)?;
            self.left.extend(self.current.replace(new));
        }
        Ok(())
    }

    fn is_replaced(&self) -> io::Result<bool> {
        match (fs::metadata(&self.path), &self.current) {
            (Ok(named), Some(tail)) => Ok(!is_same(&tail.file.metadata()?, &named)),
            (Ok(_), None) => Ok(true),
            // What takes its place is still to come.
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            (Err(error), _) => Err(error),
        }
    }

    fn open(&self) -> io::Result<Option<Opened>> {
        match Opened::at(&self.path) {
            Ok(opened) => Ok(Some(opened)),
            // It has been moved away again: the next one comes.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads what was added to those that have lost the name, and lets go of the quiet ones.
    fn read_left(&mut self, to: &Outflow) -> Result<(), Trouble> {
        for tail in &mut self.left {
            tail.read(u64::MAX, to)?;
        }
        while let Some(oldest) = self.left.front() {
            let is_quiet = oldest.grew_at.elapsed() >= limits::FILE_LEFT_QUIET;
            let is_too_many = self.left.len() > limits::FILES_LEFT_MAX;
            if !is_quiet && !is_too_many {
                break;
            }
            if !is_quiet {
                let path = self.path.display();
                tracing::warn!(%path, "a file that lost the name is read no further: there are too many");
            }
            if let Some(mut tail) = self.left.pop_front() {
                tail.finish(to)?;
            }
        }
        Ok(())
    }
}

/// A file that is there and can be read.
struct Opened {
    file: fs::File,
    about: Metadata,
}

impl Opened {
    fn at(path: &Path) -> io::Result<Self> {
        let mut options = fs::OpenOptions::new();
        options.read(true);
        // A named pipe is opened, too, whether somebody writes to it yet or not.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
        );
        let file = options.open(path)?;
        let about = file.metadata()?;
        match about.is_dir() {
            true => Err(io::ErrorKind::IsADirectory.into()),
            false => Ok(Self { file, about }),
        }
    }
}

/// How a file stands.
#[derive(Clone, Copy)]
struct End {
    len: u64,
    /// It was written to since, and what was read before is not there any more.
    is_other: bool,
}

/// A file, and how much of it was read.
struct Tail {
    file: fs::File,
    /// What is not regular, such as a named pipe, has neither a length nor positions.
    is_regular: bool,
    position: u64,
    /// What stands right before the position, to know the file by.
    edge: Vec<u8>,
    modified_at: Option<SystemTime>,
    grew_at: Instant,
    cutter: Cutter,
}

/// How much of a file's past it is known by, in bytes.
const EDGE_BYTES: usize = 64;

impl Tail {
    fn begin(opened: Opened, framing: Framing, start: FileStart) -> io::Result<Self> {
        let Opened { mut file, about } = opened;
        let is_regular = about.is_file();
        let position = match start {
            FileStart::End if is_regular => last_end(&mut file, about.len(), framing)?,
            _ => 0,
        };
        if is_regular {
            file.seek(SeekFrom::Start(position))?;
        }
        let cutter = Cutter::splitting(framing, limits::MESSAGE_BYTES_MAX);
        let (edge, modified_at, grew_at) = (Vec::new(), None, Instant::now());
        Ok(Self { file, is_regular, position, edge, modified_at, grew_at, cutter })
    }

    /// How it stands now. Length alone would not tell of a file that was cut short and has grown
    /// since.
    fn judge(&mut self) -> io::Result<End> {
        let about = self.file.metadata()?;
        if !self.is_regular {
            return Ok(End { len: u64::MAX, is_other: false });
        }
        let (len, modified_at) = (about.len(), about.modified().ok());
        let is_other = len < self.position
            || (modified_at != self.modified_at && !self.edge_is_there().unwrap_or(true));
        self.modified_at = modified_at;
        Ok(End { len, is_other })
    }

    #[cfg(unix)]
    fn edge_is_there(&self) -> io::Result<bool> {
        use std::os::unix::fs::FileExt as _;
        let mut found = vec![0; self.edge.len()];
        self.file.read_exact_at(&mut found, self.position - self.edge.len() as u64)?;
        Ok(found == self.edge)
    }

    #[cfg(not(unix))]
    fn edge_is_there(&self) -> io::Result<bool> {
        Ok(true)
    }

    /// Begins again if the file was cut short: how much of a message had come of which the rest is
    /// gone, in bytes.
    fn restart_if_cut_short(&mut self, end: End) -> io::Result<Option<usize>> {
        if !end.is_other {
            return Ok(None);
        }
        self.file.rewind()?;
        self.position = 0;
        self.edge.clear();
        let unfinished = self.cutter.unfinished_bytes();
        self.cutter.clear();
        Ok(Some(unfinished))
    }

    /// Reads as far as there is something, or up to a position.
    fn read(&mut self, end: u64, to: &Outflow) -> Result<(), Trouble> {
        let mut buffer = vec![0; limits::STREAM_CHUNK_BYTES_MAX];
        loop {
            let left = usize::try_from(end.saturating_sub(self.position)).unwrap_or(usize::MAX);
            let room = left.min(buffer.len());
            let count = match self.file.read(&mut buffer[..room]) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let chunk = &buffer[..count];
            self.remember(chunk);
            self.cutter.push(Bytes::copy_from_slice(chunk));
            self.send(false, to)?;
        }
    }

    fn remember(&mut self, chunk: &[u8]) {
        if self.is_regular {
            self.position += chunk.len() as u64;
            self.edge.extend_from_slice(&chunk[chunk.len().saturating_sub(EDGE_BYTES)..]);
            self.edge.drain(..self.edge.len().saturating_sub(EDGE_BYTES));
        }
        self.grew_at = Instant::now();
    }

    /// Reads what is left of a file that is not looked at any more: its last line needs no end.
    fn finish(&mut self, to: &Outflow) -> Result<(), Trouble> {
        self.read(u64::MAX, to)?;
        Ok(self.send(true, to)?)
    }

    /// Sends the messages that are whole, and at the end what is left.
    fn send(&mut self, is_end: bool, to: &Outflow) -> Result<(), Unwanted> {
        let mut batch = Vec::new();
        loop {
            let cut = match self.cutter.next() {
                Ok(None) if is_end => self.cutter.rest(),
                cut => cut,
            };
            match cut {
                Ok(Some(message)) => batch.push(Message::detect(message)),
                Ok(None) => break,
                Err(error) => {
                    // Where the next message begins is not known: what comes next is tried.
                    tracing::warn!(%error, "what the file has cannot be cut into messages");
                    self.cutter.clear();
                }
            }
        }
        match batch.is_empty() {
            true => Ok(()),
            false => to.blocking_send(batch).map_err(|_| Unwanted),
        }
    }
}

/// Where the last message ends that is whole, if its end is not too far away.
fn last_end(file: &mut fs::File, len: u64, framing: Framing) -> io::Result<u64> {
    let ending = match framing {
        Framing::Lines | Framing::LineFeed => b'\n',
        Framing::Nul => 0,
        _ => return Ok(len),
    };
    let mut block = Vec::new();
    let mut begin = len;
    while begin > 0 && len - begin < limits::MESSAGE_BYTES_MAX as u64 {
        let end = begin;
        begin = begin.saturating_sub(limits::STREAM_CHUNK_BYTES_MAX as u64);
        file.seek(SeekFrom::Start(begin))?;
        block.clear();
        file.take(end - begin).read_to_end(&mut block)?;
        if let Some(at) = memchr::memrchr(ending, &block) {
            return Ok(begin + at as u64 + 1);
        }
    }
    // A line that has begun the file is whole, too.
    Ok(if begin == 0 { 0 } else { len })
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Nothing says so here.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}
