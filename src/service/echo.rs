//! Sends back whatever comes: the tutorial's echo server.

use super::{Service, ServiceError, part};
use crate::{shutdown::Shutdown, transport::Connection};

/// Sends back each message as it came, of the same kind; of a stream, the bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Service for Echo {
    async fn serve(
        &self,
        mut connection: Connection,
        shutdown: Shutdown,
    ) -> Result<(), ServiceError> {
        while let Some(message) = shutdown.or(connection.recv()).await? {
            connection.send(message).await?;
        }
        part(connection, &shutdown).await
    }
}
