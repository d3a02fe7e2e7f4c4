//! What `feed` and `demo` share: channels in memory, served over HTTP until it is time to end.

use tokio::task::JoinSet;

use super::{catalogue::Phrase, failure::Failure, language::Language, output};
use crate::{
    address::HostPort,
    http::{self, Listener, Options},
    limits,
    live::{Node, NodeOptions, broker::Broker},
    shutdown::Shutdown,
    transport::BindError,
};

/// Channels, and the servers that show them.
pub(super) struct Site {
    node: Node,
    servers: JoinSet<()>,
}

impl Site {
    /// A site without channels or servers.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(super) fn start() -> Result<Self, Failure> {
        let node = Node::start(Broker::memory(), &NodeOptions::default());
        Ok(Self { node: node.map_err(Failure::System)?, servers: JoinSet::new() })
    }

    /// Where the channels are.
    pub(super) fn broker(&self) -> &Broker {
        self.node.broker()
    }

    /// Serves them until `shutdown`.
    pub(super) fn serve(&mut self, listener: Listener, options: Options, shutdown: Shutdown) {
        self.servers.spawn(http::serve(listener, self.node.clone(), options, shutdown));
    }

    /// Waits until every reader has had everything of the channels that have ended.
    pub(super) async fn is_read(&self) {
        while self.node.stats().unfinished > 0 {
            tokio::time::sleep(limits::UNREAD_POLL_INTERVAL).await;
        }
    }

    /// Tells the viewers goodbye and waits for everything to end, which is bounded. To be called
    /// once shutdown was requested.
    pub(super) async fn end(mut self) {
        let served = async { while self.servers.join_next().await.is_some() {} };
        tokio::join!(served, self.node.shutdown());
    }
}

/// Listens for HTTP, and says so.
///
/// # Errors
///
/// When the address cannot be listened on.
pub(super) async fn listen(endpoint: &HostPort, language: Language) -> Result<Listener, BindError> {
    let bound = Listener::bind(endpoint, limits::BACKLOG).await;
    let listener = bound.map_err(|error| error.naming(format!("http://{endpoint}")))?;
    for warning in listener.warnings() {
        output::warn(language, Phrase::Bind(warning));
    }
    Ok(listener)
}
