//! Every bound of the program and its default, in one place.
//!
//! Each is reported when it is hit; those that depend on the use are options whose default stands
//! here.

use std::time::Duration;

// --- transports ---

/// How many connections the kernel may hold that no one has accepted yet (listen(2)): as many as
/// Linux allows unless it is told otherwise. Those that find no room try again after a second.
pub const BACKLOG: u32 = 4096;

/// How long opening a connection may take, name resolution included.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an address gets before the next one of the same host is tried beside it (RFC 8305 §5).
pub const CONNECT_STAGGER: Duration = Duration::from_millis(250);

/// How long the IPv4 addresses of a host wait for its IPv6 addresses (RFC 8305 §3).
pub const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// How long the resolver may take for both families together before it is asked for each alone, so
/// that a name server that answers for one of them keeps nobody waiting.
pub const RESOLUTION_PATIENCE: Duration = Duration::from_millis(250);

/// How many addresses of one host are tried.
pub const CONNECT_ADDRESSES_MAX: usize = 16;

/// How many addresses of one host are listened on.
pub const BIND_ADDRESSES_MAX: usize = 16;

/// How often a silent peer is asked whether it is there before it is given up (TCP keepalive).
pub const KEEPALIVE_PROBES: u32 = 3;

/// The shortest time in which it can be found out so that a peer has gone: systems count seconds.
pub const KEEPALIVE_TIME_MIN: Duration = Duration::from_secs(4);

/// The longest such time. Linux takes 32,767 s at most for a part of it.
pub const KEEPALIVE_TIME_MAX: Duration = Duration::from_secs(12 * 60 * 60);

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

/// How long it takes to look again, where nothing gives a sign, for room in a queue or for a lock.
pub const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// How long another program may keep the lock on the folder of a Unix-domain socket.
pub const FOLDER_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a file that is followed is looked at, as a source or as an address.
pub const FILE_POLL_INTERVAL: Duration = Duration::from_millis(100);

// --- WebSocket ---

/// The longest message a peer may send, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// How long a client may take to send the head of its request.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request and its answer, which may be a page, may take together.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many connections of one listener may be anywhere between connecting and being accepted.
/// Further ones wait in the kernel.
pub const HANDSHAKES_MAX: usize = 256;

/// How many header fields a request or an answer may have.
pub const HTTP_HEADERS_MAX: usize = 100;

/// How long the head of a request or an answer may be, in bytes.
pub const HTTP_HEADER_BYTES_MAX: usize = 16 << 10;

/// How much of the text with which a server refuses a WebSocket is read, in bytes.
pub const REFUSAL_BYTES_MAX: usize = 4 << 10;

/// How many lines of it are shown.
pub const REFUSAL_LINES_MAX: usize = 24;

/// How many schemes of authentication are kept of those that a server asks for.
pub const CHALLENGES_MAX: usize = 8;

/// How many bytes of messages gather on a connection before they are sent even if nobody asked for
/// it. One message more may wait.
pub const GATHERED_BYTES_MAX: usize = 64 << 10;

/// What one read of a WebSocket makes room for, in bytes.
pub const WS_READ_BYTES: usize = 16 << 10;

/// How much the kernel takes for a WebSocket beyond what it can send at once, in bytes (Linux): half
/// of the answers to one read of a shard. With all of them, or without a bound, it spends a tenth to
/// a fifth more on long answers that wait (ADR 0009).
pub const UNSENT_BYTES_MAX: u32 = 128 << 10;

/// How often a peer is pinged.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long after its last sign of life a peer is given up.
pub const DEAD_AFTER: Duration = Duration::from_secs(60);

/// How long a peer may take to answer a Close frame. Shorter than [`DRAIN_TIMEOUT`], so that one
/// that does not answer is not also counted as dropped.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

// --- Load ---

/// How many connections a load generator opens at most.
pub const LOAD_CONNECTIONS_MAX: usize = 1_000_000;

/// How many connections of a load generator are being opened at the same time.
pub const LOAD_OPENING_MAX: usize = 256;

/// How many messages a connection of a load generator may have under way.
pub const LOAD_IN_FLIGHT_MAX: usize = 65_536;

/// How many messages a viewer of a load generator remembers, to tell those that come again from
/// those that come late.
pub const LOAD_RECENT_LEN_MAX: usize = 1_024;

/// The longest message of a load generator, in bytes.
pub const LOAD_MESSAGE_BYTES_MAX: usize = 64 << 20;

