//! Bytes in any pieces to lines.

use super::line::Line;

/// Longest line that is taken for one; PalmSens' own C client reserves as much.
pub const MAX_LINE_BYTES: usize = 1000;

/// How much of a line that was too long is reported.
const REPORTED_BYTES: usize = 80;

/// Turns what arrives on a link into lines. It keeps what is incomplete, so bytes may come in any pieces,
/// and it is in step again at the next line end after whatever garbage.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    partial: Vec<u8>,
    overlong: bool,
}

impl Decoder {
    /// A decoder that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes and returns the lines that they complete. Flow control and other control characters
    /// are dropped, bytes that are not UTF-8 are replaced. A line of more than [`MAX_LINE_BYTES`] is
    /// dropped up to its end and its beginning reported as [`Line::Unknown`].
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' => lines.push(self.take_line()),
                b'\t' => self.keep(byte),
                // XON and XOFF (0x11, 0x13), CR and the rest mean nothing inside a line.
                0..=0x1F | 0x7F => {}
                _ => self.keep(byte),
            }
        }
        lines
    }

    /// Forgets an incomplete line, as after the link was opened again.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether a line has begun and not ended.
    #[must_use]
    pub fn has_partial_line(&self) -> bool {
        self.overlong || !self.partial.is_empty()
    }

    fn keep(&mut self, byte: u8) {
        if self.overlong {
        } else if self.partial.len() < MAX_LINE_BYTES {
            self.partial.push(byte);
        } else {
            self.overlong = true;
            self.partial.truncate(REPORTED_BYTES);
        }
    }

    fn take_line(&mut self) -> Line {
        let text = String::from_utf8_lossy(&self.partial);
        let line = if self.overlong {
            Line::Unknown(text.into_owned())
        } else {
            Line::parse(&text)
        };
        self.partial.clear();
        self.overlong = false;
        line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::package::{Package, VariableType};
    use super::super::value::Value;
    use super::*;

    const TRANSCRIPT: &str = "e\nM000D\nPdc8030D40 ;ccAAE483Fm,14,288;cd7FD3127 ,14,288\nR*\n*\nTend\n\n";

    fn decode_in_pieces(bytes: &[u8], cuts: &[usize]) -> Vec<Line> {
        let mut decoder = Decoder::new();
        let mut lines = Vec::new();
        let mut start = 0;
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        for cut in cuts.into_iter().chain([bytes.len()]) {
            lines.extend(decoder.feed(&bytes[start..cut]));
            start = cut;
        }
        lines
    }

    #[test]
    fn published_lines_decode_as_stated_and_encode_to_the_same_characters() {
        let table = include_str!("../../../tests/data/method_script_lines.tsv");
        let mut numbers = 0;
        for row in table.lines().filter(|row| !row.starts_with('#')) {
            let mut columns = row.split('\t');
            let (line, stated) = (columns.next().unwrap(), columns.next().unwrap());
            let decoded = Decoder::new().feed(format!("{line}\n").as_bytes());
            let [Line::Package(package)] = decoded.as_slice() else {
                panic!("{decoded:?}")
            };
            for field in stated.split(';') {
                check_stated(package, field);
                numbers += 1;
            }
            // The last package of the table was cut by hand: its written form is the same anyway.
            assert_eq!(package.to_string(), line);
        }
        assert_eq!(numbers, 23, "22 numbers and one NaN");
    }

    /// Compares one statement `type=value[,1status][,2range]` with a decoded package.
    fn check_stated(package: &Package, field: &str) {
        let (kind, rest) = field.split_once('=').unwrap();
        let mut parts = rest.split(',');
        let variable = package.get(VariableType::parse(kind).unwrap()).unwrap();
        match parts.next().unwrap() {
            "nan" => assert_eq!(variable.value, Value::NotANumber),
            number => assert_eq!(variable.value, Value::Number(number.parse().unwrap())),
        }
        let metadata = |text: Option<&str>| text.map(|text| u8::from_str_radix(&text[1..], 16).unwrap());
        assert_eq!(variable.status, metadata(parts.next()));
        assert_eq!(variable.range, metadata(parts.next()));
    }

    #[test]
    fn a_transcript_split_at_every_byte_gives_the_same_lines() {
        let whole = Decoder::new().feed(TRANSCRIPT.as_bytes());
        for cut in 0..=TRANSCRIPT.len() {
            assert_eq!(decode_in_pieces(TRANSCRIPT.as_bytes(), &[cut]), whole, "{cut}");
        }
        let every: Vec<usize> = (0..TRANSCRIPT.len()).collect();
        assert_eq!(decode_in_pieces(TRANSCRIPT.as_bytes(), &every), whole);
    }

    #[test]
    fn carriage_returns_and_flow_control_are_dropped() {
        let lines = Decoder::new().feed(b"\x11M000D\r\n\x13\x11*\n\r\n");
        assert_eq!(
            lines,
            [Line::LoopStart { technique: 13 }, Line::LoopEnd, Line::Empty]
        );
    }

    #[test]
    fn a_line_that_never_ends_is_dropped_up_to_its_end() {
        let mut decoder = Decoder::new();
        for _ in 0..1000 {
            assert!(decoder.feed(&[b'x'; 1000]).is_empty());
            assert!(decoder.partial.len() <= MAX_LINE_BYTES);
        }
        let lines = decoder.feed(b"tail\n*\n");
        assert_eq!(lines, [Line::Unknown("x".repeat(REPORTED_BYTES)), Line::LoopEnd]);
    }

    #[test]
    fn the_longest_line_is_still_one() {
        let text = "y".repeat(MAX_LINE_BYTES - 1);
        let lines = Decoder::new().feed(format!("T{text}\n").as_bytes());
        assert_eq!(lines, [Line::Text(text)]);
    }

    #[test]
    fn after_a_reset_the_rest_of_a_line_stands_alone() {
        let mut decoder = Decoder::new();
        decoder.feed(b"M00");
        assert!(decoder.has_partial_line());
        decoder.reset();
        assert_eq!(decoder.feed(b"*\n"), [Line::LoopEnd]);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_lines(cuts in prop::collection::vec(any::<usize>(), 0..12)) {
            let whole = Decoder::new().feed(TRANSCRIPT.as_bytes());
            prop_assert_eq!(decode_in_pieces(TRANSCRIPT.as_bytes(), &cuts), whole);
        }

        #[test]
        fn any_garbage_in_any_split_gives_the_same_lines_and_is_over_at_the_next_line_end(
            garbage in prop::collection::vec(any::<u8>(), 0..2500),
            cuts in prop::collection::vec(any::<usize>(), 0..12),
        ) {
            let mut bytes = garbage;
            bytes.push(b'\n');
            let ends = bytes.iter().filter(|&&byte| byte == b'\n').count();
            bytes.extend_from_slice(TRANSCRIPT.as_bytes());
            let whole = Decoder::new().feed(&bytes);
            let clean = Decoder::new().feed(TRANSCRIPT.as_bytes());
            prop_assert_eq!(&whole[ends..], clean.as_slice());
            // Formatted, because NaN is not equal to itself.
            prop_assert_eq!(format!("{:?}", decode_in_pieces(&bytes, &cuts)), format!("{whole:?}"));
        }
    }
}
