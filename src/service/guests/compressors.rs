//! What compresses the answers of a shard.
//!
//! A compressor takes hundreds of kilobytes and forgets each message before the next, unless
//! context takeover was agreed. So clients without it share one for each size of window, made when
//! it is first needed; a client with it has its own, from its first compressed message on.

use enchufe_core::ws::deflate::{Deflater, Direction};

/// How one client's answers are compressed.
pub(super) struct Compression {
    direction: Direction,
    own: Option<Box<Deflater>>,
}

impl Compression {
    pub(super) fn new(direction: Direction) -> Self {
        Self { direction, own: None }
    }
}

/// What the clients of a shard share: at most one for each size of window.
#[derive(Default)]
pub(super) struct Compressors(Vec<Deflater>);

impl Compressors {
    pub(super) fn get<'a>(&'a mut self, compression: &'a mut Compression) -> &'a mut Deflater {
        let direction = compression.direction;
        if direction.context_takeover {
            return compression.own.get_or_insert_with(|| Box::new(Deflater::new(direction)));
        }
        let found = self.0.iter().position(|deflater| deflater.direction() == direction);
        let index = found.unwrap_or_else(|| {
            self.0.push(Deflater::new(direction));
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

#[cfg(test)]
mod tests {
    use enchufe_core::ws::deflate::WindowBits;

    use super::*;

    fn direction(context_takeover: bool, bits: u8) -> Direction {
        let window_bits = WindowBits::new(bits).expect("a size there is");
        Direction { context_takeover, window_bits }
    }

    #[test]
    fn clients_without_takeover_share_one_compressor_for_each_window() {
        let mut compressors = Compressors::default();
        for bits in (8..=15).chain(8..=15) {
            let mut compression = Compression::new(direction(false, bits));
            assert_eq!(compressors.get(&mut compression).direction(), direction(false, bits));
            assert!(compression.own.is_none());
        }
        assert_eq!(compressors.0.len(), 8);
    }

    #[test]
    fn a_client_with_takeover_has_its_own_once_it_needs_one() {
        let mut compressors = Compressors::default();
        let mut compression = Compression::new(direction(true, 15));
        assert!(compression.own.is_none());
        compressors.get(&mut compression);
        assert!(compression.own.is_some() && compressors.0.is_empty());
    }
}
