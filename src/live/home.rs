//! A channel's home: the task that runs its one tail and hands what comes to the shards.

use std::{collections::HashMap, sync::Arc};

use enchufe_core::{ChannelName, End, Position, Publication, Since};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{
    broker::{Broker, ReadError, Tail, TailEvent},
    inbox::{Inbox, Letter},
};
use crate::limits;

/// The homes of all channels that have readers.
pub(super) struct Homes {
    broker: Broker,
    inboxes: Arc<[Arc<Inbox>]>,
    open: HashMap<ChannelName, Door>,
    /// Homes whose last shard has gone, until they have noticed.
    closing: HashMap<ChannelName, JoinHandle<()>>,
}

struct Door {
    commands: mpsc::UnboundedSender<Command>,
    shards: usize,
    task: JoinHandle<()>,
}

impl Homes {
    pub(super) fn new(broker: Broker, inboxes: Arc<[Arc<Inbox>]>) -> Self {
        Self { broker, inboxes, open: HashMap::new(), closing: HashMap::new() }
    }

    /// A shard has readers of the channel.
    pub(super) fn attach(&mut self, shard: usize, channel: ChannelName) {
        let previous = self.closing.remove(&channel);
        let door = self.open.entry(channel.clone()).or_insert_with(|| {
            let (commands, receiver) = mpsc::unbounded_channel();
            let home = run(channel, self.broker.clone(), Arc::clone(&self.inboxes), receiver);
            let task = tokio::spawn(async move {
                // Two homes at once would speak to the same shards out of turn, and readers would
                // have messages twice or not at all.
                if let Some(previous) = previous {
                    previous.await.ok();
                }
                home.await;
            });
            Door { commands, shards: 0, task }
        });
        door.shards += 1;
        // A home lives as long as its door.
        door.commands.send(Command::Attach(shard)).ok();
    }

    /// A shard has none any more.
    pub(super) fn detach(&mut self, shard: usize, channel: &ChannelName) {
        let Some(door) = self.open.get_mut(channel) else { return };
        door.commands.send(Command::Detach(shard)).ok();
        door.shards -= 1;
        if door.shards == 0
            && let Some((channel, Door { task, .. })) = self.open.remove_entry(channel)
        {
            self.closing.retain(|_, task| !task.is_finished());
            self.closing.insert(channel, task);
        }
    }
}

/// What a home is told.
enum Command {
    /// This shard has readers.
    Attach(usize),
    /// This shard has none any more.
    Detach(usize),
}

/// Runs until the sender of `commands` is dropped.
async fn run(
    channel: ChannelName,
    broker: Broker,
    inboxes: Arc<[Arc<Inbox>]>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let mut shards = Vec::new();
    let (tail, mut questions) = loop {
        let error = match open(&broker, &channel).await {
            Ok(opened) => break opened,
            Err(error) => error,
        };
        // Whoever subscribed is told so by the answer to its own question, and then the shard is
        // gone. But the channel may come to be before that is answered: then there has to be a tail.
        tracing::debug!(%channel, %error, "no tail");
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Attach(shard)) => shards.push(shard),
                Some(Command::Detach(shard)) => shards.retain(|known| *known != shard),
                None => return,
            },
            () = tokio::time::sleep(limits::RETRY_PAUSE) => {}
        }
    };
    let mut home = Home { channel, tail, inboxes, readers: Vec::new(), end: None };
    shards.into_iter().for_each(|shard| home.attach(shard));
    let mut retry = tokio::time::interval(limits::RETRY_PAUSE);
    retry.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let behind = home.readers.iter().any(|reader| reader.behind);
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(Command::Attach(shard)) => home.attach(shard),
                Some(Command::Detach(shard)) => home.readers.retain(|r| r.shard != shard),
                None => return,
            },
            _ = retry.tick(), if behind => home.catch_up(),
            // The channel lives as long as its tail.
            Ok(()) = questions.changed() => home.ask(),
            event = home.tail.next() => home.on_event(event),
        }
    }
}

/// The tail of a channel from now on, and what its publishers ask.
async fn open(
    broker: &Broker,
    channel: &ChannelName,
) -> Result<(Tail, watch::Receiver<()>), ReadError> {
    let start = broker.resolve(channel, Since::Now).await?;
    Ok((broker.tail(channel, start.after).await?, broker.questions(channel)?))
}

struct Home {
    channel: ChannelName,
    tail: Tail,
    inboxes: Arc<[Arc<Inbox>]>,
    readers: Vec<Reader>,
    end: Option<Arc<End>>,
}

struct Reader {
    shard: usize,
    /// Its inbox was full: it begins again, through history, once there is room.
    behind: bool,
}

impl Home {
    fn attach(&mut self, shard: usize) {
        self.readers.retain(|reader| reader.shard != shard);
        self.readers.push(Reader { shard, behind: false });
        self.begin(shard, self.tail.position());
    }

