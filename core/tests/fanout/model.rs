//! A naive world around the fan-out: channels that are plain vectors, sockets that take as much as
//! a step says, and viewers whose bytes are read back at the end.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use arrayvec::ArrayVec;
use enchufe_core::{
    ChannelName, End, Epoch, Form, Gap, GapReason, Message, Position, Publication, SlowPolicy,
    fanout::{Action, Fanout, Limits, Page, ReaderId, SLICES_MAX, SubscriptionId, Transmit},
    v1,
};

use crate::account::{self, Account};

const EPOCH: Epoch = Epoch(0xe);
const PAGE_LEN: usize = 3;

/// How many channels there are.
pub(crate) const CHANNELS: usize = 2;

pub(crate) fn at(offset: u64) -> Position {
    Position::new(EPOCH, offset)
}

pub(crate) fn name(channel: usize) -> ChannelName {
    format!("channel/{channel}").parse().expect("a name")
}

/// Something that may happen. Channels and readers are counted modulo how many there are; what
/// makes no sense at the time does nothing.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Publish {
        channel: u8,
        count: u8,
    },
    /// Published, but the tail of this shard is behind and will begin again later.
    PublishBehind {
        channel: u8,
        count: u8,
    },
    CatchUp(u8),
    End(u8),
    Connect {
        form: Form,
        wish: Wish,
    },
    /// A reader of `enchufe.v1` wants one more channel.
    Subscribe {
        reader: u8,
        wish: Wish,
    },
    Unsubscribe {
        reader: u8,
        channel: u8,
    },
    Disconnect(u8),
    /// The socket accepts this many bytes of what is offered, then blocks.
    Accept {
        reader: u8,
        bytes: u16,
    },
    Writable(u8),
    Heartbeat(u8),
    /// So many milliseconds pass.
    Elapse(u8),
    /// From now on messages of a channel may wait for so many milliseconds.
    Window {
        channel: u8,
        ms: u8,
    },
    /// What the fan-out has asked for is done and answered.
    Actions,
    Flush,
}

/// What a reader wants to read: from so many messages back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) channel: u8,
    pub(crate) back: u8,
    pub(crate) slow: SlowPolicy,
}

pub(crate) struct Channel {
    name: ChannelName,
    pub(crate) log: Vec<Arc<Publication>>,
    /// How many messages the history keeps.
    kept: usize,
    attached: bool,
    tail: u64,
    pub(crate) ended: bool,
}

impl Channel {
    pub(crate) fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// The offset before the oldest message of the history.
    pub(crate) fn before_oldest(&self) -> u64 {
        self.head().saturating_sub(self.kept as u64)
    }

    fn append(&mut self, count: u8) {
        for _ in 0..count {
            let offset = self.head() + 1;
            let message = Message::text(offset.to_string());
            let time = jiff::Timestamp::UNIX_EPOCH;
            self.log.push(Arc::new(Publication::new(at(offset), time, message.as_ref())));
        }
    }

    fn history(&self, after: Position) -> Page {
        let oldest = self.before_oldest();
        let missing = oldest.saturating_sub(after.offset);
        let gap = (missing > 0).then_some(Gap {
            after,
            next: at(oldest + 1),
            reason: GapReason::Expired,
            missing: Some(missing),
        });
        let start = usize::try_from(after.offset.max(oldest)).expect("small");
        let items: Vec<_> = self.log[start..].iter().take(PAGE_LEN).cloned().collect();
        let through = at((start + items.len()) as u64);
        Page { items, gap, through }
    }
}

pub(crate) struct Viewer {
    pub(crate) id: ReaderId,
    pub(crate) form: Form,
    /// What a raw viewer reads, and from where.
    pub(crate) raw: (usize, u64),
    /// What it ever chose, channel by channel.
    pub(crate) chosen: Vec<(usize, SlowPolicy)>,
    pub(crate) received: Vec<u8>,
    pub(crate) here: bool,
}

/// A shard with two channels and its viewers.
pub(crate) struct World {
    pub(crate) fanout: Fanout,
    pub(crate) channels: Vec<Channel>,
    pub(crate) viewers: Vec<Viewer>,
    starts: VecDeque<(SubscriptionId, u64)>,
    pages: VecDeque<(SubscriptionId, Page)>,
    now: Duration,
}

