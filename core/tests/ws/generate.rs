//! Streams to decode: valid, made of arbitrary frames, and damaged.

use enchufe_core::ws::Role;
use flate2::{Compress, Compression, FlushCompress};
use proptest::{collection::vec, prelude::*, sample::Index};

/// A second of cases, or as many as `PROPTEST_CASES` says when that is more. What fails becomes a
/// test with a name instead of a file with a seed.
pub(crate) fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(2_000), failure_persistence: None, ..default }
}

/// A frame field by field, so that every field can be wrong.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) reserved: u8,
    pub(crate) opcode: u8,
    pub(crate) mask: Option<[u8; 4]>,
    pub(crate) payload: Vec<u8>,
    /// How many bytes beyond the first seven bits the length takes: 0, 2, 8, or the fewest.
    pub(crate) length_bytes: Option<usize>,
}

impl Frame {
    pub(crate) fn new(fin: bool, opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        let payload = payload.into();
        Self { fin, reserved: 0, opcode, mask: None, payload, length_bytes: None }
    }

    pub(crate) fn masked(self, key: [u8; 4]) -> Self {
        Self { mask: Some(key), ..self }
    }

    /// The frame on the wire, written without the code under test.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let len = self.payload.len();
        let fewest = [(125, 0), (65_535, 2), (usize::MAX, 8)];
        let fewest = fewest.iter().find(|(max, _)| len <= *max).map_or(8, |(_, bytes)| *bytes);
        let length_bytes = self.length_bytes.unwrap_or(fewest).max(fewest);
        let short_len = match length_bytes {
            0 => u8::try_from(len).expect("at most 125"),
            2 => 126,
            _ => 127,
        };
        let mut bytes = vec![
            u8::from(self.fin) << 7 | self.reserved << 4 | self.opcode,
            u8::from(self.mask.is_some()) << 7 | short_len,
        ];
        bytes.extend_from_slice(&(len as u64).to_be_bytes()[8 - length_bytes..]);
        bytes.extend(self.mask.into_iter().flatten());
        let key = self.mask.unwrap_or_default();
        bytes.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }
}

pub(crate) fn stream(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::bytes).collect()
}

/// Which side decodes, so that most frames are masked as they should be.
pub(crate) fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

/// Places to cut a stream at.
pub(crate) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(any::<Index>().prop_map(|index| index.index(700)), 0..12)
}

/// What any peer of ours may send: messages, fragmented or not, control frames in between, and
/// perhaps a Close at the end.
pub(crate) fn valid(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let control = (9u8..=10, vec(any::<u8>(), 0..126))
        .prop_map(|(opcode, bytes)| Frame::new(true, opcode, bytes));
    let text =
        prop_oneof![any::<String>(), "[a-zñ€🙂]{0,90}"].prop_map(|text| (1, text.into_bytes()));
    let binary = vec(any::<u8>(), 0..300).prop_map(|bytes| (2, bytes));
    let payload = prop_oneof![text, binary];
    let message = (payload, vec((any::<Index>(), prop::option::of(control.clone())), 0..4))
        .prop_map(|((opcode, payload), pieces)| fragmented(opcode, &payload, pieces));
    let item = prop_oneof![3 => message, 1 => control.prop_map(|frame| vec![frame])];
    let close = (prop_oneof![1000u16..1004, 1007u16..1014, 3000u16..5000], "[a-zñ€]{0,40}")
        .prop_map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat());
    let close =
        prop_oneof![Just(Vec::new()), close].prop_map(|payload| Frame::new(true, 8, payload));
    (vec(item, 0..6), prop::option::of(close), any::<[u8; 4]>()).prop_map(
        move |(items, close, key)| {
            let frames = items.into_iter().flatten().chain(close);
            frames.flat_map(|frame| masked_for(role, frame, key).bytes()).collect()
        },
    )
}

/// Frames of which any field may be wrong, seldom enough that streams go on for a while.
pub(crate) fn arbitrary(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![9 => prop::sample::select(vec![0u8, 1, 2, 8, 9, 10]), 1 => 0u8..16];
    let reserved = prop_oneof![20 => Just(0u8), 1 => 0u8..8];
    let length = prop_oneof![20 => Just(None), 1 => prop::sample::select(vec![Some(2), Some(8)])];
    let payload = prop_oneof![
        4 => "[a-zñ€🙂]{0,40}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..200),
        1 => (990u16..1020).prop_map(|code| code.to_be_bytes().to_vec()),
    ];
    let frame = (any::<bool>(), opcode, reserved, length, payload, any::<[u8; 4]>(), 0u8..40);
    let frame = frame.prop_map(move |(fin, opcode, reserved, length_bytes, payload, key, odd)| {
        let fin = fin || opcode >= 8;
        let frame = Frame { reserved, length_bytes, ..Frame::new(fin, opcode, payload) };
        match odd {
            0 => masked_for(other(role), frame, key),
            _ => masked_for(role, frame, key),
        }
    });
    vec(frame, 0..8).prop_map(|frames| stream(&frames))
}