    fn begin(&self, shard: usize, after: Position) {
        let inbox = &self.inboxes[shard];
        let window = self.tail.flush_window();
        inbox.post(Letter::Attached(self.channel.clone(), after, window));
        if let Some(end) = &self.end {
            inbox.post(Letter::Ended(self.channel.clone(), Arc::clone(end)));
        }
    }

    fn on_event(&mut self, event: TailEvent) {
        match event {
            TailEvent::Publications(items) => self.publish(&items),
            // Readers fall out of the ring and are told by their history.
            TailEvent::Gap(_) => {
                for reader in &self.readers {
                    self.begin(reader.shard, self.tail.position());
                }
            }
            TailEvent::End(end) => {
                self.end = Some(Arc::clone(&end));
                for reader in self.readers.iter().filter(|reader| !reader.behind) {
                    let letter = Letter::Ended(self.channel.clone(), Arc::clone(&end));
                    self.inboxes[reader.shard].post(letter);
                }
            }
        }
    }

    /// Has the shards say how far their readers are.
    fn ask(&self) {
        for reader in &self.readers {
            self.inboxes[reader.shard].post(Letter::Question);
        }
    }

    fn publish(&mut self, items: &[Arc<Publication>]) {
        for reader in &mut self.readers {
            if !reader.behind && !self.inboxes[reader.shard].offer(&self.channel, items) {
                reader.behind = true;
                tracing::debug!(channel = %self.channel, shard = reader.shard, "shard is behind");
            }
        }
    }

    fn catch_up(&mut self) {
        let position = self.tail.position();
        for index in 0..self.readers.len() {
            let Reader { shard, behind } = self.readers[index];
            if behind && self.inboxes[shard].is_clear() {
                self.readers[index].behind = false;
                self.begin(shard, position);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use enchufe_core::Message;
    use tokio::time::timeout;

    use super::*;
    use crate::live::broker::ChannelOptions;

    /// Publishes so many messages and gives the home its turn after each batch.
    async fn publish(broker: &Broker, channel: &ChannelName, count: usize) {
        for _ in 0..count / 1_000 {
            let batch = vec![Message::text("x"); 1_000];
            broker.publish(channel, batch, None).await.expect("it is there");
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn a_shard_that_was_behind_begins_again_at_the_newest() {
        let poll = mio::Poll::new().expect("an event queue");
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
        let (inbox, broker) =
            (Arc::new(Inbox::new(Arc::new(waker), limits::INBOX_LEN_MAX)), Broker::memory());
        let channel: ChannelName = "feed".parse().expect("a name");
        broker.declare(&channel, ChannelOptions::default());
        let mut homes = Homes::new(broker.clone(), Arc::from([Arc::clone(&inbox)]));
        homes.attach(0, channel.clone());
        tokio::task::yield_now().await;
        publish(&broker, &channel, 2 * limits::INBOX_LEN_MAX).await;
        let mut letters = Vec::new();
        inbox.take(&mut letters);
        let mut waiting = 0;
        for letter in letters.drain(..) {
            match letter {
                Letter::Attached(_, after, _) => assert_eq!(after.offset, 0),
                Letter::Publications(_, items) => waiting += items.len(),
                _ => panic!("neither was asked for"),
            }
        }
        assert!(waiting <= limits::INBOX_LEN_MAX, "{waiting} publications waited");
        let again = async {
            while letters.is_empty() {
                tokio::time::sleep(limits::RETRY_PAUSE).await;
                inbox.take(&mut letters);
            }
        };
        timeout(limits::DRAIN_TIMEOUT, again).await.expect("it begins again");
        let head = broker.state(&channel).expect("it is there").head;
        assert!(matches!(letters[..], [Letter::Attached(_, after, _)] if after == head));
    }

    #[tokio::test]
    async fn a_channel_that_comes_to_be_after_its_home_is_read_all_the_same() {
        let poll = mio::Poll::new().expect("an event queue");
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("a waker");
        let (inbox, broker) = (Arc::new(Inbox::new(Arc::new(waker), 10)), Broker::memory());
        let channel: ChannelName = "late".parse().expect("a name");
        let mut homes = Homes::new(broker.clone(), Arc::from([Arc::clone(&inbox)]));
        homes.attach(0, channel.clone());
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let mut letters = Vec::new();
        inbox.take(&mut letters);
        assert!(letters.is_empty(), "there is no such channel");
        broker.declare(&channel, ChannelOptions::default());
        let attached = async {
            while letters.is_empty() {
                tokio::time::sleep(limits::RETRY_PAUSE).await;
                inbox.take(&mut letters);
            }
        };
        timeout(limits::DRAIN_TIMEOUT, attached).await.expect("its tail begins");
        assert!(matches!(letters[..], [Letter::Attached(..)]));
    }
}
