//! Any text is an address or is refused with what can be shown; what is an address reads back as
//! it was written.
#![no_main]

use enchufe::address::{Address, HttpAddress, ParseAddressError};
use libfuzzer_sys::fuzz_target;

/// Two excerpts, each character of them escaped, and the words around them.
const SHOWN_CHARS_MAX: usize = 2 * 12 * enchufe::limits::EXCERPT_CHARS_MAX;

fuzz_target!(|text: &str| {
    if let Some(address) = checked(Address::parse_serve(text)) {
        assert_eq!(Address::parse_serve(&address.to_string()), Ok(address), "{text:?} to serve");
    }
    if let Some(address) = checked(Address::parse_connect(text)) {
        assert_eq!(Address::parse_connect(&address.to_string()), Ok(address), "{text:?} to open");
    }
    if let Some(address) = checked(HttpAddress::parse_listen(text)) {
        let shown = address.to_string();
        assert_eq!(HttpAddress::parse_listen(&shown), Ok(address), "{text:?} to listen on");
    }
});

/// A refusal is one line that cannot forge another, and neither it nor its hint grows with what
/// was typed.
fn checked<T>(parsed: Result<T, ParseAddressError>) -> Option<T> {
    let error = match parsed {
        Ok(address) => return Some(address),
        Err(error) => error,
    };
    let message = error.to_string();
    assert!(!message.is_empty() && !message.contains(char::is_control), "{message:?}");
    let hint = error.hint().unwrap_or_default();
    assert!(message.chars().count().max(hint.chars().count()) < SHOWN_CHARS_MAX, "{message}");
    None
}