/// A valid stream with a few bits turned, bytes lost or added, or its end missing.
pub(crate) fn damaged(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let damage = (0u8..4, any::<Index>(), any::<u8>());
    (valid(role), vec(damage, 1..4)).prop_map(|(mut bytes, damages)| {
        for (what, place, byte) in damages {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match what {
                0 => bytes[at] ^= 1 << (byte % 8),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}

/// Compressed payloads in every form that deflate allows, and some that it does not.
fn compressed_payload() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof!["[a-cñ€🙂]{0,60}", "(Hola ){0,50}", any::<String>()];
    let piece =
        (0u8..12, text, vec(any::<u8>(), 0..12)).prop_map(|(form, text, bytes)| match form {
            0..=5 => deflated(text.as_bytes(), u32::from(form) * 2, FlushCompress::Sync),
            6..=8 => deflated(text.as_bytes(), u32::from(form), FlushCompress::Finish),
            // Two bytes that are a whole stream, and a stored block.
            9 => [0x03, 0x00].repeat(bytes.len()),
            10 => deflated(&bytes, 0, FlushCompress::Full),
            _ => bytes,
        });
    let without_tail = |payload: Vec<u8>, is_complete| match payload.strip_suffix(&[0, 0, 255, 255])
    {
        Some(rest) if is_complete => rest.to_vec(),
        _ => payload,
    };
    let damage = prop::option::weighted(0.2, (any::<Index>(), 0u8..8));
    (vec(piece, 0..4), prop::bool::weighted(0.9), damage).prop_map(
        move |(pieces, is_complete, damage)| {
            let mut payload = without_tail(pieces.concat(), is_complete);
            if let Some((place, bit)) = damage.filter(|_| !payload.is_empty()) {
                let at = place.index(payload.len());
                payload[at] ^= 1 << bit;
            }
            payload
        },
    )
}

fn deflated(bytes: &[u8], level: u32, flush: FlushCompress) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * bytes.len() + 100);
    Compress::new(Compression::new(level.min(9)), false)
        .compress_vec(bytes, &mut out, flush)
        .expect("there is room");
    out
}

/// Messages of which most are compressed, fragmented or not.
pub(crate) fn compressed(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec((any::<Index>(), Just(None)), 0..3);
    let message = (1u8..=2, compressed_payload(), pieces, 0u8..12);
    let message = message.prop_map(|(opcode, payload, pieces, odd)| {
        let mut frames = fragmented(opcode, &payload, pieces);
        // Now and then not marked as compressed, or marked where it must not be.
        let at = if odd == 1 { frames.len() - 1 } else { 0 };
        frames[at].reserved = if odd == 0 { 0 } else { 4 };
        frames
    });
    (vec(message, 0..4), any::<[u8; 4]>()).prop_map(move |(messages, key)| {
        let frames = messages.into_iter().flatten();
        frames.flat_map(|frame| masked_for(role, frame, key).bytes()).collect()
    })
}

/// Any of the above, with the role of whoever decodes it.
pub(crate) fn any_stream() -> impl Strategy<Value = (Role, Vec<u8>)> {
    role().prop_flat_map(|role| {
        (Just(role), prop_oneof![valid(role), arbitrary(role), damaged(role)])
    })
}

fn masked_for(role: Role, frame: Frame, key: [u8; 4]) -> Frame {
    match role {
        Role::Server => frame.masked(key),
        Role::Client => frame,
    }
}

fn other(role: Role) -> Role {
    match role {
        Role::Server => Role::Client,
        Role::Client => Role::Server,
    }
}

/// Cuts a message into frames, each further one perhaps after a control frame.
fn fragmented(opcode: u8, payload: &[u8], pieces: Vec<(Index, Option<Frame>)>) -> Vec<Frame> {
    let mut cuts: Vec<(usize, Option<Frame>)> = pieces
        .into_iter()
        .map(|(place, control)| (place.index(payload.len() + 1), control))
        .collect();
    cuts.sort_by_key(|(at, _)| *at);
    let mut frames = Vec::new();
    let (mut from, mut opcode) = (0, opcode);
    for (to, control) in cuts {
        frames.push(Frame::new(false, opcode, &payload[from..to]));
        frames.extend(control);
        (from, opcode) = (to, 0);
    }
    frames.push(Frame::new(true, opcode, &payload[from..]));
    frames
}
