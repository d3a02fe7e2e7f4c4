//! Room for answers in the shard's own buffer.

use enchufe_core::{MessageRef, ws::encode};

/// What lies in a shard's buffer in front of what is not decoded yet, for answers: they touch no
/// memory but what reading has just brought into the processor's cache.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    bytes: &'a mut [u8],
    /// How many bytes at its front are answers.
    taken: &'a mut usize,
}

impl<'a> Room<'a> {
    pub(super) fn new(bytes: &'a mut [u8], taken: &'a mut usize) -> Self {
        Self { bytes, taken }
    }

    /// The same room, for a while.
    #[inline]
    pub(crate) fn lend(&mut self) -> Room<'_> {
        Room { bytes: self.bytes, taken: self.taken }
    }

    /// Writes a message behind the answers that are there, if there is room for it.
    #[inline]
    pub(crate) fn write(&mut self, message: MessageRef<'_>) -> bool {
        let free = self.bytes.get_mut(*self.taken..).unwrap_or_default();
        let written = encode::message_into(free, message);
        *self.taken += written.unwrap_or(0);
        written.is_some()
    }

    /// How many bytes of answers are there.
    #[inline]
    pub(crate) fn taken(&self) -> usize {
        *self.taken
    }

    /// Takes back what was written since so many bytes were there.
    pub(crate) fn truncate(&mut self, taken: usize) {
        *self.taken = taken.min(*self.taken);
    }
}
