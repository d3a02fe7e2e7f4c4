//! Every bound of the program and its default, in one place.
//!
//! Each is reported when it is hit; those that depend on the use are options whose default stands
//! here.

use std::time::Duration;

/// How much of a stranger's value an error message repeats, in characters.
pub const EXCERPT_CHARS_MAX: usize = 80;

/// The longest interval a source may be given: a day.
pub const INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest greeting template, in bytes.
pub const GREETING_BYTES_MAX: usize = 1024;

/// How long a server that was asked to end waits for its clients before it drops them.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How many clients that were one too many are being told so at the same time; further ones are
/// dropped without a word.
pub const REFUSALS_MAX: usize = 64;

/// The default for the number of clients a server has at the same time.
pub const CONNECTIONS_MAX: usize = 10_000;

/// How many bytes of standard input are read, or of a line are held back on a terminal, at once.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// How many lines the editor of `connect` remembers.
pub const EDITOR_HISTORY_LEN_MAX: usize = 1_000;

/// How long part of a line may wait for its rest before it is shown on a terminal.
pub const PARTIAL_LINE_DELAY: Duration = Duration::from_millis(200);

/// How long a client waits for its peer when it hangs up.
pub const HANG_UP_TIMEOUT: Duration = Duration::from_secs(1);
