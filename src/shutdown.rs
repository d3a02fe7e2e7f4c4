//! Asking everything to end, and being asked.
//!
//! Shutdown is an argument: whoever starts a server holds the [`Trigger`], and every task of it
//! carries a [`Shutdown`] to wait on. Nothing here is global, so that two servers in one process
//! (or in one test) end independently.

use tokio_util::sync::CancellationToken;

/// The end that asks. Dropping it asks nothing: a server without a trigger runs until its
/// process ends.
#[derive(Debug, Clone)]
pub struct Trigger(CancellationToken);

impl Trigger {
    /// Asks every [`Shutdown`] of this trigger to end. Asking again changes nothing.
    pub fn request(&self) {
        self.0.cancel();
    }
}

/// The end that is asked. Clones hear the same request.
#[derive(Debug, Clone)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A trigger and what it triggers.
    pub fn new() -> (Trigger, Self) {
        let token = CancellationToken::new();
        (Trigger(token.clone()), Self(token))
    }

    /// One that is never requested.
    pub fn never() -> Self {
        Self(CancellationToken::new())
    }

    /// A part of this one: it ends when this one does, or earlier when its own trigger is pulled.
    pub fn child(&self) -> (Trigger, Self) {
        let token = self.0.child_token();
        (Trigger(token.clone()), Self(token))
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it is requested. Cancel-safe.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// What `step` yields, or `Ok(None)`, the end, as soon as shutdown is requested.
    ///
    /// Made for the loops of services: `while let Some(message) = shutdown.or(connection.recv()).await?`.
    ///
    /// # Errors
    ///
    /// Those of `step`.
    ///
    /// # Cancel safety
    ///
    /// As cancel-safe as `step`, which is dropped when shutdown is requested first.
    pub async fn or<T, E>(
        &self,
        step: impl Future<Output = Result<Option<T>, E>>,
    ) -> Result<Option<T>, E> {
        self.0.run_until_cancelled(step).await.unwrap_or(Ok(None))
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future};

    use super::*;

    #[tokio::test]
    async fn every_clone_hears_the_request_however_often_it_is_made() {
        let (trigger, shutdown) = Shutdown::new();
        let waiting = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.requested().await }
        });
        assert!(!shutdown.is_requested());
        trigger.request();
        trigger.request();
        waiting.await.expect("the clone was asked");
        assert!(shutdown.is_requested());
        shutdown.requested().await;
    }

    #[test]
    fn dropping_the_trigger_asks_nothing() {
        let (trigger, shutdown) = Shutdown::new();
        drop(trigger);
        assert!(!shutdown.is_requested());
    }

    #[test]
    fn a_child_ends_with_its_parent_but_not_the_other_way_round() {
        let (trigger, parent) = Shutdown::new();
        let (child_trigger, child) = parent.child();
        let (_, sibling) = parent.child();
        child_trigger.request();
        assert!(child.is_requested() && !parent.is_requested() && !sibling.is_requested());
        trigger.request();
        assert!(sibling.is_requested());
    }

    #[tokio::test]
    async fn a_step_is_cut_short_by_shutdown_and_untouched_without_it() {
        let (trigger, shutdown) = Shutdown::new();
        let one = shutdown.or(async { Ok::<_, Infallible>(Some(1)) }).await;
        assert_eq!(one, Ok(Some(1)));
        trigger.request();
        let never = shutdown.or(future::pending::<Result<Option<i32>, Infallible>>()).await;
        assert_eq!(never, Ok(None));
    }
}
