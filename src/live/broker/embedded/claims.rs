//! Whom publishers wait for: the readers of one log, and how far the slowest of them is.

use std::sync::{Arc, Weak};

use crate::live::broker::claim::{Claim, Place};

/// The claims of a log's readers.
#[derive(Debug, Default)]
pub(super) struct Claims {
    held: Vec<Held>,
    /// No reader that is waited for is before this offset; it may be behind the truth.
    slowest: u64,
}

#[derive(Debug)]
struct Held {
    place: Weak<Place>,
    /// It has been in the newer half of the log, and was not given up since.
    is_waited_for: bool,
}

impl Claims {
    /// A claim on what comes after an offset. Whoever begins before the `middle` of the log is
    /// waited for once it has got there.
    pub(super) fn add(&mut self, through: u64, middle: u64, blocks: bool) -> Claim {
        if self.held.len() == self.held.capacity() {
            // Instead of growing, where that will do.
            self.held.retain(|held| held.place.strong_count() > 0);
        }
        let claim = Claim::new(through, blocks);
        let is_waited_for = through >= middle;
        if is_waited_for {
            self.slowest = self.slowest.min(through);
        }
        self.held.push(Held { place: Arc::downgrade(claim.place()), is_waited_for });
        claim
    }

    /// Whether there is a reader that publishers wait for wherever it reads.
    pub(super) fn has_blocking(&self) -> bool {
        self.held.iter().any(|held| held.place.upgrade().is_some_and(|place| place.blocks()))
    }

    /// Whether, as far as is known without looking, every reader is through this offset.
    pub(super) fn are_known_through(&self, offset: u64) -> bool {
        self.slowest >= offset
    }

    /// Looks how far the slowest reader is: whether every one is through this offset. `head` is
    /// that of the newest message.
    pub(super) fn are_through(&mut self, offset: u64, middle: u64, head: u64) -> bool {
        let mut slowest = head;
        self.held.retain_mut(|held| {
            let Some(place) = held.place.upgrade() else { return false };
            let through = place.through();
            held.is_waited_for |= through >= middle;
            if held.is_waited_for {
                slowest = slowest.min(through);
            }
            true
        });
        self.slowest = slowest;
        slowest >= offset
    }

    /// Waits no longer for who is not through this offset. How many they are.
    pub(super) fn give_up(&mut self, offset: u64) -> usize {
        let mut count = 0;
        for held in self.held.iter_mut().filter(|held| held.is_waited_for) {
            let Some(place) = held.place.upgrade() else { continue };
            if place.through() < offset {
                held.is_waited_for = false;
                place.give_up();
                count += 1;
            }
        }
        self.slowest = self.slowest.max(offset);
        count
    }
}

#[cfg(test)]
mod tests {
    use enchufe_core::{Epoch, Position};

    use super::*;

    fn at(offset: u64) -> Position {
        Position::new(Epoch(1), offset)
    }

    #[test]
    fn the_slowest_reader_that_is_there_counts() {
        let mut claims = Claims::default();
        assert!(claims.are_through(10, 0, 10), "nobody reads");
        let (fast, slow) = (claims.add(10, 5, false), claims.add(10, 5, false));
        fast.reached(at(100));
        slow.reached(at(40));
        assert!(!claims.are_known_through(40), "nobody has looked");
        assert!(claims.are_through(40, 5, 100) && claims.are_known_through(40));
        assert!(!claims.are_through(41, 5, 100));
        drop(slow);
        assert!(claims.are_through(100, 5, 100));
        drop(fast);
        assert!(claims.are_through(100, 5, 100) && claims.held.is_empty());
    }

    #[test]
    fn who_begins_far_behind_is_waited_for_once_it_has_caught_up() {
        let mut claims = Claims::default();
        let late = claims.add(0, 50, false);
        assert!(claims.are_through(90, 50, 100), "it may miss what it was late for");
        late.reached(at(50));
        assert!(!claims.are_through(90, 50, 100));
    }

    #[test]
    fn who_is_given_up_is_told_and_waited_for_again_once_it_has_caught_up() {
        let mut claims = Claims::default();
        let (fast, slow) = (claims.add(0, 0, false), claims.add(0, 0, false));
        fast.reached(at(100));
        assert_eq!(claims.give_up(60), 1);
        let is_given_up = |claim: &Claim| claim.place().is_given_up();
        assert!(is_given_up(&slow) && !is_given_up(&fast));
        assert!(claims.are_known_through(60) && claims.are_through(100, 60, 100));
        slow.reached(at(60));
        assert!(!claims.are_through(100, 60, 100));
    }

    #[test]
    fn readers_who_come_and_go_leave_nothing_behind() {
        let mut claims = Claims::default();
        let stays = claims.add(0, 0, false);
        for _ in 0..10_000 {
            drop(claims.add(0, 0, false));
        }
        assert!(claims.held.len() < 10, "{} claims are kept", claims.held.len());
        drop(stays);
    }
}
