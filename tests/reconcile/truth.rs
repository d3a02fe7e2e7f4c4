//! What is true of a run: which message stands where, what of it was known when, and what the
//! history had let go of by then.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::RangeInclusive,
    time::Instant,
};

use enchufe::core::{Epoch, MessageRef, Position, Publication};

use crate::{
    difference::{Difference, Kind},
    message::{Id, Shape},
};

/// One attempt to publish, which its publisher may have repeated.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub(crate) channel: usize,
    pub(crate) ids: Vec<Id>,
    /// When it was sent for the first time.
    pub(crate) sent: Instant,
    /// An attempt was cut off before its answer: it may stand in the log of that time, too.
    pub(crate) was_cut: bool,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Acknowledged {
        at: Instant,
        first: Position,
        last: Position,
    },
    /// The connection was cut before an answer came: it may stand somewhere, once.
    InDoubt,
}

/// How much a channel's history keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) len_max: usize,
    pub(crate) bytes_max: usize,
}

/// Every log of a run: a channel has one for each epoch.
#[derive(Default)]
pub(crate) struct Truth {
    logs: HashMap<(usize, Epoch), Log>,
    places: HashMap<Id, Vec<Position>>,
    in_doubt: HashSet<Id>,
}

/// One log.
pub(crate) struct Log {
    pub(crate) entries: BTreeMap<u64, Id>,
    /// For each offset that may be the head, what the history has let go of by then: at least and
    /// at most, since nobody knows the size of what stays in doubt for ever.
    before_oldest: Vec<RangeInclusive<u64>>,
    /// The highest offset that was acknowledged until then.
    acknowledged: Vec<(Instant, u64)>,
    /// The lowest offset that was sent from then on.
    sent: Vec<(Instant, u64)>,
}

impl Truth {
    /// From what was acknowledged, and what readers have seen of the rest. Whatever of the two
    /// cannot be true at the same time is a difference.
    pub(crate) fn find(
        published: &[Published],
        seen: impl Iterator<Item = (usize, Position, Id)>,
        kept: &[Kept],
        differences: &mut Vec<Difference>,
    ) -> Self {
        let mut truth = Self::default();
        for one in published {
            truth.acknowledge(one, differences);
        }
        let mut noted = HashSet::new();
        for (channel, position, id) in seen {
            let log = truth.log(channel, position.epoch);
            let known = log.and_then(|log| log.entries.get(&position.offset).copied());
            let place = || format!("{id} at {position} of channel {channel}");
            if known == Some(id) || !noted.insert((channel, position.epoch, position.offset, id)) {
                continue;
            }
            if let Some(other) = known {
                let text = format!("{} where {other} stands", place());
                differences.push(Difference::new(Kind::Misplaced, text));
            } else if let Some(other) = truth.place(id, position.epoch) {
                let text = format!("{}, which stands at {other}", place());
                differences.push(Difference::new(Kind::Misplaced, text));
            } else if usize::from(id.channel) == channel && truth.is_in_doubt(id) {
                let log = truth.logs.entry((channel, position.epoch)).or_default();
                log.entries.insert(position.offset, id);
                truth.places.entry(id).or_default().push(position);
            } else {
                differences.push(Difference::new(Kind::Unacknowledged, place()));
            }
        }
        for ((channel, _), log) in &mut truth.logs {
            log.settle(kept[*channel]);
        }
        truth
    }

    fn acknowledge(&mut self, one: &Published, differences: &mut Vec<Difference>) {
        if one.was_cut {
            self.in_doubt.extend(&one.ids);
        }
        let Outcome::Acknowledged { at, first, last } = one.outcome else {
            return;
        };
        if first.epoch != last.epoch || last.offset + 1 - first.offset != one.ids.len() as u64 {
            let text = format!("{} messages at {first} to {last}", one.ids.len());
            differences.push(Difference::new(Kind::Receipt, text));
            return;
        }
        let log = self.logs.entry((one.channel, first.epoch)).or_default();
        log.acknowledged.push((at, last.offset));
        log.sent.push((one.sent, first.offset));
        for (id, offset) in one.ids.iter().zip(first.offset..) {
            let position = Position::new(first.epoch, offset);
            if let Some(other) = log.entries.insert(offset, *id) {
                let text = format!("{other} and {id} were both acknowledged at {position}");
                differences.push(Difference::new(Kind::Receipt, text));
            }
            self.places.entry(*id).or_default().push(position);
        }
    }

    /// A channel's log of one epoch.
    pub(crate) fn log(&self, channel: usize, epoch: Epoch) -> Option<&Log> {
        self.logs.get(&(channel, epoch))
    }

