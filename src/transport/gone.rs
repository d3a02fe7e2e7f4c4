//! Whether a peer has gone, for those who do not read: they would not be told.

use socket2::SockRef;

use super::TcpKeepalive;
use crate::limits;

/// Has the system ask a peer that says nothing whether it is there, unless it was told when to, so
/// that one whose machine is gone, or that has closed both sides without our having sent anything,
/// is found out.
pub(super) fn look_after(socket: SockRef<'_>) {
    let is_asked = socket.keepalive().unwrap_or(false);
    if let Some(keepalive) = TcpKeepalive::within(limits::DEAD_AFTER).filter(|_| !is_asked) {
        // What the system does not grant it does at its own pace.
        let _ = socket.set_tcp_keepalive(&keepalive.into());
    }
}

/// Whether the connection is over: reset, given up, or closed on both sides. With `by_half` a peer
/// that sends no more has gone.
#[cfg(unix)]
pub(super) fn is_over(socket: impl std::os::fd::AsFd, by_half: bool) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let over = PollFlags::HUP | PollFlags::ERR;
    #[cfg(target_os = "linux")]
    let over = if by_half { over | PollFlags::RDHUP } else { over };
    #[cfg(not(target_os = "linux"))]
    let _ = by_half;
    let mut asked = [PollFd::new(&socket, over)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&at_once))
        .is_ok_and(|count| count > 0 && asked[0].revents().intersects(over))
}

/// Nothing says so here before something is sent.
#[cfg(not(unix))]
pub(super) fn is_over<S>(_: S, _: bool) -> bool {
    false
}
