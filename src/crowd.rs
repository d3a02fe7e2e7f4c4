//! How many connections each address has, so that one client cannot take the place of all others.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::limits;

/// Counts connections by the address that they come from. Clones count together.
///
/// An IPv6 address counts as its network of 64 bits, all of which one machine usually has.
#[derive(Debug, Clone)]
pub struct Crowd(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    counts: Mutex<HashMap<IpAddr, usize>>,
    max: AtomicUsize,
    /// Whether this machine itself, where proxies and load generators are, has no bound.
    spares_loopback: std::sync::atomic::AtomicBool,
}

/// The place of one connection; free again when dropped.
#[derive(Debug)]
pub struct Seat {
    crowd: Arc<Inner>,
    address: IpAddr,
}

impl Crowd {
    /// At most so many of every address, of this machine's own too; or as many as
    /// [`limits::CONNECTIONS_PER_ADDRESS_MAX`] of others, and without a bound from this machine.
    pub fn new(per_address_max: Option<usize>) -> Self {
        let crowd = Self(Arc::new(Inner {
            counts: Mutex::default(),
            max: AtomicUsize::new(0),
            spares_loopback: false.into(),
        }));
        crowd.set_max(per_address_max);
        crowd
    }

    /// Another bound from now on. Whoever is here stays.
    pub fn set_max(&self, per_address_max: Option<usize>) {
        let max = per_address_max.unwrap_or(limits::CONNECTIONS_PER_ADDRESS_MAX);
        self.0.max.store(max, Ordering::Relaxed);
        self.0.spares_loopback.store(per_address_max.is_none(), Ordering::Relaxed);
    }

    /// How many connections an address may have.
    pub fn max(&self) -> usize {
        self.0.max.load(Ordering::Relaxed)
    }

    /// Takes a place for a connection, unless the address has as many as it may have.
    pub fn enter(&self, address: IpAddr) -> Option<Seat> {
        let address = network(address);
        let is_spared = address.is_loopback() && self.0.spares_loopback.load(Ordering::Relaxed);
        let mut counts = self.0.counts();
        let count = counts.entry(address).or_default();
        if *count >= self.max() && !is_spared {
            return None;
        }
        *count += 1;
        Some(Seat { crowd: Arc::clone(&self.0), address })
    }

    /// How many addresses have a connection.
    pub fn addresses(&self) -> usize {
        self.0.counts().len()
    }
}

impl Default for Crowd {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Inner {
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // Nothing panics while it holds the lock; were it so, the counts would still be whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
        // What a crowd once needed is given back when it has gone.
        if counts.capacity() > 1024 && counts.len() * 4 < counts.capacity() {
            counts.shrink_to_fit();
        }
    }
}

/// What is counted as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) if v6.is_loopback() => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let crowd = Crowd::new(Some(2));
        let first = crowd.enter(ip("192.0.2.1")).expect("room");
        let _second = crowd.enter(ip("::ffff:192.0.2.1")).expect("room");
        assert!(crowd.enter(ip("192.0.2.1")).is_none(), "it has two");
        let _other = crowd.enter(ip("192.0.2.2")).expect("room for others");
        drop(first);
        let _again = crowd.enter(ip("192.0.2.1")).expect("room again");
    }

    #[test]
    fn who_has_gone_leaves_nothing_behind() {
        let crowd = Crowd::new(Some(1));
        for number in 0..10_000_u32 {
            drop(crowd.enter(IpAddr::V4(number.into())));
        }
        assert_eq!(crowd.addresses(), 0);
    }

    #[test]
    fn a_machine_has_a_whole_network_of_ipv6_and_counts_once() {
        let crowd = Crowd::new(Some(1));
        let _seat = crowd.enter(ip("2001:db8::1")).expect("room");
        assert!(crowd.enter(ip("2001:db8::ffff:2")).is_none());
        assert!(crowd.enter(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn this_machine_is_spared_unless_somebody_asks_for_it() {
        let crowd = Crowd::default();
        for address in ["127.0.0.1", "::1"] {
            let seats: Vec<_> = (0..=limits::CONNECTIONS_PER_ADDRESS_MAX)
                .map(|_| crowd.enter(ip(address)))
                .collect();
            assert!(seats.iter().all(Option::is_some), "{address}");
        }
        let seats: Vec<_> = (0..=limits::CONNECTIONS_PER_ADDRESS_MAX)
            .map(|_| crowd.enter(ip("192.0.2.1")))
            .collect();
        assert_eq!(seats.iter().flatten().count(), limits::CONNECTIONS_PER_ADDRESS_MAX);
        let (_one, two) = (crowd.enter(ip("127.0.0.1")), Crowd::new(Some(1)));
        let _seat = two.enter(ip("127.0.0.1")).expect("room");
        assert!(two.enter(ip("127.0.0.1")).is_none(), "asked for");
    }
}
