//! What only some systems have, and what the others do instead.

use super::BindWarning;

/// What to say when the kernel holds fewer waiting connections than asked for.
pub(super) fn clipped(backlog: u32) -> Option<BindWarning> {
    let somaxconn = somaxconn().filter(|&somaxconn| somaxconn < backlog)?;
    Some(BindWarning::BacklogClipped { asked: backlog, somaxconn })
}

/// The most connections that may wait to be accepted on one socket, where the system says it.
#[cfg(target_os = "linux")]
fn somaxconn() -> Option<u32> {
    std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()
}

/// Other systems clip in silence.
#[cfg(not(target_os = "linux"))]
fn somaxconn() -> Option<u32> {
    None
}
