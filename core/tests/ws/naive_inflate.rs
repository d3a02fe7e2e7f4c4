//! Deflate (RFC 1951) as naively as it can be read: bit by bit, and every distance looked at.

/// What came of the bytes at hand.
#[derive(Debug, Default)]
pub(crate) struct Inflated {
    /// What was there before, and what came out behind it.
    pub(crate) output: Vec<u8>,
    pub(crate) distance_max: usize,
    /// How many bytes the stream took, when its final block is there.
    pub(crate) ended_at: Option<usize>,
    /// Whether the bytes stop exactly between two blocks and two bytes.
    pub(crate) is_between_blocks: bool,
    pub(crate) is_corrupt: bool,
}

/// Inflates one stream that may refer to `before`.
pub(crate) fn inflate(bytes: &[u8], before: &[u8]) -> Inflated {
    let mut reader = Reader { bytes, at: 0, out: before.to_vec(), distance_max: 0 };
    let mut inflated = Inflated::default();
    loop {
        inflated.is_between_blocks = reader.at == bytes.len() * 8;
        match reader.block() {
            Ok(false) => {}
            Ok(true) => {
                inflated.ended_at = Some(reader.at.div_ceil(8));
                break;
            }
            Err(Stop::Input) => break,
            Err(Stop::Corrupt) => {
                inflated.is_corrupt = true;
                break;
            }
        }
    }
    Inflated { output: reader.out, distance_max: reader.distance_max, ..inflated }
}

enum Stop {
    Input,
    Corrupt,
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
    out: Vec<u8>,
    distance_max: usize,
}

/// How many codes there are of each length, and the symbols in the order of their codes.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    /// Codes must be complete, but for one of a single bit or none at all where that is allowed.
    fn new(lengths: &[usize], may_be_incomplete: bool) -> Result<Self, Stop> {
        let mut counts = [0; 16];
        lengths.iter().for_each(|len| counts[*len] += 1);
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|at| lengths[*at] > 0).collect();
        symbols.sort_by_key(|at| lengths[*at]);
        counts[0] = 0;
        let mut left = 1i64;
        for count in &counts[1..] {
            left = left * 2 - i64::try_from(*count).expect("few");
            if left < 0 {
                return Err(Stop::Corrupt);
            }
        }
        let longest = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        if left > 0 && !(longest == 0 || may_be_incomplete && longest == 1) {
            return Err(Stop::Corrupt);
        }
        Ok(Self { counts, symbols })
    }
}

const LENGTHS: [(usize, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

impl Reader<'_> {
    fn bits(&mut self, count: u32) -> Result<usize, Stop> {
        let mut value = 0;
        for bit in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(Stop::Input)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Ok(value)
    }

    fn symbol(&mut self, code: &Code) -> Result<usize, Stop> {
        let (mut value, mut first, mut index) = (0, 0, 0);
        for count in &code.counts[1..] {
            value |= self.bits(1)?;
            if value < first + count {
                return Ok(code.symbols[index + value - first]);
            }
            index += count;
            first = (first + count) * 2;
            value *= 2;
        }
        Err(Stop::Corrupt)
    }

    /// Reads a block and says whether it was the final one.
    fn block(&mut self) -> Result<bool, Stop> {
        let is_final = self.bits(1)? == 1;
        match self.bits(2)? {
            0 => self.stored()?,
            1 => {
                let lengths = [[8; 144].as_slice(), &[9; 112], &[7; 24], &[8; 8]].concat();
                self.codes(&Code::new(&lengths, false)?, &Code::new(&[5; 32], false)?)?;
            }
            2 => {
                let (literals, distances) = self.tables()?;
                self.codes(&literals, &distances)?;
            }
            _ => return Err(Stop::Corrupt),
        }
        Ok(is_final)
    }

    fn stored(&mut self) -> Result<(), Stop> {
        self.at = self.at.next_multiple_of(8);
        let (len, complement) = (self.bits(16)?, self.bits(16)?);
        if len != complement ^ 0xffff {
            return Err(Stop::Corrupt);
        }
        for _ in 0..len {
            let byte = self.bits(8)?;
            self.out.push(u8::try_from(byte).expect("8 bits"));
        }
        Ok(())
    }

    fn tables(&mut self) -> Result<(Code, Code), Stop> {
        let (literals, distances, count) =
            (self.bits(5)? + 257, self.bits(5)? + 1, self.bits(4)? + 4);
        if literals > 286 || distances > 30 {
            return Err(Stop::Corrupt);
        }
        let mut lengths = [0; 19];
        for place in &ORDER[..count] {
            lengths[*place] = self.bits(3)?;
        }
        let code = Code::new(&lengths, false)?;
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            // Without any code every bit stands for nothing, which is only found out in the end.
            let symbol = match code.symbols.is_empty() {
                true => self.bits(1).map(|_| 0)?,
                false => self.symbol(&code)?,
            };
            let (len, times) = match symbol {
                16 => (*lengths.last().ok_or(Stop::Corrupt)?, 3 + self.bits(2)?),
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                len => (len, 1),
            };
            lengths.extend(std::iter::repeat_n(len, times));
        }
        if lengths.len() > literals + distances || lengths[256] == 0 {
            return Err(Stop::Corrupt);
        }
        let (literals, distances) = lengths.split_at(literals);
        Ok((Code::new(literals, true)?, Code::new(distances, true)?))
    }

    fn codes(&mut self, literals: &Code, distances: &Code) -> Result<(), Stop> {
        loop {
            match self.symbol(literals)? {
                256 => return Ok(()),
                symbol @ 0..256 => self.out.push(u8::try_from(symbol).expect("below 256")),
                symbol => {
                    let (base, extra) = *LENGTHS.get(symbol - 257).ok_or(Stop::Corrupt)?;
                    let len = base + self.bits(extra)?;
                    let symbol = self.symbol(distances)?;
                    if symbol > 29 {
                        return Err(Stop::Corrupt);
                    }
                    let extra = u32::try_from(symbol / 2).expect("few").saturating_sub(1);
                    let base = if symbol < 2 { symbol } else { (2 + symbol % 2) << extra };
                    let distance = 1 + base + self.bits(extra)?;
                    self.distance_max = self.distance_max.max(distance);
                    for _ in 0..len {
                        let from = self.out.len().checked_sub(distance).ok_or(Stop::Corrupt)?;
                        self.out.push(self.out[from]);
                    }
                }
            }
        }
    }
}
