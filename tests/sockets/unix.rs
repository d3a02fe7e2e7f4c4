//! Streams over Unix-domain sockets, when all goes well.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use enchufe::core::Message;
use enchufe::transport::Peer;
use tempfile::TempDir;

use crate::common::{all_of, bind, open, pair, text_of, until};

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The address of a socket in a folder.
pub(crate) fn address_in(folder: &TempDir, scheme: &str) -> String {
    format!("{scheme}:{}", path_in(folder))
}

pub(crate) fn path_in(folder: &TempDir) -> String {
    folder.path().join("socket").display().to_string()
}

pub(crate) fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("a folder").next().is_none()
}

#[tokio::test]
async fn a_message_goes_there_and_back() {
    let folder = folder();
    let (listener, mut client, mut server) = pair(&address_in(&folder, "unix")).await;
    assert_eq!(listener.local_addresses()[0].to_string(), address_in(&folder, "unix"));
    assert_eq!(client.peer().to_string(), path_in(&folder));
    assert_eq!(server.peer(), &Peer::UnixUnnamed);
    assert_eq!(server.peer().to_string(), "unnamed");
    client.send(Message::text("question")).await.expect("sent");
    client.finish().await.expect("half closed");
    assert_eq!(all_of(&mut server).await, b"question");
    server.send(Message::text("answer")).await.expect("sent");
    drop(server);
    assert_eq!(all_of(&mut client).await, b"answer");
}

#[tokio::test]
async fn the_socket_is_its_owners_alone_and_gone_with_its_listener() {
    for scheme in ["unix", "unixgram"] {
        let folder = folder();
        let listener = bind(&address_in(&folder, scheme)).await;
        let found = std::fs::symlink_metadata(path_in(&folder)).expect("a socket");
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{scheme}");
        drop(listener);
        until(async || is_empty(folder.path())).await;
    }
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    for scheme in ["unix", "unixgram"] {
        let folder = folder();
        // Bound and dropped without removing its file, as a server that was killed leaves it.
        drop(std::os::unix::net::UnixListener::bind(path_in(&folder)).expect("a socket"));
        let stale = std::fs::symlink_metadata(path_in(&folder)).expect("a socket");
        let listener = bind(&address_in(&folder, scheme)).await;
        let found = std::fs::symlink_metadata(path_in(&folder)).expect("a socket");
        assert_ne!((stale.ino(), stale.ctime_nsec()), (found.ino(), found.ctime_nsec()));
        open(&listener.local_addresses()[0].clone()).await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_ours_any_more_stays() {
    let folder = folder();
    let listener = bind(&address_in(&folder, "unix")).await;
    std::fs::remove_file(path_in(&folder)).expect("removed");
    std::fs::write(path_in(&folder), "somebody else's").expect("written");
    drop(listener);
    assert_eq!(std::fs::read_to_string(path_in(&folder)).expect("read"), "somebody else's");
}

#[tokio::test]
async fn a_relative_path_is_removed_where_it_was_made() {
    // A path from here, which is no place the tests change.
    let name = format!("target/enchufe-test-{:016x}.sock", fastrand::u64(..));
    std::fs::create_dir_all("target").expect("a folder");
    let listener = bind(&format!("unix:{name}")).await;
    assert!(Path::new(&name).exists());
    drop(listener);
    assert!(!Path::new(&name).exists());
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_abstract_name_has_no_file_and_goes_there_and_back() {
    for scheme in ["unix", "unixgram"] {
        let text = format!("{scheme}:@enchufe-test-{:016x}", fastrand::u64(..));
        let (_listener, mut client, mut server) = pair(&text).await;
        assert_eq!(format!("{scheme}:{}", client.peer()), text);
        client.send(Message::text("question")).await.expect("sent");
        assert_eq!(text_of(&mut server).await, "question");
        server.send(Message::text("answer")).await.expect("sent");
        assert_eq!(text_of(&mut client).await, "answer");
    }
}

#[tokio::test]
async fn of_many_that_find_a_stale_socket_one_gets_its_place() {
    let folder = folder();
    drop(std::os::unix::net::UnixListener::bind(path_in(&folder)).expect("a socket"));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let address = address_in(&folder, "unix");
        tasks.spawn(async move { crate::common::try_bind(&address).await });
    }
    let listeners: Vec<_> = tasks.join_all().await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(listeners.len(), 1, "{listeners:?}");
    open(&listeners[0].local_addresses()[0].clone()).await;
}