impl World {
    /// Histories of `kept` messages and rings of `ring`.
    pub(crate) fn new(kept: usize, ring: usize) -> Self {
        let fanout = Fanout::new(Limits {
            ring_len_max: ring,
            ring_bytes_max: usize::MAX,
            outbox_bytes_max: 1 << 20,
            subscriptions_max: CHANNELS,
        });
        let channel = |channel| Channel {
            name: name(channel),
            log: Vec::new(),
            kept,
            attached: false,
            tail: 0,
            ended: false,
        };
        Self {
            fanout,
            channels: (0..CHANNELS).map(channel).collect(),
            viewers: Vec::new(),
            starts: VecDeque::new(),
            pages: VecDeque::new(),
            now: Duration::ZERO,
        }
    }

    fn elapse(&mut self, time: Duration) {
        self.now += time;
        self.fanout.elapse(self.now);
    }

    /// What the tail has not yet handed to this shard.
    fn deliver(&mut self, channel: usize) {
        let channel = &mut self.channels[channel];
        if channel.attached {
            let new = &channel.log[usize::try_from(channel.tail).expect("small")..];
            self.fanout.publish(&channel.name, new.iter().cloned());
            channel.tail = channel.head();
        }
    }

    /// `true` when there was something to do.
    pub(crate) fn actions(&mut self) -> bool {
        let mut busy = !self.pages.is_empty() || !self.starts.is_empty();
        // Answers arrive after everything that was published meanwhile.
        for (subscription, start) in std::mem::take(&mut self.starts) {
            self.fanout.start(subscription, at(start), None, SlowPolicy::Skip);
        }
        for (subscription, page) in std::mem::take(&mut self.pages) {
            self.fanout.page(subscription, page);
        }
        while let Some(action) = self.fanout.next_action() {
            busy = true;
            let named = |name: &ChannelName| {
                self.channels.iter().position(|c| c.name == *name).expect("a channel of ours")
            };
            match action {
                Action::Attach(name) => {
                    let index = named(&name);
                    self.begin(index);
                }
                Action::Detach(name) => {
                    let index = named(&name);
                    self.channels[index].attached = false;
                }
                Action::History { subscription, channel, after } => {
                    let page = self.channels[named(&channel)].history(after);
                    self.pages.push_back((subscription, page));
                }
            }
        }
        busy
    }

    fn begin(&mut self, index: usize) {
        let channel = &mut self.channels[index];
        channel.attached = true;
        channel.tail = channel.head();
        self.fanout.attached(&channel.name, at(channel.tail));
        if channel.ended {
            self.end(index);
        }
    }

    fn end(&mut self, index: usize) {
        let channel = &mut self.channels[index];
        channel.ended = true;
        let end = End { position: at(channel.head()), status: "exit 0".into() };
        self.fanout.ended(&channel.name, Arc::new(end));
    }

    fn offer(&mut self, viewer: usize, accepted_max: usize) -> Transmit {
        let id = self.viewers[viewer].id;
        let mut slices = ArrayVec::<_, SLICES_MAX>::new();
        let transmit = self.fanout.poll_transmit(id, 64, &mut slices);
        let mut accepted = Vec::new();
        for slice in &slices {
            accepted.extend_from_slice(slice);
        }
        drop(slices);
        accepted.truncate(accepted_max);
        self.fanout.sent(id, accepted.len());
        self.viewers[viewer].received.extend_from_slice(&accepted);
        if matches!(transmit, Transmit::Bytes(bytes) if accepted.len() < bytes) {
            self.fanout.blocked(id);
        } else if matches!(transmit, Transmit::Bytes(_)) {
            self.fanout.again(id);
        }
        transmit
    }

    fn flush(&mut self) {
        loop {
            let mut slice = 2;
            while let Some(id) = self.fanout.next_ready(&mut slice) {
                let viewer = self.fanout.token(id).expect("it is here");
                self.offer(viewer, usize::MAX);
            }
            if !self.fanout.has_ready() {
                return;
            }
        }
    }

    fn subscribe(&mut self, viewer: usize, wish: Wish) -> Option<(SubscriptionId, u64)> {
        let index = usize::from(wish.channel) % CHANNELS;
        let channel = &self.channels[index];
        let start = channel.head().saturating_sub(wish.back.into());
        let id = self.viewers[viewer].id;
        let subscription = self.fanout.subscribe(id, &channel.name, Some(wish.slow)).ok()?;
        self.viewers[viewer].chosen.push((index, wish.slow));
        Some((subscription, start))
    }

