//! What passes, shown on standard error as it passes.

use std::io::{self, Write as _};

use jiff::Timestamp;

use crate::{
    cli::{args::TapForm, escape},
    recording::{Entry, Kind, What},
    relay::Sink,
};

/// The bytes in one line of hexadecimal digits.
const ROW_BYTES: usize = 16;

/// Shows each entry, in lines that nothing which passes can forge.
pub(super) struct Tap {
    form: TapForm,
    started: Timestamp,
}

impl Tap {
    pub(super) fn new(form: TapForm, started: Timestamp) -> Self {
        Self { form, started }
    }

    fn shown(&self, entry: &Entry) -> String {
        let at = self.started.checked_add(entry.at).unwrap_or(self.started);
        let before = format!("{at:.6} {}", entry.connection);
        match &entry.what {
            What::Payload { direction, kind, payload } => {
                let kind = match kind {
                    Kind::Text => "text",
                    Kind::Binary => "binary",
                    Kind::Bytes => "bytes",
                };
                let sign = direction.sign();
                match self.form {
                    TapForm::Text => {
                        format!("{before} {sign} {}\n", escape::line(payload))
                    }
                    TapForm::Hex => {
                        let length = payload.len();
                        format!("{before} {sign} {kind}, {length} B\n{}", hex(payload))
                    }
                }
            }
            What::Open { peer } => format!("{before} + {}\n", escape::line(peer.as_bytes())),
            What::End { direction } => format!("{before} {} |\n", direction.sign()),
            What::Close { direction, code, reason, error } => {
                let sign = direction.map(|direction| format!(" {}", direction.sign()));
                let code = code.map(|code| format!(" {code}"));
                let words = [sign.unwrap_or_default(), code.unwrap_or_default()].concat();
                let text = [reason.as_str(), error.as_deref().unwrap_or_default()].join(" ");
                let text = escape::line(text.trim().as_bytes());
                format!("{before} -{words} {text}").trim_end().to_owned() + "\n"
            }
        }
    }
}

impl Sink for Tap {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        io::stderr().lock().write_all(self.shown(entry).as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Rows of an offset, the bytes, and what of them is ASCII, as `hexdump -C` has them.
fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (index, row) in bytes.chunks(ROW_BYTES).enumerate() {
        out.push_str(&format!("  {:08x} ", index * ROW_BYTES));
        for place in 0..ROW_BYTES {
            if place % 8 == 0 {
                out.push(' ');
            }
            match row.get(place) {
                Some(byte) => out.push_str(&format!("{byte:02x} ")),
                None => out.push_str("   "),
            }
        }
        let shown = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' };
        out.push_str(&format!(" |{}|\n", row.iter().map(shown).collect::<String>()));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::recording::Direction;

    fn shown(form: TapForm, payload: &'static [u8]) -> String {
        let started = "2026-01-02T03:04:05Z".parse().expect("a time");
        let what = What::Payload {
            direction: Direction::Back,
            kind: Kind::Bytes,
            payload: payload.into(),
        };
        let entry = Entry { at: Duration::from_micros(1_000_002), connection: 3, what };
        Tap::new(form, started).shown(&entry)
    }

    #[test]
    fn text_is_one_line_that_cannot_drive_a_terminal() {
        assert_eq!(
            shown(TapForm::Text, b"hola\n\x1b[2J\xff"),
            "2026-01-02T03:04:06.000002Z 3 < hola\\n\\x1b[2J\\xff\n"
        );
    }

    #[test]
    fn bytes_are_shown_as_hexdump_does() {
        assert_eq!(
            shown(TapForm::Hex, b"0123456789abcdef\nx"),
            "2026-01-02T03:04:06.000002Z 3 < bytes, 18 B\n  \
             00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n  \
             00000010  0a 78                                             |.x|\n"
        );
    }
}
