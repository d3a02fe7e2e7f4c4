//! Every bound of the program and its default, in one place.
//!
//! Each is reported when it is hit; those that depend on the use are options whose default stands
//! here.

use std::time::Duration;

// --- transports ---

/// How many connections the kernel may hold that no one has accepted yet (listen(2)).
pub const BACKLOG: u32 = 1024;

/// How long opening a connection may take, name resolution included.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an address gets before the next one of the same host is tried beside it (RFC 8305 §5).
pub const CONNECT_STAGGER: Duration = Duration::from_millis(250);

/// How many addresses of one host are tried.
pub const CONNECT_ADDRESSES_MAX: usize = 16;

/// How many addresses of one host are listened on.
pub const BIND_ADDRESSES_MAX: usize = 16;

/// How often a free port is looked for that is free in both address families.
pub const FREE_PORT_ATTEMPTS_MAX: usize = 16;

/// How long accepting rests when the machine has no descriptors or memory left for a connection.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often the same warning is put into the log at most.
pub const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// The most one read takes from a stream, in bytes.
pub const STREAM_CHUNK_BYTES_MAX: usize = 64 << 10;

/// What the first read of a stream makes room for, in bytes; the room grows with the traffic.
pub const STREAM_CHUNK_BYTES_MIN: usize = 4 << 10;

/// The longest line of a stream that is read by lines, in bytes, its ending not counted.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// The longest UDP datagram, in bytes. None can be longer, so that none is ever cut (RFC 768).
pub const UDP_BYTES_MAX: usize = 65_535;

/// The longest datagram taken from a Unix-domain socket, in bytes. A longer one is reported, not
/// delivered cut.
pub const UNIXGRAM_BYTES_MAX: usize = 128 << 10;

/// How many peers a datagram server knows at the same time; further ones are dropped.
pub const DATAGRAM_PEERS_MAX: usize = 1024;

/// How many datagrams wait for one connection to receive them; further ones are dropped.
pub const DATAGRAM_QUEUE_LEN_MAX: usize = 64;

/// How many bytes of datagrams wait in all the queues of a server; further ones are dropped.
pub const DATAGRAM_QUEUED_BYTES_MAX: usize = 16 << 20;

/// How long a datagram server remembers a peer from which nothing comes.
pub const DATAGRAM_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a datagram to a Unix-domain socket waits for room in the peer's queue.
pub const UNIXGRAM_SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it takes to look again, where the system gives no sign, for room in a peer's queue or
/// for a lock.
pub const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// How long another program may keep the lock on the folder of a Unix-domain socket.
pub const FOLDER_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

// --- the rest ---

/// How much of a stranger's value an error message repeats, in characters.
pub const EXCERPT_CHARS_MAX: usize = 80;

/// The longest interval a source may be given: a day.
pub const INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest greeting template, in bytes.
pub const GREETING_BYTES_MAX: usize = 1024;

/// How long a server that was asked to end waits for its clients before it drops them.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How many clients that were one too many are being told so at the same time; further ones are
/// dropped without a word.
pub const REFUSALS_MAX: usize = 64;

/// The default for the number of clients a server has at the same time.
pub const CONNECTIONS_MAX: usize = 10_000;
