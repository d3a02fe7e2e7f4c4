//! Masking (RFC 6455 §5.3): XOR with a key of four bytes, the same for masking and unmasking.

/// Applies `key` to `bytes`, whose first byte is the one the key's first byte belongs to.
///
/// Says whether the result is ASCII, which costs next to nothing while the bytes pass by and saves
/// most texts a look of their own.
///
/// Four bytes at a time leave the fewest over, and the compiler makes vectors of them: ADR 0007 has
/// what wider steps cost.
pub(super) fn apply(bytes: &mut [u8], key: [u8; 4]) -> bool {
    let wide = u32::from_ne_bytes(key);
    let (steps, rest) = bytes.as_chunks_mut();
    let mut seen = 0;
    for step in steps {
        let plain = u32::from_ne_bytes(*step) ^ wide;
        *step = plain.to_ne_bytes();
        seen |= plain;
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
        seen |= u32::from(*byte);
    }
    seen & 0x8080_8080 == 0
}

/// The key for the bytes that follow the first `len` ones.
pub(super) fn after(key: [u8; 4], len: usize) -> [u8; 4] {
    std::array::from_fn(|index| key[(index + len % 4) % 4])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_masked_hello_of_the_rfc_is_unmasked() {
        let mut bytes = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        apply(&mut bytes, [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(&bytes, b"Hello");
    }

    #[test]
    fn one_byte_that_is_not_ascii_is_seen_wherever_it_stands() {
        for len in 0..100 {
            let key = [0x81, 0x02, 0xf3, 0x04];
            let ascii: Vec<u8> = (0..len).map(|at| b'a' ^ key[at % 4]).collect();
            assert!(apply(&mut ascii.clone(), key), "{len}");
            for at in 0..len {
                let mut other = ascii.clone();
                other[at] ^= 0x80;
                assert!(!apply(&mut other, key), "{at} of {len}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_length_and_offset_agrees_with_byte_by_byte(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            key: [u8; 4],
            offset in 0usize..8,
        ) {
            let offset = offset.min(bytes.len());
            let naive: Vec<u8> =
                bytes[offset..].iter().zip(0..).map(|(byte, at)| byte ^ key[at % 4]).collect();
            let mut quick = bytes.clone();
            let is_ascii = apply(&mut quick[offset..], key);
            prop_assert_eq!(is_ascii, naive.is_ascii());
            prop_assert_eq!(&quick[offset..], naive);
            prop_assert_eq!(&quick[..offset], &bytes[..offset]);
        }

        #[test]
        fn pieces_are_masked_as_the_whole_is(
            whole in prop::collection::vec(any::<u8>(), 0..200),
            key: [u8; 4],
            cuts in prop::collection::vec(0usize..200, 0..6),
        ) {
            let mut expected = whole.clone();
            apply(&mut expected, key);

            let mut pieces = whole;
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(pieces.len())).collect();
            cuts.push(pieces.len());
            cuts.sort_unstable();
            let (mut from, mut key) = (0, key);
            for to in cuts {
                apply(&mut pieces[from..to], key);
                key = after(key, to - from);
                from = to;
            }
            prop_assert_eq!(pieces, expected);
        }
    }
}
