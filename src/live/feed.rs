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
    loop {
        let next = shutdown.or(async { Ok::<_, PublishError>(source.next().await) }).await?;
        if shutdown.is_requested() && next.is_none() {
            return Ok(());
        }
        let Some(message) = next else { break };
        publish(broker, channel, message).await?;
    }
    let status = source.status().await;
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
