//! Where the counts of all shards and readers are added up.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use enchufe_core::{
    ChannelName,
    fanout::{self, ChannelCounts},
};
use slab::Slab;

use super::{ChannelStanding, Connections, Figures, ShardLag, StreamForm, following::Account};
use crate::{limits, live::broker::ChannelState};

/// What a shard says of its readers.
#[derive(Debug, Clone, Default)]
pub(in crate::live) struct ShardFigures {
    pub(in crate::live) fanout: fanout::Figures,
    /// What was counted in channels that nobody reads any more, since it was last asked.
    pub(in crate::live) departed: HashMap<ChannelName, ChannelCounts>,
    /// The same of channels for which there was no room.
    pub(in crate::live) departed_others: ChannelCounts,
    pub(in crate::live) dropped: u64,
    /// Commands refused, by code.
    pub(in crate::live) refused: BTreeMap<&'static str, u64>,
}

/// What has been asked for: an answer of each shard, if it came in time, and the channels.
pub(in crate::live) struct Asked {
    pub(in crate::live) shards: Vec<Option<ShardFigures>>,
    pub(in crate::live) channels: Vec<(ChannelName, ChannelState)>,
}

/// What outlasts the readers that it was counted for.
#[derive(Debug, Default)]
pub(in crate::live) struct Ledger {
    past: Mutex<Past>,
    readers: Mutex<Readers>,
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

#[derive(Debug, Default)]
struct Past {
    /// Channels with figures of their own, and what was counted for readers who have gone.
    named: BTreeMap<ChannelName, ChannelCounts>,
    /// Channels that are there and have none: they stay so, or what all of them have would shrink.
    others: HashSet<ChannelName>,
    /// What was counted in those, and in channels that are gone.
    others_past: ChannelStanding,
    /// What each channel of its own has had published, as it was last seen.
    published: HashMap<ChannelName, (u64, u64)>,
    /// What each shard has said last.
    shards: Vec<ShardFigures>,
}

#[derive(Debug, Default)]
struct Readers {
    open: Slab<Arc<Account>>,
    /// What those had who have gone, since it was last asked.
    gone: HashMap<ChannelName, ChannelCounts>,
    gone_others: ChannelCounts,
}

/// Adds counts to those of a channel, or where there is no room to those of the others.
pub(in crate::live) fn keep(
    kept: &mut HashMap<ChannelName, ChannelCounts>,
    others: &mut ChannelCounts,
    channel: &ChannelName,
    counts: &ChannelCounts,
) {
    if let Some(known) = kept.get_mut(channel) {
        known.add(counts);
    } else if kept.len() < limits::DEPARTED_CHANNELS_MAX {
        kept.insert(channel.clone(), *counts);
    } else {
        others.add(counts);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    pub(super) fn open(&self, account: Arc<Account>) -> usize {
        lock(&self.readers).open.insert(account)
    }

    pub(super) fn close(&self, key: usize) {
        let mut readers = lock(&self.readers);
        let Some(account) = readers.open.try_remove(key) else { return };
        let counts = account.had().counts;
        let Readers { gone, gone_others, .. } = &mut *readers;
        keep(gone, gone_others, &account.channel, &counts);
    }

    /// How many readers over plain HTTP there are.
    pub(in crate::live) fn following(&self) -> usize {
        lock(&self.readers).open.len()
    }

    /// Counts a request that was refused.
    pub(in crate::live) fn refused(&self, code: &'static str) {
        *lock(&self.refused).entry(code).or_default() += 1;
    }

    /// Adds everything up. Whoever asks at the same time waits.
    pub(in crate::live) fn sum(&self, asked: Asked) -> Figures {
        let mut past = lock(&self.past);
        let mut figures = Figures {
            channel_count: asked.channels.len(),
            refused: lock(&self.refused).clone(),
            ..Figures::default()
        };
        past.admit(&asked.channels);
        figures.silent_shards = past.take_shards(asked.shards);
        let mut sum = Sum { past: &mut past, standing: BTreeMap::new() };
        sum.shards(&mut figures);
        sum.readers(&mut lock(&self.readers), &asked.channels, &mut figures.connections);
        sum.logs(&asked.channels);
        sum.finish(&mut figures);
        figures
    }
}

impl Past {
    /// Gives figures of their own to new channels as long as there is room, and takes them from
    /// those that are gone.
    fn admit(&mut self, channels: &[(ChannelName, ChannelState)]) {
        let known: HashSet<&ChannelName> = channels.iter().map(|(name, _)| name).collect();
        let Self { named, others, others_past, published, .. } = self;
        named.retain(|name, counts| {
            let stays = known.contains(name);
            if !stays {
                others_past.counts.add(counts);
            }
            stays
        });
        published.retain(|name, (messages, bytes)| {
            let stays = known.contains(name);
            if !stays {
                others_past.published += *messages;
                others_past.published_bytes += *bytes;
            }
            stays
        });
        others.retain(|name| known.contains(name));
        for (name, _) in channels {
            if named.contains_key(name) || others.contains(name) {
                continue;
            }
            if named.len() < limits::METRICS_CHANNELS_MAX {
                named.insert(name.clone(), ChannelCounts::default());
            } else {
                others.insert(name.clone());
            }
        }
    }

    /// Takes the shards' answers, and what readers who have gone had. How many did not answer.
    fn take_shards(&mut self, answers: Vec<Option<ShardFigures>>) -> usize {
        self.shards.resize_with(answers.len(), ShardFigures::default);
        let mut silent = 0;
        for (index, answer) in answers.into_iter().enumerate() {
            let Some(mut answer) = answer else {
                silent += 1;
                continue;
            };
            for (channel, counts) in std::mem::take(&mut answer.departed) {
                self.gone(&channel, &counts);
            }
            self.others_past.counts.add(&std::mem::take(&mut answer.departed_others));
            self.shards[index] = answer;
        }
        silent
    }

    fn gone(&mut self, channel: &ChannelName, counts: &ChannelCounts) {
        match self.named.get_mut(channel) {
            Some(named) => named.add(counts),
            None => self.others_past.counts.add(counts),
        }
    }
}

/// An addition under way.
struct Sum<'a> {
    past: &'a mut Past,
    standing: BTreeMap<ChannelName, ChannelStanding>,
}

impl Sum<'_> {
    fn of(&mut self, channel: &ChannelName) -> &mut ChannelStanding {
        self.standing.entry(channel.clone()).or_default()
    }

