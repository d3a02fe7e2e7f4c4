//! Idempotency keys: what was answered, for as long as a publisher may repeat its question.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use enchufe_core::{Kind, Message};
use jiff::Timestamp;

use crate::{
    limits,
    live::broker::{IdempotencyKey, Receipt},
};

/// Bounded by age and by count.
#[derive(Default)]
pub(super) struct Keys {
    answers: HashMap<IdempotencyKey, Answer>,
    oldest_first: VecDeque<(Timestamp, IdempotencyKey)>,
}

struct Answer {
    body: [u64; 2],
    receipt: Receipt,
}

impl Keys {
    /// The answer that was given for `key`, and whether it was for the same messages.
    pub(super) fn recall(
        &mut self,
        key: &IdempotencyKey,
        batch: &[Message],
        now: Timestamp,
    ) -> Option<(bool, Receipt)> {
        self.forget(now);
        let answer = self.answers.get(key)?;
        Some((answer.body == fingerprint(batch), answer.receipt))
    }

    pub(super) fn remember(
        &mut self,
        key: IdempotencyKey,
        batch: &[Message],
        receipt: Receipt,
        now: Timestamp,
    ) {
        self.oldest_first.push_back((now, key.clone()));
        self.answers.insert(key, Answer { body: fingerprint(batch), receipt });
        self.forget(now);
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((time, _)) = self.oldest_first.front()
            && (now.duration_since(*time) > limits::IDEMPOTENCY_TIME
                || self.oldest_first.len() > limits::IDEMPOTENCY_KEYS_MAX)
        {
            if let Some((_, key)) = self.oldest_first.pop_front() {
                self.answers.remove(&key);
            }
        }
    }
}

/// Two independent 64-bit hashes of kinds, lengths and payloads: enough to notice a mistake,
/// which is all the comparison is for.
fn fingerprint(batch: &[Message]) -> [u64; 2] {
    [0u8, 1].map(|salt| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        for message in batch {
            (message.kind == Kind::Text).hash(&mut hasher);
            message.payload.hash(&mut hasher);
        }
        hasher.finish()
    })
}
