//! The fan-out against a naive model: whatever the order of events, every reader has every
//! message in order or was told of a gap that really was one.

use std::{collections::VecDeque, sync::Arc};

use arrayvec::ArrayVec;
use enchufe_core::{
    ChannelName, End, Epoch, Form, Gap, GapReason, Message, Position, Publication, SlowPolicy,
    fanout::{Action, Fanout, Limits, Page, ReaderId, SLICES_MAX, SubscriptionId, Transmit},
    ws,
};
use proptest::prelude::*;

const EPOCH: Epoch = Epoch(0xe);
const PAGE_LEN: usize = 3;

fn at(offset: u64) -> Position {
    Position::new(EPOCH, offset)
}

fn channel() -> ChannelName {
    "numbers".parse().expect("a name")
}

#[derive(Debug, Clone)]
enum Step {
    Publish(u8),
    /// Published, but the tail of this shard is behind and will begin again later.
    PublishBehind(u8),
    CatchUp,
    Connect {
        form: Form,
        back: u8,
        slow: SlowPolicy,
    },
    Disconnect(u8),
    /// The socket accepts this many bytes of what is offered, then blocks.
    Accept {
        reader: u8,
        bytes: u16,
    },
    Writable(u8),
    Heartbeat(u8),
    Actions,
    Flush,
    End,
}

fn step() -> impl Strategy<Value = Step> {
    let form = prop_oneof![Just(Form::Raw), Just(Form::V1)];
    let slow = prop_oneof![Just(SlowPolicy::Skip), Just(SlowPolicy::Latest), Just(SlowPolicy::Cut)];
    prop_oneof![
        8 => (1..12u8).prop_map(Step::Publish),
        1 => (1..12u8).prop_map(Step::PublishBehind),
        1 => Just(Step::CatchUp),
        2 => (form, 0..20u8, slow).prop_map(|(form, back, slow)| Step::Connect { form, back, slow }),
        1 => any::<u8>().prop_map(Step::Disconnect),
        4 => (any::<u8>(), 0..300u16).prop_map(|(reader, bytes)| Step::Accept { reader, bytes }),
        2 => any::<u8>().prop_map(Step::Writable),
        1 => any::<u8>().prop_map(Step::Heartbeat),
        4 => Just(Step::Actions),
        4 => Just(Step::Flush),
        1 => Just(Step::End),
    ]
}

struct Viewer {
    id: ReaderId,
    subscription: SubscriptionId,
    form: Form,
    slow: SlowPolicy,
    start: u64,
    received: Vec<u8>,
    here: bool,
}

/// A log whose history keeps the newest `kept`, a shard with a ring of `ring`, and its viewers.
struct World {
    fanout: Fanout,
    log: Vec<Arc<Publication>>,
    kept: usize,
    attached: bool,
    tail: u64,
    viewers: Vec<Viewer>,
    pages: VecDeque<(SubscriptionId, Page)>,
    ended: bool,
}

impl World {
    fn new(kept: usize, ring: usize) -> Self {
        let fanout = Fanout::new(Limits {
            ring_len_max: ring,
            ring_bytes_max: usize::MAX,
            outbox_bytes_max: 1 << 20,
            subscriptions_max: 8,
        });
        let (log, viewers, pages) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { fanout, log, kept, attached: false, tail: 0, viewers, pages, ended: false }
    }

    fn head(&self) -> u64 {
        self.log.len() as u64
    }

    fn before_oldest(&self) -> u64 {
        (self.log.len() - self.log.len().min(self.kept)) as u64
    }

    fn append(&mut self, count: u8) {
        for _ in 0..count {
            let offset = self.head() + 1;
            let message = Message::text(offset.to_string());
            let time = jiff::Timestamp::UNIX_EPOCH;
            self.log.push(Arc::new(Publication::new(at(offset), time, message.as_ref())));
        }
    }