/// How long a load generator waits for answers to what it has sent, and then for its goodbyes.
pub const LOAD_DRAIN: Duration = Duration::from_secs(2);

// --- TLS ---

/// How much of what a TLS connection was given to send is kept, encrypted, until the socket takes
/// it, in bytes of plaintext.
pub const TLS_UNSENT_BYTES_MAX: usize = 64 << 10;

/// The longest file with a certificate or a key, in bytes.
pub const PEM_FILE_BYTES_MAX: u64 = 1 << 20;

/// How often handshakes look at most whether the files of a certificate have changed.
pub const CERTIFICATE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long a development certificate is valid. Browsers refuse those that are for too long.
pub const DEVELOPMENT_CERTIFICATE_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long a development certificate must still be valid to be used again.
pub const DEVELOPMENT_CERTIFICATE_LEFT_MIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long before it was made a development certificate begins to be valid: clocks differ.
pub const DEVELOPMENT_CERTIFICATE_LEEWAY: Duration = Duration::from_secs(60 * 60);

// --- sources, services and servers ---

/// How much of a stranger's value an error message repeats, in characters.
pub const EXCERPT_CHARS_MAX: usize = 80;

/// The longest interval a source may be given: a day.
pub const INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The first pause before a source that was lost is begun again: a program, a connection. Each later
/// one is twice as long.
pub const SOURCE_PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest such pause.
pub const SOURCE_PAUSE_MAX: Duration = Duration::from_secs(30);

/// How long a source must have stood for the pauses to begin anew.
pub const SOURCE_STABLE_AFTER: Duration = Duration::from_secs(10);

/// How many producers a source that listens reads at the same time. When there are as many, one that
/// has been quiet for [`PRODUCER_QUIET`] makes room for the next, and without one the next is turned
/// away.
pub const PRODUCERS_MAX: usize = 256;

/// How long a producer must have said nothing to make room for another.
pub const PRODUCER_QUIET: Duration = Duration::from_secs(60);

/// How many reads of producers wait to be published. Then producers wait.
pub const PRODUCED_LEN_MAX: usize = 16;

/// How many datagrams of one producer wait to be published; further ones are dropped, counted and
/// logged.
pub const PRODUCED_DATAGRAMS_MAX: usize = 16_384;

/// How long a producer of datagrams is remembered from which nothing comes.
pub const PRODUCER_DATAGRAM_IDLE: Duration = Duration::from_secs(5);

/// How often a server of datagrams that is a source is told that we are there.
pub const HELLO_INTERVAL: Duration = Duration::from_secs(20);

/// How long nothing may be added to a file that has lost its name before it is not looked at any
/// more: so long its writer may take to find out.
pub const FILE_LEFT_QUIET: Duration = Duration::from_secs(60);

/// How many files that have lost the name of one that is followed are still looked at.
pub const FILES_LEFT_MAX: usize = 8;

/// The longest greeting template, in bytes.
pub const GREETING_BYTES_MAX: usize = 1024;

/// How long a server that was asked to end waits for handshakes under way, so as to say goodbye.
pub const LATE_HANDSHAKES_TIMEOUT: Duration = Duration::from_millis(200);

/// How long a server that was asked to end waits for its clients before it drops them.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(6);

/// How many clients that were one too many are being told so at the same time; further ones are
/// dropped without a word.
pub const REFUSALS_MAX: usize = 64;

/// The default for the number of clients a server has at the same time.
pub const CONNECTIONS_MAX: usize = 10_000;

// --- live feeds ---

/// Messages a channel's history keeps, unless told otherwise.
pub const HISTORY_LEN_MAX: usize = 10_000;

/// Bytes a channel's history keeps, bookkeeping included, unless told otherwise.
pub const HISTORY_BYTES_MAX: usize = 64 << 20;

/// Channels a server has at the same time, unless told otherwise. No more are made on first use.
pub const CHANNELS_MAX: usize = 20_000;

/// Channels that one answer lists, unless asked for fewer.
pub const CHANNELS_PAGE_LEN_MAX: usize = 1_000;

/// How long a channel that was made on first use stays without a reader and without anything
/// published, unless told otherwise.
pub const CHANNEL_IDLE_EXPIRY: Duration = Duration::from_secs(60 * 60);

/// How often messages that are too old and channels that have been idle for too long are let go of.
pub const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);

/// How long publishers wait, where they do, for readers who have more than half of a full history
/// still to read. Who has not got through that half by then is not waited for any longer.
pub const PUBLISH_PATIENCE: Duration = Duration::from_secs(10);

