//! How much of a stranger's value an error message repeats.

/// The longest excerpt, in characters.
const CHARS_MAX: usize = 80;

/// The beginning of `text`.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}
