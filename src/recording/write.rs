//! Writing a recording.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{
    Entry, Header,
    line::{First, Line},
};

/// Why a recording cannot be begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// There is a file already.
    #[error("cannot record to {}: the file is there already", path.display())]
    Exists {
        /// The file asked for.
        path: PathBuf,
    },
    /// What is there is no file that could be replaced.
    #[error("cannot record to {}: what is there is no file", path.display())]
    NotAFile {
        /// The file asked for.
        path: PathBuf,
    },
    /// What the system said.
    #[error("cannot record to {}: {error}", path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Writes the lines of a recording.
#[derive(Debug)]
pub struct Writer<W: Write> {
    output: W,
}

impl Writer<BufWriter<File>> {
    /// Makes a file that is for its owner alone and writes the first line. A file that is there is
    /// replaced only by `force`, a link or a folder never. A pipe or a device, of which nothing can
    /// be overwritten, is written to. It blocks, and so does writing.
    ///
    /// # Errors
    ///
    /// See [`CreateError`].
    pub fn create(path: &Path, force: bool, header: &Header) -> Result<Self, CreateError> {
        let io_error = |error| CreateError::Io { path: path.to_owned(), error };
        let file = match is_stream(path) {
            true => OpenOptions::new().write(true).open(path).map_err(io_error)?,
            false => create(path, force)?,
        };
        let writer = Self::new(BufWriter::new(file), header).map_err(io_error)?;
        Ok(writer)
    }
}

/// Whether [`Writer::create`] would begin a recording, as far as that shows before anything is made
/// or replaced. It blocks.
///
/// # Errors
///
/// As [`Writer::create`].
pub fn check(path: &Path, force: bool) -> Result<(), CreateError> {
    let failed = |error| CreateError::Io { path: path.to_owned(), error };
    match fs::symlink_metadata(path) {
        Ok(found) if is_stream(path) || (force && found.is_file()) => Ok(()),
        Ok(_) if force => Err(CreateError::NotAFile { path: path.to_owned() }),
        Ok(_) => Err(CreateError::Exists { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            has_room(folder.unwrap_or(Path::new("."))).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whether files can be made in a folder.
fn has_room(folder: &Path) -> io::Result<()> {
    if !fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    #[cfg(unix)]
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

/// Whether it is a pipe or a device, or leads to one.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

fn create(path: &Path, force: bool) -> Result<File, CreateError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => CreateError::Exists { path: path.to_owned() },
        _ => CreateError::Io { path: path.to_owned(), error },
    };
    if force && let Ok(found) = fs::symlink_metadata(path) {
        if !found.is_file() {
            return Err(CreateError::NotAFile { path: path.to_owned() });
        }
        // A new file has the right owner and nobody else's eyes on it.
        fs::remove_file(path).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed)
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    ///
    /// # Errors
    ///
    /// Those of `output`.
    pub fn new(output: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self { output };
        serde_json::to_writer(&mut writer.output, &First::from(header))?;
        writer.output.write_all(b"\n")?;
        writer.flush()?;
        Ok(writer)
    }

    /// Writes one line. With a payload of up to
    /// [`RECORDED_BYTES_MAX`](crate::limits::RECORDED_BYTES_MAX) it is one that can be read again.
    ///
    /// # Errors
    ///
    /// Those of the output, after which the file may end within the line.
    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, &Line::from(entry))?;
        self.output.write_all(b"\n")
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
