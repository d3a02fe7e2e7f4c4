//! What a peer did that the protocol or our limits forbid, and the close code that answers it.

use super::{CloseCode, CloseReason, Opcode};

/// The peer broke the protocol or a limit. Answer with [`Violation::reason`] in a Close frame and
/// end the connection; the decoder ignores whatever else arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Violation {
    /// The close code to answer with.
    pub code: CloseCode,
    /// What was wrong.
    pub kind: ViolationKind,
}

impl Violation {
    /// What to say in the Close frame.
    pub fn reason(&self) -> CloseReason {
        CloseReason::new(self.code, self.kind.to_string())
    }
}

impl From<ViolationKind> for Violation {
    fn from(kind: ViolationKind) -> Self {
        Self { code: kind.close_code(), kind }
    }
}

/// Each way to break the protocol or a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViolationKind {
    /// RSV1–3 are set although no extension was agreed that uses them (RFC 6455 §5.2).
    #[error("reserved bits {0:03b} are set without an extension that uses them")]
    ReservedBits(u8),
    /// An opcode that is reserved (RFC 6455 §5.2).
    #[error("opcode {0:#x} is not known")]
    UnknownOpcode(u8),
    /// A client must mask every frame (RFC 6455 §5.1).
    #[error("a frame from the client is not masked")]
    NotMasked,
    /// A server must not mask (RFC 6455 §5.1).
    #[error("a frame from the server is masked")]
    Masked,
    /// Control frames are whole (RFC 6455 §5.5).
    #[error("a {0} frame is fragmented: control frames must be whole")]
    FragmentedControl(Opcode),
    /// Control frames carry at most 125 bytes (RFC 6455 §5.5).
    #[error("a {0} frame is longer than 125 bytes")]
    LongControl(Opcode),
    /// A length must be written in the fewest bytes (RFC 6455 §5.2).
    #[error("the length {0} is not written in its shortest form")]
    LengthNotMinimal(u64),
    /// The highest bit of a 64-bit length must be 0 (RFC 6455 §5.2).
    #[error("the length {0:#x} has its highest bit set")]
    LengthHighBit(u64),
    /// A continuation frame, but no message has begun (RFC 6455 §5.4).
    #[error("a continuation frame came without a message to continue")]
    NothingToContinue,
    /// A message began inside another (RFC 6455 §5.4).
    #[error("a {0} frame came inside a fragmented message")]
    MessageInsideMessage(Opcode),
    /// The message exceeds [`Limits::message_bytes_max`](super::Limits::message_bytes_max).
    #[error("a message of at least {bytes} bytes is longer than the limit of {bytes_max}")]
    MessageTooBig {
        /// The bytes received of the message and announced by the header.
        bytes: u64,
        /// The limit.
        bytes_max: usize,
    },
    /// The message is cut too small: see
    /// [`Limits::fragment_overhead_bytes`](super::Limits::fragment_overhead_bytes).
    #[error(
        "a message of {bytes} bytes so far came in {fragments} fragments: send fewer, longer ones"
    )]
    TooManyFragments {
        /// The bytes received of the message and announced by the header.
        bytes: u64,
        /// Its fragments, with the one that was refused.
        fragments: u32,
    },
    /// A compressed message inflates to more than
    /// [`Limits::message_bytes_max`](super::Limits::message_bytes_max).
    #[error("a compressed message inflates to more than the limit of {bytes_max} bytes")]
    InflatesTooBig {
        /// The limit.
        bytes_max: usize,
    },
    /// A compressed message begins too many deflate streams: each is charged as a fragment is.
    #[error("a compressed message of {bytes} bytes so far has {streams} final blocks: send fewer")]
    TooManyStreams {
        /// The compressed bytes received of the message and announced by the header.
        bytes: u64,
        /// The streams that have ended.
        streams: u32,
    },
    /// A compressed message is not a deflate stream (RFC 7692 §7.2.2).
    #[error("a compressed message cannot be inflated: {why}")]
    NotDeflate {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A text message is not UTF-8 (RFC 6455 §8.1).
    #[error("a text message is not UTF-8 from byte {at} on")]
    TextNotUtf8 {
        /// Where in the message the first invalid sequence begins.
        at: usize,
    },
    /// Nothing is wrong with the message, but it is long and unfinished, and those of all peers
    /// together take too much memory: see [`Decoder::give_up`](super::Decoder::give_up).
    #[error("too much memory is taken by unfinished messages, {bytes} bytes of it by this one")]
    TooMuchUnfinished {
        /// What had been reserved for it.
        bytes: usize,
    },
    /// A Close frame with one byte cannot hold a code (RFC 6455 §5.5.1).
    #[error("a close frame has 1 byte, too few for its code")]
    CloseTooShort,
    /// The code of a Close frame must not be sent (RFC 6455 §7.4).
    #[error("{0} is not a close code that may be sent")]
    CloseCodeInvalid(u16),
    /// The reason of a Close frame is not UTF-8 (RFC 6455 §5.5.1).
    #[error("the reason in a close frame is not UTF-8")]
    CloseReasonNotUtf8,
}

impl ViolationKind {
    fn close_code(self) -> CloseCode {
        match self {
            Self::MessageTooBig { .. }
            | Self::TooManyFragments { .. }
            | Self::InflatesTooBig { .. }
            | Self::TooManyStreams { .. } => CloseCode::TOO_BIG,
            Self::TextNotUtf8 { .. } | Self::CloseReasonNotUtf8 | Self::NotDeflate { .. } => {
                CloseCode::INVALID_PAYLOAD
            }
            Self::TooMuchUnfinished { .. } => CloseCode::TRY_AGAIN_LATER,
            _ => CloseCode::PROTOCOL,
        }
    }
}
