//! The values of configurations: text becomes a time, a count, a number of bytes.
//!
//! Flags, variables and files say values in the same words, which are parsed here, once.

use std::time::Duration;

use crate::{
    address::ParseAddressError,
    core::channel::ParseChannelNameError,
    limits::FLUSH_WINDOW_MAX,
    live::broker::ParsePatternError,
    source::{Numbers, ParseOriginError},
};

/// The longest time that can be asked for: a year, far from any overflow.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What was expected where something else stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A time.
    Time,
    /// A time that is not nothing.
    SomeTime,
    /// A time for which messages may wait for others.
    FlushWindow,
    /// A number of bytes.
    Bytes,
    /// A whole number above 0.
    Count,
    /// A time, or a range of times.
    Interval,
    /// Two whole numbers.
    Range,
    /// An origin.
    Origin,
    /// `true` or `false`.
    Flag,
    /// A text that is not empty.
    Text,
    /// One value, where a list or a table stands.
    One,
    /// A table.
    Table,
    /// A list of tables.
    Tables,
    /// A filter for the log.
    Filter,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An address to listen on.
    Address(ParseAddressError),
    /// A channel's name.
    Channel(ParseChannelNameError),
    /// A channel's name, or a pattern of names.
    Pattern(ParsePatternError),
    /// A source.
    Source(ParseOriginError),
}

/// Text → a time: seconds, or a number with `ms`, `s`, `m` or `h`.
///
/// # Errors
///
/// When it is none, or longer than a year.
pub(crate) fn time(text: &str) -> Result<Duration, Expected> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_s = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(Expected::Time),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = digits.parse().ok().filter(|_| plain).ok_or(Expected::Time)?;
    match Duration::try_from_secs_f64(number * unit_s) {
        Ok(time) if time <= TIME_MAX => Ok(time),
        _ => Err(Expected::Time),
    }
}

/// Text → a time that is not nothing.
///
/// # Errors
///
/// When it is none.
pub(crate) fn some_time(text: &str) -> Result<Duration, Expected> {
    time(text).ok().filter(|time| !time.is_zero()).ok_or(Expected::SomeTime)
}

/// Text → how long a message may wait for others.
///
/// # Errors
///
/// When it is no time, or longer than messages may wait.
pub(super) fn flush_window(text: &str) -> Result<Duration, Expected> {
    let window = time(text).ok().filter(|window| *window <= FLUSH_WINDOW_MAX);
    window.ok_or(Expected::FlushWindow)
}

/// Text → a number of bytes; `K`, `M` and `G` are powers of 1024, and so are `KiB`, `MiB`, `GiB`.
///
/// # Errors
///
/// When it is none, or 0.
pub(crate) fn bytes(text: &str) -> Result<usize, Expected> {
    let text = match text.strip_suffix("iB") {
        Some(short) if short.ends_with(['K', 'M', 'G']) => short,
        _ => text,
    };
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: usize = digits.parse().ok().filter(|_| plain).ok_or(Expected::Bytes)?;
    number.checked_mul(1 << shift).filter(|bytes| *bytes > 0).ok_or(Expected::Bytes)
}

/// Text → numbers: both ends are included, as in the tutorial, with or without Rust's `=`.
///
/// # Errors
///
/// When it is no range, or an empty one.
pub(crate) fn range(text: &str) -> Result<Numbers, Expected> {
    let (from, to) = text.split_once("..").ok_or(Expected::Range)?;
    let number = |text: &str| text.parse().map_err(|_| Expected::Range);
    let range = number(from)?..=number(to.strip_prefix('=').unwrap_or(to))?;
    Numbers::new(range).ok_or(Expected::Range)
}

/// Text → a count of at least one.
///
/// # Errors
///
/// When it is none.
pub(crate) fn count(text: &str) -> Result<u32, Expected> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|count| plain && *count > 0).ok_or(Expected::Count)
}

/// Text → a count for what is counted in memory.
///
/// # Errors
///
/// When it is none.
pub(super) fn amount(text: &str) -> Result<usize, Expected> {
    count(text).map(|count| count as usize)
}

/// Text → yes or no.
///
/// # Errors
///
/// When it is neither.
pub(super) fn flag(text: &str) -> Result<bool, Expected> {
    text.parse().map_err(|_| Expected::Flag)
}

/// Text → the same, unless it is empty.
///
/// # Errors
///
/// When it is.
pub(super) fn text(text: &str) -> Result<String, Expected> {
    if text.is_empty() { Err(Expected::Text) } else { Ok(text.to_owned()) }
}