    /// What the tail has not yet handed to this shard.
    fn deliver(&mut self) {
        if self.attached {
            let new = &self.log[usize::try_from(self.tail).expect("small")..];
            self.fanout.publish(&channel(), new.iter().cloned());
            self.tail = self.head();
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

    /// `true` when there was something to do.
    fn actions(&mut self) -> bool {
        let mut busy = !self.pages.is_empty();
        // Answers arrive after everything that was published meanwhile.
        for (subscription, page) in std::mem::take(&mut self.pages) {
            self.fanout.page(subscription, page);
        }
        while let Some(action) = self.fanout.next_action() {
            busy = true;
            match action {
                Action::Attach(name) => {
                    self.attached = true;
                    self.tail = self.head();
                    self.fanout.attached(&name, at(self.tail));
                    if self.ended {
                        self.end();
                    }
                }
                Action::Detach(_) => self.attached = false,
                Action::History { subscription, after, .. } => {
                    self.pages.push_back((subscription, self.history(after)));
                }
            }
        }
        busy
    }

    fn end(&mut self) {
        self.ended = true;
        let end = End { position: at(self.head()), status: "exit 0".into() };
        self.fanout.ended(&channel(), Arc::new(end));
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

    fn step(&mut self, step: Step) {
        let pick = |pick: u8, viewers: &[Viewer]| {
            (!viewers.is_empty()).then(|| usize::from(pick) % viewers.len())
        };
        match step {
            Step::Publish(count) if !self.ended => {
                self.append(count);
                self.deliver();
            }
            Step::PublishBehind(count) if !self.ended => self.append(count),
            Step::CatchUp if self.attached && self.tail < self.head() => {
                self.tail = self.head();
                self.fanout.attached(&channel(), at(self.tail));
            }
            Step::Connect { form, back, slow } => {
                let start = self.head().saturating_sub(u64::from(back));
                let id = self.fanout.connect(form, self.viewers.len());
                let subscription = self
                    .fanout
                    .subscribe(id, &channel(), Some(slow))
                    .expect("the first subscription");
                self.fanout.start(subscription, at(start), None, SlowPolicy::Skip);
                let received = Vec::new();
                self.viewers.push(Viewer {
                    id,
                    subscription,
                    form,
                    slow,
                    start,
                    received,
                    here: true,
                });
            }
            Step::Disconnect(reader) => {
                if let Some(index) = pick(reader, &self.viewers) {
                    self.viewers[index].here = false;
                    self.fanout.disconnect(self.viewers[index].id);
                }
            }
            Step::Accept { reader, bytes } => {
                if let Some(index) = pick(reader, &self.viewers) {
                    self.offer(index, bytes.into());
                }
            }
            Step::Writable(reader) => {
                if let Some(index) = pick(reader, &self.viewers) {
                    self.fanout.writable(self.viewers[index].id);
                }
            }
            Step::Heartbeat(reader) => {
                if let Some(index) = pick(reader, &self.viewers) {
                    self.fanout.heartbeat(self.viewers[index].id);
                }
            }
            Step::Actions => drop(self.actions()),
            Step::Flush => self.flush(),
            Step::End if self.attached && self.tail == self.head() => self.end(),
            _ => {}
        }
    }

    /// Every socket takes everything, every answer arrives.
    fn settle(&mut self) {
        if self.attached && !self.ended {
            self.deliver();
        }
        for index in 0..self.viewers.len() {
            self.fanout.writable(self.viewers[index].id);
        }
        for _ in 0..10_000 {
            self.flush();
            if !self.actions() && !self.fanout.has_ready() {
                return;
            }
        }
        panic!("it never comes to rest");
    }
}

/// What a viewer made of its bytes.
struct Account {
    through: u64,
    closed: Option<(u16, String)>,
    ended: bool,
}

fn text_field<'a>(event: &'a serde_json::Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or_else(|| panic!("{event} has no {key}"))
}

fn offset_field(event: &serde_json::Value, key: &str) -> u64 {
    text_field(event, key).parse::<Position>().expect("a position").offset
}

fn account(viewer: &mut Viewer) -> Account {
    let mut account = Account { through: viewer.start, closed: None, ended: false };
    let mut decoder = ws::Decoder::new(ws::Role::Client, ws::Limits::default());
    let mut input = viewer.received.as_mut_slice();
    while !input.is_empty() {
        let ws::Decoded { consumed, event } = decoder.decode(input).expect("whole frames");
        match event {
            Some(ws::Event::Message(message)) => {
                let text = std::str::from_utf8(message.payload).expect("text");
                match viewer.form {
                    Form::Raw => {
                        let offset: u64 = text.parse().expect("a number");
                        if viewer.slow == SlowPolicy::Latest {
                            assert!(offset > account.through, "{offset} again");
                        } else {
                            assert_eq!(offset, account.through + 1, "out of order");
                        }
                        account.through = offset;
                    }
                    Form::V1 => note(&mut account, &serde_json::from_str(text).expect("JSON")),
                }
            }
            Some(ws::Event::Close(reason)) => {
                let reason = reason.expect("the server says why");
                account.closed = Some((reason.code.number(), reason.reason));
            }
            Some(_) => panic!("neither a message nor a close"),
            None => {}
        }
        input = &mut input[consumed..];
    }
    account
}

fn note(account: &mut Account, event: &serde_json::Value) {
    assert!(!account.ended, "{event} after the end");
    let (kind, body) = event.as_object().and_then(|o| o.iter().next()).expect("one key");
    match kind.as_str() {
        "subscribed" => assert_eq!(offset_field(body, "position"), account.through),
        "message" => {
            assert_eq!(offset_field(body, "position"), account.through + 1, "out of order");
            account.through += 1;
            assert_eq!(text_field(body, "data"), account.through.to_string());
        }
        "gap" => {
            assert_eq!(offset_field(body, "after"), account.through, "a gap from elsewhere");
            let next = offset_field(body, "next");
            assert!(next > account.through + 1, "an empty gap");
            if let Some(missing) = body["missing"].as_u64() {
                assert_eq!(missing, next - account.through - 1);
            }
            account.through = next - 1;
        }
        "position" => assert_eq!(offset_field(body, "position"), account.through),
        "end" => {
            assert_eq!(offset_field(body, "position"), account.through);
            account.ended = true;
        }
        other => panic!("{other} was not asked for"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_has_everything_or_was_told(
        steps in prop::collection::vec(step(), 1..80),
        kept in 1..30usize,
        ring in 1..12usize,
    ) {
        let mut world = World::new(kept, ring);
        for step in steps {
            world.step(step);
        }
        world.settle();
        let (head, ended) = (world.head(), world.ended);
        for viewer in world.viewers.iter_mut().filter(|viewer| viewer.here) {
            let account = account(viewer);
            match account.closed {
                None => {
                    prop_assert_eq!(account.through, head, "a reader was left behind");
                    prop_assert_eq!(account.ended, ended);
                }
                Some((4000, reason)) => {
                    prop_assert!(ended && viewer.form == Form::Raw);
                    prop_assert_eq!(reason, at(head).to_string());
                    prop_assert_eq!(account.through, head);
                }
                Some((4001, reason)) => {
                    prop_assert_eq!(viewer.slow, SlowPolicy::Cut);
                    if viewer.form == Form::Raw {
                        prop_assert_eq!(reason, at(account.through).to_string());
                    }
                }
                Some((4002, reason)) => {
                    prop_assert_eq!(viewer.form, Form::Raw);
                    let resume: Position = reason.parse().expect("a position");
                    prop_assert!(resume.offset > account.through, "no gap at all");
                }
                Some(other) => prop_assert!(false, "closed with {:?}", other),
            }
            let _ = viewer.subscription;
        }
    }
}

#[test]
fn frames_are_borrowed_from_the_publication() {
    let mut world = World::new(10, 10);
    for _ in 0..3 {
        world.step(Step::Connect { form: Form::Raw, back: 0, slow: SlowPolicy::Skip });
    }
    world.actions();
    world.step(Step::Publish(1));
    let frame = world.log[0].frame(Form::Raw, &channel()).as_ptr();
    let mut slice = 10;
    while let Some(id) = world.fanout.next_ready(&mut slice) {
        let mut slices = ArrayVec::<_, SLICES_MAX>::new();
        if let Transmit::Bytes(bytes) = world.fanout.poll_transmit(id, 1 << 16, &mut slices) {
            assert_eq!(slices[0].as_ptr(), frame);
            drop(slices);
            world.fanout.sent(id, bytes);
        }
    }
    assert_eq!(world.fanout.counts().delivered, 3);
    assert_eq!(world.fanout.counts().pinned, 0);
}

#[test]
fn a_reader_who_takes_no_replies_is_reported() {
    let mut world = World::new(10, 10);
    world.step(Step::Connect { form: Form::V1, back: 0, slow: SlowPolicy::Skip });
    let id = world.viewers[0].id;
    let frame = bytes::Bytes::from(vec![0; 1 << 19]);
    world.fanout.push(id, frame.clone()).expect("there is room");
    world.fanout.push(id, frame).expect_err("there is none");
}

#[test]
fn channels_take_turns() {
    let mut world = World::new(10, 10);
    let other: ChannelName = "other".parse().expect("a name");
    for token in 0..4 {
        let id = world.fanout.connect(Form::Raw, token);
        let name = if token % 2 == 0 { channel() } else { other.clone() };
        let sub = world.fanout.subscribe(id, &name, None).expect("the first");
        world.fanout.attached(&name, at(0));
        world.fanout.start(sub, at(0), None, SlowPolicy::Skip);
    }
    let mut slice = 100;
    while world.fanout.next_ready(&mut slice).is_some() {}
    world.append(1);
    for name in [channel(), other] {
        world.fanout.publish(&name, [Arc::clone(&world.log[0])]);
    }
    let mut order = Vec::new();
    while world.fanout.has_ready() {
        let mut slice = 1;
        while let Some(id) = world.fanout.next_ready(&mut slice) {
            order.push(world.fanout.token(id).expect("it is here"));
        }
    }
    assert_eq!(order, [0, 1, 2, 3]);
}
