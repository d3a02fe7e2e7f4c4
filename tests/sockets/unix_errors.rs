//! Unix-domain sockets, when something is wrong.

use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::Duration;

use enchufe::address::Address;
use enchufe::transport::{BindError, Connection, OpenError, OpenOptions};
use tokio::time::timeout;

use crate::common::{bind, try_bind, try_open};
use crate::unix::{address_in, folder, path_in};

#[tokio::test]
async fn a_live_server_keeps_its_path_and_notices_nothing() {
    for scheme in ["unix", "unixgram"] {
        let folder = folder();
        let address = address_in(&folder, scheme);
        let mut listener = bind(&address).await;
        for again in ["unix", "unixgram"] {
            let again = address_in(&folder, again);
            let error = try_bind(&again).await.expect_err("in use");
            assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
            assert_eq!(
                error.to_string(),
                format!("cannot listen on {again}: the address is in use")
            );
            assert!(error.hint().expect("a hint").contains("another path"));
        }
        timeout(Duration::from_millis(20), listener.accept()).await.expect_err("no client came");
        try_open(&address).await.expect("it is still served");
    }
}

#[tokio::test]
async fn a_server_that_is_bound_and_does_not_listen_yet_is_live() {
    let folder = folder();
    let socket =
        socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&socket2::SockAddr::unix(path_in(&folder)).expect("a name")).expect("bound");
    let error = try_bind(&address_in(&folder, "unix")).await.expect_err("in use");
    assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_not_a_socket_is_never_removed() {
    let folder = folder();
    let path = path_in(&folder);
    let target = folder.path().join("target");
    let make: [(&str, &dyn Fn()); 3] = [
        ("a file", &|| std::fs::write(&path, "precious").expect("written")),
        ("a folder", &|| std::fs::create_dir(&path).expect("made")),
        ("a symbolic link", &|| {
            // Even one that leads to a stale socket.
            drop(UnixListener::bind(&target).expect("a socket"));
            std::os::unix::fs::symlink(&target, &path).expect("linked");
        }),
    ];
    for (what, make) in make {
        make();
        let error = try_bind(&address_in(&folder, "unix")).await.expect_err("not a socket");
        assert!(matches!(error, BindError::NotASocket { .. }), "{error:?}");
        assert!(error.to_string().contains(what) && error.hint().is_some(), "{error}");
        assert!(std::fs::symlink_metadata(&path).is_ok(), "{what} is still there");
        std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path)).expect("removed");
    }
    assert!(target.exists());
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_told_of() {
    let folder = folder();
    let address = format!("unix:{}/missing/socket", folder.path().display());
    let error = try_bind(&address).await.expect_err("no folder");
    assert!(matches!(error, BindError::NoFolder { .. }), "{error:?}");
    assert!(error.to_string().contains(&address) && error.hint().is_some(), "{error}");
}

#[tokio::test]
async fn a_name_that_is_too_long_is_refused_with_the_bound() {
    let long = "x".repeat(120);
    for text in [format!("unix:/tmp/{long}"), format!("unixgram:@{long}")] {
        let error = try_bind(&text).await.expect_err("too long");
        assert!(matches!(error, BindError::NameTooLong { .. }), "{error:?}");
        assert!(error.to_string().contains(&text) && error.hint().is_some(), "{error}");
        let error = try_open(&text).await.expect_err("too long");
        assert!(matches!(error, OpenError::NameTooLong { .. }), "{error:?}");
        assert!(error.to_string().contains(&text) && error.hint().is_some(), "{error}");
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn the_longest_name_works() {
    let name = format!("{:016x}{}", fastrand::u64(..), "x".repeat(91));
    let listener = bind(&format!("unix:@{name}")).await;
    try_open(&listener.local_addresses()[0].to_string()).await.expect("a connection");
}

#[tokio::test]
async fn a_folder_that_is_locked_is_waited_for_and_then_told_of() {
    let folder = folder();
    let lock = std::fs::File::open(folder.path()).expect("the folder");
    lock.lock().expect("locked");
    let error = try_bind(&address_in(&folder, "unix")).await.expect_err("locked");
    assert!(matches!(error, BindError::Locked { .. }), "{error:?}");
    assert!(
        error.to_string().contains(&address_in(&folder, "unix")) && error.hint().is_some(),
        "{error}"
    );
    let waiting = tokio::spawn({
        let address = address_in(&folder, "unix");
        async move { bind(&address).await }
    });
    lock.unlock().expect("unlocked");
    waiting.await.expect("bound once it is unlocked");
}

#[tokio::test]
async fn a_socket_that_is_not_there_or_dead_is_told_of() {
    for scheme in ["unix", "unixgram"] {
        let folder = folder();
        let address = address_in(&folder, scheme);
        let error = try_open(&address).await.expect_err("not there");
        assert!(matches!(error, OpenError::NotFound { .. }), "{error:?}");
        assert!(error.to_string().contains(&address) && error.hint().is_some(), "{error}");
        std::fs::write(path_in(&folder), "a text").expect("written");
        let error = try_open(&address).await.expect_err("no socket");
        assert!(matches!(error, OpenError::NotASocket { .. }), "{error:?}");
        assert!(error.to_string().contains(&address) && error.hint().is_some(), "{error}");
        std::fs::remove_file(path_in(&folder)).expect("removed");
        drop(UnixListener::bind(path_in(&folder)).expect("a socket"));
        let error = try_open(&address).await.expect_err("dead");
        assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains(&address) && error.hint().is_some(), "{error}");
    }
}

#[tokio::test]
async fn a_socket_of_the_other_kind_gets_its_address_suggested() {
    let folder = folder();
    let stream = UnixListener::bind(path_in(&folder)).expect("a socket");
    let error = try_open(&address_in(&folder, "unixgram")).await.expect_err("a stream");
    assert!(matches!(error, OpenError::WrongKind { .. }), "{error:?}");
    assert!(
        error.hint().expect("a hint").contains(&address_in(&folder, "unix")),
        "{:?}",
        error.hint()
    );
    drop(stream);
    std::fs::remove_file(path_in(&folder)).expect("removed");
    let _datagrams = UnixDatagram::bind(path_in(&folder)).expect("a socket");
    let error = try_open(&address_in(&folder, "unix")).await.expect_err("datagrams");
    assert!(
        error.hint().expect("a hint").contains(&address_in(&folder, "unixgram")),
        "{:?}",
        error.hint()
    );
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_server_whose_backlog_is_full_is_waited_for_and_then_given_up() {
    let folder = folder();
    let socket =
        socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&socket2::SockAddr::unix(path_in(&folder)).expect("a name")).expect("bound");
    socket.listen(0).expect("listening");
    let _first = try_open(&address_in(&folder, "unix")).await.expect("a connection");
    let mut options = OpenOptions::default();
    options.timeout = Duration::from_millis(100);
    let address = Address::parse_connect(&address_in(&folder, "unix")).expect("an address");
    let error = Connection::open(&address, &options).await.expect_err("full");
    assert!(matches!(error, OpenError::TimedOut { .. }), "{error:?}");
    let waiting = tokio::spawn(async move { try_open(&address.to_string()).await });
    tokio::task::yield_now().await;
    socket.accept().expect("the first client");
    waiting.await.expect("a task").expect("a connection once there is room");
}
