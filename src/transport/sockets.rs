//! What can be asked of a socket besides its address, and how the system is asked for it.

use std::io;
use std::time::Duration;

use socket2::{SockRef, Socket};

use super::{BindWarning, InterfaceError, os};
use crate::limits::{KEEPALIVE_PROBES, KEEPALIVE_TIME_MAX, KEEPALIVE_TIME_MIN};
use crate::resolve::Family;

/// What is asked of sockets, whichever side opens them.
///
/// Each says what it concerns; sockets of other kinds do without it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SocketOptions {
    /// TCP and UDP: only addresses of this family.
    pub family: Option<Family>,
    /// TCP and UDP: only by this network interface (Linux, `SO_BINDTODEVICE`).
    pub interface: Option<String>,
    /// TCP: how it is found out that a silent peer has gone. `None` leaves that to the system, and
    /// few systems ask by themselves.
    pub keepalive: Option<TcpKeepalive>,
    /// TCP: whether what is written waits, while something is on its way, for more to go with it
    /// (Nagle's algorithm). By default it does not: what is sent, is sent.
    pub delay: bool,
    /// How much the system keeps of what was sent and has not arrived, in bytes.
    pub send_buffer_bytes: Option<usize>,
    /// How much the system keeps of what has arrived and was not received, in bytes.
    pub receive_buffer_bytes: Option<usize>,
}

/// How a silent peer is asked whether it is there (RFC 1122 §4.2.3.6). While something that was
/// sent to it is not acknowledged, it is not asked: sending again is what finds out then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpKeepalive {
    /// How long nothing comes before it is asked.
    idle: Duration,
    /// How long it is left to answer, each time.
    interval: Duration,
}

impl TcpKeepalive {
    /// Finds out within about this long, in whole seconds, that a peer has gone: half of it, or a
    /// little more, nothing needs to come, and then [`KEEPALIVE_PROBES`] questions share the rest.
    /// `None` when that is shorter than [`KEEPALIVE_TIME_MIN`] or longer than
    /// [`KEEPALIVE_TIME_MAX`].
    pub fn within(time: Duration) -> Option<Self> {
        if !(KEEPALIVE_TIME_MIN..=KEEPALIVE_TIME_MAX).contains(&time) {
            return None;
        }
        let time_s = time.as_secs();
        let interval_s = (time_s / (2 * u64::from(KEEPALIVE_PROBES))).max(1);
        let idle_s = time_s - u64::from(KEEPALIVE_PROBES) * interval_s;
        let (idle, interval) = (Duration::from_secs(idle_s), Duration::from_secs(interval_s));
        Some(Self { idle, interval })
    }
}

impl From<TcpKeepalive> for socket2::TcpKeepalive {
    fn from(keepalive: TcpKeepalive) -> Self {
        let asked = Self::new().with_time(keepalive.idle);
        // The others ask as often as they like.
        #[cfg(any(
            target_os = "linux",
            target_os = "android",
            target_os = "freebsd",
            target_vendor = "apple",
            windows
        ))]
        let asked = asked.with_interval(keepalive.interval).with_retries(KEEPALIVE_PROBES);
        asked
    }
}

impl SocketOptions {
    /// Finds out whether the interface can be had, before anything is done by it.
    pub(super) fn check_interface(&self) -> Result<(), InterfaceError> {
        self.interface.as_deref().map_or(Ok(()), os::check_interface)
    }

    /// For a socket over the network that is neither bound nor connected yet.
    pub(super) fn apply_to_inet(&self, socket: &Socket) -> io::Result<()> {
        if let Some(interface) = &self.interface {
            os::bind_to_interface(socket, interface)?;
        }
        self.apply(socket)
    }

    /// For a socket of any kind that is not connected yet: its window is agreed on then.
    pub(super) fn apply(&self, socket: &Socket) -> io::Result<()> {
        if let Some(bytes) = self.send_buffer_bytes {
            socket.set_send_buffer_size(bytes.min(BUFFER_BYTES_MAX))?;
        }
        if let Some(bytes) = self.receive_buffer_bytes {
            socket.set_recv_buffer_size(bytes.min(BUFFER_BYTES_MAX))?;
        }
        Ok(())
    }

