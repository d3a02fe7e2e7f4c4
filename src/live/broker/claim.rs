//! A reader's claim on what it has not had yet: publishers wait for it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use enchufe_core::Position;
use tokio_util::sync::CancellationToken;

/// A reader that publishers wait for, as long as this is here and they have patience.
#[derive(Debug)]
pub(in crate::live) struct Claim(Arc<Place>);

/// How far the reader is, as the broker sees it.
#[derive(Debug)]
pub(super) struct Place {
    /// The offset through which it has everything.
    through: AtomicU64,
    given_up: CancellationToken,
    /// It is cut when it is given up.
    blocks: bool,
}

impl Claim {
    /// A claim on what comes after an offset.
    pub(super) fn new(through: u64, blocks: bool) -> Self {
        let through = AtomicU64::new(through);
        Self(Arc::new(Place { through, given_up: CancellationToken::new(), blocks }))
    }

    /// What the broker keeps of it.
    pub(super) fn place(&self) -> &Arc<Place> {
        &self.0
    }

    /// The reader has everything through here.
    pub(in crate::live) fn reached(&self, position: Position) {
        self.0.through.store(position.offset, Ordering::Relaxed);
    }

    /// Whether the reader is to be cut, for publishers wait for it no longer.
    pub(in crate::live) fn is_over(&self) -> bool {
        self.0.blocks && self.0.given_up.is_cancelled()
    }

    /// Waits until publishers wait for it no longer. Cancel-safe.
    pub(in crate::live) async fn given_up(&self) {
        self.0.given_up.cancelled().await;
    }
}

impl Place {
    pub(super) fn through(&self) -> u64 {
        self.through.load(Ordering::Relaxed)
    }

    pub(super) fn blocks(&self) -> bool {
        self.blocks
    }

    pub(super) fn give_up(&self) {
        self.given_up.cancel();
    }

    #[cfg(test)]
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.is_cancelled()
    }
}
