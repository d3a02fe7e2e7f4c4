//! The deterministic part of enchufe: everything that can be decided without a socket, a runtime,
//! a clock or a source of randomness.
//!
//! It is a crate of its own so that the compiler forbids those four things here: whoever drives
//! the core hands in bytes, time and random numbers, and everything in it can be tested and
//! fuzzed by value.

pub mod channel;
pub mod codes;
pub mod draft;
mod excerpt;
pub mod fanout;
pub mod gap;
pub mod json;
pub mod message;
pub mod position;
pub mod presence;
pub mod publication;
pub mod since;
pub mod slow;
pub mod sse;
pub mod v1;
pub mod ws;

pub use channel::ChannelName;
pub use codes::ErrorCode;
pub use fanout::Fanout;
pub use gap::{End, Gap, GapReason};
pub use message::{Kind, Message, MessageRef};
pub use position::{Epoch, Position};
pub use publication::{Form, Publication};
pub use since::Since;
pub use slow::{SlowChoices, SlowPolicy};