/// How many of the messages that readers say and that wait to be published are taken at once.
pub const SAID_LEN_MAX: usize = 256;

/// Messages one publish may carry.
pub const BATCH_LEN_MAX: usize = 10_000;

/// The longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;

/// How long the answer to an `Idempotency-Key` is remembered.
pub const IDEMPOTENCY_TIME: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);

/// How many such answers a channel remembers.
pub const IDEMPOTENCY_KEYS_MAX: usize = 10_000;

/// Messages a tail yields at once.
pub const TAIL_LEN_MAX: usize = 512;

/// Bytes a tail yields at once, bookkeeping included.
pub const TAIL_BYTES_MAX: usize = 1 << 20;

/// Messages of a channel that a shard keeps for its live readers.
pub const RING_LEN_MAX: usize = 4_096;

/// Bytes of a channel that a shard keeps for its live readers.
pub const RING_BYTES_MAX: usize = 8 << 20;

/// The longest time for which a channel may have its messages wait for others.
pub const FLUSH_WINDOW_MAX: Duration = Duration::from_secs(1);

/// Viewers that a shard serves between two looks at its sockets.
pub const SHARD_SLICE_LEN_MAX: usize = 256;

/// How long a shard serves viewers between two looks at its sockets.
pub const SHARD_SLICE_TIME_MAX: Duration = Duration::from_micros(500);

/// Writes that one viewer may take before the next one's turn.
pub const SHARD_WRITES_MAX: usize = 4;

/// Reads that one connection may have before the next one's turn.
pub const SHARD_READS_MAX: usize = 4;

/// The size of a shard's one read buffer, in bytes. Large, so that of large messages few are cut
/// by its end; there is one for all connections of a shard.
pub const SHARD_BUFFER_BYTES: usize = 256 << 10;

/// How much memory the unfinished messages of a shard's peers may take together, in bytes, or twice
/// the longest message if that is more. Beyond it whoever takes the most is closed with 1013.
pub const SHARD_UNFINISHED_BYTES_MAX: usize = 64 << 20;

/// How much room is left in front of what a shard reads, in bytes: an answer no longer than that is
/// written where what it answers was.
pub const SHARD_ROOM_BYTES: usize = 64 << 10;

/// How much the messages of one peer may inflate to before the others' turn comes, in bytes. The
/// message that exceeds it is still dealt with.
pub const SHARD_INFLATED_BYTES: usize = 256 << 10;

/// What one write to a viewer takes at most beyond its first message, in bytes.
pub const SHARD_WRITE_BYTES: usize = 64 << 10;

/// How much room for answers a shard keeps between two reads, in bytes; more is given back.
pub const SHARD_OUT_BYTES_KEPT: usize = 512 << 10;

/// Bytes of replies that wait for one viewer; one that lets more gather is dropped.
pub const OUTBOX_BYTES_MAX: usize = 64 << 10;

/// Channels one connection may read.
pub const SUBSCRIPTIONS_MAX: usize = 64;

/// Readers of a channel that are named to those who ask who reads it; more are only counted.
pub const PRESENCE_READERS_MAX: usize = 1_000;

/// Readers of a channel at which they are named again after there were more than
/// [`PRESENCE_READERS_MAX`]. Fewer than those, so that it does not go to and fro.
pub const PRESENCE_READERS_AGAIN: usize = 800;

/// How often it is told at most who has come to a channel and who has left it.
pub const PRESENCE_INTERVAL: Duration = Duration::from_millis(100);

/// Bytes of replies that wait for a viewer beyond which it is not told who comes and leaves. It gets
/// a snapshot once it has taken them.
pub const PRESENCE_WAITING_BYTES_MAX: usize = 16 << 10;

/// Bytes that one reader has said and that are not published yet, where readers may publish. Then it
/// is not read any further; one message more may be under way.
pub const PUBLISHING_BYTES_MAX: usize = 64 << 10;

/// What a request of a viewer that is under way counts besides what it publishes, in bytes.
pub const REQUEST_BYTES: usize = 512;

/// Publications that wait for a shard. Beyond that it is behind and catches up from history.
pub const INBOX_LEN_MAX: usize = 16_384;

/// Messages in a page of history that a viewer catches up with.
pub const PAGE_LEN_MAX: usize = 256;

/// Bytes in a page of history, bookkeeping included.
pub const PAGE_BYTES_MAX: usize = 256 << 10;

