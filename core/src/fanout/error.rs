//! What a reader is refused, and why.

use crate::ErrorCode;

/// Why a subscription was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The connection reads the channel already.
    #[error("this connection reads the channel already")]
    Already,
    /// More channels than one connection may read.
    #[error("one connection may read at most {0} channels")]
    TooMany(usize),
    /// The connection is closing.
    #[error("the connection is closing")]
    Closing,
    /// The reader takes none of the replies that wait for it. Every subscription is answered, so
    /// that taking more of them would gather answers without bound.
    #[error(transparent)]
    Stuck(#[from] OutboxFull),
}

impl SubscribeError {
    /// The stable word for programs.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Already => ErrorCode::AlreadySubscribed,
            Self::TooMany(_) => ErrorCode::TooManySubscriptions,
            Self::Closing => ErrorCode::Closing,
            Self::Stuck(_) => ErrorCode::Stuck,
        }
    }
}

/// Replies wait for a reader that does not read: more than [`Limits::outbox_bytes_max`](super::Limits::outbox_bytes_max).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reader takes no replies")]
pub struct OutboxFull;