    fn connect(&mut self, form: Form, wish: Wish) {
        let index = self.viewers.len();
        let channel = usize::from(wish.channel) % CHANNELS;
        let start = self.channels[channel].head().saturating_sub(wish.back.into());
        self.viewers.push(Viewer {
            id: self.fanout.connect(form, index),
            form,
            raw: (channel, start),
            chosen: Vec::new(),
            received: Vec::new(),
            here: true,
        });
        let started = self.subscribe(index, wish).expect("the first subscription");
        match form {
            // A raw viewer's beginning is known before it comes, the other's has to be asked for.
            Form::Raw => self.fanout.start(started.0, at(started.1), None, SlowPolicy::Skip),
            Form::V1 => self.starts.push_back(started),
        }
    }

    pub(crate) fn step(&mut self, step: Step) {
        let channel = |channel: u8| usize::from(channel) % CHANNELS;
        let viewer = |reader: u8, viewers: &[Viewer]| {
            (!viewers.is_empty()).then(|| usize::from(reader) % viewers.len())
        };
        match step {
            Step::Publish { channel: at, count } if !self.channels[channel(at)].ended => {
                self.channels[channel(at)].append(count);
                self.deliver(channel(at));
            }
            Step::PublishBehind { channel: at, count } if !self.channels[channel(at)].ended => {
                self.channels[channel(at)].append(count);
            }
            Step::CatchUp(at) => {
                let Channel { attached, tail, .. } = self.channels[channel(at)];
                if attached && tail < self.channels[channel(at)].head() {
                    self.begin(channel(at));
                }
            }
            Step::End(at) => {
                let Channel { attached, tail, .. } = self.channels[channel(at)];
                if attached && tail == self.channels[channel(at)].head() {
                    self.end(channel(at));
                }
            }
            Step::Connect { form, wish } => self.connect(form, wish),
            Step::Publish { .. } | Step::PublishBehind { .. } => {}
            Step::Actions => drop(self.actions()),
            Step::Flush => self.flush(),
            Step::Elapse(ms) => self.elapse(Duration::from_millis(ms.into())),
            Step::Window { channel: at, ms } => {
                let window = Duration::from_millis(ms.into());
                self.fanout.set_window(&self.channels[channel(at)].name, window);
            }
            Step::Subscribe { reader, .. }
            | Step::Unsubscribe { reader, .. }
            | Step::Accept { reader, .. }
            | Step::Disconnect(reader)
            | Step::Writable(reader)
            | Step::Heartbeat(reader) => {
                if let Some(viewer) = viewer(reader, &self.viewers) {
                    self.step_of(viewer, step);
                }
            }
        }
    }

    /// A step that is about one viewer.
    fn step_of(&mut self, viewer: usize, step: Step) {
        let id = self.viewers[viewer].id;
        match step {
            Step::Subscribe { wish, .. } if self.viewers[viewer].form == Form::V1 => {
                let started = self.subscribe(viewer, wish);
                self.starts.extend(started);
            }
            Step::Unsubscribe { channel, .. } if self.viewers[viewer].form == Form::V1 => {
                let channel = &self.channels[usize::from(channel) % CHANNELS].name;
                if self.fanout.unsubscribe(id, channel) {
                    let event = v1::frame(&v1::Event::Unsubscribed { channel });
                    self.fanout.push(id, event).expect("there is room");
                }
            }
            Step::Disconnect(_) => {
                self.viewers[viewer].here = false;
                self.fanout.disconnect(id);
            }
            Step::Accept { bytes, .. } => drop(self.offer(viewer, bytes.into())),
            Step::Writable(_) => self.fanout.writable(id),
            Step::Heartbeat(_) => self.fanout.heartbeat(id),
            _ => {}
        }
    }

    /// Every socket takes everything, every answer arrives.
    pub(crate) fn settle(&mut self) {
        for channel in 0..CHANNELS {
            if !self.channels[channel].ended {
                self.deliver(channel);
            }
        }
        for viewer in &self.viewers {
            self.fanout.writable(viewer.id);
        }
        for _ in 0..10_000 {
            self.elapse(Duration::from_millis(u8::MAX.into()));
            assert_eq!(self.fanout.next_due(), None, "no window is longer");
            self.flush();
            if !self.actions() && !self.fanout.has_ready() {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Comes to rest, and asks of every viewer that is still here that it has everything or was
    /// told what it has not.
    pub(crate) fn reconcile(mut self) {
        self.settle();
        for mut viewer in std::mem::take(&mut self.viewers) {
            if viewer.here {
                let account: Account = account::of(&mut viewer, &self.channels);
                account.reconcile(&viewer, &self.channels);
            }
        }
    }
}
