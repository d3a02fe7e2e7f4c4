//! What the program's exit code says, for scripts: every code in one place.
//!
//! | Code | Meaning |
//! |---|---|
//! | 0 | success; a server that was asked to stop; a reader of our output that went away |
//! | 1 | the network: refused, unreachable, in use, lost |
//! | 2 | usage: the command line, a file or the input is not what it should be |
//! | 3 | an HTTP server refused, with its status |
//! | 4 | the peer closed abnormally, or with a code of its application |
//! | 5 | nothing came in time |
//! | 6 | what `connect --expect` was told to expect did not come |
//! | 7 | `follow` told of a gap |
//! | 129, 130, 143 | a client was stopped by SIGHUP, SIGINT or SIGTERM |

use std::process::ExitCode;

/// Why the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It did what it was asked to, or a server was asked to stop.
    Success = 0,
    /// The network said no.
    Network = 1,
    /// What the user gave cannot be meant.
    Usage = 2,
    /// An HTTP server refused.
    Refused = 3,
    /// The peer closed abnormally or with a code of its application.
    Closed = 4,
    /// Nothing came in time.
    Timeout = 5,
    /// What was expected did not come.
    Unmet = 6,
    /// A follower was told of a gap.
    Gap = 7,
    /// A client was stopped by SIGHUP: 128 + 1.
    HungUp = 129,
    /// A client was stopped by SIGINT: 128 + 2.
    Interrupted = 130,
    /// A client was stopped by SIGTERM: 128 + 15.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
