//! A server: a node, the listeners that put it on the web, and the sources that feed its channels.
//!
//! `feed` and `run` are this with one channel or many; what either says of it is its own.

use std::{collections::BTreeMap, io};

use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::task::TaskTracker;

use crate::{
    core::ChannelName,
    http,
    live::{Node, NodeOptions, broker::Broker, feed},
    shutdown::{Shutdown, Trigger},
    source::AnySource,
};

/// A server that is running. Listeners and sources come and go while it does.
pub struct Server {
    node: Node,
    shutdown: Shutdown,
    serving: TaskTracker,
    sources: BTreeMap<ChannelName, Feeding>,
}

/// A source that feeds a channel.
struct Feeding {
    trigger: Trigger,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a server for the channels of a broker, which nobody can reach yet. It ends when
    /// `shutdown` is requested. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the system gives no event queue or no thread.
    pub fn start(broker: Broker, options: &NodeOptions, shutdown: Shutdown) -> io::Result<Self> {
        let node = Node::start(broker, options)?;
        Ok(Self { node, shutdown, serving: TaskTracker::new(), sources: BTreeMap::new() })
    }

    /// Its channels and viewers.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Serves from a listener, with options that can be changed while it does.
    pub fn serve(&mut self, listener: http::Listener, options: http::Options) -> http::Control {
        let (node, shutdown) = (self.node.clone(), self.shutdown.clone());
        let (control, serving) = http::serve_changing(listener, node, options, shutdown);
        self.serving.spawn(serving);
        control
    }

    /// Publishes what a source yields to a channel, which has been declared, until it ends. A
    /// source that fed the channel before must have been [stopped](Self::stop_feeding). What is
    /// returned is told how the source ended, unless it was stopped.
    pub fn feed(&mut self, channel: ChannelName, source: AnySource) -> oneshot::Receiver<String> {
        let (trigger, shutdown) = self.shutdown.child();
        let (sender, ended) = oneshot::channel();
        let (broker, name) = (self.node.broker().clone(), channel.clone());
        let task = tokio::spawn(async move {
            if let Some(status) = run(&broker, &name, source, &shutdown).await {
                // Who does not want to know is not told.
                sender.send(status).ok();
            }
        });
        self.sources.insert(channel, Feeding { trigger, task });
        ended
    }

    /// Stops the source of a channel, if it has one that feeds it. The channel does not end by
    /// that: another source may go on where this one has stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not wait for the end of the source, which comes all the same.
    pub async fn stop_feeding(&mut self, channel: &ChannelName) {
        if let Some(Feeding { trigger, task }) = self.sources.remove(channel) {
            trigger.request();
            // A task that panicked has said so.
            task.await.ok();
        }
    }

    /// Waits until shutdown is requested, and then until viewers, readers and sources have ended,
    /// which is bounded.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: what is left behind ends by itself, and nobody knows when.
    pub async fn finish(self) {
        self.shutdown.requested().await;
        self.node.shutdown().await;
        self.serving.close();
        self.serving.wait().await;
        for (_, Feeding { task, .. }) in self.sources {
            task.await.ok();
        }
    }
}

/// Publishes what a source yields; how it ended, unless it was stopped.
async fn run(
    broker: &Broker,
    channel: &ChannelName,
    mut source: AnySource,
    shutdown: &Shutdown,
) -> Option<String> {
    if let Err(error) = feed(broker, channel, &mut source, shutdown).await {
        tracing::error!(%channel, %error, "the source cannot be published");
    }
    source.stop().await;
    if shutdown.is_requested() {
        return None;
    }
    let end = broker.state(channel).ok().and_then(|state| state.end);
    Some(end.map_or_else(String::new, |end| end.status.clone()))
}
