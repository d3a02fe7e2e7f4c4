//! Channels over HTTP: one URL per channel, and the request chooses the wire form.
//!
//! The control plane. WebSocket viewers are handed to the shards after their handshake; readers
//! over plain HTTP stay here, a task each.

mod answer;
mod authority;
mod doors;
mod fields;
mod folder;
mod health;
mod history;
mod metrics;
mod patient;
mod presence;
mod process;
mod publish;
mod route;
mod stream;
mod upgrade;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use enchufe_core::ChannelName;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    address::HostPort,
    crowd::{Crowd, Seat},
    guard::AllowedOrigin,
    limits,
    live::Node,
    shutdown::Shutdown,
    transport::{BindError, BindOptions, BindWarning, os, tcp, tls, wire::Wire},
};
pub use authority::{ReadTokenError, Token};
use doors::Doors;
pub use folder::{Folder, OpenFolderError};
pub use health::{Need, Readiness};
use patient::{Exchange, Patient};

/// What a server is told besides its node.
#[derive(Debug, Clone)]
pub struct Options {
    /// The channel that `/` stands for.
    pub default_channel: Option<ChannelName>,
    /// Where WebSocket has the default channel besides `/`.
    pub default_path: DefaultPath,
    /// Origins whose pages may do everything.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Names that a loopback listener answers to besides `localhost` and loopback addresses.
    pub host_names: Vec<String>,
    /// Publishing from elsewhere needs this token; without one it is refused.
    pub publish_token: Option<Token>,
    /// Reading needs this token; without one everybody may read.
    pub read_token: Option<Token>,
    /// One's own page instead of the built-in one.
    pub page: Option<Folder>,
    /// Who may read the metrics where reading needs no token.
    pub metrics: MetricsAccess,
    /// What has to be there before the server counts as ready.
    pub readiness: Readiness,
    /// Connections at the same time, viewers aside.
    pub connections_max: usize,
    /// How long a client may take to send the head of a request, or to begin it.
    pub head_timeout: Duration,
    /// How long the body of a publish may take.
    pub body_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub dead_after: Duration,
    /// Who is turned away because as many came from there already. Listeners that share it count
    /// together.
    pub crowd: Crowd,
}

/// Who may read the metrics where reading needs no token. Where it does, that token is needed, from
/// wherever the request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricsAccess {
    /// Nobody: there are none.
    Off,
    /// Programs on this machine that speak to it directly.
    #[default]
    Loopback,
    /// Everybody who reaches it.
    Everyone,
}

/// Where WebSocket has the default channel besides `/`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DefaultPath {
    /// Nowhere.
    #[default]
    Root,
    /// At every path that is not that of a channel.
    Every,
    /// Here.
    At(String),
}

impl DefaultPath {
    fn covers(&self, path: &str) -> bool {
        match self {
            Self::Root => false,
            Self::Every => true,
            Self::At(known) => known == path,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            default_channel: None,
            default_path: DefaultPath::default(),
            allowed_origins: Vec::new(),
            host_names: Vec::new(),
            publish_token: None,
            read_token: None,
            page: None,
            metrics: MetricsAccess::default(),
            readiness: Readiness::default(),
            connections_max: limits::HTTP_CONNECTIONS_MAX,
            head_timeout: limits::HANDSHAKE_TIMEOUT,
            body_timeout: limits::BODY_TIMEOUT,
            dead_after: limits::DEAD_AFTER,
            crowd: Crowd::default(),
        }
    }
}

/// Sockets that listen for HTTP.
#[derive(Debug)]
pub struct Listener {
    tcp: tcp::Listener,
    tls: Option<tls::ServerTls>,
    warnings: Vec<BindWarning>,
}

impl Listener {
    /// Listens on every address of the host, for HTTP without TLS.
    ///
    /// # Errors
    ///
    /// When one of them cannot be listened on.
    pub async fn bind(endpoint: &HostPort, backlog: u32) -> Result<Self, BindError> {
        let options = BindOptions { backlog, ..BindOptions::default() };
        Self::bind_with(endpoint, &options).await
    }

