//! Bytes of a text file as characters, and its lines.

use std::borrow::Cow;

/// How much of a file is looked at to recognise its format.
const HEAD_BYTES: usize = 32 * 1024;

/// A text file: its name for errors, and its characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'t> {
    /// The file.
    pub file: &'t str,
    /// Its text.
    pub text: &'t str,
}

/// The characters of a text: UTF-8 or UTF-16 where a byte order mark says so, else UTF-8 where it is valid, else
/// latin-1, which every sequence of bytes is. Borrows where nothing has to be changed.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => eight_bit(rest),
        _ => eight_bit(bytes),
    }
}

/// The beginning of a text, for recognising it.
pub(super) fn head(bytes: &[u8]) -> Cow<'_, str> {
    decode(&bytes[..bytes.len().min(HEAD_BYTES)])
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn eight_bit(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        // A character cut off at the end of the file does not make the rest latin-1.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(&bytes[..error.valid_up_to()]),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// A line that is not blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'t> {
    /// Counted from 1, blank lines included.
    pub number: usize,
    /// What stands in it, without the line break.
    pub text: &'t str,
    /// Whether a blank line stands before it.
    pub after_blank: bool,
    /// Whether nothing but blank lines follows.
    pub last: bool,
}

/// The lines of a text that are not blank. A line ends with LF, CR LF or any mixture of the two (some
/// instruments write CR LF CR), or with CR where there is no LF at all.
#[derive(Clone, Debug)]
pub(super) struct Lines<'t> {
    rest: &'t str,
    number: usize,
    line_break: char,
}

impl<'t> Lines<'t> {
    /// The lines of a text.
    pub fn of(text: &'t str) -> Self {
        Self {
            // Trailing tabs stay: they are empty fields of the last row.
            rest: text.trim_end_matches(['\n', '\r', ' ']),
            number: 0,
            line_break: if text.contains('\n') { '\n' } else { '\r' },
        }
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = Line<'t>;

    fn next(&mut self) -> Option<Line<'t>> {
        let mut after_blank = false;
        while !self.rest.is_empty() {
            let (line, rest) = self.rest.split_once(self.line_break).unwrap_or((self.rest, ""));
            self.rest = rest;
            self.number += 1;
            let text = line.trim_matches('\r');
            if !text.trim().is_empty() {
                return Some(Line {
                    number: self.number,
                    text,
                    after_blank,
                    last: rest.is_empty(),
                });
            }
            after_blank = true;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        Lines::of(text).map(|line| line.text).collect()
    }

    #[test]
    fn encodings_are_told_by_mark_and_by_validity() {
        let utf16 = |order: fn(u16) -> [u8; 2], mark: [u8; 2]| {
            let units = "Z/Ω".encode_utf16().flat_map(order);
            mark.into_iter().chain(units).collect::<Vec<u8>>()
        };
        assert_eq!(decode(&utf16(u16::to_le_bytes, [0xff, 0xfe])), "Z/Ω");
        assert_eq!(decode(&utf16(u16::to_be_bytes, [0xfe, 0xff])), "Z/Ω");
        assert_eq!(decode("\u{feff}Z/Ω".as_bytes()), "Z/Ω");
        assert_eq!(decode("Z/Ω".as_bytes()), "Z/Ω");
        assert_eq!(decode(b"Cs/\xb5F cm\xb2"), "Cs/µF cm²");
        assert_eq!(decode(b"Z/\xce"), "Z/", "an ohm sign cut in half");
    }

    #[test]
    fn every_kind_of_line_break_ends_a_line() {
        for text in [
            "a\nb\n",
            "a\r\nb\r\n",
            "a\r\n\rb\r\n\r",
            "a\r\r\nb\r\r\n",
            "a\rb\r",
            "a\nb",
        ] {
            assert_eq!(texts(text), ["a", "b"], "{text:?}");
        }
    }

    #[test]
    fn blank_lines_are_counted_and_the_last_line_is_known() {
        let lines: Vec<Line<'_>> = Lines::of("a\n \n\nb\n\n").collect();
        assert_eq!(
            (lines[0].number, lines[0].after_blank, lines[0].last),
            (1, false, false)
        );
        assert_eq!(
            (lines[1].number, lines[1].after_blank, lines[1].last),
            (4, true, true)
        );
    }
}
