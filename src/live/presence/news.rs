//! What is told of a channel's readers, encoded once for all who are told.

use std::sync::OnceLock;

use bytes::Bytes;
use enchufe_core::{
    ChannelName,
    presence::{Snapshot, Told},
    v1,
};

/// What was told last.
pub(in crate::live) struct News {
    channel: ChannelName,
    pub(in crate::live) told: Told,
    frames: OnceLock<Bytes>,
}

impl News {
    pub(super) fn new(channel: ChannelName, told: Told) -> Self {
        Self { channel, told, frames: OnceLock::new() }
    }

    /// The changes as frames of `enchufe.v1`, one after another.
    pub(in crate::live) fn frames(&self) -> &Bytes {
        self.frames.get_or_init(|| {
            let changes = self.told.changes.iter();
            let frames = changes.map(|change| v1::frame(&v1::Event::change(&self.channel, change)));
            frames.collect::<Vec<_>>().concat().into()
        })
    }
}

/// Who reads a channel, as all know who have been told everything.
pub(in crate::live) struct Known {
    channel: ChannelName,
    pub(in crate::live) snapshot: Snapshot,
    frame: OnceLock<Bytes>,
}

impl Known {
    pub(super) fn new(channel: ChannelName, snapshot: Snapshot) -> Self {
        Self { channel, snapshot, frame: OnceLock::new() }
    }

    /// The snapshot as a frame of `enchufe.v1`.
    pub(in crate::live) fn frame(&self) -> &Bytes {
        self.frame.get_or_init(|| v1::frame(&v1::Event::presence(&self.channel, &self.snapshot)))
    }
}