    /// The logs of a channel.
    pub(crate) fn logs(&self, channel: usize) -> impl Iterator<Item = (Epoch, &Log)> {
        let of_channel = move |((other, epoch), log)| (other == channel).then_some((epoch, log));
        self.logs.iter().map(|(key, log)| (*key, log)).filter_map(of_channel)
    }

    /// Where a message stands in the log of an epoch.
    pub(crate) fn place(&self, id: Id, epoch: Epoch) -> Option<Position> {
        self.places.get(&id)?.iter().copied().find(|position| position.epoch == epoch)
    }

    /// Everywhere a message stands.
    pub(crate) fn places(&self, id: Id) -> &[Position] {
        self.places.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whether it may stand somewhere without anybody knowing.
    pub(crate) fn is_in_doubt(&self, id: Id) -> bool {
        self.in_doubt.contains(&id)
    }

    /// How many messages stand anywhere.
    pub(crate) fn len(&self) -> usize {
        self.logs.values().map(|log| log.entries.len()).sum()
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            before_oldest: vec![0..=0],
            acknowledged: Vec::new(),
            sent: Vec::new(),
        }
    }
}

impl Log {
    fn settle(&mut self, kept: Kept) {
        let (least, most) = (self.let_go(kept, 0), self.let_go(kept, kept.bytes_max));
        let ranges = least.into_iter().zip(most).map(|(least, most)| least..=most);
        self.before_oldest = ranges.collect();
        self.acknowledged.sort();
        let mut highest = 0;
        for (_, offset) in &mut self.acknowledged {
            highest = highest.max(*offset);
            *offset = highest;
        }
        self.sent.sort();
        let mut lowest = u64::MAX;
        for (_, offset) in self.sent.iter_mut().rev() {
            lowest = lowest.min(*offset);
            *offset = lowest;
        }
    }

    /// For each offset that may be the head, what the history has let go of by then, if what nobody
    /// knows costs so much.
    fn let_go(&self, kept: Kept, unknown: usize) -> Vec<u64> {
        let cost = |offset: u64| self.entries.get(&offset).map_or(unknown, |id| cost(*id));
        let (mut oldest, mut bytes) = (0, 0);
        let mut let_go = vec![0];
        for offset in 1..=self.final_head() {
            bytes += cost(offset);
            let is_too_much = |oldest: u64, bytes: usize| {
                offset - oldest > kept.len_max.max(1) as u64
                    || (bytes > kept.bytes_max && offset - oldest > 1)
            };
            while is_too_much(oldest, bytes) {
                oldest += 1;
                bytes -= cost(oldest);
            }
            let_go.push(oldest);
        }
        let_go
    }

    /// The position of the last message of all.
    pub(crate) fn final_head(&self) -> u64 {
        self.entries.last_key_value().map_or(0, |(offset, _)| *offset)
    }

    /// Where the head was at least at this time.
    pub(crate) fn head_at_least(&self, at: Instant) -> u64 {
        let index = self.acknowledged.partition_point(|(time, _)| *time <= at);
        index.checked_sub(1).map_or(0, |index| self.acknowledged[index].1)
    }

    /// Where the head was at most at this time: what was sent later came after it.
    pub(crate) fn head_at_most(&self, at: Instant) -> u64 {
        let index = self.sent.partition_point(|(time, _)| *time <= at);
        self.sent.get(index).map_or(self.final_head(), |(_, offset)| offset - 1)
    }

    /// Where the head was between two times.
    pub(crate) fn head(&self, from: Instant, to: Instant) -> RangeInclusive<u64> {
        self.head_at_least(from)..=self.head_at_most(to)
    }

    /// What the history has let go of when this is the head.
    pub(crate) fn before_oldest(&self, head: u64) -> RangeInclusive<u64> {
        let index = usize::try_from(head).unwrap_or(usize::MAX);
        self.before_oldest.get(index).or(self.before_oldest.last()).cloned().unwrap_or(0..=0)
    }

    /// What may be gone at this time.
    pub(crate) fn gone_at_most(&self, at: Instant) -> u64 {
        *self.before_oldest(self.head_at_most(at)).end()
    }

    /// The first message in an open interval of offsets.
    pub(crate) fn first_between(&self, after: u64, next: u64) -> Option<(u64, Id)> {
        if after + 1 >= next {
            return None;
        }
        self.entries.range(after + 1..next).next().map(|(offset, id)| (*offset, *id))
    }
}

/// What keeping a message costs.
fn cost(id: Id) -> usize {
    let payload = id.payload();
    let kind = match id.shape() {
        Shape::Bytes => enchufe::core::Kind::Binary,
        _ => enchufe::core::Kind::Text,
    };
    let message = MessageRef { kind, payload: &payload };
    Publication::new(Position::new(Epoch(0), 1), jiff::Timestamp::UNIX_EPOCH, message).cost()
}