    /// As [`Listener::bind`], with everything that is asked of the sockets.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn bind_with(endpoint: &HostPort, options: &BindOptions) -> Result<Self, BindError> {
        let (tcp, warnings) = tcp::Listener::bind(endpoint, options).await?;
        Ok(Self { tcp, tls: None, warnings })
    }

    /// The same sockets, for HTTP over TLS.
    pub fn with_tls(self, tls: tls::ServerTls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Whether it speaks TLS: whether it is `https://` where it listens.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Where it listens, with the chosen port; one for each socket.
    pub fn local_addresses(&self) -> impl Iterator<Item = HostPort> {
        self.tcp.local_addresses()
    }

    /// What the user should know.
    pub fn warnings(&self) -> &[BindWarning] {
        &self.warnings
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.tcp.local_addresses().all(|endpoint| endpoint.host.is_loopback())
    }
}

/// The path of a channel's one URL.
pub fn channel_path(channel: &ChannelName) -> String {
    crate::address::channel_path(channel)
}

/// What every request is answered from.
#[derive(Clone)]
struct Site {
    node: Node,
    options: Options,
    tls: Option<tls::ServerTls>,
    is_loopback: bool,
    is_secure: bool,
    shutdown: Shutdown,
}

/// The connection a request came on.
#[derive(Clone)]
struct Connection {
    peer: SocketAddr,
    /// Cancelled when the connection has ended.
    ended: CancellationToken,
    exchange: Exchange,
    tasks: TaskTracker,
    /// Counts it for its address for as long as somebody has this.
    seat: Arc<Seat>,
}

/// The options of a server that is running. Requests from now on are answered as they say;
/// connections keep the time-outs that they began with.
#[derive(Clone)]
pub struct Control(Arc<RwLock<Arc<Site>>>);

impl Control {
    /// Other options from now on, [`connections_max`](Options::connections_max) and
    /// [`readiness`](Options::readiness) aside: those stay.
    pub fn set(&self, options: Options) {
        let mut site = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let options = Options { readiness: site.options.readiness.clone(), ..options };
        *site = Arc::new(Site { options, ..Site::clone(&site) });
    }

    /// Another certificate from now on, where there is one: what speaks TLS goes on to.
    pub fn set_tls(&self, tls: tls::ServerTls) {
        let mut site = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if site.is_secure {
            *site = Arc::new(Site { tls: Some(tls), ..Site::clone(&site) });
        }
    }

    fn site(&self) -> Arc<Site> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves until `shutdown`, then ends: requests under way are answered, streams end, within
/// [`limits::DRAIN_TIMEOUT`].
///
/// # Cancel safety
///
/// Dropping the future stops accepting; connections end by themselves.
pub fn serve(
    listener: Listener,
    node: Node,
    options: Options,
    shutdown: Shutdown,
) -> impl Future<Output = ()> + Send {
    serve_changing(listener, node, options, shutdown).1
}

/// As [`serve`], with options that can be changed while it runs.
///
/// # Cancel safety
///
/// As there.
pub fn serve_changing(
    listener: Listener,
    node: Node,
    options: Options,
    shutdown: Shutdown,
) -> (Control, impl Future<Output = ()> + Send) {
    let addresses: Vec<String> =
        listener.local_addresses().map(|address| address.to_string()).collect();
    // From now on, and not only once it is polled: until then it is not ready.
    let up = options.readiness.need(format!("listener {}", addresses.join(", ")));
    let permits = Arc::new(Semaphore::new(options.connections_max));
    let (is_loopback, is_secure) = (listener.is_loopback(), listener.is_secure());
    let (tls, ending) = (listener.tls.clone(), shutdown.clone());
    let site = Site { node, options, tls, is_loopback, is_secure, shutdown: ending };
    let control = Control(Arc::new(RwLock::new(Arc::new(site))));
    let serving = {
        let control = control.clone();
        async move {
            let addresses = addresses.join(", ");
            tracing::info!(addresses, secure = is_secure, "serving");
            up.met();
            accept_all(listener, permits, control, shutdown).await;
            tracing::info!(addresses, "not serving any longer");
        }
    };
    (control, serving)
}

async fn accept_all(
    mut listener: Listener,
    permits: Arc<Semaphore>,
    control: Control,
    shutdown: Shutdown,
) {
    let tasks = TaskTracker::new();
    let mut doors = Doors::default();
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => break,
            accepted = accept(&mut listener, &permits) => accepted,
        };
        let (stream, peer, permit) = accepted;
        let site = control.site();
        let Some(seat) = doors.admit(&site.options.crowd, peer) else {
            doors.turn_away(stream, listener.is_secure(), &tasks);
            continue;
        };
        let (tracker, control) = (tasks.clone(), control.clone());
        tasks.spawn(async move {
            if let Some(stream) = secure(stream, peer, site.tls.clone(), &site.shutdown).await {
                converse(stream, Guest { peer, seat }, &site, control, tracker).await;
            }
            drop(permit);
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits::DRAIN_TIMEOUT, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "connections did not end in time and are dropped");
    }
}

