//! A source's messages, published to a channel until the source ends.

use enchufe_core::{ChannelName, Message};

use super::broker::{Broker, PublishError};
use crate::{limits, shutdown::Shutdown, source::Source};

/// Publishes what `source` yields and then, unless it was shut down, says how it ended.
///
/// A message that is too long is reported in the log with its length and left out, since there
/// is nobody to answer to.
///
/// # Errors
///
/// When the channel is not there or has ended.
///
/// # Cancel safety
///
/// Dropping the future leaves the channel as it is; the message being published may be in it.
pub async fn feed(
    broker: &Broker,
    channel: &ChannelName,
    source: &mut impl Source,
    shutdown: &Shutdown,
) -> Result<(), PublishError> {
    tracing::info!(%channel, "the source feeds the channel");
    loop {
        let next = shutdown.or(async { Ok::<_, PublishError>(source.next().await) }).await?;
        if shutdown.is_requested() && next.is_none() {
            return Ok(());
        }
        let Some(message) = next else { break };
        publish(broker, channel, message).await?;
    }
    // A program may have closed its output and run on: whoever is told to end does not wait.
    let status = shutdown.or(async { Ok::<_, PublishError>(Some(source.status().await)) }).await?;
    let Some(status) = status else { return Ok(()) };
    tracing::info!(%channel, status, "the source has ended");
    // The channel was there a moment ago, and channels do not go away.
    broker.end(channel, status).await.ok();
    Ok(())
}

async fn publish(
    broker: &Broker,
    channel: &ChannelName,
    message: Message,
) -> Result<(), PublishError> {
    match broker.publish(channel, vec![message], None).await {
        Err(PublishError::TooLarge(bytes)) => {
            let limit = limits::MESSAGE_BYTES_MAX;
            tracing::error!(%channel, bytes, limit, "a message is too long and was left out");
            Ok(())
        }
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{future, time::Duration};

    use super::*;
    use crate::live::broker::ChannelOptions;

    /// A program that has closed its output and runs on.
    struct RunsOn;

    impl Source for RunsOn {
        async fn next(&mut self) -> Option<Message> {
            None
        }

        async fn status(&mut self) -> String {
            future::pending().await
        }
    }

    #[tokio::test]
    async fn a_source_that_says_no_more_and_does_not_end_does_not_hold_up_the_end() {
        let (broker, channel) = (Broker::memory(), "feed".parse().expect("a name"));
        broker.declare(&channel, ChannelOptions::default());
        let (trigger, shutdown) = Shutdown::new();
        let mut source = RunsOn;
        let feeding = feed(&broker, &channel, &mut source, &shutdown);
        tokio::pin!(feeding);
        tokio::time::timeout(Duration::from_millis(10), &mut feeding)
            .await
            .expect_err("the channel has not ended either");
        trigger.request();
        feeding.await.expect("the channel is there");
        assert!(broker.state(&channel).expect("it is there").end.is_none());
    }
}
