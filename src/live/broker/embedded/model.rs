//! Channels that come and go, and the messages in them, against an account of all positions that
//! were ever given: in any order of publishing, reading, ageing and being idle.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use enchufe_core::{Epoch, GapReason, Publication};
use proptest::prelude::*;
use tokio::time::Duration;

use super::*;
use crate::live::broker::{Rule, TailEvent};

const AGE_MAX_MS: i64 = 100;
const IDLE_MS: i64 = 250;
const LEN_MAX: usize = 5;

#[derive(Debug, Clone)]
enum Step {
    Publish { channel: usize, count: usize },
    Wait { ms: i64 },
    Expire,
    Open { channel: usize, since: Where },
    Read { tail: usize },
    Close { tail: usize },
    Page { channel: usize, since: Where },
    End { channel: usize },
    Declare { channel: usize },
}

/// Where a reader begins.
#[derive(Debug, Clone, Copy)]
enum Where {
    All,
    Now,
    Last(u64),
    /// After the message with this index among all that were ever published to the channel.
    After(usize),
}

fn place() -> impl Strategy<Value = Where> {
    prop_oneof![
        Just(Where::All),
        Just(Where::Now),
        (0..8_u64).prop_map(Where::Last),
        (0..40_usize).prop_map(Where::After),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let (channel, tail) = (0..3_usize, 0..6_usize);
    prop_oneof![
        5 => (channel.clone(), 1..4_usize)
            .prop_map(|(channel, count)| Step::Publish { channel, count }),
        4 => (0..150_i64).prop_map(|ms| Step::Wait { ms }),
        2 => Just(Step::Expire),
        3 => (channel.clone(), place()).prop_map(|(channel, since)| Step::Open { channel, since }),
        4 => tail.clone().prop_map(|tail| Step::Read { tail }),
        2 => tail.prop_map(|tail| Step::Close { tail }),
        2 => (channel.clone(), place()).prop_map(|(channel, since)| Step::Page { channel, since }),
        1 => channel.clone().prop_map(|channel| Step::End { channel }),
        1 => channel.prop_map(|channel| Step::Declare { channel }),
    ]
}

/// A message as it was acknowledged, and when.
#[derive(Debug, Clone, Copy)]
struct Acknowledged {
    position: Position,
    at_ms: i64,
}

struct World {
    broker: Arc<Embedded>,
    now_ms: Arc<AtomicI64>,
    /// Everything ever acknowledged, by channel.
    published: [Vec<Acknowledged>; 3],
    /// The epochs of each channel, the current one last.
    epochs: [Vec<Epoch>; 3],
    tails: Vec<(usize, Tail)>,
}

fn name(channel: usize) -> ChannelName {
    format!("room/{channel}").parse().expect("a name")
}

impl World {
    fn new() -> Self {
        let now_ms = Arc::new(AtomicI64::new(1_000_000));
        let clock = Arc::clone(&now_ms);
        let now =
            move || Timestamp::from_millisecond(clock.load(Ordering::Relaxed)).expect("in range");
        let pattern = "room/*".parse().expect("a pattern");
        let rules = [Rule { pattern, options: Self::options() }].into_iter().collect();
        Self {
            broker: Arc::new(Embedded::with_clock(rules, now)),
            now_ms,
            published: Default::default(),
            epochs: Default::default(),
            tails: Vec::new(),
        }
    }

    fn options() -> ChannelOptions {
        ChannelOptions {
            history_len_max: LEN_MAX,
            history_age_max: Some(Duration::from_millis(AGE_MAX_MS.unsigned_abs())),
            idle_expiry: Some(Duration::from_millis(IDLE_MS.unsigned_abs())),
            ..ChannelOptions::default()
        }
    }

    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn since(&self, channel: usize, since: Where) -> Since {
        match since {
            Where::All => Since::All,
            Where::Now => Since::Now,
            Where::Last(count) => Since::Last(count),
            Where::After(index) => match self.published[channel].get(index) {
                Some(message) => Since::After(message.position),
                None => Since::After(Position::new(Epoch(7), 7)),
            },
        }
    }

    /// What has to be there still: of the newest so many, those that are young enough.
    fn kept(&self, channel: usize, epoch: Epoch) -> Vec<Position> {
        let of_epoch = self.published[channel].iter().filter(|m| m.position.epoch == epoch);
        let mut newest: Vec<_> = of_epoch.rev().take(LEN_MAX).collect();
        newest.reverse();
        let is_young = |m: &&Acknowledged| self.now_ms() - m.at_ms <= AGE_MAX_MS;
        newest.into_iter().filter(is_young).map(|m| m.position).collect()
    }

    /// Notes the epoch that a channel has now; a new one has to be new.
    fn note(&mut self, channel: usize, epoch: Epoch) {
        if self.epochs[channel].last() != Some(&epoch) {
            let known: HashSet<Epoch> = self.epochs.iter().flatten().copied().collect();
            assert!(!known.contains(&epoch), "{epoch} was that of another log");
            self.epochs[channel].push(epoch);
        }
    }

    fn publish(&mut self, channel: usize, count: usize) {
        let batch = vec![Message::text("x"); count];
        let name = name(channel);
        let published = at_once(self.broker.publish(&name, &batch, None));
        let receipt = match published {
            Ok(receipt) => receipt,
            Err(PublishError::Ended { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        self.note(channel, receipt.first.epoch);
        let of_epoch = |m: &&Acknowledged| m.position.epoch == receipt.first.epoch;
        let before = self.published[channel].iter().filter(of_epoch).count() as u64;
        assert_eq!(receipt.first.offset, before + 1, "no offset is left out or given twice");
        assert_eq!(receipt.last.offset, before + count as u64);
        let at_ms = self.now_ms();
        for offset in receipt.first.offset..=receipt.last.offset {
            let position = Position { offset, ..receipt.first };
            self.published[channel].push(Acknowledged { position, at_ms });
        }
    }

    fn open(&mut self, channel: usize, since: Where) {
        let since = self.since(channel, since);
        let start = self.broker.resolve(&name(channel), since).expect("it is made");
        self.note(channel, start.after.epoch);
        if let Since::After(position) = since {
            let is_of_this_log = position.epoch == start.head.epoch;
            assert_eq!(start.gap.is_none(), is_of_this_log, "{since:?} {start:?}");
            assert!(start.gap.is_none_or(|gap| gap.reason == GapReason::Reset));
        }
        let tail = self.broker.tail(&name(channel), start.after).expect("it is made");
        self.tails.push((channel, tail));
    }

    /// What a tail yields is all that was acknowledged after where it was, or declared missing; and
    /// nothing is declared missing that is still there.
    fn read(&mut self, tail: usize) {
        if self.tails.is_empty() {
            return;
        }
        let index = tail % self.tails.len();
        let channel = self.tails[index].0;
        let from = self.tails[index].1.position();
        let event = self.tails[index].1.try_next();
        let through = self.tails[index].1.position();
        let of_epoch = |m: &&Acknowledged| m.position.epoch == from.epoch;
        let of_log = self.published[channel].iter().filter(of_epoch);
        let due: Vec<Position> =
            of_log.map(|m| m.position).filter(|p| p.offset > from.offset).collect();
        let kept = self.kept(channel, from.epoch);
        match event {
            Some(TailEvent::Publications(items)) => {
                let had: Vec<Position> = items.iter().map(position).collect();
                assert_eq!(had, due[..had.len()], "in order, all of them");
                assert_eq!(Some(&through), had.last());
            }
            Some(TailEvent::Gap(gap)) => {
                assert_eq!((gap.after, gap.reason), (from, GapReason::Expired));
                assert_eq!(gap.missing, Some(gap.next.offset - from.offset - 1));
                let told: Vec<_> = due.iter().filter(|p| p.offset < gap.next.offset).collect();
                assert_eq!(told.len() as u64, gap.next.offset - from.offset - 1);
                assert!(!told.iter().any(|p| kept.contains(p)), "{told:?} of {kept:?}");
                assert_eq!(through, gap.next.before());
            }
            Some(TailEvent::End(end)) => assert_eq!((end.position, &due[..]), (from, &[][..])),
            None => assert_eq!(due, [], "it has everything"),
        }
    }

    fn page(&mut self, channel: usize, since: Where) {
        let since = self.since(channel, since);
        let broker = &self.broker;
        let start = broker.resolve(&name(channel), since).expect("it is made");
        let limit = PageLimit { len_max: usize::MAX, bytes_max: usize::MAX };
        let page = broker.history(&name(channel), start.after, limit).expect("it is made");
        let kept = self.kept(channel, start.head.epoch);
        let expected: Vec<Position> = match since {
            Since::All => kept,
            Since::Now => Vec::new(),
            Since::Last(count) => {
                let skipped = kept.len().saturating_sub(usize::try_from(count).expect("small"));
                kept[skipped..].to_vec()
            }
            Since::After(position) if position.epoch == start.head.epoch => {
                kept.into_iter().filter(|p| p.offset > position.offset).collect()
            }
            _ => kept,
        };
        assert_eq!(page.items.iter().map(position).collect::<Vec<_>>(), expected);
        assert_eq!(page.through, start.head);
        self.note(channel, start.head.epoch);
    }

    /// A channel that is there stands as it has to; one that is read is there.
    fn check(&mut self) {
        let states: HashMap<_, _> = self.broker.channels().into_iter().collect();
        for channel in 0..3 {
            let is_read = self.tails.iter().any(|(of, _)| *of == channel);
            let Some(state) = states.get(&name(channel)) else {
                assert!(!is_read, "a channel that is read does not go");
                continue;
            };
            self.note(channel, state.head.epoch);
            let kept = self.kept(channel, state.head.epoch);
            let of_epoch = |m: &&Acknowledged| m.position.epoch == state.head.epoch;
            let all = self.published[channel].iter().filter(of_epoch).count() as u64;
            assert_eq!(state.head.offset, all);
            assert_eq!(state.before_oldest.offset, all - kept.len() as u64);
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Publish { channel, count } => self.publish(channel, count),
            Step::Wait { ms } => {
                self.now_ms.fetch_add(ms, Ordering::Relaxed);
            }
            Step::Expire => self.broker.expire(),
            Step::Open { channel, since } => self.open(channel, since),
            Step::Read { tail } => self.read(tail),
            Step::Close { tail } => {
                if !self.tails.is_empty() {
                    self.tails.swap_remove(tail % self.tails.len());
                }
            }
            Step::Page { channel, since } => self.page(channel, since),
            // One that is not there has no end.
            Step::End { channel } => {
                self.broker.end(&name(channel), "exit 0".to_owned()).ok();
            }
            Step::Declare { channel } => self.broker.declare(&name(channel), Self::options()),
        }
        self.check();
    }
}

fn position(publication: &Arc<Publication>) -> Position {
    publication.position
}

/// What a future that never waits gives.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("nobody has patience here"),
    }
}

proptest! {
    #[test]
    fn whatever_goes_and_comes_back_every_position_is_accounted_for(
        steps in proptest::collection::vec(step(), 1..120)
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
    }
}

#[test]
fn a_channel_is_idle_from_the_last_that_anybody_did_with_it() {
    let mut world = World::new();
    let wait = |world: &World, ms| world.now_ms.fetch_add(ms, Ordering::Relaxed);
    world.publish(0, 1);
    wait(&world, IDLE_MS);
    world.broker.expire();
    assert_eq!(world.broker.channel_count(), 1, "not yet");
    world.open(0, Where::Now);
    wait(&world, 10 * IDLE_MS);
    world.broker.expire();
    world.tails.clear();
    wait(&world, IDLE_MS);
    world.broker.expire();
    assert_eq!(world.broker.channel_count(), 1, "it was read until then");
    wait(&world, 1);
    world.broker.expire();
    assert_eq!(world.broker.channel_count(), 0);
    world.publish(0, 1);
    assert_eq!(world.epochs[0].len(), 2);
    // What was declared stays, however long nobody comes.
    world.broker.declare(&name(0), World::options());
    wait(&world, 100 * IDLE_MS);
    world.broker.expire();
    assert_eq!(world.broker.channel_count(), 1);
}

#[test]
fn other_rules_hold_for_the_channels_that_were_made_by_rules() {
    let world = World::new();
    world.broker.resolve(&name(0), Since::Now).expect("it is made");
    world.broker.declare(&name(1), World::options());
    let pattern = "room/*".parse().expect("a pattern");
    let options = ChannelOptions { history_len_max: 99, ..World::options() };
    world.broker.set_rules([Rule { pattern, options }].into_iter().collect());
    let kept = |channel| world.broker.options(&name(channel)).expect("it is there").history_len_max;
    assert_eq!((kept(0), kept(1), kept(2)), (99, LEN_MAX, 99));
    world.broker.set_rules(Rules::default());
    assert_eq!(kept(0), 99, "it stays as it is until it is idle");
    world.broker.options(&name(2)).expect_err("no rule is left");
}