    fn shards(&mut self, figures: &mut Figures) {
        for shard in std::mem::take(&mut self.past.shards) {
            let mut lag = ShardLag::default();
            for channel in &shard.fanout.channels {
                let standing = self.of(&channel.channel);
                standing.add(&ChannelStanding {
                    websocket: channel.readers,
                    lagging: channel.lagging,
                    lag_max: channel.lag_max,
                    counts: channel.counts,
                    ..ChannelStanding::default()
                });
                lag.readers += channel.readers;
                lag.lagging += channel.lagging;
                lag.lag_max = lag.lag_max.max(channel.lag_max);
            }
            figures.shards.push(lag);
            figures.dropped += shard.dropped;
            figures.connections.raw += shard.fanout.raw;
            figures.connections.v1 += shard.fanout.v1;
            for (code, count) in &shard.refused {
                *figures.refused.entry(code).or_default() += count;
            }
            self.past.shards.push(shard);
        }
    }

    fn readers(
        &mut self,
        readers: &mut Readers,
        channels: &[(ChannelName, ChannelState)],
        connections: &mut Connections,
    ) {
        for (channel, counts) in std::mem::take(&mut readers.gone) {
            self.past.gone(&channel, &counts);
        }
        self.past.others_past.counts.add(&std::mem::take(&mut readers.gone_others));
        let heads: HashMap<_, _> =
            channels.iter().map(|(name, state)| (name, state.head)).collect();
        for (_, account) in &readers.open {
            match account.form {
                StreamForm::Events => connections.events += 1,
                StreamForm::NdJson => connections.ndjson += 1,
            }
            let had = *account.had();
            let head = heads.get(&account.channel).filter(|head| head.epoch == had.through.epoch);
            let lag = head.map_or(0, |head| head.offset.saturating_sub(had.through.offset));
            self.of(&account.channel).add(&ChannelStanding {
                http: 1,
                lagging: usize::from(lag > 0),
                lag_max: lag,
                counts: had.counts,
                ..ChannelStanding::default()
            });
        }
    }

