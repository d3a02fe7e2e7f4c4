//! What every connection sends, and what must come back.

use crate::options::{Kind, Options};

pub(crate) struct Batch {
    pub(crate) frames: Vec<u8>,
    pub(crate) replies: Vec<u8>,
    /// Bytes of each reply, which all have the same length.
    pub(crate) reply_bytes: usize,
}

impl Batch {
    pub(crate) fn new(options: &Options) -> Self {
        let (mut frames, mut replies) = (Vec::new(), Vec::new());
        let mut mask = 0x9e37_79b9_u32;
        for place in 0..options.in_flight {
            // Another payload at each place, so that replies in the wrong order are noticed.
            let payload: Vec<u8> = (b'a'..=b'z')
                .cycle()
                .skip(place * 7)
                .step_by(1 + place / 26)
                .take(options.payload_bytes)
                .collect();
            if options.kind == Kind::Bytes {
                frames.extend_from_slice(&payload);
                replies.extend_from_slice(&payload);
                continue;
            }
            mask = mask.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
            let mask = mask.to_be_bytes();
            header(&mut frames, options.kind, payload.len(), 0x80);
            frames.extend_from_slice(&mask);
            frames.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
            header(&mut replies, options.kind, payload.len(), 0);
            replies.extend_from_slice(&payload);
        }
        let reply_bytes = replies.len() / options.in_flight;
        Self { frames, replies, reply_bytes }
    }
}

fn header(out: &mut Vec<u8>, kind: Kind, payload: usize, masked: u8) {
    out.push(if kind == Kind::Text { 0x81 } else { 0x82 });
    match payload {
        0..126 => out.push(masked | payload as u8),
        126..0x1_0000 => {
            out.push(masked | 126);
            out.extend_from_slice(&(payload as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(payload as u64).to_be_bytes());
        }
    }
}
