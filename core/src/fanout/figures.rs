//! What a fan-out has done for each channel, and how far its readers are: looked up when it is
//! asked for, so that a delivery costs no more than the addition of two numbers.

use super::{
    Fanout,
    reader::{State, Subscription},
};
use crate::{ChannelName, Form, GapReason};

/// What has happened in one channel, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelCounts {
    /// Publications handed to sockets.
    pub delivered: u64,
    /// Bytes of those, frames included. One that was begun counts whole.
    pub bytes: u64,
    /// Gaps told, in the order of [`GapReason::ALL`].
    pub gaps: [u64; GapReason::ALL.len()],
    /// Publications that are known to be missing in those gaps, conflation aside.
    pub skipped: u64,
    /// Publications left out for readers of the newest only.
    pub conflated: u64,
    /// Readers closed because they were too slow.
    pub cut: u64,
}

impl ChannelCounts {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.bytes += other.bytes;
        self.skipped += other.skipped;
        self.conflated += other.conflated;
        self.cut += other.cut;
        for (sum, more) in self.gaps.iter_mut().zip(other.gaps) {
            *sum += more;
        }
    }

    /// Counts a gap and what is known to be missing in it.
    pub fn gap(&mut self, reason: GapReason, missing: Option<u64>) {
        if reason == GapReason::Conflated {
            return self.conflate(missing.unwrap_or(1));
        }
        self.count_gap(reason);
        self.skipped += missing.unwrap_or_default();
    }

    /// Counts publications that a reader of the newest only has not had.
    pub fn conflate(&mut self, missing: u64) {
        self.count_gap(GapReason::Conflated);
        self.conflated += missing;
    }

    fn count_gap(&mut self, reason: GapReason) {
        for (one, count) in GapReason::ALL.iter().zip(&mut self.gaps) {
            *count += u64::from(*one == reason);
        }
    }
}

/// How a channel stands among the readers of one fan-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFigures {
    /// Which channel.
    pub channel: ChannelName,
    /// What has happened since it got its first reader.
    pub counts: ChannelCounts,
    /// Cursors, in whatever state.
    pub readers: usize,
    /// Cursors that have not had everything.
    pub lagging: usize,
    /// How many messages the cursor furthest behind is behind.
    pub lag_max: u64,
}

/// How a fan-out stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Connections of the raw form.
    pub raw: usize,
    /// Connections of `enchufe.v1`.
    pub v1: usize,
    /// Channels that somebody reads, in no particular order.
    pub channels: Vec<ChannelFigures>,
}

impl Fanout {
    /// How everything stands. It looks at every reader once.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        for (_, reader) in &self.readers {
            match reader.form {
                Form::Raw => figures.raw += 1,
                Form::V1 => figures.v1 += 1,
            }
        }
        // Where each ring has gone.
        let mut places = vec![0; self.rings.iter().map(|(index, _)| index + 1).max().unwrap_or(0)];
        for (index, ring) in &self.rings {
            places[index] = figures.channels.len();
            figures.channels.push(ChannelFigures {
                channel: ring.channel.clone(),
                counts: ring.counts,
                readers: 0,
                lagging: 0,
                lag_max: 0,
            });
        }
        for (_, subscription) in &self.subscriptions {
            let channel = &mut figures.channels[places[subscription.ring]];
            let lag = self.lag(subscription);
            channel.readers += 1;
            channel.lagging += usize::from(lag > 0);
            channel.lag_max = channel.lag_max.max(lag);
        }
        figures
    }

    /// What was counted in channels whose last reader has gone since the last call. A channel may be
    /// there more than once.
    pub fn take_departed(&mut self) -> Vec<(ChannelName, ChannelCounts)> {
        std::mem::take(&mut self.departed)
    }

    /// How many messages a cursor is behind. In the ring they are counted; before it the distance of
    /// the offsets is what is known.
    fn lag(&self, subscription: &Subscription) -> u64 {
        let ring = &self.rings[subscription.ring];
        match &subscription.state {
            State::Ended => 0,
            State::Live { next } if ring.holds(*next) => ring.end_sequence().saturating_sub(*next),
            _ => match (ring.head(), subscription.after) {
                (Some(head), Some(after)) if head.epoch == after.epoch => {
                    head.offset.saturating_sub(after.offset)
                }
                _ => 0,
            },
        }
    }
}
