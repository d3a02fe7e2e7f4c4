//! Whether a client speaks HTTP, which a browser does in the name of any page that it shows.

use bytes::{Bytes, BytesMut};

use crate::limits;

/// Holds back the beginning of what a client sends, as long as it may be a request.
#[derive(Debug, Default)]
pub(crate) struct Preface {
    held: BytesMut,
    is_over: bool,
}

/// What is to be done with what came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// More has to come before that can be said.
    Wait,
    /// It is passed on.
    Pass(Bytes),
    /// It is a request.
    Http,
}

impl Preface {
    /// One that is held to be over: everything passes.
    pub(crate) fn none() -> Self {
        Self { held: BytesMut::new(), is_over: true }
    }

    pub(crate) fn judge(&mut self, chunk: Bytes) -> Verdict {
        if self.is_over {
            return Verdict::Pass(chunk);
        }
        self.held.extend_from_slice(&chunk);
        let line_end = memchr::memchr(b'\n', &self.held);
        match line_end {
            Some(end) if is_request_line(&self.held[..end]) => return Verdict::Http,
            None if may_be_request_line(&self.held) => {
                // No line that is worth waiting for is as long.
                let is_too_long = self.held.len() > limits::HTTP_HEADER_BYTES_MAX;
                return if is_too_long { Verdict::Http } else { Verdict::Wait };
            }
            _ => {}
        }
        self.is_over = true;
        Verdict::Pass(std::mem::take(&mut self.held).freeze())
    }

    /// What is still held when no more comes: half a request asks for nothing.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.is_over = true;
        std::mem::take(&mut self.held).freeze()
    }
}

/// `METHOD TARGET HTTP/1.1` (RFC 9112 §3).
fn is_request_line(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    may_be_request_line(line) && version.starts_with(b"HTTP/") && line.contains(&b' ')
}

/// Whether it begins with a method and a target, or with a part of them: capital letters, a blank,
/// then what a target begins with (RFC 9112 §3.2), and nothing that none can hold.
fn may_be_request_line(line: &[u8]) -> bool {
    let letters = line.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let may_begin =
        |byte: &u8| matches!(byte, b'/' | b'*' | b'h' | b'H') || line.starts_with(b"CONNECT ");
    letters > 0
        && line.get(letters).is_none_or(|byte| *byte == b' ')
        && line.get(letters + 1).is_none_or(may_begin)
        && !line.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes of a text that comes byte by byte; `None` if it is a request.
    fn passed(text: &str) -> Option<String> {
        let mut preface = Preface::default();
        let mut passed = Vec::new();
        for byte in text.bytes() {
            match preface.judge(Bytes::copy_from_slice(&[byte])) {
                Verdict::Wait => {}
                Verdict::Pass(bytes) => passed.extend_from_slice(&bytes),
                Verdict::Http => return None,
            }
        }
        passed.extend_from_slice(&preface.rest());
        Some(String::from_utf8(passed).expect("text"))
    }

    #[test]
    fn what_is_no_request_passes_unchanged_however_it_comes() {
        for text in [
            "",
            "\n",
            "G",
            "GET",
            "GET x",
            "GET x\nGET / HTTP/1.1\n",
            "get / HTTP/1.1\n",
            "ls -l\n",
            "LOGIN a b\r\n",
            " GET / HTTP/1.1\n",
            "HTTP/1.1\n",
            "A\nB C\n",
            "ERROR {\"code\":1} HTTP/1.1\n",
            "TEMP /dev/sda\0",
        ] {
            assert_eq!(passed(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_request_is_known_by_its_first_line() {
        for text in ["GET / HTTP/1.1\r\n", "POST /a?b c HTTP/1.0\nrm -rf\n", "PRI * HTTP/2.0\r\n"] {
            assert_eq!(passed(text), None, "{text}");
        }
        let endless = format!("GET /{}", "x".repeat(limits::HTTP_HEADER_BYTES_MAX));
        assert_eq!(passed(&endless), None, "and not held for ever");
    }
}
