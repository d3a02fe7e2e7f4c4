//! Being asked to stop: SIGINT, SIGTERM and the end of the terminal (SIGHUP), or Ctrl-C where there
//! are no signals.
//!
//! A client that is stopped says so with its exit code, as shells expect. A server that is stopped
//! has done what it was asked to: it ends well, and a second signal ends it at once.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use super::exit_code::Exit;
use crate::shutdown::Trigger;

/// Hears the signals that ask to stop. From its creation on they no longer kill the process.
pub(super) struct Stop(system::Signals);

impl Stop {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// When the system refuses a handler. Must be called within a runtime.
    pub(super) fn new() -> io::Result<Self> {
        system::Signals::new().map(Self)
    }

    /// As [`Stop::new`], for a server that reads its configuration again when the terminal would
    /// have it end: see [`HangUps`].
    ///
    /// # Errors
    ///
    /// As there.
    pub(super) fn new_for_server() -> io::Result<Self> {
        system::Signals::new_for_server().map(Self)
    }

    /// Waits for a signal: what a client that was stopped by it exits with. Cancel-safe.
    pub(super) async fn requested(&mut self) -> Exit {
        self.0.next().await
    }

    /// Pulls the trigger at the first signal; ends the process at the second.
    pub(super) fn pull(mut self, trigger: Trigger) -> Stopped {
        let stopped = Arc::new(OnceLock::new());
        let tell = Arc::clone(&stopped);
        tokio::spawn(async move {
            // Nobody else tells.
            let _ = tell.set(self.requested().await);
            trigger.request();
            let exit = self.requested().await;
            std::process::exit(i32::from(exit as u8));
        });
        Stopped(stopped)
    }
}

/// Which signal has pulled the trigger, if one has.
pub(super) struct Stopped(Arc<OnceLock<Exit>>);

impl Stopped {
    /// What a client that was stopped by it exits with.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.0.get().copied()
    }
}

/// Hears SIGHUP, which asks a server to read its configuration again.
pub(super) struct HangUps(system::HangUps);

impl HangUps {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// When the system refuses a handler. Must be called within a runtime.
    pub(super) fn new() -> io::Result<Self> {
        system::HangUps::new().map(Self)
    }

    /// Waits for the next one; those that came since the last are one. Cancel-safe.
    pub(super) async fn next(&mut self) {
        self.0.next().await;
    }
}

#[cfg(unix)]
mod system {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::Exit;

    pub(super) struct Signals {
        interrupt: Signal,
        terminate: Signal,
        /// Nothing when whoever started us wants us to outlive the terminal (nohup).
        hang_up: Option<Signal>,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            let hang_up = if hears_hang_up() { Some(signal(SignalKind::hangup())?) } else { None };
            Ok(Self { hang_up, ..Self::new_for_server()? })
        }

        pub(super) fn new_for_server() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up: None,
            })
        }

        pub(super) async fn next(&mut self) -> Exit {
            tokio::select! {
                _ = self.interrupt.recv() => Exit::Interrupted,
                _ = self.terminate.recv() => Exit::Terminated,
                _ = hung_up(self.hang_up.as_mut()) => Exit::HungUp,
            }
        }
    }

    pub(super) struct HangUps(Signal);

    impl HangUps {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(signal(SignalKind::hangup())?))
        }

        pub(super) async fn next(&mut self) {
            // It ends with the runtime, and so does whoever waits.
            if self.0.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn hung_up(signal: Option<&mut Signal>) -> Option<()> {
        match signal {
            Some(signal) => signal.recv().await,
            None => std::future::pending().await,
        }
    }

    /// Whether the end of the terminal is to end us: not where SIGHUP is ignored, and not where
    /// the system does not say.
    fn hears_hang_up() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        // Signal 1 is the lowest bit.
        ignored.is_some_and(|mask| mask & 1 == 0)
    }
}

#[cfg(not(unix))]
mod system {
    use std::{future, io};

    use super::Exit;

    pub(super) struct Signals;

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) fn new_for_server() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Exit {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Exit::Interrupted,
                Err(_) => future::pending().await,
            }
        }
    }

    /// There is no such signal here.
    pub(super) struct HangUps;

    impl HangUps {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) {
            future::pending().await
        }
    }
}
