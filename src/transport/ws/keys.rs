//! Masking keys: bytes that nobody can foresee (RFC 6455 §10.3).

use std::fmt;

/// How many bytes are drawn from the system at once.
const DRAWN_BYTES: usize = 256;

/// Bytes from the system's own randomness, drawn for many keys at once.
pub(super) struct Keys {
    drawn: [u8; DRAWN_BYTES],
    used: usize,
}

impl Default for Keys {
    fn default() -> Self {
        Self { drawn: [0; DRAWN_BYTES], used: DRAWN_BYTES }
    }
}

impl Keys {
    /// The key for the next frame. None is given twice.
    pub(super) fn next(&mut self) -> [u8; 4] {
        if self.used == DRAWN_BYTES {
            fill(&mut self.drawn);
            self.used = 0;
        }
        let key = self.drawn[self.used..].first_chunk().copied();
        self.used += 4;
        key.expect("whole keys were drawn")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// The nonce of a handshake.
pub(super) fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    fill(&mut nonce);
    nonce
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has randomness, or nothing that is secret works");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_go_on_when_those_that_were_drawn_are_used_up() {
        let mut keys = Keys::default();
        let count = 4 * DRAWN_BYTES;
        let different: HashSet<_> = (0..count).map(|_| keys.next()).collect();
        assert!(different.len() > count - 8, "{} different keys", different.len());
    }
}
