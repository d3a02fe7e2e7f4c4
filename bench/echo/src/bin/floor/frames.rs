//! Frames with the least that an echo needs: where they end, and their payload unmasked.

/// What became of a buffer.
pub(crate) struct Echo {
    /// Bytes at the front that now are the replies.
    pub(crate) replies: usize,
    /// Bytes that were whole frames; what follows is the beginning of another.
    pub(crate) consumed: usize,
}

/// Turns the whole frames in `buffer` into their replies, in the same place: a reply has no mask,
/// so it is always shorter than its frame.
pub(crate) fn echo_in_place(buffer: &mut [u8]) -> Echo {
    let mut echo = Echo { replies: 0, consumed: 0 };
    while let Some((header, payload)) = measure(&buffer[echo.consumed..]) {
        let from = echo.consumed;
        let start = from + header + 4;
        if buffer.len() < start + payload {
            break;
        }
        let mask: [u8; 4] = buffer[from + header..start].try_into().expect("four bytes");
        let to = echo.replies;
        buffer.copy_within(from..from + header, to);
        buffer[to + 1] &= 0x7f;
        buffer.copy_within(start..start + payload, to + header);
        unmask(&mut buffer[to + header..to + header + payload], mask);
        echo.replies += header + payload;
        echo.consumed = start + payload;
    }
    echo
}

/// The bytes of a header without its mask, and of the payload.
fn measure(frame: &[u8]) -> Option<(usize, usize)> {
    let length = frame.get(1)? & 0x7f;
    match length {
        126 => Some((4, u16::from_be_bytes(frame.get(2..4)?.try_into().ok()?).into())),
        127 => Some((10, u64::from_be_bytes(frame.get(2..10)?.try_into().ok()?) as usize)),
        _ => Some((2, length.into())),
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let word = u64::from_ne_bytes((&*chunk).try_into().expect("eight bytes"));
        chunk.copy_from_slice(&(word ^ wide).to_ne_bytes());
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= key;
    }
}
