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

/// What one call of the engine came to.
struct Step {
    came_out: u64,
    valid: Result<(), &'static str>,
}

impl Inflater {
    pub(in crate::ws) fn new(direction: Direction) -> Self {
        Self { direction, engine: None, is_open: false, history: Vec::new(), streams: 0 }
    }

    /// How many deflate streams the message has begun. One is all it needs.
    pub(in crate::ws) fn streams(&self) -> u32 {
        self.streams
    }

    /// Whether what comes next begins a deflate stream.
    pub(in crate::ws) fn is_between_streams(&self) -> bool {
        !self.is_open
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
        })
        .valid?;
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
        let step = self.step(input, message, |engine, input, _| {
            engine.decompress(input, &mut [0], FlushDecompress::None)
        });
        // What came out before something went wrong was too much already.
        if step.came_out > 0 { Ok(true) } else { step.valid.map(|()| false) }
    }

    /// One call of the engine.
    fn step(
        &mut self,
        input: &mut &[u8],
        message: &mut Vec<u8>,
        run: impl FnOnce(&mut Decompress, &[u8], &mut Vec<u8>) -> Result<Status, DecompressError>,
    ) -> Step {
        if !self.is_open && !input.is_empty() {
            self.begin(message);
        }
        let Some(engine) = self.engine.as_mut().filter(|_| self.is_open) else {
            return Step { came_out: 0, valid: Ok(()) };
        };
        let (read, written) = (engine.total_in(), engine.total_out());
        let status = run(engine, input, message);
        let taken = usize::try_from(engine.total_in() - read).unwrap_or(usize::MAX);
        let came_out = engine.total_out() - written;
        *input = &input[taken..];
        self.is_open = !matches!(status, Ok(Status::StreamEnd));
        let is_stuck = taken == 0 && came_out == 0 && self.is_open && !input.is_empty();
        let valid = if status.is_err() || is_stuck { Err(INVALID) } else { Ok(()) };
        Step { came_out, valid }
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
        // An empty final block, which ends the stream wherever the tail ended a block.
        const ENDING: [u8; 9] = [TAIL[0], TAIL[1], TAIL[2], TAIL[3], 1, 0, 0, 0xff, 0xff];
        if self.is_open {
            let mut rest = &ENDING[..];
            let came_out = self.exceeds(&mut rest, &mut Vec::new());
            // The tail may have ended the stream by itself, if what it completes is a final block.
            let has_ended = !self.is_open && matches!(rest.len(), 0 | 5);
            if came_out != Ok(false) || !has_ended {
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

    /// Whether nothing is kept but the end of earlier messages, of which there is one.
    pub(in crate::ws) fn is_resting(&self) -> bool {
        self.engine.is_none() && !self.history.is_empty()
    }

    /// Drops what only a message that is arriving needs, and says whether anything is left.
    pub(in crate::ws) fn rest(&mut self) -> bool {
        self.engine = None;
        !self.history.is_empty()
    }
}

/// What the engine says is not repeated: its words for one fault differ with how the input was cut.
const INVALID: &str = "it has an invalid block, code or distance";
