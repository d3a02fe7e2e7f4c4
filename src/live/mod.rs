//! Live feeds: channels, the readers that follow them, and the threads that serve those readers.
//!
//! A channel is a log and a subscriber is a cursor. Publications go from the
//! [broker](broker::Broker) to the channel's *home*, a task that runs its one tail, and from
//! there to the inbox of each shard that has readers of it. A shard is a plain thread
//! with a table of sockets: the WebSocket viewers live there, without a task, a waker or a buffer
//! each. Readers over plain HTTP are cursors of their own ([`Cursor`]), a task each.

pub mod broker;
mod clerk;
mod cursor;
mod feed;
mod figures;
mod home;
mod inbox;
mod node;
mod presence;
mod publishing;
mod viewers;

pub use crate::shard::Patience;
pub use cursor::{Cursor, CursorEvent};
pub use feed::feed;
pub use figures::{
    ChannelStanding, Connections, Figures, Following, LATENCY_BOUNDS, Latency, ShardLag, StreamForm,
};
pub use node::{
    Node, NodeOptions, Place, RawStart, Rights, Stats, Talking, ViewError, Viewer, Wish,
};
pub use presence::{PresenceError, Reading, Watch};
