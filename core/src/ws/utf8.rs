//! UTF-8 checked while it arrives, so that invalid text is refused before its message is whole.

/// From how many bytes on vectors are faster, whatever the text (ADR 0007).
const VECTOR_BYTES_MIN: usize = 128;

/// The byte at this index begins a sequence that no further byte can make valid.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) at: usize,
}

/// Checks `bytes` from `checked` on, where everything before is known to be whole characters, and
/// returns how far that is now known. Up to three bytes of an unfinished character stay unchecked.
///
/// Both the standard library and `simdutf8::compat` tell an unfinished character at the end from
/// an invalid one, so the only state to keep between two calls is that index.
pub(super) fn check(bytes: &[u8], checked: usize) -> Result<usize, Invalid> {
    let rest = &bytes[checked..];
    let (valid_len, is_unfinished) = if rest.len() < VECTOR_BYTES_MIN {
        // Short texts begin anywhere, and `from_utf8` goes byte by byte to where words do.
        if rest.is_ascii() {
            return Ok(bytes.len());
        }
        match std::str::from_utf8(rest) {
            Ok(_) => return Ok(bytes.len()),
            Err(error) => (error.valid_up_to(), error.error_len().is_none()),
        }
    } else {
        match simdutf8::compat::from_utf8(rest) {
            Ok(_) => return Ok(bytes.len()),
            Err(error) => (error.valid_up_to(), error.error_len().is_none()),
        }
    };
    let at = checked + valid_len;
    if is_unfinished { Ok(at) } else { Err(Invalid { at }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds byte by byte and returns after how many the check failed.
    fn fails_after(bytes: &[u8]) -> Option<usize> {
        let mut checked = 0;
        for len in 1..=bytes.len() {
            match check(&bytes[..len], checked) {
                Ok(now) => checked = now,
                Err(_) => return Some(len),
            }
        }
        None
    }

    #[test]
    fn an_invalid_sequence_fails_at_its_first_impossible_byte() {
        for (bytes, expected) in [
            (&b"\xff"[..], 1),
            (b"\xc0\x80", 1),
            (b"\xf5\x80", 1),
            (b"\xe0\x80", 2),
            (b"\xed\xa0\x80", 2),
            (b"\xf4\x90\x80\x80", 2),
            (b"\xf0\x9f\x92x", 4),
            (b"abc\x80", 4),
        ] {
            assert_eq!(fails_after(bytes), Some(expected), "{bytes:x?}");
        }
    }

    #[test]
    fn an_unfinished_character_is_neither_checked_nor_refused() {
        assert_eq!(check("aé".as_bytes(), 0), Ok(3));
        assert_eq!(check(b"a\xc3", 0), Ok(1));
        assert_eq!(check(b"a\xf0\x9f\x92", 1), Ok(1));
    }

    proptest! {
        #[test]
        fn long_text_is_judged_as_short_text_is(
            start in "[a-zñ€🙂]{100,200}",
            middle in prop::collection::vec(any::<u8>(), 0..6),
            end in "[a-zñ€🙂]{0,40}",
        ) {
            let bytes = [start.as_bytes(), &middle, end.as_bytes()].concat();
            let expected = match std::str::from_utf8(&bytes) {
                Ok(_) => Ok(bytes.len()),
                Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
                Err(error) => Err(Invalid { at: error.valid_up_to() }),
            };
            prop_assert_eq!(check(&bytes, 0), expected);
        }

        #[test]
        fn valid_text_passes_however_it_is_cut(text: String, cuts in prop::collection::vec(0usize..64, 0..8)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let mut checked = 0;
            for cut in cuts {
                checked = check(&bytes[..cut], checked).expect("a prefix of valid text");
                prop_assert!(cut - checked < 4);
            }
            prop_assert_eq!(checked, bytes.len());
        }
    }
}
