//! Which address is tried when, and what is said when none answers.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::net::TcpListener;

use super::*;

async fn server() -> (TcpListener, SocketAddr) {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = server.local_addr().expect("bound");
    (server, address)
}

/// An address that refuses: its port was free a moment ago.
async fn nobody() -> SocketAddr {
    server().await.1
}

async fn first_of(addresses: Vec<SocketAddr>) -> Result<SocketAddr, io::ErrorKind> {
    let mut race = Race::new(&OpenOptions::default());
    race.waiting.addresses = addresses;
    match race.run(None).await {
        Ok((_stream, peer)) => Ok(peer),
        Err(Lost::Everywhere(Obstacle::Local(error) | Obstacle::Remote(error))) => {
            Err(error.kind())
        }
        Err(Lost::Unresolved(error)) => panic!("{error}"),
    }
}

fn v4(last: u8) -> SocketAddr {
    (Ipv4Addr::new(192, 0, 2, last), 80).into()
}

fn v6(last: u16) -> SocketAddr {
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last), 80).into()
}

fn order(mut waiting: Waiting) -> Vec<SocketAddr> {
    std::iter::from_fn(|| waiting.next()).collect()
}

#[test]
fn the_families_take_turns_beginning_with_the_resolvers_first() {
    let mut waiting = Waiting::default();
    waiting.add(vec![v6(1), v6(2), v6(3), v4(1), v4(2)], false);
    assert_eq!(order(waiting), [v6(1), v4(1), v6(2), v4(2), v6(3)]);
    let mut waiting = Waiting::default();
    waiting.add(vec![v4(1), v4(2), v6(1)], false);
    assert_eq!(order(waiting), [v4(1), v6(1), v4(2)]);
}

#[test]
fn what_comes_later_joins_in_and_nothing_is_tried_twice() {
    let mut waiting = Waiting::default();
    waiting.add(vec![v4(1), v4(2)], false);
    waiting.add(vec![v6(1)], true);
    assert_eq!(waiting.next(), Some(v6(1)));
    waiting.add(vec![v6(1), v6(2), v4(1)], false);
    assert_eq!(order(waiting), [v4(1), v6(2), v4(2)]);
}

fn race() -> Race {
    Race::new(&OpenOptions::default())
}

/// Without a resolver: its answers come when the test says so.
#[tokio::test(start_paused = true)]
async fn ipv4_waits_a_moment_for_ipv6_and_ipv6_for_nobody() {
    let mut race = race();
    race.lookups.spawn(std::future::pending());
    let now = Instant::now();
    race.found(Some(Family::V4), Ok(vec![v4(1)]));
    assert_eq!(race.next_at, now + RESOLUTION_DELAY);
    tokio::time::advance(Duration::from_millis(10)).await;
    race.found(Some(Family::V6), Ok(vec![v6(1)]));
    assert_eq!(race.next_at, Instant::now());
    assert_eq!(race.waiting.addresses, [v6(1), v4(1)]);
}

#[tokio::test(start_paused = true)]
async fn ipv4_waits_no_longer_once_there_is_no_ipv6() {
    let mut race = race();
    let pending = race.lookups.spawn(std::future::pending());
    race.found(Some(Family::V4), Ok(vec![v4(1)]));
    pending.abort();
    while race.lookups.join_next().await.is_some() {}
    race.found(Some(Family::V6), Err(ResolveError::NoAddress { host: "host".to_owned() }));
    assert_eq!(race.next_at, Instant::now());
}

#[tokio::test]
async fn so_many_addresses_are_tried_and_no_more() {
    let (_server, answers) = server().await;
    let mut addresses = vec![nobody().await; CONNECT_ADDRESSES_MAX - 1];
    addresses.push(answers);
    assert_eq!(first_of(addresses.clone()).await, Ok(answers));
    addresses.insert(0, addresses[0]);
    assert_eq!(first_of(addresses).await, Err(io::ErrorKind::ConnectionRefused));
}

#[tokio::test]
async fn a_refusal_tells_more_than_an_address_that_cannot_be_reached() {
    // Nothing is ever reached from a broadcast address.
    let unreachable = SocketAddr::from(([255, 255, 255, 255], 9));
    for addresses in [[unreachable, nobody().await], [nobody().await, unreachable]] {
        let refused = first_of(addresses.to_vec()).await;
        assert_eq!(refused, Err(io::ErrorKind::ConnectionRefused));
    }
}

#[tokio::test]
async fn what_the_resolver_says_counts_when_there_was_nothing_to_try() {
    let mut race = race();
    race.found(Some(Family::V4), Err(ResolveError::NoAddress { host: "host".to_owned() }));
    race.found(Some(Family::V6), Err(ResolveError::Unavailable { host: "host".to_owned() }));
    assert!(matches!(
        race.run(None).await,
        Err(Lost::Unresolved(ResolveError::Unavailable { .. }))
    ));
}
