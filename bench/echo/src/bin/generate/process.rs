//! What a process has spent, from the operating system (proc(5)).

use std::fs;

/// Nanoseconds in a tick of `utime` (`USER_HZ` is 100 wherever Linux runs).
const TICK_NS: u64 = 10_000_000;

pub(crate) struct Usage {
    /// Time on a processor, user and system together, to the nanosecond.
    pub(crate) running_ns: u64,
    /// The part of it outside of the kernel, in whole ticks.
    pub(crate) user_ns: u64,
}

impl Usage {
    pub(crate) fn read(pid: u32) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot read what {pid} spent: {error}");
        let mut running_ns = 0;
        // The process's own `schedstat` is that of its first thread alone.
        for thread in fs::read_dir(format!("/proc/{pid}/task")).map_err(failed)? {
            let path = thread.map_err(failed)?.path().join("schedstat");
            // A thread may end between being listed and being read.
            let text = fs::read_to_string(path).unwrap_or_default();
            running_ns += number(text.split(' ').next());
        }
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(failed)?;
        // The name, in parentheses, may hold spaces; `utime` is the 12th field after it.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let user_ns = number(fields.split_whitespace().nth(11)) * TICK_NS;
        Ok(Self { running_ns, user_ns })
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            running_ns: self.running_ns - before.running_ns,
            user_ns: self.user_ns - before.user_ns,
        }
    }
}

fn number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
