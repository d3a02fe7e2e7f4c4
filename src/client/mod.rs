//! Channels of a server elsewhere: to publish to, and to follow.
//!
//! Networks break, servers are restarted, and proxies cut what takes long. A [`Publisher`] sends
//! again under the same key what it does not know to have arrived, so that each message is there
//! once; a [`Follower`] goes on after the last position it had, so that each message comes once, or
//! a gap is told. Neither ever guesses in silence.

mod backoff;
mod event;
mod exchange;
mod follow;
mod publish;

pub use backoff::Pauses;
pub(crate) use backoff::{
    Backoff, close_may_pass, opening_may_pass, receiving_may_pass, sending_may_pass,
};
pub use follow::{Event, FollowError, FollowOptions, Follower, Subscription};
pub use publish::{
    AttemptError, PublishError, PublishOptions, Published, Publisher, RetryObserver,
};
