//! Makes what a peer sent safe to show to a person.
//!
//! A terminal obeys control characters: what arrives from the network could move the cursor,
//! retitle the window or rewrite what stands above. And in a printed list of events, one line
//! break would be enough to forge the next event. So controls are shown, not sent on.

/// `bytes` as one line: nothing in it can begin a new one or move the cursor.
pub(crate) fn line(bytes: &[u8]) -> String {
    escape(bytes, |_| false)
}

/// `bytes` as text of any number of lines: line breaks and tabs pass.
pub(crate) fn text(bytes: &[u8]) -> String {
    escape(bytes, |character| matches!(character, '\n' | '\t'))
}

/// Text that arrives in chunks, which may split a character.
#[derive(Debug, Default)]
pub(crate) struct Text {
    /// The beginning of a character whose rest has not come, at most three bytes.
    begun: Vec<u8>,
}

impl Text {
    /// What of the chunk, and of what came before, can be shown.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> String {
        self.begun.extend_from_slice(chunk);
        let bytes = std::mem::take(&mut self.begun);
        let whole = bytes.len() - begun_character_len(&bytes);
        self.begun.extend_from_slice(&bytes[whole..]);
        text(&bytes[..whole])
    }

    /// What was left over: no more will come.
    pub(crate) fn finish(&mut self) -> String {
        text(&std::mem::take(&mut self.begun))
    }
}

/// How many bytes at the end are the beginning of a character.
fn begun_character_len(bytes: &[u8]) -> usize {
    let is_begun = |len: &usize| {
        // No length: what is invalid so far may still become valid.
        std::str::from_utf8(&bytes[bytes.len() - len..])
            .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=bytes.len().min(3)).find(is_begun).unwrap_or(0)
}

fn escape(bytes: &[u8], passes: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                _ if passes(character) || !is_control(character) => out.push(character),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\0'..='\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
                _ => out.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// C0, DEL and C1 controls, line and paragraph separators, and what turns the writing direction
/// (UAX #9 §2: marks, embeddings, overrides, isolates).
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_a_line() {
        assert_eq!(line(b"Ana\n> Hola"), "Ana\\n> Hola");
        assert_eq!(
            line("a\r\u{85}\u{2028}\u{2029}\x0b\x0c".as_bytes()),
            "a\\r\\u{85}\\u{2028}\\u{2029}\\x0b\\x0c"
        );
    }

    #[test]
    fn a_terminal_is_not_driven_by_what_a_peer_sent() {
        assert_eq!(text(b"\x1b]0;mine\x07"), "\\x1b]0;mine\\x07");
        assert_eq!(text("\u{9b}2J".as_bytes()), "\\u{9b}2J");
        assert_eq!(text(b"\x7f"), "\\x7f");
    }

    #[test]
    fn the_writing_direction_is_not_turned() {
        assert_eq!(text("\u{202e}txt.exe\u{2066}".as_bytes()), "\\u{202e}txt.exe\\u{2066}");
    }

    #[test]
    fn text_keeps_its_lines_and_tabs() {
        assert_eq!(text("uno\n\tdos ñ 🔌".as_bytes()), "uno\n\tdos ñ 🔌");
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        let whole = "año 🔌\n".as_bytes();
        for size in 1..whole.len() {
            let mut text = Text::default();
            let shown: String = whole.chunks(size).map(|chunk| text.push(chunk)).collect();
            assert_eq!(shown + &text.finish(), "año 🔌\n", "in pieces of {size}");
        }
    }

    #[test]
    fn a_character_that_stays_half_is_shown_as_bytes() {
        let mut text = Text::default();
        assert_eq!(text.push(b"a\xf0\x9f"), "a");
        assert_eq!(text.finish(), "\\xf0\\x9f");
        assert_eq!(text.push(b"\xffb"), "\\xffb");
    }

    #[test]
    fn bytes_that_are_not_text_are_shown_as_bytes() {
        assert_eq!(line(b"a\xff\xfeb\xc3"), "a\\xff\\xfeb\\xc3");
    }
}
