//! How a program ended.

use std::{fmt, io, process::ExitStatus};

/// How a program ended. Its `Display` is `exit 3` or `signal 9`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal of this number.
    Signal(i32),
    /// It was never run: the system would not, with this error number (errno(3)).
    NotRun(i32),
    /// Nobody knows.
    Unknown,
}

impl Status {
    /// Whether it ended with code 0.
    pub fn is_success(&self) -> bool {
        *self == Self::Exit(0)
    }
}

impl From<ExitStatus> for Status {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt as _;
            if let Some(signal) = status.signal() {
                return Self::Signal(signal);
            }
        }
        status.code().map_or(Self::Unknown, Self::Exit)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit {code}"),
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::NotRun(errno) => {
                write!(f, "not run: {}", io::Error::from_raw_os_error(*errno))
            }
            Self::Unknown => f.write_str("exit unknown"),
        }
    }
}
