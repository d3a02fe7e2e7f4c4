//! Connections that are cut after every byte there is: nothing is lost, and nothing comes twice.

use enchufe::{
    client::{Event, Follower, Publisher, Subscription},
    core::{Message, Position, Since},
    live::broker::{ChannelOptions, PageLimit},
};

use crate::{
    at,
    common::server::{Server, name},
    following,
    proxy::{Cut, Proxy, Way},
    publishing,
};

/// Everything that a channel of the server has.
async fn contents(server: &Server) -> Vec<String> {
    let broker = server.node.broker();
    let start = broker.resolve(&name("feed"), Since::All).await.expect("the channel is there");
    let limit = PageLimit { len_max: 100_000, bytes_max: usize::MAX };
    let page = broker.history(&name("feed"), start.after, limit).await.expect("there");
    let texts = page.items.iter().map(|item| item.message().payload.to_vec());
    texts.map(|bytes| String::from_utf8(bytes).expect("text")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_there_once_wherever_the_connection_is_cut() {
    let server = Server::start(ChannelOptions::default()).await;
    let whole = Proxy::start(server.address, None).await;
    let batch = |text: &str| [Message::text(format!("{text} uno")), Message::text("dos")];
    let mut publisher = Publisher::new(&at(whole.address), &name("feed"), publishing());
    publisher.publish(&batch("ToServer 1000")).await.expect("published");
    let mut expected = vec!["ToServer 1000 uno".to_owned(), "dos".to_owned()];
    let mut repeated = 0;
    for way in [Way::ToServer, Way::ToClient] {
        for after in 0..=whole.passed(way) {
            let cut = Cut { way, after, connections: 1 };
            let proxy = Proxy::start(server.address, Some(cut)).await;
            let mut publisher = Publisher::new(&at(proxy.address), &name("feed"), publishing());
            let text = format!("{way:?} {after}");
            let published = publisher.publish(&batch(&text)).await.expect("published");
            repeated += usize::from(published.was_repeated);
            expected.extend([format!("{text} uno"), "dos".to_owned()]);
        }
    }
    assert_eq!(contents(&server).await, expected);
    // Whatever part of the answer was lost, the server had published already.
    assert!(repeated + 2 >= whole.passed(Way::ToClient), "{repeated} were repeated");
    server.stop().await;
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    messages: Vec<String>,
    gaps: Vec<(Position, Position)>,
    lost: usize,
}

async fn told(mut follower: Follower) -> Told {
    let mut told = Told::default();
    while let Some(event) = follower.next().await.expect("no end before the end") {
        match event {
            Event::Message { message, .. } => told.messages.push(message.to_text().into_owned()),
            Event::Gap { gap, .. } => told.gaps.push((gap.after, gap.next)),
            Event::Lost { .. } => told.lost += 1,
            _ => {}
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_followed_comes_once_wherever_the_connection_is_cut() {
    let options = ChannelOptions { history_len_max: 3, ..ChannelOptions::default() };
    let server = Server::start(options).await;
    let first = server.publish("0").await;
    server.publish_numbers(5).await;
    server.end().await;
    let follower = |proxy: &Proxy| {
        let since = Since::After(first);
        let subscription = Subscription { channel: name("feed"), since, slow: None };
        Follower::new(at(proxy.address), vec![subscription], following()).expect("one channel")
    };
    let whole = Proxy::start(server.address, None).await;
    let expected = told(follower(&whole)).await;
    assert_eq!(
        (&expected.messages[..], expected.lost),
        (&["3", "4", "5"].map(String::from)[..], 0)
    );
    assert_eq!(expected.gaps.len(), 1, "the first two are gone");
    for way in [Way::ToServer, Way::ToClient] {
        for after in 0..whole.passed(way) {
            let cut = Cut { way, after, connections: 1 };
            let proxy = Proxy::start(server.address, Some(cut)).await;
            let told = told(follower(&proxy)).await;
            assert_eq!(told.messages, expected.messages, "{cut:?}");
            assert_eq!(told.gaps, expected.gaps, "{cut:?}");
            // The goodbye is no loss: everything was told before.
            assert!(told.lost == 1 || proxy.connections() == 1, "{cut:?}: {told:?}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_never_holds_for_long_still_brings_everything() {
    let server = Server::start(ChannelOptions::default()).await;
    let cut = Cut { way: Way::ToClient, after: 900, connections: usize::MAX };
    let proxy = Proxy::start(server.address, Some(cut)).await;
    let subscription = Subscription { channel: name("feed"), since: Since::All, slow: None };
    let follower = Follower::new(at(proxy.address), vec![subscription], following());
    let following = tokio::spawn(told(follower.expect("one channel")));
    let numbers: Vec<String> = (1..=300).map(|number| number.to_string()).collect();
    let mut publisher = Publisher::new(&at(proxy.address), &name("feed"), publishing());
    for number in &numbers {
        publisher.publish(&[Message::text(number)]).await.expect("published");
    }
    server.end().await;
    let told = following.await.expect("no panic");
    assert_eq!(told.messages, numbers);
    assert_eq!((told.gaps.len(), told.lost > 30), (0, true), "{} were lost", told.lost);
    server.stop().await;
}
