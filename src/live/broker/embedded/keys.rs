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

    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    pub(super) fn forget(&mut self, now: Timestamp) {
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

#[cfg(test)]
mod tests {
    use enchufe_core::{Epoch, Position};
    use jiff::SignedDuration;

    use super::*;

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey::try_from(text.as_bytes()).expect("a key")
    }

    fn receipt(offset: u64) -> Receipt {
        let at = Position::new(Epoch(1), offset);
        Receipt { first: at, last: at, duplicate: false }
    }

    #[test]
    fn an_answer_is_remembered_for_its_time_and_no_longer() {
        let (mut keys, batch, begun) =
            (Keys::default(), [Message::text("x")], Timestamp::UNIX_EPOCH);
        keys.remember(key("k"), &batch, receipt(1), begun);
        let last = begun + limits::IDEMPOTENCY_TIME;
        assert_eq!(keys.recall(&key("k"), &batch, last), Some((true, receipt(1))));
        assert_eq!(keys.recall(&key("k"), &batch, last + SignedDuration::from_nanos(1)), None);
        assert!(keys.answers.is_empty() && keys.oldest_first.is_empty());
    }

    #[test]
    fn of_too_many_answers_the_oldest_is_forgotten() {
        let (mut keys, batch, now) = (Keys::default(), [Message::text("x")], Timestamp::UNIX_EPOCH);
        for number in 0..=limits::IDEMPOTENCY_KEYS_MAX as u64 {
            keys.remember(key(&number.to_string()), &batch, receipt(number), now);
        }
        assert_eq!(keys.answers.len(), limits::IDEMPOTENCY_KEYS_MAX);
        assert_eq!(keys.recall(&key("0"), &batch, now), None);
        assert_eq!(keys.recall(&key("1"), &batch, now), Some((true, receipt(1))));
    }

    #[test]
    fn messages_that_only_run_together_the_same_are_not_the_same() {
        let (mut keys, now) = (Keys::default(), Timestamp::UNIX_EPOCH);
        keys.remember(key("k"), &[Message::text("a"), Message::text("bc")], receipt(2), now);
        for other in [
            vec![Message::text("ab"), Message::text("c")],
            vec![Message::text("abc")],
            vec![Message::text("a"), Message::binary("bc")],
        ] {
            assert_eq!(keys.recall(&key("k"), &other, now), Some((false, receipt(2))));
        }
    }
}
