//! Many readers, and one who wants to know of them and does not read.

use enchufe::{core::Message, limits};
use serde_json::Value;

use crate::{
    common::{
        http::{connect, connect_small},
        reader::open,
        server::{Server, name},
    },
    watcher::{Watcher, asked, event},
};

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_readers_are_counted_and_named_again_when_most_have_left() {
    const CROWD: u64 = 2_000;
    const AGAIN: u64 = limits::PRESENCE_READERS_AGAIN as u64;
    let server = Server::start(Default::default()).await;
    let address = server.address;
    let visit = tokio::task::spawn_blocking(move || {
        let mut watcher = Watcher::of(address);
        watcher.until(1);
        let mut readers: Vec<_> =
            (1..CROWD).map(|_| open(connect(address), "/channels/feed", None)).collect();
        let known = watcher.until(CROWD);
        assert!(known.readers.is_none(), "so many have no names");
        // Not one event for each.
        assert!(known.events < 500, "{} events for {CROWD} readers", known.events);
        let said = asked(address);
        assert_eq!((&said["count"], said.get("readers")), (&CROWD.into(), None));
        readers.truncate(usize::try_from(AGAIN).expect("a few"));
        assert!(watcher.until(AGAIN + 1).readers.is_none(), "or it would go to and fro");
        readers.pop();
        let known = watcher.until(AGAIN);
        let named = known.readers.as_ref().expect("they are named again").len() as u64;
        assert_eq!((named, known.snapshots), (AGAIN, 2));
        let said = asked(address);
        assert_eq!(said["readers"].as_array().map(|readers| readers.len() as u64), Some(named));
    });
    visit.await.expect("all is well");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_does_not_read_gets_a_snapshot_instead_of_all_that_it_has_missed() {
    let server = Server::start(Default::default()).await;
    let address = server.address;
    let mut deaf = tokio::task::spawn_blocking(move || {
        let mut watcher = Watcher::on(connect_small(address));
        watcher.until(1);
        watcher
    })
    .await
    .expect("it is there");
    // Nothing more goes into its socket.
    for _ in 0..16 {
        let batch = vec![Message::binary(vec![7; 1 << 20])];
        server.node.broker().publish(&name("feed"), batch, None).await.expect("published");
    }
    let mut prompt = tokio::task::spawn_blocking(move || {
        let mut watcher = Watcher::of(address);
        watcher.until(2);
        watcher
    })
    .await
    .expect("it is there");
    const THOSE: u32 = 500;
    const ROUNDS: usize = 8;
    let mut told = 0;
    for _ in 0..ROUNDS {
        let those: Vec<_> = (0..THOSE).map(|_| server.node.enter(name("feed"))).collect();
        prompt = until(prompt, 2 + u64::from(THOSE)).await;
        drop(those);
        prompt = until(prompt, 2).await;
        // About what the events of a prompt watcher take: each names all of them.
        told += 2 * THOSE as usize * r#"{"id":12345},"#.len();
    }
    assert_eq!((prompt.known.snapshots, prompt.known.events >= 2 * ROUNDS), (1, true));
    let stays = server.node.enter(name("feed"));
    prompt = until(prompt, 3).await;
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = 0;
        while deaf.known.readers != prompt.known.readers {
            let (kind, body): (String, Value) = event(&mut deaf.socket);
            if deaf.known.take(&kind, &body) {
                bytes += body.to_string().len();
            }
        }
        assert_eq!(deaf.known.snapshots, 2, "one when it came, and one when it read again");
        let kept = limits::PRESENCE_WAITING_BYTES_MAX + told / ROUNDS;
        assert!(bytes < kept, "{bytes} of {told} bytes were kept for it, more than {kept}");
    });
    reading.await.expect("it knows who is there");
    drop(stays);
    server.stop().await;
}

async fn until(mut watcher: Watcher, count: u64) -> Watcher {
    let watching = tokio::task::spawn_blocking(move || {
        watcher.until(count);
        watcher
    });
    watching.await.expect("it is told")
}
