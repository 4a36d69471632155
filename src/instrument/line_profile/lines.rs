//! Bytes in any pieces to lines, and commands to bytes.

use crate::profile::line::{Charset, Framing, LineEnd, Trim};

/// A line that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Its text without its end.
    Text(String),
    /// A line longer than the profile allows; its beginning.
    TooLong(String),
}

/// How much of a line that was too long is reported.
const REPORTED: usize = 60;

/// Turns bytes into lines. What is incomplete is kept, so bytes may come in any pieces.
#[derive(Clone, Debug)]
pub struct Splitter {
    framing: Framing,
    partial: Vec<u8>,
    overlong: bool,
}

impl Splitter {
    /// A splitter that has seen nothing.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self {
            framing,
            partial: Vec::new(),
            overlong: false,
        }
    }

    /// Takes bytes and gives back the lines that they complete. Empty lines mean nothing and are left out;
    /// so are control characters, such as flow control that a port did not swallow.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for &byte in bytes {
            let ends = match (self.framing.receive_end, byte) {
                (LineEnd::Lf | LineEnd::Any, b'\n') | (LineEnd::Cr | LineEnd::Any, b'\r') => true,
                (LineEnd::Crlf, b'\n') => self.partial.last() == Some(&b'\r'),
                _ => false,
            };
            if ends {
                lines.extend(self.take_line());
            } else if self.partial.len() < self.framing.max_line_bytes {
                self.partial.push(byte);
            } else {
                self.overlong = true;
                // The last byte is kept, so that the two that end a line are seen.
                if let Some(last) = self.partial.last_mut() {
                    *last = byte;
                }
            }
        }
        lines
    }

    /// Forgets an incomplete line.
    pub fn reset(&mut self) {
        self.partial.clear();
        self.overlong = false;
    }

    fn take_line(&mut self) -> Option<Line> {
        let bytes: Vec<u8> = std::mem::take(&mut self.partial)
            .into_iter()
            .filter(|byte| *byte == b'\t' || !byte.is_ascii_control())
            .collect();
        let text: String = match self.framing.charset {
            Charset::Utf8 => String::from_utf8_lossy(&bytes).into_owned(),
            Charset::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Charset::Ascii => bytes
                .iter()
                .map(|byte| {
                    if byte.is_ascii() {
                        char::from(*byte)
                    } else {
                        '\u{FFFD}'
                    }
                })
                .collect(),
        };
        if std::mem::take(&mut self.overlong) {
            return Some(Line::TooLong(text.chars().take(REPORTED).collect()));
        }
        let text = match self.framing.trim {
            Trim::LineEnds => text,
            Trim::Blanks => text.trim_matches([' ', '\t']).to_owned(),
        };
        (!text.is_empty()).then_some(Line::Text(text))
    }
}

/// A line as it goes over the wire.
#[must_use]
pub fn encode(framing: &Framing, text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = match framing.charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Ascii | Charset::Latin1 => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
            .collect(),
    };
    let end = framing.send_end.bytes();
    if let Some(of) = framing.blank_before_multiples_of
        && (bytes.len() + end.len()).is_multiple_of(of)
    {
        bytes.insert(0, b' ');
    }
    bytes.extend_from_slice(end);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(line: &str) -> Line {
        Line::Text(line.to_owned())
    }

    fn split(receive_end: LineEnd, bytes: &[u8]) -> Vec<Line> {
        let framing = Framing {
            receive_end,
            ..Framing::default()
        };
        Splitter::new(framing).feed(bytes)
    }

    #[test]
    fn lines_end_as_the_profile_says() {
        let mixed = b"a\r\nb\nc\rd\r\n";
        assert_eq!(split(LineEnd::Any, mixed), ["a", "b", "c", "d"].map(text));
        assert_eq!(split(LineEnd::Lf, mixed), ["a", "b", "cd"].map(text));
        assert_eq!(split(LineEnd::Crlf, mixed), ["a", "bcd"].map(text));
        assert_eq!(split(LineEnd::Cr, mixed), ["a", "bc", "d"].map(text));
    }

    #[test]
    fn flow_control_is_dropped_and_noise_replaced() {
        assert_eq!(split(LineEnd::Lf, b"\x11a\xB5\x13b\n"), [text("a\u{FFFD}b")]);
    }

    #[test]
    fn a_line_that_never_ends_is_dropped_up_to_its_end() {
        let mut splitter = Splitter::new(Framing::default());
        for _ in 0..100 {
            assert!(splitter.feed(&[b'x'; 1000]).is_empty());
            assert!(splitter.partial.len() <= 1000);
        }
        assert_eq!(
            splitter.feed(b"tail\r\nOK\r\n"),
            [Line::TooLong("x".repeat(REPORTED)), text("OK")]
        );
    }

    #[test]
    fn a_message_of_unlucky_length_gets_a_blank() {
        let framing = Framing {
            blank_before_multiples_of: Some(64),
            ..Framing::default()
        };
        let unlucky = "x".repeat(63);
        assert_eq!(encode(&framing, &unlucky), format!(" {unlucky}\n").into_bytes());
        assert_eq!(encode(&framing, "short"), b"short\n");
    }

    proptest! {
        #[test]
        fn bytes_in_any_pieces_give_the_same_lines(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>(), b'0'..=b'9'], 0..80),
            cut in 0_usize..80, kind in 0..4_usize
        ) {
            let receive_end = [LineEnd::Lf, LineEnd::Crlf, LineEnd::Cr, LineEnd::Any][kind];
            let framing = Framing { receive_end, max_line_bytes: 20, ..Framing::default() };
            let whole = Splitter::new(framing.clone()).feed(&bytes);
            let mut splitter = Splitter::new(framing);
            let cut = cut.min(bytes.len());
            let mut pieces = splitter.feed(&bytes[..cut]);
            pieces.extend(splitter.feed(&bytes[cut..]));
            prop_assert_eq!(pieces, whole);
        }
    }
}
