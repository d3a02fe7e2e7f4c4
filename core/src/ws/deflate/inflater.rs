//! Inflating what is received, as it arrives.

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

use super::{Direction, TAIL};

/// Inflates the messages of one direction.
#[derive(Debug)]
pub(in crate::ws) struct Inflater {
    direction: Direction,
    /// There is none between two reads when no message is open.
    engine: Option<Decompress>,
    /// Whether a deflate stream has begun that has not ended: most peers never end one.
    is_open: bool,
    /// The end of earlier messages, which later ones may refer to. Only with context takeover.
    history: Vec<u8>,
    /// The streams that the message has begun.
    streams: u32,
}

/// Why inflating went no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ws) enum Stop {
    /// All of the input is inflated.
    NeedsInput,
    NeedsRoom,
    /// A final block ended the stream. What follows is another stream.
    StreamEnd,
}

impl Inflater {
    pub(in crate::ws) fn new(direction: Direction) -> Self {
        Self { direction, engine: None, is_open: false, history: Vec::new(), streams: 0 }
    }

    /// How many deflate streams the message has begun. One is all it needs.
    pub(in crate::ws) fn streams(&self) -> u32 {
        self.streams
    }

    /// Inflates from the front of `input` into the room that `message` has.
    ///
    /// # Errors
    ///
    /// What is wrong with the input. Whatever came out before that is in the message.
    pub(in crate::ws) fn inflate(
        &mut self,
        input: &mut &[u8],
        message: &mut Vec<u8>,
    ) -> Result<Stop, &'static str> {
        if message.len() == message.capacity() {
            return Ok(Stop::NeedsRoom);
        }
        self.step(input, message, |engine, input, message| {
            engine.decompress_vec(input, message, FlushDecompress::None)
        })?;
        Ok(match () {
            () if !self.is_open => Stop::StreamEnd,
            () if message.len() == message.capacity() => Stop::NeedsRoom,
            () => Stop::NeedsInput,
        })
    }

    /// Whether more comes out when the message has all the bytes that it may have.
    ///
    /// # Errors
    ///
    /// What is wrong with the input.
    pub(in crate::ws) fn exceeds(
        &mut self,
        input: &mut &[u8],
        message: &mut Vec<u8>,
    ) -> Result<bool, &'static str> {
        self.step(input, message, |engine, input, _| {
            engine.decompress(input, &mut [0], FlushDecompress::None)
        })
        .map(|came_out| came_out > 0)
    }

    /// One call of the engine, which says how many bytes came out.
    fn step(
        &mut self,
        input: &mut &[u8],
        message: &mut Vec<u8>,
        run: impl FnOnce(&mut Decompress, &[u8], &mut Vec<u8>) -> Result<Status, DecompressError>,
    ) -> Result<u64, &'static str> {
        if !self.is_open {
            if input.is_empty() {
                return Ok(0);
            }
            self.begin(message);
        }
        let Some(engine) = &mut self.engine else { return Ok(0) };
        let (read, written) = (engine.total_in(), engine.total_out());
        let status = run(engine, input, message).map_err(|error| why(&error))?;
        let taken = usize::try_from(engine.total_in() - read).unwrap_or(usize::MAX);
        *input = &input[taken..];
        self.is_open = status != Status::StreamEnd;
        let came_out = engine.total_out() - written;
        if taken == 0 && came_out == 0 && self.is_open && !input.is_empty() {
            return Err("it goes no further");
        }
        Ok(came_out)
    }

    /// Begins a deflate stream, which may refer to what came before it.
    fn begin(&mut self, message: &[u8]) {
        match &mut self.engine {
            // It always has the largest window: a stream for a smaller one fits in.
            engine @ None => *engine = Some(Decompress::new(false)),
            Some(engine) => engine.reset(false),
        }
        let window_bytes = self.direction.window_bits.bytes();
        let of_message = &message[message.len().saturating_sub(window_bytes)..];
        let of_history = self.history.len().min(window_bytes - of_message.len());
        let of_history = &self.history[self.history.len() - of_history..];
        for before in [of_history, of_message] {
            if let (Some(engine), false) = (&mut self.engine, before.is_empty()) {
                engine.set_dictionary(before).expect("a raw stream takes one between two blocks");
            }
        }
        self.is_open = true;
        self.streams = self.streams.saturating_add(1);
    }

    /// Ends a message: gives the engine the tail that was left out, and remembers the end of it.
    ///
    /// # Errors
    ///
    /// When the message ended inside a block.
    pub(in crate::ws) fn finish(&mut self, message: &[u8]) -> Result<(), &'static str> {
        // Only between two blocks do these nine bytes end the stream and nothing comes out.
        const ENDING: [u8; 9] = [TAIL[0], TAIL[1], TAIL[2], TAIL[3], 1, 0, 0, 0xff, 0xff];
        let mut rest = &ENDING[..];
        if self.is_open {
            let came_out = self.exceeds(&mut rest, &mut Vec::new());
            if came_out != Ok(false) || self.is_open || !rest.is_empty() {
                return Err("it ends inside a block");
            }
        }
        self.streams = 0;
        if self.direction.context_takeover {
            self.remember(message);
        }
        Ok(())
    }

    fn remember(&mut self, message: &[u8]) {
        let window_bytes = self.direction.window_bits.bytes();
        let of_message = &message[message.len().saturating_sub(window_bytes)..];
        let too_many = (self.history.len() + of_message.len()).saturating_sub(window_bytes);
        self.history.drain(..too_many);
        self.history.reserve_exact(of_message.len());
        self.history.extend_from_slice(of_message);
    }

    /// Drops what only a message that is arriving needs, and says whether anything is left.
    pub(in crate::ws) fn rest(&mut self) -> bool {
        self.engine = None;
        !self.history.is_empty()
    }
}

/// What the engine has against its input, in words that can be kept.
fn why(error: &DecompressError) -> &'static str {
    const KNOWN: [&str; 10] = [
        "invalid bit length repeat",
        "invalid block type",
        "invalid code -- missing end-of-block",
        "invalid code lengths set",
        "invalid distance code",
        "invalid distance too far back",
        "invalid distances set",
        "invalid literal/lengths set",
        "invalid stored block lengths",
        "too many length or distance symbols",
    ];
    let said = error.message().unwrap_or_default();
    KNOWN.into_iter().find(|known| *known == said).unwrap_or("invalid code")
}
