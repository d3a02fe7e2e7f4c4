//! The readers of a shard that publishers wait for: how far they are is said when it is asked.

use enchufe_core::{Fanout, fanout::SubscriptionId};

use crate::live::broker::Claim;

/// The claims of cursors, some of which may have gone.
#[derive(Default)]
pub(super) struct Claims(Vec<(SubscriptionId, Claim)>);

impl Claims {
    /// Keeps the claim of a cursor that has started.
    pub(super) fn add(&mut self, cursor: SubscriptionId, claim: Claim, fanout: &mut Fanout) {
        if self.0.len() == self.0.capacity() {
            // Instead of growing, where that will do.
            self.answer(fanout);
        }
        self.0.push((cursor, claim));
    }

    /// Says how far the readers are, cuts those who blocked publishers for too long, and lets go of
    /// those who have gone.
    pub(super) fn answer(&mut self, fanout: &mut Fanout) {
        for (cursor, _) in self.0.iter().filter(|(_, claim)| claim.is_over()) {
            fanout.cut(*cursor);
        }
        self.0.retain(|(cursor, claim)| match fanout.position(*cursor) {
            Some(position) => {
                claim.reached(position);
                true
            }
            None => false,
        });
    }
}