/// The longest message a viewer may send that may not publish, in bytes: commands are short.
pub const COMMAND_BYTES_MAX: usize = 16 << 10;

/// The longest message a viewer may send that may publish, in bytes: room for the longest message
/// in base64.
pub const PUBLISH_COMMAND_BYTES_MAX: usize = 2 << 20;

/// How long a connection that is closing is read on before it is dropped.
pub const LINGER: Duration = Duration::from_secs(5);

/// How long a shard may take to say how its readers are before it counts as one that does not answer.
pub const SHARD_ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// Channels with metrics of their own. All others are summed up.
pub const METRICS_CHANNELS_MAX: usize = 1_000;

/// Channels without readers whose counts are kept, until somebody asks for them, in each shard and
/// for all readers over HTTP. Beyond it they are added to those of the channels that are summed up.
pub const DEPARTED_CHANNELS_MAX: usize = 10_000;

/// Viewers a server has at the same time, unless told otherwise.
pub const VIEWERS_MAX: usize = 16_000;

/// HTTP connections a server has at the same time, viewers aside. Further ones wait in the
/// system's queue.
pub const HTTP_CONNECTIONS_MAX: usize = 2_000;

/// Connections that one address may have at the same time, viewers included, unless told otherwise.
/// This machine itself has no such bound then.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 1_000;

/// The longest configuration file, in bytes.
pub const CONFIG_BYTES_MAX: u64 = 4 << 20;

/// How long a client that has shut its side waits for the next byte of its answer.
pub const HALF_CLOSED_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest body of a publish, in bytes.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// How long the body of a publish may take.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Messages in a page of history over HTTP, unless asked for fewer or more.
pub const HISTORY_PAGE_LEN: usize = 100;

/// Messages in a page of history over HTTP at most.
pub const HISTORY_PAGE_LEN_MAX: usize = 1_000;

/// Bytes in a page of history over HTTP, bookkeeping included; one message is always in it. Every
/// client may make us keep as much until it has read it.
pub const HISTORY_PAGE_BYTES_MAX: usize = 1 << 20;

/// The largest file of one's own page, in bytes.
pub const PAGE_FILE_BYTES_MAX: u64 = 64 << 20;

/// The shortest token, in bytes.
pub const TOKEN_BYTES_MIN: usize = 16;

/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 512;

/// How much a line source reads at once, in bytes.
pub const READ_BYTES: usize = 64 << 10;

/// How long a program that was asked to end may take before it is killed.
pub const PROGRAM_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a program that prints no more may take to end before it counts as one that only closed
/// its output.
pub const PROGRAM_STATUS_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a program may take to deal with what was sent to it once its client has left, before it
/// is asked to end.
pub const PROGRAM_SETTLE_TIMEOUT: Duration = Duration::from_secs(1);

/// The default for the number of programs a server runs at the same time.
pub const PROGRAMS_MAX: usize = 100;

/// The longest line of a program's complaints, in bytes. A longer one becomes several.
pub const COMPLAINT_BYTES_MAX: usize = 16 << 10;

/// How many lines of complaints wait to be written down. Then the programs wait.
pub const COMPLAINTS_LEN_MAX: usize = 64;

/// How often a client that is not read is looked after, so as to notice that it has gone.
pub const GONE_POLL_INTERVAL: Duration = Duration::from_secs(1);

// --- relays and recordings ---

/// The largest buffer for one direction between two sockets, in bytes.
pub const RELAY_BUFFER_BYTES_MAX: usize = 64 << 10;

/// What a pipe for one direction of bulk between two sockets holds, in bytes.
pub const RELAY_PIPE_BYTES: usize = 256 << 10;

/// How long nothing may come before such a pipe is given back.
pub const RELAY_PIPE_IDLE: Duration = Duration::from_secs(1);

/// How much of a stream goes into one datagram, in bytes.
pub const RELAY_DATAGRAM_BYTES: usize = 8 << 10;

/// The default for how long a side that cannot be half closed may be silent, once nothing more
/// comes for it, before it is closed.
pub const RELAY_WAIT: Duration = Duration::from_secs(1);

/// How many things that happened wait to be recorded or shown. Then the relay waits.
pub const JOURNAL_LEN_MAX: usize = 256;

/// How many bytes of payload wait to be recorded or shown. Then the relay waits.
pub const JOURNAL_BYTES_MAX: usize = 8 << 20;

