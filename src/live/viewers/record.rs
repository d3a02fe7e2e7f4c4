//! What the viewers of a shard let those outside see, when they ask.

use std::collections::{BTreeMap, HashMap};

use enchufe_core::{ChannelName, Fanout, fanout::ChannelCounts};

use crate::live::figures::{Inquiry, ShardFigures, keep};

/// What a fan-out does not keep: counts of channels that have lost their last reader, and of
/// commands that were refused.
#[derive(Default)]
pub(super) struct Record {
    departed: HashMap<ChannelName, ChannelCounts>,
    departed_others: ChannelCounts,
    refused: BTreeMap<&'static str, u64>,
}

impl Record {
    /// Keeps the counts of channels that have lost their last reader.
    pub(super) fn keep(&mut self, departed: Vec<(ChannelName, ChannelCounts)>) {
        for (channel, counts) in departed {
            keep(&mut self.departed, &mut self.departed_others, &channel, &counts);
        }
    }

    /// Counts a command that was refused.
    pub(super) fn refused(&mut self, code: &'static str) {
        *self.refused.entry(code).or_default() += 1;
    }

    pub(super) fn answer(&mut self, inquiry: Inquiry, fanout: &Fanout, dropped: u64) {
        match inquiry {
            // Who asked may have given up.
            Inquiry::Sign(sign) => drop(sign.send(())),
            Inquiry::Figures(asker) => {
                let figures = ShardFigures {
                    fanout: fanout.figures(),
                    departed: std::mem::take(&mut self.departed),
                    departed_others: std::mem::take(&mut self.departed_others),
                    dropped,
                    refused: self.refused.clone(),
                };
                if let Err(figures) = asker.send(figures) {
                    // Nobody has heard of these yet.
                    self.departed = figures.departed;
                    self.departed_others = figures.departed_others;
                }
            }
        }
    }
}
