//! What can be asked of sockets besides their address.

use std::net::SocketAddr;

use enchufe::address::Address;
use enchufe::core::Message;
use enchufe::resolve::{Family, ResolveError};
use enchufe::transport::{
    BindError, BindOptions, BindWarning, Connection, Listener, OpenError, OpenOptions,
};

use crate::common::{port_of, served, text_of, try_open};

fn binding(change: impl FnOnce(&mut BindOptions)) -> BindOptions {
    let mut options = BindOptions::default();
    change(&mut options);
    options
}

fn opening(change: impl FnOnce(&mut OpenOptions)) -> OpenOptions {
    let mut options = OpenOptions::default();
    change(&mut options);
    options
}

async fn bind(text: &str, options: &BindOptions) -> Result<Listener, BindError> {
    Listener::bind(&served(text), options).await
}

async fn open(text: &str, options: &OpenOptions) -> Result<Connection, OpenError> {
    let address = Address::parse_connect(text).expect("an address to connect to");
    Connection::open(&address, options).await
}

/// Where the peer of a client's first message says it comes from.
async fn seen(listener: &mut Listener, client: &mut Connection) -> String {
    client.send(Message::text("hello")).await.expect("sent");
    let mut server = listener.accept().await;
    assert_eq!(text_of(&mut server).await, "hello");
    server.peer().to_string()
}

