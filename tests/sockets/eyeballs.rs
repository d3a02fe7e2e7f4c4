//! Hosts with several addresses, of which some lead nowhere (RFC 8305). The machine's tables and
//! its name server are the test's own: each runs in namespaces of its own, and is skipped where
//! this machine gives none.
#![cfg(target_os = "linux")]

use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use enchufe::resolve::{Hints, SocketType, resolve};
use enchufe::transport::Connection;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::child;
use crate::common::{PATIENCE, try_open};

const NAMESPACES: [&str; 5] = ["unshare", "--user", "--map-root-user", "--net", "--mount"];

/// Runs a test again on a machine with a loopback of its own, after the words of a shell.
fn passes_after(script: &str, name: &str) {
    let mut tried = Command::new(NAMESPACES[0]);
    tried.args(&NAMESPACES[1..]).arg("true").stderr(Stdio::null());
    if !tried.status().is_ok_and(|status| status.success()) {
        return;
    }
    let script = format!("set -e; ip link set lo up; {script}; exec \"$0\" \"$@\"");
    let wrapper = [&NAMESPACES[..], &["sh", "-c", &script]].concat();
    let output = child::command(name, &wrapper).output().expect("a process");
    let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

/// What puts these addresses of `many` into the machine's tables.
fn hosts(addresses: &[&str]) -> String {
    let lines: Vec<String> = addresses.iter().map(|address| format!("{address} many")).collect();
    let lines = lines.join("\\n");
    format!(
        "folder=$(mktemp -d); printf '{lines}\\n' > $folder/hosts; \
         mount --bind $folder/hosts /etc/hosts; rm -r $folder 2>/dev/null || true"
    )
}

/// An address that neither accepts nor refuses: its backlog is full. The sockets keep it so.
fn black_hole(address: &str) -> Vec<Socket> {
    let address: SocketAddr = address.parse().expect("an address");
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
    listener.bind(&address.into()).expect("bound");
    listener.listen(0).expect("listening");
    let clients = (0..4).map(|_| {
        let client = Socket::new(Domain::for_address(address), Type::STREAM, None);
        let client = client.expect("a socket");
        client.set_nonblocking(true).expect("set");
        let _ = client.connect(&address.into());
        client
    });
    clients.collect::<Vec<_>>().into_iter().chain([listener]).collect()
}

async fn open(text: &str) -> Connection {
    timeout(PATIENCE, try_open(text)).await.expect("in time").expect("a connection")
}

#[test]
fn black_holes_and_refusals_are_passed_by_in_the_resolvers_order() {
    let table = hosts(&["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]);
    passes_after(&table, "eyeballs::child_with_black_holes");
}

#[tokio::test]
async fn child_with_black_holes() {
    if !child::is_child() {
        return;
    }
    let order = order_of_many();
    let [first, second, third, fourth] = order[..] else { panic!("{order:?}") };
    let _holes = [black_hole(&format!("{first}:7000")), black_hole(&format!("{second}:7000"))];
    // Nobody listens at the third, and at the fourth somebody does.
    let server = TcpListener::bind((fourth, 7000)).await.expect("a port");
    let client = open("tcp://many:7000").await;
    assert_eq!(client.peer().to_string(), format!("('{fourth}', 7000)"));
    // Once the third answers, the fourth is not asked any more.
    let _nearer = TcpListener::bind((third, 7000)).await.expect("a port");
    let client = open("tcp://many:7000").await;
    assert_eq!(client.peer().to_string(), format!("('{third}', 7000)"));
    drop(server);
}

fn order_of_many() -> Vec<std::net::IpAddr> {
    let hints = Hints { socket_type: Some(SocketType::STREAM), ..Hints::default() };
    let answers = resolve(Some("many"), None, hints).expect("it is in the table");
    answers.iter().map(|answer| answer.address).collect()
}

#[test]
fn after_an_address_of_one_family_the_other_family_has_its_turn() {
    let table = hosts(&["2001:db8::1", "2001:db8::2", "127.0.0.1"]);
    let addresses = "ip addr add 2001:db8::1/128 dev lo nodad; \
                     ip addr add 2001:db8::2/128 dev lo nodad";
    passes_after(&format!("{addresses}; {table}"), "eyeballs::child_with_both_families");
}

#[tokio::test]
async fn child_with_both_families() {
    if !child::is_child() {
        return;
    }
    let order = order_of_many();
    let [first, second, last] = order[..] else { panic!("{order:?}") };
    assert!(first.is_ipv6() && second.is_ipv6() && last.is_ipv4(), "{order:?}");
    let _hole = black_hole(&SocketAddr::new(first, 7000).to_string());
    let _of_the_same_family = TcpListener::bind((second, 7000)).await.expect("a port");
    let _of_the_other = TcpListener::bind((last, 7000)).await.expect("a port");
    let client = open("tcp://many:7000").await;
    assert_eq!(client.peer().to_string(), "('127.0.0.1', 7000)");
}

#[test]
fn a_name_server_that_is_silent_about_one_family_keeps_nobody_waiting() {
    let servers = "folder=$(mktemp -d); echo nameserver 127.0.0.1 > $folder/resolv.conf; \
                   echo hosts: dns > $folder/nsswitch.conf; \
                   mount --bind $folder/resolv.conf /etc/resolv.conf; \
                   mount --bind $folder/nsswitch.conf /etc/nsswitch.conf";
    passes_after(servers, "eyeballs::child_with_half_a_name_server");
}

#[tokio::test]
async fn child_with_half_a_name_server() {
    if !child::is_child() {
        return;
    }
    let (connected, may_answer) = mpsc::channel();
    let socket = UdpSocket::bind("127.0.0.1:53").expect("the port of name servers");
    let serving = std::thread::spawn(move || serve_names(&socket, &may_answer));
    let _server = TcpListener::bind("127.0.0.1:7000").await.expect("a port");
    // What the resolver itself would do is wait for seconds, for longer than a connection may take.
    let client = open("tcp://half.test:7000").await;
    assert_eq!(client.peer().to_string(), "('127.0.0.1', 7000)");
    connected.send(()).expect("it serves on");
    drop(client);
    serving.join().expect("no panic");
}

/// Answers questions for IPv4 at once, and those for IPv6, all of them, once there was a
/// connection.
fn serve_names(socket: &UdpSocket, may_answer: &mpsc::Receiver<()>) {
    const IPV6: u8 = 28;
    let mut held: Vec<(Vec<u8>, SocketAddr)> = Vec::new();
    socket.set_read_timeout(Some(std::time::Duration::from_millis(20))).expect("set");
    let mut is_connected = false;
    // Until the resolver's own lookups have their answers, which the runtime waits for.
    let mut quiet_rounds = 0;
    while quiet_rounds < 50 {
        let mut packet = [0; 512];
        match socket.recv_from(&mut packet) {
            Ok((length, from)) => {
                quiet_rounds = 0;
                let question = packet[..length].to_vec();
                // Behind the name come type and class; what is behind that is optional.
                let end = 12 + question[12..].iter().position(|&byte| byte == 0).expect("a name");
                let is_ipv6 = question[end + 2] == IPV6;
                if is_ipv6 && !is_connected {
                    held.push((question, from));
                } else {
                    answer(socket, &question[..end + 5], from, !is_ipv6);
                }
            }
            Err(_) if is_connected => quiet_rounds += 1,
            Err(_) => {}
        }
        if !is_connected && may_answer.try_recv().is_ok() {
            is_connected = true;
            for (question, from) in held.drain(..) {
                let end = 12 + question[12..].iter().position(|&byte| byte == 0).expect("a name");
                answer(socket, &question[..end + 5], from, false);
            }
        }
    }
}

/// One record, 127.0.0.1, or none (RFC 1035 §4).
fn answer(socket: &UdpSocket, question: &[u8], to: SocketAddr, has_record: bool) {
    let mut answer = question.to_vec();
    answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(has_record), 0, 0, 0, 0]);
    if has_record {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    socket.send_to(&answer, to).expect("sent");
}
