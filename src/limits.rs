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