#[tokio::test]
#[cfg(unix)]
async fn a_port_is_shared_by_those_who_all_ask_for_it() {
    let shared = binding(|options| options.reuse_port = true);
    for scheme in ["tcp", "udp"] {
        let first = bind(&format!("{scheme}://127.0.0.1:0"), &shared).await.expect("a port");
        let address = first.local_addresses()[0].to_string();
        let _second = bind(&address, &shared).await.expect("shared");
        let error = bind(&address, &BindOptions::default()).await.expect_err("not shared");
        assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn one_family_alone_is_served_and_connected_to() {
    for (family, address, any) in
        [(Family::V4, "127.0.0.1", "0.0.0.0"), (Family::V6, "[::1]", "[::]")]
    {
        let only = binding(|options| options.sockets.family = Some(family));
        let to = opening(|options| options.sockets.family = Some(family));
        for scheme in ["tcp", "udp"] {
            let mut listener =
                bind(&format!("{scheme}://localhost:0"), &only).await.expect("a port");
            let port = port_of(&listener.local_addresses()[0]);
            let expected = format!("{scheme}://{address}:{port}");
            assert_eq!(listener.local_addresses(), [served(&expected)]);
            let mut client =
                open(&format!("{scheme}://localhost:{port}"), &to).await.expect("a connection");
            let ip = address.trim_matches(['[', ']']);
            assert!(seen(&mut listener, &mut client).await.starts_with(&format!("('{ip}'")));

            let every = bind(&format!("{scheme}://*:0"), &only).await.expect("a port");
            let port = port_of(&every.local_addresses()[0]);
            assert_eq!(every.local_addresses(), [served(&format!("{scheme}://{any}:{port}"))]);
        }
    }
    let only_v6 = opening(|options| options.sockets.family = Some(Family::V6));
    let error = open("tcp://127.0.0.1:1", &only_v6).await.expect_err("the other family");
    let OpenError::Unresolved { error: ResolveError::NoAddress { host }, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(host, "127.0.0.1");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_client_connects_from_the_address_it_is_told() {
    for scheme in ["tcp", "udp"] {
        let mut listener = bind(&format!("{scheme}://127.0.0.1:0"), &BindOptions::default())
            .await
            .expect("a port");
        let server = listener.local_addresses()[0].to_string();
        let from = |local: &str| {
            let local: SocketAddr = local.parse().expect("an address");
            opening(|options| options.local = Some(local))
        };
        let mut client = open(&server, &from("127.0.0.2:0")).await.expect("a connection");
        assert!(seen(&mut listener, &mut client).await.starts_with("('127.0.0.2', "));

        // Of a name, only addresses of the same family are connected to.
        let port = port_of(&listener.local_addresses()[0]);
        let named = format!("{scheme}://localhost:{port}");
        let mut client = open(&named, &from("127.0.0.3:0")).await.expect("a connection");
        assert!(seen(&mut listener, &mut client).await.starts_with("('127.0.0.3', "));

        let free = std::net::UdpSocket::bind("127.0.0.4:0").expect("a port").local_addr();
        let local = free.expect("bound");
        let mut client = open(&server, &from(&local.to_string())).await.expect("a connection");
        let expected = format!("('127.0.0.4', {})", local.port());
        assert_eq!(seen(&mut listener, &mut client).await, expected);

        let error = open(&server, &from("203.0.113.1:0")).await.expect_err("not ours");
        assert!(matches!(error, OpenError::Local { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(&server) && message.contains("from 203.0.113.1: "), "{message}");
        assert!(error.hint().expect("a hint").contains("this machine"), "{error:?}");
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_local_port_in_use_is_said() {
    let listener = bind("tcp://127.0.0.1:0", &BindOptions::default()).await.expect("a free port");
    let taken = port_of(&listener.local_addresses()[0]);
    let other = bind("tcp://127.0.0.1:0", &BindOptions::default()).await.expect("a free port");
    let options =
        opening(|options| options.local = Some(SocketAddr::from(([127, 0, 0, 1], taken))));
    let error = open(&other.local_addresses()[0].to_string(), &options).await.expect_err("taken");
    assert!(matches!(error, OpenError::Local { .. }), "{error:?}");
    assert!(error.hint().expect("a hint").contains("port"), "{error:?}");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn one_interface_alone_is_used_and_one_that_is_not_there_is_named() {
    let by = |name: &str| {
        let name = Some(name.to_owned());
        let (to_bind, to_open) = (name.clone(), name);
        (
            binding(|options| options.sockets.interface = to_bind),
            opening(|options| options.sockets.interface = to_open),
        )
    };
    let (to_bind, to_open) = by("lo");
    for scheme in ["tcp", "udp"] {
        let mut listener =
            bind(&format!("{scheme}://127.0.0.1:0"), &to_bind).await.expect("by loopback");
        let server = listener.local_addresses()[0].to_string();
        let mut client = open(&server, &to_open).await.expect("by loopback");
        assert!(seen(&mut listener, &mut client).await.starts_with("('127.0.0.1', "));
    }
    // Of a name that is too long the system would take the beginning.
    for name in ["nosuchlink", "lo-but-far-too-long-for-one", ""] {
        let (to_bind, to_open) = by(name);
        let error = bind("tcp://127.0.0.1:0", &to_bind).await.expect_err("no such interface");
        assert!(matches!(error, BindError::Interface { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
        let error = open("udp://127.0.0.1:9", &to_open).await.expect_err("no such interface");
        assert!(matches!(error, OpenError::Interface { .. }), "{error:?}");
        assert!(error.hint().expect("a hint").contains("ip link"), "{error:?}");
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_buffer_that_the_kernel_clips_is_said_for_sockets_of_every_kind() {
    let large = binding(|options| options.sockets.receive_buffer_bytes = Some(usize::MAX));
    for text in [
        "tcp://127.0.0.1:0",
        "udp://127.0.0.1:0",
        "unix:@enchufe-test-buffer",
        "unixgram:@enchufe-test-buffer-datagrams",
        "ws://127.0.0.1:0",
        "ws+unix:@enchufe-test-buffer-ws",
    ] {
        let listener = bind(text, &large).await.expect("a listener");
        let is_clip = |warning: &BindWarning| matches!(warning, BindWarning::BufferClipped { .. });
        assert!(listener.warnings().iter().any(is_clip), "{text}: {:?}", listener.warnings());
    }
    let small = binding(|options| options.sockets.send_buffer_bytes = Some(10_000));
    let listener = bind("tcp://127.0.0.1:0", &small).await.expect("a listener");
    assert_eq!(listener.warnings(), []);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_small_receive_buffer_makes_the_sender_wait_sooner() {
    let taken = async |bytes: Option<usize>| {
        let options = binding(|options| options.sockets.receive_buffer_bytes = bytes);
        let mut listener = bind("tcp://127.0.0.1:0", &options).await.expect("a listener");
        let port = port_of(&listener.local_addresses()[0]);
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        let socket = socket2::SockRef::from(&client);
        socket.set_send_buffer_size(4 << 10).expect("small");
        let _server = listener.accept().await;
        client.set_nonblocking(true).expect("set");
        let mut sum = 0;
        while let Ok(count) = std::io::Write::write(&mut &client, &[0; 4096]) {
            sum += count;
        }
        sum
    };
    let (small, usual) = (taken(Some(8 << 10)).await, taken(None).await);
    assert!(small < usual / 2, "{small} against {usual}");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_interface_in_an_address_is_looked_for_on_this_machine() {
    for text in ["tcp://[fe80::1%nosuchlink]:9", "udp://[fe80::1%nosuchlink]:9"] {
        let error = try_open(text).await.expect_err("no such interface");
        let OpenError::Unresolved { error: ResolveError::NoInterface { interface }, .. } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(interface, "nosuchlink");
    }
    let error = try_open("tcp://[fe80::1]:9").await.expect_err("on which link?");
    assert!(matches!(error, OpenError::NoScope { .. }), "{error:?}");
    assert!(error.hint().expect("a hint").contains("%eth0"), "{error:?}");
    let error = bind("tcp://[fe80::1]:0", &BindOptions::default()).await.expect_err("which link?");
    assert!(matches!(error, BindError::NoScope { .. }), "{error:?}");
}
