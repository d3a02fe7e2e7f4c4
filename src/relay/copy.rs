//! Bytes from one socket to another, as they come.

use std::io;

use super::lane::Tally;
#[cfg(target_os = "linux")]
use super::splice::{self, Pipe};
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

/// Why bytes are not copied through memory any more.
enum Pause {
    End(End),
    /// They come in such numbers that another way may be cheaper.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no other way"))]
    Bulk,
}

/// Carries bytes until one of the sockets ends it.
///
/// # Cancel safety
///
/// Not safe: what was read and not written is lost.
pub(super) async fn copy(from: Bare<'_>, to: Bare<'_>, tally: &mut Tally) -> End {
    let mut may_be_bulk = cfg!(target_os = "linux");
    loop {
        match through_memory(from, to, may_be_bulk, tally).await {
            Pause::End(end) => return end,
            #[cfg(target_os = "linux")]
            Pause::Bulk => match Pipe::new() {
                None => may_be_bulk = false,
                Some(pipe) => match splice::splice(from, to, &pipe, tally).await {
                    splice::Pause::End(end) => return end,
                    splice::Pause::Quiet => {}
                    splice::Pause::Unable => may_be_bulk = false,
                },
            },
            #[cfg(not(target_os = "linux"))]
            Pause::Bulk => may_be_bulk = false,
        }
    }
}

/// How many times in a row a read must fill the largest buffer for the bytes to be bulk.
const FULL_READS: u32 = 4;

async fn through_memory(
    from: Bare<'_>,
    to: Bare<'_>,
    may_be_bulk: bool,
    tally: &mut Tally,
) -> Pause {
    let mut room = STREAM_CHUNK_BYTES_MIN;
    // There is one only while something comes.
    let mut buffer = Vec::new();
    let mut full_reads = 0;
    loop {
        // A pair that always has something to do must not keep other tasks waiting.
        tokio::task::consume_budget().await;
        if buffer.is_empty() {
            if let Err(error) = from.readable().await {
                return Pause::End(End::Unread(error));
            }
            buffer = vec![0; room];
        }
        let read = match from.try_read(&mut buffer) {
            Ok(0) => return Pause::End(End::Finished),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                buffer = Vec::new();
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Pause::End(End::Unread(error)),
        };
        tally.begin();
        if let Err(error) = write_all(to, &buffer[..read], tally).await {
            return Pause::End(End::Undelivered(error));
        }
        tally.end();
        full_reads = if read == RELAY_BUFFER_BYTES_MAX { full_reads + 1 } else { 0 };
        if may_be_bulk && full_reads == FULL_READS {
            return Pause::Bulk;
        }
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
