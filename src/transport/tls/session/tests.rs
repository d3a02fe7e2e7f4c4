use std::os::unix::net::UnixStream;

use super::*;

fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = made.signing_key.serialize_der().try_into().expect("a key");
    let certificate = made.cert.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("they belong together");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

/// One end: a session and its socket, whose buffers are as small as the system makes them.
struct End {
    session: Box<Session>,
    socket: UnixStream,
}

impl End {
    fn new(session: Box<Session>, socket: UnixStream) -> Self {
        socket.set_nonblocking(true).expect("a socket");
        let options = socket2::SockRef::from(&socket);
        options.set_send_buffer_size(1).expect("small");
        options.set_recv_buffer_size(1).expect("small");
        Self { session, socket }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.session.read(&mut self.socket, buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (first, second) = bytes.split_at(bytes.len() / 3);
        self.session.write(&mut self.socket, &[IoSlice::new(first), IoSlice::new(second)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.session.flush(&mut self.socket)
    }

    /// Everything that comes until there is nothing, in bites of one size.
    fn drain(&mut self, bite: usize, into: &mut Vec<u8>) {
        let mut buffer = vec![0; bite];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => panic!("the peer has not closed"),
                Ok(count) => into.extend_from_slice(&buffer[..count]),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
                    assert!(!self.session.has_plaintext(), "nobody would be woken for it");
                    return;
                }
            }
        }
    }
}

/// `None` while it has to wait.
fn waiting<T>(result: io::Result<T>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    }
}

/// A client and a server who have shaken hands.
fn pair() -> (End, End) {
    let (server, client) = configs();
    let (near, far) = UnixStream::pair().expect("a pair");
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = End::new(Session::client(client, name).expect("a session"), near);
    let mut server = End::new(Session::server(server).expect("a session"), far);
    let (mut client_done, mut server_done) = (false, false);
    while !(client_done && server_done) {
        client_done |= waiting(client.session.handshake(&mut client.socket)).is_some();
        server_done |= waiting(server.session.handshake(&mut server.socket)).is_some();
    }
    (client, server)
}

#[test]
fn bytes_of_any_size_pass_both_ways_through_sockets_that_take_little() {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut client, mut server) = pair();
    for round in 0..40 {
        let sent: Vec<Vec<u8>> = (0..2)
            .map(|_| {
                let count = 1 << random.u32(0..19);
                (0..random.usize(1..=count)).map(|_| random.u8(..)).collect()
            })
            .collect();
        let mut taken = [0, 0];
        let mut received = [Vec::new(), Vec::new()];
        while received[0].len() < sent[0].len() || received[1].len() < sent[1].len() {
            for (at, end) in [&mut client, &mut server].into_iter().enumerate() {
                let left = &sent[at][taken[at]..];
                let piece = &left[..random.usize(0..=left.len())];
                match waiting(end.write(piece)) {
                    Some(count) => {
                        // Who writes less waits for the socket, and has to be woken by it.
                        assert!(count == piece.len() || end.session.has_unsent());
                        taken[at] += count;
                    }
                    None => assert!(end.session.has_unsent(), "something is in the way"),
                }
                waiting(end.flush());
            }
            let bite = random.usize(1..40_000);
            server.drain(bite, &mut received[0]);
            client.drain(bite, &mut received[1]);
        }
        assert!(received[0] == sent[0] && received[1] == sent[1], "round {round}");
    }
}

#[test]
fn a_peer_that_reads_nothing_makes_us_keep_so_much_and_no_more() {
    let (mut client, mut server) = pair();
    let bytes = vec![7; 1 << 20];
    let mut taken = 0;
    while let Some(count) = waiting(client.write(&bytes)) {
        taken += count;
    }
    // The system has taken some, too.
    assert!(taken >= limits::TLS_UNSENT_BYTES_MAX, "{taken}");
    assert!(taken < 2 * limits::TLS_UNSENT_BYTES_MAX, "{taken}");
    assert!(client.session.has_unsent());
    let mut received = Vec::new();
    while received.len() < taken {
        server.drain(5_000, &mut received);
        waiting(client.flush());
    }
    assert!(received.iter().all(|&byte| byte == 7) && !client.session.has_unsent());
}

#[test]
fn what_came_with_the_end_of_the_handshake_can_be_read_though_the_socket_is_empty() {
    let (server, client) = configs();
    let (near, far) = UnixStream::pair().expect("a pair");
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = End::new(Session::client(client, name).expect("a session"), near);
    let mut server = End::new(Session::server(server).expect("a session"), far);
    while waiting(client.session.handshake(&mut client.socket)).is_none() {
        waiting(server.session.handshake(&mut server.socket));
    }
    // Behind the client's last word and before the server has read that.
    client.write(b"hello").expect("there is room");
    while waiting(server.session.handshake(&mut server.socket)).is_none() {}
    assert!(server.session.has_plaintext());
    let mut buffer = [0; 3];
    assert_eq!(server.read(&mut buffer).expect("it came"), 3);
    assert!(server.session.has_plaintext());
    assert_eq!(server.read(&mut buffer).expect("it came"), 2);
    assert!(!server.session.has_plaintext());
}

#[test]
fn who_closes_says_so_and_can_still_be_answered() {
    let (mut client, mut server) = pair();
    client.write(b"last").expect("there is room");
    client.session.close(&mut client.socket).expect("there is room");
    let mut buffer = [0; 10];
    assert_eq!(server.read(&mut buffer).expect("it came"), 4);
    assert_eq!(server.read(&mut buffer).expect("a close is no error"), 0);
    assert!(server.session.has_plaintext(), "it says so again");
    server.write(b"yes").expect("there is room");
    assert_eq!(client.read(&mut buffer).expect("it came"), 3);
}

#[test]
fn an_end_without_the_peers_word_for_it_is_an_error() {
    let (mut client, server) = pair();
    drop(server);
    let error = client.read(&mut [0; 10]).expect_err("it was cut");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(client.session.has_plaintext(), "it says so again");
}

#[test]
fn what_is_no_tls_is_invalid_data_and_stays_so() {
    let (mut client, mut server) = pair();
    server.socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("there is room");
    for _ in 0..2 {
        let error = client.read(&mut [0; 10]).expect_err("no TLS");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    }
    // It was told.
    let error = server.read(&mut [0; 10]).expect_err("an alert");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
}

#[test]
fn a_peer_that_leaves_during_the_handshake_is_told_from_one_that_takes_its_time() {
    let (server, _) = configs();
    let (near, far) = UnixStream::pair().expect("a pair");
    let mut server = End::new(Session::server(server).expect("a session"), far);
    assert!(waiting(server.session.handshake(&mut server.socket)).is_none());
    drop(near);
    let error = server.session.handshake(&mut server.socket).expect_err("it left");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}
