//! `enchufe serve broadcast`: what each client says, all of them get.
//!
//! It is a channel whose readers may publish. WebSocket clients are viewers of the live node, which
//! has the channel in its other forms, too; clients of streams and datagrams read it with a cursor
//! each.

use super::{
    args,
    exit_code::Exit,
    failure::{Failure, LiveFailure},
    serve::Announcer,
};
use crate::{
    address::{Address, WsAddress, WsEndpoint},
    core::ChannelName,
    http::{self, DefaultPath, Folder},
    limits,
    live::{
        Node, NodeOptions,
        broker::{Broker, ChannelOptions, Publishers},
    },
    serve::{Broadcast, ServeOptions, serve},
    shutdown::Shutdown,
    transport::{BindOptions, BindWarning, Listener},
};

/// The channel's name, for those who read it by its URL.
const CHANNEL: &str = "broadcast";

/// What is listened on.
pub(super) struct Bound {
    /// WebSocket over a network, with the path it is served at.
    web: Vec<(http::Listener, DefaultPath)>,
    others: Vec<Listener>,
}

/// Listens on every address or on none.
pub(super) async fn listen(
    addresses: &[Address],
    options: &BindOptions,
    announcer: &Announcer,
) -> Result<Bound, Failure> {
    let mut bound = Bound { web: Vec::new(), others: Vec::new() };
    let mut places = Vec::new();
    for address in addresses {
        let Address::Ws(WsAddress { endpoint: WsEndpoint::Inet(endpoint), path, is_secure }) =
            address
        else {
            let listener = Listener::bind(address, options).await?;
            let local = listener.local_addresses().iter().cloned();
            places.extend(local.map(|local| (address, local)));
            bound.others.push(listener);
            continue;
        };
        let listener = http::Listener::bind_with(endpoint, options).await;
        let listener = listener.map_err(|error| error.naming(address))?;
        let listener = match &options.tls {
            Some(tls) if *is_secure => listener.with_tls(tls.clone()),
            _ => listener,
        };
        for endpoint in listener.local_addresses() {
            let (endpoint, is_secure) = (endpoint.into(), listener.is_secure());
            let local = WsAddress { endpoint, path: path.clone(), is_secure };
            places.push((address, Address::Ws(local)));
        }
        let path = path.clone().map_or(DefaultPath::Every, DefaultPath::At);
        bound.web.push((listener, path));
    }
    bound.warnings().for_each(|warning| announcer.warn(warning));
    places.iter().for_each(|(asked, local)| announcer.listening(asked, local));
    Ok(bound)
}

impl Bound {
    /// What is not served quite as asked.
    fn warnings(&self) -> impl Iterator<Item = &BindWarning> {
        let of_web = self.web.iter().flat_map(|(listener, _)| listener.warnings());
        of_web.chain(self.others.iter().flat_map(Listener::warnings))
    }
}

/// Serves until it is stopped.
pub(super) async fn run(
    args: &args::Serve,
    bound: Bound,
    options: ServeOptions,
    shutdown: Shutdown,
) -> Result<Exit, Failure> {
    let channel: ChannelName = CHANNEL.parse().expect("a channel's name");
    let broker = Broker::memory();
    let (publish, patience) = (Publishers::Readers, limits::PUBLISH_PATIENCE);
    broker.declare(&channel, ChannelOptions { publish, patience, ..ChannelOptions::default() });
    let viewers_max = match args.max_connections {
        Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
        None => limits::VIEWERS_MAX,
    };
    let node_options = NodeOptions { viewers_max, ..NodeOptions::default() };
    let node = Node::start(broker.clone(), &node_options).map_err(Failure::System)?;
    let page = args.page.as_deref().map(Folder::open).transpose().map_err(LiveFailure::Page)?;
    let site = http::Options {
        default_channel: Some(channel.clone()),
        allowed_origins: args.allow_origin.clone(),
        host_names: args.host_name.clone(),
        page,
        ..http::Options::default()
    };
    let Bound { web, others } = bound;
    let serving: Vec<_> = web
        .into_iter()
        .map(|(listener, default_path)| {
            let site = http::Options { default_path, ..site.clone() };
            tokio::spawn(http::serve(listener, node.clone(), site, shutdown.clone()))
        })
        .collect();
    if !others.is_empty() {
        let service = Broadcast::new(broker, channel).on_node(node.clone());
        serve(others, service, options, shutdown.clone()).await;
    }
    shutdown.requested().await;
    node.shutdown().await;
    for task in serving {
        // A task that panicked has said so.
        task.await.ok();
    }
    Ok(Exit::Success)
}
