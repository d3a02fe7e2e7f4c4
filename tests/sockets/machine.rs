//! Machines that lack something: descriptors, privileges, IPv6. Each test spoils a process of its
//! own, and is skipped where this machine does not let it.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use enchufe::core::Message;
use enchufe::resolve::{Hints, ResolveError, resolve};
use enchufe::transport::{
    BindError, BindOptions, BindWarning, Connection, Listener, OpenError, OpenOptions, TcpKeepalive,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::timeout;

use crate::child;
use crate::common::{PATIENCE, bind, open, port_of, served, text_of, try_bind};

fn passes(mut command: Command) {
    let output = command.output().expect("a process");
    let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

/// Whether `unshare` may do what its arguments say here.
fn can_unshare(arguments: &[&str]) -> bool {
    let tried = Command::new("unshare").args(arguments).arg("true").stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

#[test]
fn a_server_outlives_a_lack_of_descriptors() {
    passes(child::command("machine::child_without_descriptors", &[]));
}

#[tokio::test]
async fn child_without_descriptors() {
    if !child::is_child() {
        return;
    }
    for text in ["tcp://127.0.0.1:0", "unix:@enchufe-test-descriptors"] {
        let mut listener = bind(text).await;
        let address = listener.local_addresses()[0].clone();
        let client = std::thread::spawn({
            let address = address.clone();
            move || match address {
                enchufe::address::Address::Tcp(endpoint) => std::os::fd::OwnedFd::from(
                    std::net::TcpStream::connect(("127.0.0.1", endpoint.port))
                        .expect("a connection"),
                ),
                _ => {
                    use std::os::linux::net::SocketAddrExt;
                    let name = std::os::unix::net::SocketAddr::from_abstract_name(
                        "enchufe-test-descriptors",
                    );
                    let name = name.expect("a name");
                    std::os::unix::net::UnixStream::connect_addr(&name)
                        .expect("a connection")
                        .into()
                }
            }
        });
        let _client = client.join().expect("connected");
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(3), ..before }).expect("lowered");
        timeout(Duration::from_millis(300), listener.accept()).await.expect_err("no descriptor");
        setrlimit(Resource::Nofile, before).expect("raised again");
        timeout(PATIENCE, listener.accept()).await.expect("the client that waited");
    }
}

#[test]
fn thousands_who_come_at_once_all_find_room() {
    passes(child::command("machine::child_with_a_crowd", &[]));
}

#[tokio::test]
async fn child_with_a_crowd() {
    const CROWD: u16 = 4_000;
    if !child::is_child() {
        return;
    }
    let limit = getrlimit(Resource::Nofile);
    let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").expect("a figure");
    let allowed: u16 = allowed.trim().parse().unwrap_or(u16::MAX);
    if allowed < CROWD || limit.maximum.is_some_and(|maximum| maximum < u64::from(CROWD) + 100) {
        return;
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("raised");
    let listener = bind("tcp://127.0.0.1:0").await;
    let address =
        std::net::SocketAddr::from(([127, 0, 0, 1], port_of(&listener.local_addresses()[0])));
    // Nobody accepts. Without room the kernel answers no more, and lets the client try again.
    let enter = || std::net::TcpStream::connect_timeout(&address, PATIENCE).expect("room");
    let crowd: Vec<_> = (0..CROWD).map(|_| enter()).collect();
    drop(crowd);
}

#[test]
fn a_privileged_port_is_refused_with_the_reason() {
    // In a user namespace of one's own one has no rights over the network outside.
    if can_unshare(&["--user"]) {
        passes(child::command("machine::child_without_privileges", &["unshare", "--user"]));
    }
}

#[tokio::test]
async fn child_without_privileges() {
    if !child::is_child() {
        return;
    }
    let error = try_bind("tcp://127.0.0.1:1").await.expect_err("privileged");
    assert!(
        matches!(error, BindError::PermissionDenied { privileged_port: true, .. }),
        "{error:?}"
    );
    assert_eq!(error.to_string(), "cannot listen on tcp://127.0.0.1:1: permission denied");
    assert!(error.hint().expect("a hint").contains("below 1024"));
}

#[test]
fn a_machine_without_ipv6_serves_ipv4_alone_and_says_so() {
    if can_unshare(&["--user", "--map-root-user", "--net"]) {
        let script = "ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && exec \"$0\" \"$@\"";
        let wrapper = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", script];
        passes(child::command("machine::child_without_ipv6", &wrapper));
    }
}

#[tokio::test]
async fn child_without_ipv6() {
    if !child::is_child() {
        return;
    }
    for text in ["tcp://localhost:0", "udp://localhost:0"] {
        let mut listener = bind(text).await;
        let [address] = listener.local_addresses() else { panic!("{listener:?}") };
        assert!(address.to_string().contains("://127.0.0.1:"), "{address}");
        assert!(matches!(listener.warnings(), [BindWarning::NoIpv6 { .. }]), "{listener:?}");
        assert!(listener.warnings()[0].to_string().contains("localhost"), "{listener:?}");
        let mut client = open(&address.clone()).await;
        client.send(Message::text("hello")).await.expect("sent");
        assert_eq!(text_of(&mut listener.accept().await).await, "hello");
    }
    let error = try_bind("tcp://[::1]:0").await.expect_err("no IPv6");
    assert!(matches!(error, BindError::NotLocal { .. }), "{error:?}");
    let mut listener = bind("tcp://*:0").await;
    let port = port_of(&listener.local_addresses()[0]);
    let _client =
        crate::common::try_open(&format!("localhost:{port}")).await.expect("a connection");
    listener.accept().await;
}

#[test]
fn a_link_local_address_is_reached_by_the_name_or_the_index_of_its_link() {
    if can_unshare(&["--user", "--map-root-user", "--net"]) {
        let script =
            "ip link set lo up && ip addr add fe80::1/64 dev lo nodad && exec \"$0\" \"$@\"";
        let wrapper = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", script];
        passes(child::command("machine::child_with_a_link_local_address", &wrapper));
    }
}

#[tokio::test]
async fn child_with_a_link_local_address() {
    if !child::is_child() {
        return;
    }
    for scheme in ["tcp", "udp"] {
        let mut listener = bind(&format!("{scheme}://[fe80::1%lo]:0")).await;
        let address = listener.local_addresses()[0].to_string();
        let port = port_of(&listener.local_addresses()[0]);
        // The loopback's index.
        assert_eq!(address, format!("{scheme}://[fe80::1%1]:{port}"));
        for scope in ["lo", "25lo", "1"] {
            let text = format!("{scheme}://[fe80::1%{scope}]:{port}");
            let mut client = crate::common::try_open(&text).await.expect("a connection");
            client.send(Message::text("hello")).await.expect("sent");
            let mut server = listener.accept().await;
            assert_eq!(text_of(&mut server).await, "hello", "{text}");
            assert!(server.peer().to_string().ends_with(", 0, 1)"), "{}", server.peer());
        }
    }
}

#[test]
fn a_peer_whose_machine_has_vanished_is_found_out() {
    if can_unshare(&["--user", "--map-root-user", "--net"]) {
        let wrapper = ["unshare", "--user", "--map-root-user", "--net"];
        passes(child::command("machine::child_whose_peer_vanishes", &wrapper));
    }
}

#[tokio::test]
async fn child_whose_peer_vanishes() {
    if !child::is_child() {
        return;
    }
    let loopback = |state: &str| {
        let set = Command::new("ip").args(["link", "set", "lo", state]).status();
        assert!(set.expect("ip(8)").success(), "{state}");
    };
    loopback("up");
    let keepalive = TcpKeepalive::within(Duration::from_secs(4));
    let mut options = BindOptions::default();
    options.sockets.keepalive = keepalive;
    let mut listener =
        Listener::bind(&served("tcp://127.0.0.1:0"), &options).await.expect("a listener");
    let mut options = OpenOptions::default();
    options.sockets.keepalive = keepalive;
    let address = listener.local_addresses()[0].clone();
    let mut client = Connection::open(&address, &options).await.expect("a connection");
    let mut server = listener.accept().await;
    // From now on nothing arrives, and nobody is told.
    loopback("down");
    for connection in [&mut client, &mut server] {
        let ended = timeout(PATIENCE, connection.recv()).await.expect("it is found out");
        assert!(ended.is_err(), "{ended:?}");
    }
}

#[test]
fn a_machine_without_a_network_says_that_the_name_servers_do_not_answer() {
    if can_unshare(&["--user", "--map-root-user", "--net"]) {
        let wrapper = ["unshare", "--user", "--map-root-user", "--net"];
        passes(child::command("machine::child_without_a_network", &wrapper));
    }
}

#[test]
fn child_without_a_network() {
    if !child::is_child() {
        return;
    }
    let error = resolve(Some("enchufe.example"), None, Hints::default()).expect_err("no answer");
    assert!(matches!(error, ResolveError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("enchufe.example") && error.hint().is_some(), "{error}");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let error =
        runtime.block_on(crate::common::try_open("tcp://203.0.113.1:9")).expect_err("no way");
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("tcp://203.0.113.1:9") && error.hint().is_some(), "{error}");
}
