//! What only some systems have, and what the others do instead.

/// The most connections that may wait to be accepted on one socket, where the system says it.
#[cfg(target_os = "linux")]
pub(super) fn somaxconn() -> Option<u32> {
    std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()
}

/// Other systems clip in silence.
#[cfg(not(target_os = "linux"))]
pub(super) fn somaxconn() -> Option<u32> {
    None
}
