//! What the system says of this process.

use serde::Serialize;

/// The process, as far as the system tells (Linux).
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Process {
    /// Processor time used, in seconds.
    pub(super) cpu_seconds: f64,
    /// Memory that is in use, in bytes.
    pub(super) resident_bytes: u64,
    /// Descriptors that are open.
    pub(super) open_fds: u64,
    /// Descriptors that may be open.
    pub(super) max_fds: Option<u64>,
    /// Threads.
    pub(super) threads: u64,
    /// When it was started, in seconds since 1970.
    pub(super) start_seconds: f64,
}

impl Process {
    /// This one; `None` where the system does not tell. It blocks.
    #[cfg(target_os = "linux")]
    pub(super) fn this() -> Option<Self> {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let stat = read("/proc/self/stat")?;
        // The name of the program may have anything in it but ends with the last parenthesis.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // proc_pid_stat(5) counts from 1, and these are two fewer.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let resident = read("/proc/self/statm")?.split(' ').nth(1)?.parse::<u64>().ok()?;
        let boot = read("/proc/stat")?;
        let boot = boot.lines().find_map(|line| line.strip_prefix("btime "))?;
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) as f64 / ticks,
            resident_bytes: resident * rustix::param::page_size() as u64,
            open_fds: std::fs::read_dir("/proc/self/fd").ok()?.count() as u64,
            max_fds: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
            threads: field(20)?,
            start_seconds: boot.trim().parse::<f64>().ok()? + field(22)? as f64 / ticks,
        })
    }

    /// Elsewhere nothing.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn this() -> Option<Self> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_threads_memory_and_descriptors_and_began_before_now() {
        let process = Process::this().expect("Linux tells");
        assert!(process.threads >= 1 && process.open_fds >= 3, "{process:?}");
        assert!(process.resident_bytes > 1 << 20, "{process:?}");
        let now = jiff::Timestamp::now().as_second() as f64;
        assert!((now - 86_400.0..=now + 1.0).contains(&process.start_seconds), "{process:?}");
    }
}
