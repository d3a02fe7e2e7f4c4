//! Bytes as people read them: a hex dump as `hexdump -C` writes it, without leaving out rows that
//! repeat.

use std::io::Write as _;

/// The bytes of a row.
const ROW_BYTES: usize = 16;
/// Where the text begins, counted from the offset.
const HEX_COLUMNS: usize = ROW_BYTES * 3 + 2;

/// Appends a row for every sixteen bytes: the offset of the first, each in hex, and as text what is
/// printable ASCII.
pub(super) fn dump(bytes: &[u8], offset: u64, out: &mut Vec<u8>) {
    let mut at = offset;
    for row in bytes.chunks(ROW_BYTES) {
        end(at, out);
        // The line break of the offset alone.
        out.pop();
        out.extend_from_slice(b"  ");
        let begin = out.len();
        for (index, byte) in row.iter().enumerate() {
            if index == ROW_BYTES / 2 {
                out.push(b' ');
            }
            out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15), b' ']);
        }
        out.resize(begin + HEX_COLUMNS, b' ');
        out.push(b'|');
        out.extend(row.iter().map(|byte| match byte {
            b' '..=b'~' => *byte,
            _ => b'.',
        }));
        out.extend_from_slice(b"|\n");
        at += row.len() as u64;
    }
}

/// Appends the offset alone: so many bytes it was, 0 perhaps.
pub(super) fn end(offset: u64, out: &mut Vec<u8>) {
    // A vector takes everything.
    let _ = writeln!(out, "{offset:08x}");
}

fn digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_as_hexdump_writes_it() {
        let mut out = Vec::new();
        let bytes: Vec<u8> = (b'A'..b'A' + 17).chain([0, 0xff]).collect();
        dump(&bytes, 0, &mut out);
        end(19, &mut out);
        let expected = "\
00000000  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  |ABCDEFGHIJKLMNOP|
00000010  51 00 ff                                          |Q..|
00000013
";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn the_offset_goes_on_where_the_last_chunk_ended() {
        let mut out = Vec::new();
        dump(b"\n", 0x1_0000_0003, &mut out);
        let row = format!("100000003  0a {}|.|\n", " ".repeat(47));
        assert_eq!(String::from_utf8_lossy(&out), row);
    }
}