/// The longest payload of one line of a recording, in bytes.
pub const RECORDED_BYTES_MAX: usize = 8 << 20;

/// The longest line of a recording, in bytes: of the longest payload each byte may be six in JSON.
pub const RECORDING_LINE_BYTES_MAX: usize = 6 * RECORDED_BYTES_MAX + (64 << 10);

// --- clients of channels ---

/// What an event has besides the message in it, in bytes: names, positions and a time.
pub const EVENT_BYTES_MAX: usize = 4 << 10;

/// How many messages one request publishes at most.
pub const PUBLISH_LEN_MAX: usize = 4_000;

/// How many bytes of messages one request publishes at most, unless that is one message. The next
/// request gathers as many meanwhile.
pub const PUBLISH_BYTES_MAX: usize = 1 << 20;

/// How long it is tried to have a message acknowledged, unless told otherwise.
pub const PUBLISH_TIMEOUT: Duration = Duration::from_secs(60);

/// How long what may have arrived is sent again: as long as the server surely knows the key of the
/// first attempt, which it remembers for [`IDEMPOTENCY_TIME`], and some time less for the way.
pub const PUBLISH_DOUBT_MAX: Duration = Duration::from_secs(90);

/// The longest answer to a publish, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 4 << 10;

/// How many bytes of what is followed gather before they are printed.
pub const FOLLOW_GATHERED_BYTES_MAX: usize = 64 << 10;

/// How often at most the positions of a follower are written to its file.
pub const POSITION_FILE_INTERVAL: Duration = Duration::from_millis(200);

/// The longest file of positions, in bytes: names and positions of all channels of a connection.
pub const POSITION_FILE_BYTES_MAX: u64 = 64 << 10;

// --- the command line ---

/// How many bytes of standard input are read, or of a line are held back on a terminal, at once.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// How often a feed that is to end looks whether everybody has read everything.
pub const UNREAD_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How many lines of a server may wait to be printed.
pub const PRINT_QUEUE_LEN_MAX: usize = 4_096;

/// How many lines the editor of `connect` remembers.
pub const EDITOR_HISTORY_LEN_MAX: usize = 1_000;

/// How long part of a line may wait for its rest before it is shown on a terminal.
pub const PARTIAL_LINE_DELAY: Duration = Duration::from_millis(200);

/// How long a client waits for its peer when it hangs up.
pub const HANG_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest pause before the first try to connect again; each later one may be twice as long.
pub const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest pause before any try to connect again.
pub const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(30);

/// How long a connection must have stood for the pauses to begin anew.
pub const RECONNECT_STABLE_AFTER: Duration = Duration::from_secs(5);

/// The longest time for which a server that asks for it is left alone.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// How long `connect` waits for what is expected, unless told otherwise.
pub const EXPECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest line of a stream that is matched as one with what is expected, in bytes.
pub const EXPECT_LINE_BYTES_MAX: usize = 64 << 10;

/// How many of the messages that came instead of what was expected are shown.
pub const EXPECT_SHOWN_LEN_MAX: usize = 8;

/// How much of each of them is shown, in bytes.
pub const EXPECT_SHOWN_BYTES_MAX: usize = 200;

/// How long a client reads on after the last message, once its input has ended, unless told
/// otherwise.
pub const REPLY_WAIT: Duration = Duration::from_secs(1);

/// How long a client of WebSocket waits for the first reply, once its input has ended, unless told
/// otherwise: as long as there is none, a server that thinks is likelier than one that has nothing
/// to say.
pub const FIRST_REPLY_WAIT: Duration = Duration::from_secs(10);

/// How long a transfer takes before it is said how it goes.
pub const METER_DELAY: Duration = Duration::from_secs(1);

/// How often it is said how a transfer goes.
pub const METER_INTERVAL: Duration = Duration::from_millis(500);

/// How many connections of a recording are replayed one after another.
pub const REPLAY_CONNECTIONS_MAX: usize = 10_000;

/// The shortest time between two looks of `top` at a server.
pub const TOP_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// How long `top` waits for an answer.
pub const TOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest report of a server that `top` reads, in bytes: several times what
/// [`METRICS_CHANNELS_MAX`] channels with the longest names take.
pub const TOP_BYTES_MAX: usize = 8 << 20;

/// How many keys wait for `top`. Then the terminal keeps them.
pub const TOP_KEYS_MAX: usize = 64;

/// How many messages of a recording are read before they are sent.
pub const REPLAY_QUEUE_LEN_MAX: usize = 16;