    /// For a TCP connection that stands. It fails only when the peer is gone already, which the
    /// first read tells.
    pub(super) fn tune<'a>(&self, stream: impl Into<SockRef<'a>>) {
        let socket = stream.into();
        let _ = socket.set_tcp_nodelay(!self.delay);
        if let Some(keepalive) = self.keepalive {
            let _ = socket.set_tcp_keepalive(&keepalive.into());
        }
    }

    /// What the system gives less of than was asked for.
    pub(super) fn clipped(&self, socket: &Socket) -> Vec<BindWarning> {
        let given = [
            (Buffer::Send, self.send_buffer_bytes, socket.send_buffer_size()),
            (Buffer::Receive, self.receive_buffer_bytes, socket.recv_buffer_size()),
        ];
        let clipped = given.into_iter().filter_map(|(buffer, asked, given)| {
            let (asked, given) = (asked?, os::buffer_bytes(given.ok()?));
            (given < asked).then_some(BindWarning::BufferClipped { buffer, asked, given })
        });
        clipped.collect()
    }

    /// Puts into the log what the system gives less of than was asked for.
    pub(super) fn log_clipped(&self, socket: &Socket) {
        for warning in self.clipped(socket) {
            tracing::warn!("{warning}");
        }
    }
}

/// The longest buffer that the system can be asked for, in bytes: it takes the number as an `int`.
const BUFFER_BYTES_MAX: usize = i32::MAX as usize;

/// One of the two buffers of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buffer {
    /// For what is sent.
    Send,
    /// For what is received.
    Receive,
}

impl std::fmt::Display for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Send => "send",
            Self::Receive => "receive",
        })
    }
}

#[cfg(test)]
mod tests {
    use socket2::{Domain, Type};

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_asked_of_a_peer_takes_as_long_as_was_said() {
        for (time, idle, interval) in [(4, 1, 1), (10, 7, 1), (60, 30, 10), (7200, 3600, 1200)] {
            let keepalive = TcpKeepalive::within(seconds(time)).expect("a time");
            let expected = TcpKeepalive { idle: seconds(idle), interval: seconds(interval) };
            assert_eq!(keepalive, expected, "{time} s");
        }
        assert_eq!(TcpKeepalive::within(KEEPALIVE_TIME_MIN - Duration::from_millis(1)), None);
        assert_eq!(TcpKeepalive::within(KEEPALIVE_TIME_MAX + Duration::from_millis(1)), None);
        // Linux takes no idle time above this.
        let longest = TcpKeepalive::within(KEEPALIVE_TIME_MAX).expect("a time");
        assert!(longest.idle <= seconds(32_767), "{longest:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_is_asked_for_what_was_said() {
        let mut options = SocketOptions {
            keepalive: TcpKeepalive::within(seconds(60)),
            send_buffer_bytes: Some(20_000),
            receive_buffer_bytes: Some(usize::MAX),
            ..SocketOptions::default()
        };
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        options.apply_to_inet(&socket).expect("set");
        options.tune(&socket);
        assert!(socket.keepalive().expect("known") && socket.tcp_nodelay().expect("known"));
        assert_eq!(socket.tcp_keepalive_time().expect("known"), seconds(30));
        assert_eq!(socket.tcp_keepalive_interval().expect("known"), seconds(10));
        assert_eq!(socket.tcp_keepalive_retries().expect("known"), KEEPALIVE_PROBES);
        assert_eq!(os::buffer_bytes(socket.send_buffer_size().expect("known")), 20_000);
        let clipped = options.clipped(&socket);
        let [BindWarning::BufferClipped { buffer: Buffer::Receive, asked: usize::MAX, given }] =
            clipped[..]
        else {
            panic!("{clipped:?}");
        };
        assert!(given > 0 && clipped[0].to_string().contains(&given.to_string()), "{clipped:?}");
        options.delay = true;
        options.tune(&socket);
        assert!(!socket.tcp_nodelay().expect("known"));
    }
}