/// Who has come.
struct Guest {
    peer: SocketAddr,
    seat: Seat,
}

/// Cancel-safe: a permit that is dropped is free again, and accepting is cancel-safe itself.
async fn accept(
    listener: &mut Listener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit) {
    let permit = Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed");
    let (stream, peer) = listener.tcp.accept().await;
    (stream, peer, permit)
}

/// The connection with TLS on it, if it is to have that and the client can.
async fn secure(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<tls::ServerTls>,
    shutdown: &Shutdown,
) -> Option<Wire> {
    let Some(tls) = tls else { return Some(Wire::from(stream)) };
    let shaken = tokio::select! {
        shaken = tls.accept(stream, tls::Inside::Http) => shaken,
        () = shutdown.requested() => return None,
    };
    shaken.inspect_err(|error| tracing::debug!(%error, %peer, "no TLS")).ok()
}

/// All requests of one connection.
async fn converse(
    stream: Wire,
    Guest { peer, seat }: Guest,
    site: &Site,
    control: Control,
    tasks: TaskTracker,
) {
    let (ended, exchange) = (CancellationToken::new(), Exchange::default());
    // Streams of this connection end with it, also while they have nothing to send.
    let _ended = ended.clone().drop_guard();
    let (shutdown, head_timeout) = (site.shutdown.clone(), site.options.head_timeout);
    if let Some(tcp) = stream.carrier().tcp() {
        os::keep_unsent_short(tcp);
        os::give_up_after(tcp, site.options.dead_after);
    }
    let _talking = site.node.talk();
    tracing::debug!(%peer, "a connection");
    let stream = Patient::new(stream, site.options.dead_after, exchange.clone());
    let connection = Connection { peer, ended, exchange, tasks, seat: Arc::new(seat) };
    let service = service_fn(move |request| {
        let (site, connection) = (control.site(), connection.clone());
        // Now, not once the answer is waited for: before that hyper looks whether the client has
        // gone.
        connection.exchange.begin();
        async move { Ok::<_, Infallible>(route::respond(site, connection, request).await) }
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(limits::HTTP_HEADERS_MAX)
        .max_header_size(limits::HTTP_HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(conversation);
    let ended = tokio::select! {
        ended = &mut conversation => ended,
        () = shutdown.requested() => {
            conversation.as_mut().graceful_shutdown();
            tokio::select! {
                ended = conversation => ended,
                () = tokio::time::sleep(limits::DRAIN_TIMEOUT) => return,
            }
        }
    };
    match ended {
        Ok(()) => tracing::debug!(%peer, "a connection has ended"),
        Err(error) => tracing::debug!(%error, %peer, "a connection broke"),
    }
}
