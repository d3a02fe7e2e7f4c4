//! The processor time of another process of this machine.

use std::{io, time::Duration};

/// The process cannot be observed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// There is none of that number.
    #[error("there is no process {pid} on this machine")]
    Missing {
        /// The process.
        pid: u32,
    },
    /// The system does not tell.
    #[error("the processor time of process {pid} cannot be read: {error}")]
    Io {
        /// The process.
        pid: u32,
        /// What the system says.
        error: io::Error,
    },
}

/// The processor time that a process has used so far, in user and system mode.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage(Duration);

impl Usage {
    /// Threads that have ended are not in it.
    ///
    /// # Errors
    ///
    /// When there is no such process, or this system does not tell (elsewhere than on Linux).
    pub(super) fn of(pid: u32) -> Result<Self, ProcessError> {
        running_time(pid).map(Self).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ProcessError::Missing { pid },
            _ => ProcessError::Io { pid, error },
        })
    }

    pub(super) fn since(self, before: Self) -> Duration {
        self.0.saturating_sub(before.0)
    }
}

/// The memory that a process has in its own right, in bytes.
///
/// # Errors
///
/// As [`Usage::of`].
pub(super) fn resident_bytes(pid: u32) -> Result<u64, ProcessError> {
    resident(pid).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ProcessError::Missing { pid },
        _ => ProcessError::Io { pid, error },
    })
}

#[cfg(target_os = "linux")]
fn resident(pid: u32) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.map(|number| number << 10).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(not(target_os = "linux"))]
fn resident(_: u32) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
fn running_time(pid: u32) -> io::Result<Duration> {
    let mut total = 0u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end meanwhile.
        let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let first = text.split(' ').next().and_then(|number| number.parse().ok());
        total += first.unwrap_or(0u64);
    }
    Ok(Duration::from_nanos(total))
}

#[cfg(not(target_os = "linux"))]
fn running_time(_: u32) -> io::Result<Duration> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_uses_time_and_one_that_is_not_there_is_named() {
        let own = std::process::id();
        let before = Usage::of(own).expect("it is this one");
        let mut number = 1u64;
        while Usage::of(own).expect("it is this one").since(before) == Duration::ZERO {
            number = std::hint::black_box(number.wrapping_mul(3));
        }
        assert!(resident_bytes(own).expect("it is this one") > 1 << 20);
        let error = Usage::of(u32::MAX).expect_err("there is no such process");
        assert!(error.to_string().contains("4294967295"), "{error}");
    }
}
