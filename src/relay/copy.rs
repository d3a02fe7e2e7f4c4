//! Bytes from one socket to another, as they come.
//!
//! They are copied through memory: splice(2) was measured and cost as much (ADR 0011).

use std::io;

use super::lane::Tally;
use crate::{
    limits::{RELAY_BUFFER_BYTES_MAX, STREAM_CHUNK_BYTES_MIN},
    transport::Bare,
};

/// How a copy ended.
pub(super) enum End {
    /// Nothing more comes, and all was delivered.
    Finished,
    /// Reading failed.
    Unread(io::Error),
    /// Writing failed.
    Undelivered(io::Error),
}

/// Carries bytes until one of the sockets ends it.
///
/// # Cancel safety
///
/// Not safe: what was read and not written is lost.
pub(super) async fn copy(from: Bare<'_>, to: Bare<'_>, tally: &mut Tally) -> End {
    let mut room = STREAM_CHUNK_BYTES_MIN;
    // There is one only while something comes.
    let mut buffer = Vec::new();
    loop {
        // A pair that always has something to do must not keep other tasks waiting.
        tokio::task::consume_budget().await;
        if buffer.is_empty() {
            if let Err(error) = from.readable().await {
                return End::Unread(error);
            }
            buffer = vec![0; room];
        }
        let read = match from.try_read(&mut buffer) {
            Ok(0) => return End::Finished,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                buffer = Vec::new();
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return End::Unread(error),
        };
        tally.begin();
        if let Err(error) = write_all(to, &buffer[..read], tally).await {
            return End::Undelivered(error);
        }
        tally.end();
        // It follows the traffic, so that a quiet connection costs little and a busy one few calls.
        if read == room && room < RELAY_BUFFER_BYTES_MAX {
            room = (room * 4).min(RELAY_BUFFER_BYTES_MAX);
            buffer = vec![0; room];
        } else if read < room / 8 {
            room = (room / 4).max(STREAM_CHUNK_BYTES_MIN);
            buffer.truncate(room);
        }
    }
}

async fn write_all(to: Bare<'_>, mut bytes: &[u8], tally: &mut Tally) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.try_write(bytes) {
            Ok(written) => {
                bytes = &bytes[written..];
                tally.delivered(written);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => to.writable().await?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
