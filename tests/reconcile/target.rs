//! What is tried: the program, or the library's node with limits that are tiny.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::Ordering,
    time::Duration,
};

use enchufe::{
    core::fanout,
    http,
    live::{
        NodeOptions, Patience,
        broker::{ChannelOptions, PageLimit},
    },
};
use tokio::runtime::Runtime;

use crate::{
    common::server::{Server, Setup, name},
    harness::{Running, signal},
    reader::Signals,
    round::Scene,
};

/// A server, and how it is ended.
pub(crate) enum Target {
    /// In this process.
    Node { runtime: Runtime, server: Server },
    /// `enchufe feed` with standard input as its source, which says nothing until it ends.
    Program { running: Option<Running>, address: SocketAddr },
}

impl Target {
    /// The library's node.
    pub(crate) fn node(scene: &Scene) -> Self {
        let fanout = fanout::Limits {
            ring_len_max: 8,
            ring_bytes_max: 64 << 10,
            outbox_bytes_max: 4 << 10,
            ..NodeOptions::default().fanout
        };
        let node = NodeOptions {
            shards: 2,
            fanout,
            inbox_len_max: 16,
            page: PageLimit { len_max: 5, bytes_max: 16 << 10 },
            patience: Patience { ping_interval: Duration::from_millis(250), ..Patience::default() },
            ..NodeOptions::default()
        };
        let channels = scene.channels.iter().enumerate().map(|(index, channel)| {
            let kept = scene.kept[index];
            let options = ChannelOptions {
                history_len_max: kept.len_max,
                history_bytes_max: kept.bytes_max,
                slow: scene.slow[index].unwrap_or_default(),
                ..ChannelOptions::default()
            };
            (*channel, options)
        });
        let default_channel = Some(name(scene.channels[0]));
        let site = http::Options { default_channel, ..http::Options::default() };
        let setup = Setup { node, channels: channels.collect(), site, ..Setup::default() };
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(Server::start_as(setup));
        Self::Node { runtime, server }
    }

    /// The program.
    pub(crate) fn program(scene: &Scene) -> Self {
        let (running, address) = start(scene, 0);
        Self::Program { running: Some(running), address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Node { server, .. } => server.address,
            Self::Program { address, .. } => *address,
        }
    }

    /// Ends it, with a word or without one, and starts it again in the same place.
    pub(crate) fn restart(&mut self, scene: &Scene, signals: &Signals, is_killed: bool) {
        let Self::Program { running, address } = self else { return };
        let Some(process) = running.take() else { return };
        signals.is_away.store(true, Ordering::Relaxed);
        if is_killed {
            signal(process.id(), "KILL");
            process.end();
        } else {
            process.stop();
        }
        *running = Some(start(scene, address.port()).0);
        signals.is_away.store(false, Ordering::Relaxed);
    }

    /// Nothing more will come.
    pub(crate) fn end_channels(&mut self, scene: &Scene) {
        match self {
            Self::Node { runtime, server } => {
                for channel in &scene.channels {
                    let channel = name(channel);
                    let ending = server.node.broker().end(&channel, "exit 0".to_owned());
                    runtime.block_on(ending).expect("it is there");
                }
            }
            Self::Program { running, .. } => {
                drop(running.as_mut().map(Running::take_stdin));
            }
        }
    }

    pub(crate) fn stop(self) {
        match self {
            Self::Node { runtime, server } => runtime.block_on(server.stop()),
            Self::Program { running, .. } => {
                let ended = running.expect("it runs").stop();
                assert_eq!(ended.code, Some(0), "{ended:?}");
            }
        }
    }
}

fn start(scene: &Scene, port: u16) -> (Running, SocketAddr) {
    let kept = scene.kept[0];
    let running = Running::start(&[
        "feed",
        "-",
        "--channel",
        scene.channels[0],
        "--history",
        &kept.len_max.to_string(),
        "--history-bytes",
        &kept.bytes_max.to_string(),
        "--listen",
        &format!("http://127.0.0.1:{port}"),
    ]);
    let port = loop {
        let notice = running.notice();
        if let Some((_, said)) = notice.split_once("ws://127.0.0.1:") {
            let port = said.split('/').next().and_then(|port| port.parse().ok());
            break port.unwrap_or_else(|| panic!("no port in '{notice}'"));
        }
    };
    (running, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}