    fn logs(&mut self, channels: &[(ChannelName, ChannelState)]) {
        for (name, state) in channels {
            let log = ChannelStanding {
                published: state.published,
                published_bytes: state.published_bytes,
                log_messages: state.head.offset.saturating_sub(state.before_oldest.offset),
                log_bytes: state.bytes as u64,
                ..ChannelStanding::default()
            };
            self.of(name).add(&log);
            self.past.published.insert(name.clone(), (log.published, log.published_bytes));
        }
    }

    fn finish(self, figures: &mut Figures) {
        let Self { past, mut standing } = self;
        for (name, gone) in &past.named {
            let mut own = standing.remove(name).unwrap_or_default();
            own.counts.add(gone);
            figures.channels.push((name.clone(), own));
        }
        figures.others = past.others_past;
        figures.others_count = past.others.len();
        for other in standing.values() {
            figures.others.add(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::broker::{Broker, ChannelOptions};

    fn name(text: &str) -> ChannelName {
        text.parse().expect("a name")
    }

    fn delivered(delivered: u64) -> ChannelCounts {
        ChannelCounts { delivered, ..ChannelCounts::default() }
    }

    /// A broker with these channels.
    fn broker(channels: &[&str]) -> Broker {
        let broker = Broker::memory();
        for channel in channels {
            broker.declare(&name(channel), ChannelOptions::default());
        }
        broker
    }

    fn departed(channel: &str, count: u64) -> Option<ShardFigures> {
        let departed = HashMap::from([(name(channel), delivered(count))]);
        Some(ShardFigures { departed, dropped: count, ..ShardFigures::default() })
    }

    #[test]
    fn a_shard_that_does_not_answer_counts_as_it_did_last() {
        let (ledger, broker) = (Ledger::default(), broker(&["feed"]));
        let channels = || broker.channels();
        let sum = |shards| ledger.sum(Asked { shards, channels: channels() });
        let figures = sum(vec![departed("feed", 7), departed("feed", 1)]);
        assert_eq!((figures.silent_shards, figures.dropped), (0, 8));
        let figures = sum(vec![None, departed("feed", 2)]);
        assert_eq!((figures.silent_shards, figures.dropped), (1, 9));
        assert_eq!(figures.channels[0].1.counts, delivered(10), "departed once each");
    }

    #[test]
    fn what_a_channel_that_is_gone_had_stays_with_the_others() {
        let ledger = Ledger::default();
        let before = broker(&["feed", "gone"]);
        let shards = vec![departed("gone", 5)];
        let figures = ledger.sum(Asked { shards, channels: before.channels() });
        assert_eq!(figures.channels[1].1.counts, delivered(5));
        let after = broker(&["feed"]);
        let figures = ledger.sum(Asked { shards: vec![None], channels: after.channels() });
        assert_eq!((figures.channels.len(), figures.others.counts), (1, delivered(5)));
    }

    #[test]
    fn so_many_channels_without_readers_are_kept_apart_and_no_more() {
        let (mut kept, mut others) = (HashMap::new(), ChannelCounts::default());
        let max = limits::DEPARTED_CHANNELS_MAX;
        for number in 0..max + 3 {
            keep(&mut kept, &mut others, &name(&number.to_string()), &delivered(1));
        }
        assert_eq!((kept.len(), others), (max, delivered(3)));
        // Who is among them still is.
        keep(&mut kept, &mut others, &name("0"), &delivered(1));
        assert_eq!((kept[&name("0")], others), (delivered(2), delivered(3)));
    }
}
