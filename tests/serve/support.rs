//! A running server that remembers what it said happened, and clients for it.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use enchufe::address::{Address, Host, HostPort, WsAddress};
use enchufe::serve::Served;
use enchufe::service::{Event, Observer};
use enchufe::shutdown::Trigger;
use enchufe::transport::{CloseCode, CloseReason};
use enchufe::{
    BindOptions, Connection, Listener, Message, OpenOptions, ServeOptions, Service, Shutdown, serve,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than any test needs, shorter than the runner's patience.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) fn anywhere() -> HostPort {
    HostPort { host: Host::V4(Ipv4Addr::LOCALHOST), port: 0 }
}

pub(crate) fn tcp() -> Address {
    Address::Tcp(anywhere())
}

pub(crate) fn udp() -> Address {
    Address::Udp(anywhere())
}

pub(crate) fn ws() -> Address {
    Address::Ws(WsAddress { endpoint: anywhere().into(), path: None, is_secure: false })
}

/// A running server, and what it said happened.
pub(crate) struct Server {
    pub(crate) addresses: Vec<Address>,
    pub(crate) trigger: Trigger,
    pub(crate) running: JoinHandle<Served>,
    pub(crate) events: Events,
}

#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// Puts events into the words of the tutorial, in order. Ports differ from run to run.
    pub(crate) fn observer(&self) -> Observer {
        let events = Arc::clone(&self.0);
        Observer::new(move |event| {
            let text = match event {
                Event::Listening(_) => "listening".to_owned(),
                Event::Connected(peer) => {
                    let peer = peer.to_string();
                    assert!(peer.starts_with("('127.0.0.1', ") || peer == "unnamed", "{peer}");
                    "connected".to_owned()
                }
                Event::Received { message, .. } => format!("< {}", message.to_text()),
                Event::Sent { message, .. } => format!("> {}", message.to_text()),
                Event::Refused { connections_max, .. } => format!("refused, {connections_max} max"),
                Event::Closed { error: None, .. } => "closed".to_owned(),
                Event::Closed { error: Some(_), .. } => "failed".to_owned(),
                Event::Dropped(count) => format!("dropped {count}"),
                _ => unreachable!("an event of a new kind"),
            };
            events.lock().expect("not poisoned").push(text);
        })
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl Server {
    pub(crate) async fn start(
        addresses: &[Address],
        service: impl Service + Send + Sync + 'static,
        change: impl FnOnce(&mut ServeOptions),
    ) -> Self {
        let events = Events::default();
        Self::start_telling(events, addresses, service, change).await
    }

    pub(crate) async fn start_telling(
        events: Events,
        addresses: &[Address],
        service: impl Service + Send + Sync + 'static,
        change: impl FnOnce(&mut ServeOptions),
    ) -> Self {
        let mut listeners = Vec::new();
        for address in addresses {
            let bound = Listener::bind(address, &BindOptions::default()).await;
            listeners.push(bound.expect("a free port"));
        }
        let addresses = listeners.iter().flat_map(Listener::local_addresses).cloned().collect();
        let (trigger, shutdown) = Shutdown::new();
        let mut options = ServeOptions::default();
        options.observer = events.observer();
        change(&mut options);
        let running = tokio::spawn(serve(listeners, service, options, shutdown));
        Self { addresses, trigger, running, events }
    }

    pub(crate) async fn open(&self) -> Connection {
        self.open_at(0).await
    }

    pub(crate) async fn open_at(&self, index: usize) -> Connection {
        let options = OpenOptions::default();
        Connection::open(&self.addresses[index], &options).await.expect("connect")
    }

    pub(crate) async fn end(self) -> Served {
        self.trigger.request();
        self.ended().await
    }

    pub(crate) async fn ended(self) -> Served {
        timeout(LONG, self.running).await.expect("in time").expect("the server")
    }
}

pub(crate) async fn recv(connection: &mut Connection) -> Option<Message> {
    timeout(LONG, connection.recv()).await.expect("in time").expect("recv")
}

pub(crate) async fn text(connection: &mut Connection) -> String {
    recv(connection).await.expect("a message").to_text().into_owned()
}

/// Reads a stream to its end.
pub(crate) async fn rest(connection: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = recv(connection).await {
        bytes.extend_from_slice(&chunk.payload);
    }
    bytes
}

pub(crate) fn normal() -> CloseReason {
    CloseReason::new(CloseCode::NORMAL, "")
}
