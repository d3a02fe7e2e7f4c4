//! A real server in this process, on a port of the system's choice.

use std::{net::SocketAddr, time::Duration};

use enchufe::{
    address::HttpAddress,
    core::{ChannelName, Message, Position},
    http,
    live::{
        Node, NodeOptions,
        broker::{Broker, ChannelOptions, Rules},
    },
    shutdown::{Shutdown, Trigger},
    transport::tls::ServerTls,
};
use tokio::task::JoinHandle;

pub struct Server {
    pub node: Node,
    pub address: SocketAddr,
    trigger: Trigger,
    serving: JoinHandle<()>,
}

pub fn name(text: &str) -> ChannelName {
    text.parse().expect("a channel's name")
}

/// What a server is started with.
pub struct Setup {
    /// Where it listens.
    pub listen: &'static str,
    /// With which certificate, if any.
    pub tls: Option<ServerTls>,
    pub node: NodeOptions,
    pub channels: Vec<(&'static str, ChannelOptions)>,
    /// For channels that are made on first use.
    pub rules: Rules,
    pub site: http::Options,
}

impl Default for Setup {
    /// One channel, `feed`, which is the default.
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0",
            tls: None,
            node: NodeOptions { shards: 2, ..NodeOptions::default() },
            channels: vec![("feed", ChannelOptions::default())],
            rules: Rules::default(),
            site: http::Options { default_channel: Some(name("feed")), ..http::Options::default() },
        }
    }
}

impl Server {
    /// One channel, `feed`, which is the default.
    pub async fn start(options: ChannelOptions) -> Self {
        Self::start_with(options, |_| {}).await
    }

    pub async fn start_with(
        options: ChannelOptions,
        adjust: impl FnOnce(&mut http::Options),
    ) -> Self {
        let mut setup = Setup { channels: vec![("feed", options)], ..Setup::default() };
        adjust(&mut setup.site);
        Self::start_as(setup).await
    }

    pub async fn start_as(setup: Setup) -> Self {
        let Setup { listen, tls, node, channels, rules, site } = setup;
        let broker = Broker::memory_with(rules);
        for (channel, options) in channels {
            broker.declare(&name(channel), options);
        }
        let node = Node::start(broker, &node).expect("threads");
        let HttpAddress { endpoint, .. } = HttpAddress::parse_listen(listen).expect("an address");
        let mut listener = http::Listener::bind(&endpoint, 1024).await.expect("a free port");
        if let Some(tls) = tls {
            listener = listener.with_tls(tls);
        }
        let local = listener.local_addresses().next().expect("one socket");
        let address = SocketAddr::from(([127, 0, 0, 1], local.port));
        let (trigger, shutdown) = Shutdown::new();
        let serving = tokio::spawn(http::serve(listener, node.clone(), site, shutdown));
        Self { node, address, trigger, serving }
    }

    pub async fn publish(&self, text: &str) -> Position {
        let receipt = self
            .node
            .broker()
            .publish(&name("feed"), vec![Message::text(text)], None)
            .await
            .expect("the channel is there");
        receipt.last
    }

    /// The numbers `1..=count`, one message each, as a source publishes them.
    pub async fn publish_numbers(&self, count: u64) {
        for number in 1..=count {
            self.publish(&number.to_string()).await;
            if number % 64 == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    pub async fn end(&self) {
        let ended = self.node.broker().end(&name("feed"), "exit 0".to_owned()).await;
        ended.expect("the channel is there");
    }

    /// Waits, within a bound, until `condition` holds.
    pub async fn until(&self, what: &str, mut condition: impl FnMut(&Node) -> bool) {
        for _ in 0..3_000 {
            if condition(&self.node) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what} did not come: {:?}", self.node.stats());
    }

    /// Asks it to end, and does not wait for that.
    pub fn ask_to_end(&self) {
        self.trigger.request();
    }

    pub async fn stop(self) {
        self.trigger.request();
        self.node.shutdown().await;
        self.serving.await.expect("serving does not panic");
    }
}
