//! Certificates in files, and peers for the tests.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use enchufe::address::{Address, Host, HostPort, WsAddress};
use enchufe::transport::tls::ServerTls;
use enchufe::transport::{BindOptions, Connection, Listener, OpenError, OpenOptions};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::common::echo::echo_for_ever;

/// Longer than any test needs, shorter than the runner's patience.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A certificate and its key, in files that go with it.
pub(crate) struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    /// One that signs itself.
    pub(crate) fn new(names: &[&str], days: std::ops::Range<i64>) -> Self {
        let made = Self { folder: tempfile::tempdir().expect("a folder") };
        made.renew(names, days);
        made
    }

    pub(crate) fn localhost() -> Self {
        Self::new(&["localhost", "127.0.0.1"], -1..9)
    }

    /// Puts another certificate in the place of this one.
    pub(crate) fn renew(&self, names: &[&str], days: std::ops::Range<i64>) {
        self.renew_as(names, days, rcgen::IsCa::NoCa);
    }

    /// An authority's own, which is no server's.
    pub(crate) fn authority() -> Self {
        let made = Self { folder: tempfile::tempdir().expect("a folder") };
        made.renew_as(
            &["localhost"],
            -1..9,
            rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
        );
        made
    }

    fn renew_as(&self, names: &[&str], days: std::ops::Range<i64>, is_ca: rcgen::IsCa) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        let at = |days: i64| {
            let distance = Duration::from_secs(days.unsigned_abs() * 86_400);
            let now = SystemTime::now();
            if days < 0 { now - distance } else { now + distance }
        };
        (params.not_before, params.not_after) = (at(days.start).into(), at(days.end).into());
        params.is_ca = is_ca;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        std::fs::write(self.key(), key.serialize_pem()).expect("a file");
        std::fs::write(self.certificate(), certificate.pem()).expect("a file");
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    pub(crate) fn tls(&self) -> ServerTls {
        ServerTls::from_files(&self.certificate(), &self.key()).expect("a certificate")
    }

    pub(crate) fn server(&self) -> BindOptions {
        let mut options = BindOptions::default();
        options.tls = Some(self.tls());
        options
    }

    /// Trusts it.
    pub(crate) fn client(&self) -> OpenOptions {
        let mut options = OpenOptions::default();
        options.tls.ca = vec![self.certificate()];
        options
    }
}

pub(crate) fn address(host: &str, port: u16, path: Option<&str>) -> Address {
    let host = match host.parse() {
        Ok(address) => Host::V4(address),
        Err(_) => Host::Name(host.to_owned()),
    };
    let endpoint = HostPort { host, port };
    Address::Ws(WsAddress {
        endpoint: endpoint.into(),
        path: path.map(str::to_owned),
        is_secure: true,
    })
}

pub(crate) async fn listen(options: &BindOptions) -> (Listener, SocketAddr) {
    let bound = Listener::bind(&address("127.0.0.1", 0, None), options).await;
    let listener = bound.expect("a free port");
    let [address] = listener.local_addresses() else { panic!("one address") };
    assert!(address.is_secure());
    let port = address.host_port().expect("a port").port;
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    (listener, local)
}

/// A listener that accepts for ever and sends back what it gets.
pub(crate) async fn echo(options: &BindOptions) -> SocketAddr {
    let (listener, local) = listen(options).await;
    echo_for_ever(listener);
    local
}

pub(crate) async fn open(
    host: &str,
    server: SocketAddr,
    options: &OpenOptions,
) -> Result<Connection, OpenError> {
    Connection::open(&address(host, server.port(), None), options).await
}

/// A client as tokio-rustls has it, of these versions, which trusts the certificate.
pub(crate) async fn foreign_client(
    server: SocketAddr,
    made: &Made,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> TlsStream<TcpStream> {
    shake_hands(server, foreign_config(made, versions)).await
}

pub(crate) async fn shake_hands(
    server: SocketAddr,
    config: Arc<rustls::ClientConfig>,
) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(server).await.expect("it listens");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(config).connect(name, stream).await.expect("a handshake")
}

pub(crate) fn foreign_config(
    made: &Made,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(made.certificate()).expect("a file");
    roots.add(certificate).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A server as tokio-rustls has it, for one handshake, which speaks only this protocol.
pub(crate) async fn foreign_server(made: &Made, protocol: &[u8]) -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(made.certificate()).expect("a file");
    let key = PrivateKeyDer::from_pem_file(made.key()).expect("a file");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they belong together");
    config.alpn_protocols = vec![protocol.to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let local = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("it comes");
        // Whether it comes to stand is for the client to see.
        drop(TlsAcceptor::from(Arc::new(config)).accept(stream).await);
    });
    local
}
