//! What a channel is made with: how much it keeps, who may publish, what becomes of the slow.

use std::time::Duration;

use enchufe_core::{ErrorCode, SlowChoices, SlowPolicy};

use crate::limits;

/// What a channel is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelOptions {
    /// Messages the history keeps. The newest one is always kept.
    pub history_len_max: usize,
    /// Bytes the history keeps, bookkeeping included. The newest message is always kept.
    pub history_bytes_max: usize,
    /// How long the history keeps a message, the newest one too. None: as long as there is room.
    pub history_age_max: Option<Duration>,
    /// How long a channel that was made on first use stays without a reader and without anything
    /// published. Whoever comes back after that is told that its position is of another log. A
    /// channel that was declared stays.
    pub idle_expiry: Option<Duration>,
    /// What becomes of a reader that does not keep up and did not choose.
    pub slow: SlowPolicy,
    /// What a reader may choose instead. Whoever chooses [`SlowPolicy::Block`] has publishers wait as
    /// with [`patience`](Self::patience), for [`limits::PUBLISH_PATIENCE`] if there is none, and is
    /// cut then; that needs the authority to publish.
    pub slow_allowed: SlowChoices,
    /// How long a message may wait for others, so that they go to each viewer together. Zero: not
    /// at all.
    pub flush_window: Duration,
    /// Whether its messages are made up here (a clock, random numbers), so that a page of a
    /// foreign origin may read them.
    pub generated: bool,
    /// Who may publish.
    pub publish: Publishers,
    /// Whether who may read it may ask who else does, and be told who comes and leaves.
    pub presence: bool,
    /// How long a publisher waits, when its message would take the place of one that a reader has
    /// not had, until every reader is through half of the history. Who is not through by then is
    /// not waited for any longer, and misses messages: of that it is told. So a reader slows
    /// publishers down to half of the history in this time, and no further. Zero: no publisher
    /// waits, and who is slow misses something sooner.
    ///
    /// Readers are waited for from where they begin, if the newer half of the history has that, or
    /// from when they have got there; readers of the newest only never are. A batch that is longer
    /// than the history cannot be waited for.
    pub patience: Duration,
}

impl ChannelOptions {
    /// Whether a reader may choose what becomes of it when it does not keep up.
    ///
    /// # Errors
    ///
    /// When the channel does not allow it, or publishers would have to wait for a reader that may
    /// not publish itself.
    pub fn check_choice(
        &self,
        slow: Option<SlowPolicy>,
        may_publish: bool,
    ) -> Result<(), ChoiceRefused> {
        match slow {
            None => Ok(()),
            Some(choice) if choice == self.slow => Ok(()),
            Some(choice) if !self.slow_allowed.contains(choice) => {
                Err(ChoiceRefused::NotAllowed(choice))
            }
            Some(SlowPolicy::Block) if !may_publish => Err(ChoiceRefused::Unauthorized),
            Some(_) => Ok(()),
        }
    }
}

/// Why a reader may not choose what becomes of it when it does not keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChoiceRefused {
    /// Not on this channel.
    #[error("the channel does not allow its readers '{}'", .0.as_str())]
    NotAllowed(SlowPolicy),
    /// Publishers wait for those alone who may publish themselves.
    #[error("'block' has publishers wait, which needs the authority to publish")]
    Unauthorized,
}

impl ChoiceRefused {
    /// The stable word for programs.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::NotAllowed(_) => ErrorCode::SlowNotAllowed,
            Self::Unauthorized => ErrorCode::Unauthorized,
        }
    }
}

/// Who may publish to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Publishers {
    /// Who has the authority to, with a request of its own.
    #[default]
    Authorised,
    /// Besides them everybody who reads it over a raw WebSocket: what a reader sends is published,
    /// for itself, too.
    Readers,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            history_len_max: limits::HISTORY_LEN_MAX,
            history_bytes_max: limits::HISTORY_BYTES_MAX,
            history_age_max: None,
            idle_expiry: Some(limits::CHANNEL_IDLE_EXPIRY),
            slow: SlowPolicy::default(),
            slow_allowed: SlowChoices::default(),
            flush_window: Duration::ZERO,
            generated: false,
            publish: Publishers::default(),
            presence: true,
            patience: Duration::ZERO,
        }
    }
}
