//! A file as a connection: what is in it is received, what is sent is put behind that.
//!
//! It is read by a thread of its own, as files cannot be waited for. One that is followed is looked
//! at every [`limits::FILE_POLL_INTERVAL`], which works on every file system, those of a network
//! included: a look costs two system calls.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _, Seek as _},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{io::AsyncWriteExt as _, sync::mpsc};

use super::{OpenError, Peer, stream};
use crate::limits;

/// How files are read and written.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FileOptions {
    /// Goes on behind what is there with what comes, as `tail -F` does: also in the file that takes
    /// the place of one that was renamed, and from the beginning of one that was cut short. Without
    /// it, what was there when it was opened is all there is.
    pub follow: bool,
    /// Makes the file if it is not there.
    pub create: bool,
    /// Is told what happens to a file that is followed.
    pub observer: FileObserver,
}

/// What happens to a file that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileEvent<'a> {
    /// It was cut short: what it had and was not read is missing. It is read from its beginning.
    CutShort(&'a Path),
}

type Tell = dyn Fn(FileEvent<'_>) + Send + Sync;

/// Is told each [`FileEvent`] as it happens. The default one does not listen.
#[derive(Clone, Default)]
pub struct FileObserver(Option<Arc<Tell>>);

impl FileObserver {
    /// Calls `tell` for each event, on the thread that reads the file.
    pub fn new(tell: impl Fn(FileEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    fn tell(&self, event: FileEvent<'_>) {
        tracing::info!(?event, "a file that is followed");
        if let Some(tell) = &self.0 {
            tell(event);
        }
    }
}

impl fmt::Debug for FileObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileObserver").field(&self.0.is_some()).finish()
    }
}

/// Opens a file. It is opened for writing once there is something to write.
pub(super) async fn open(
    path: &Path,
    options: &FileOptions,
) -> Result<((stream::Incoming, stream::Outgoing), Peer), OpenError> {
    let failed = |error| OpenError::File { address: path.display().to_string(), error };
    let (owned, options) = (path.to_owned(), options.clone());
    let reading = tokio::task::spawn_blocking(move || Reading::new(owned, options)).await;
    let reading = reading.map_err(io::Error::from).and_then(|opened| opened).map_err(failed)?;
    let (chunks, input) = mpsc::channel(1);
    let run = move || reading.run(&chunks);
    thread::Builder::new().name("file".to_owned()).spawn(run).map_err(failed)?;
    let peer = Peer::File(path.to_owned());
    let output = Appender { path: path.to_owned(), file: None };
    Ok((stream::file(input, output, &peer), peer))
}

/// Puts bytes at the end of a file.
#[derive(Debug)]
pub(super) struct Appender {
    path: PathBuf,
    file: Option<tokio::fs::File>,
}

impl Appender {
    /// Not safe to cancel: a part may have been written.
    pub(super) async fn append(&mut self, mut bytes: impl Buf) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = tokio::fs::OpenOptions::new().append(true).open(&self.path).await?;
                none.insert(file)
            }
        };
        file.write_all_buf(&mut bytes).await?;
        file.flush().await
    }
}

type Chunks = mpsc::Sender<io::Result<Bytes>>;

/// A file that is being read.
struct Reading {
    path: PathBuf,
    file: File,
    follow: bool,
    observer: FileObserver,
    /// How much of it was read, in bytes.
    position: u64,
    /// What is not read any more: what was written since it was opened.
    end: Option<u64>,
}

/// What became of a file that was read to its end.
enum Fate {
    Same,
    CutShort,
    Replaced,
}

impl Reading {
    /// It blocks.
    fn new(path: PathBuf, options: FileOptions) -> io::Result<Self> {
        let FileOptions { follow, create, observer } = options;
        let file = match File::open(&path) {
            Err(error) if create && error.kind() == io::ErrorKind::NotFound => {
                fs::OpenOptions::new().append(true).create(true).open(&path)?;
                File::open(&path)?
            }
            opened => opened?,
        };
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Files that the system makes up as they are read say that they are empty.
        let is_finished = !follow && about.is_file() && about.len() > 0;
        let end = is_finished.then_some(about.len());
        Ok(Self { path, file, follow, observer, position: 0, end })
    }

    /// Reads to the end, or until nobody wants more.
    fn run(mut self, chunks: &Chunks) {
        let error = match self.read_all(chunks) {
            Ok(true) if self.follow => self.follow(chunks).err(),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            // Nobody is left to be told if this fails.
            let _ = chunks.blocking_send(Err(error));
        }
    }

    /// Reads what is there; whether somebody still wants more.
    fn read_all(&mut self, chunks: &Chunks) -> io::Result<bool> {
        let mut buffer = BytesMut::new();
        loop {
            let left = self.end.map_or(u64::MAX, |end| end.saturating_sub(self.position));
            let room = usize::try_from(left).unwrap_or(usize::MAX);
            buffer.resize(room.min(limits::STREAM_CHUNK_BYTES_MAX), 0);
            let count = match self.file.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.position += count as u64;
            if chunks.blocking_send(Ok(buffer.split_to(count).freeze())).is_err() {
                return Ok(false);
            }
        }
    }

    /// Reads what comes, until nobody wants it.
    fn follow(&mut self, chunks: &Chunks) -> io::Result<()> {
        while !chunks.is_closed() {
            thread::sleep(limits::FILE_POLL_INTERVAL);
            let fate = self.fate()?;
            if let Fate::CutShort = fate {
                self.observer.tell(FileEvent::CutShort(&self.path));
                (self.position, _) = (0, self.file.rewind()?);
            }
            // Also of one that was replaced: its writer may not have known at once.
            if !self.read_all(chunks)? {
                return Ok(());
            }
            if let Fate::Replaced = fate {
                match File::open(&self.path) {
                    Ok(file) => {
                        tracing::info!(path = %self.path.display(), "another file has its name");
                        (self.file, self.position) = (file, 0);
                    }
                    // It is moved away once more: the next one comes.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
                if !self.read_all(chunks)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn fate(&self) -> io::Result<Fate> {
        let ours = self.file.metadata()?;
        let named = match fs::metadata(&self.path) {
            Ok(named) => named,
            // What takes its place is still to come.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Fate::Same),
            Err(error) => return Err(error),
        };
        Ok(if !is_same(&ours, &named) {
            Fate::Replaced
        } else if ours.is_file() && ours.len() < self.position {
            Fate::CutShort
        } else {
            Fate::Same
        })
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Nothing says so here.
#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}
