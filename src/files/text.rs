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

/// The characters of a text: UTF-8 or UTF-16 where a byte order mark says so, UTF-16 also where every other byte of
/// the beginning is zero, else UTF-8 where it is valid, else latin-1 as Windows extends it, which every sequence of
/// bytes is. Borrows where nothing has to be changed.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => eight_bit(rest),
        [1..=255, 0, 1..=255, 0, 1..=255, 0, ..] => Cow::Owned(utf16(bytes, u16::from_le_bytes)),
        [0, 1..=255, 0, 1..=255, 0, 1..=255, ..] => Cow::Owned(utf16(bytes, u16::from_be_bytes)),
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
        Err(_) => Cow::Owned(bytes.iter().copied().map(windows_1252).collect()),
    }
}

/// A character of Windows-1252, which is latin-1 with letters and typographic signs (the prime of `Z’` among them) where
/// that has control characters.
fn windows_1252(byte: u8) -> char {
    const FROM_0X80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', //
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => FROM_0X80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// A text for a message or a name: what would steer a terminal is written out.
pub(super) fn shown(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push(' '),
            control if control.is_control() => shown.extend(control.escape_default()),
            other => shown.push(other),
        }
    }
    shown
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
    /// Whether the text ends with it, without the end of a line: it may go on in a longer text.
    pub open: bool,
}

/// The lines of a text that are not blank. A line ends with LF, CR LF or any mixture of the two (some
/// instruments write CR LF CR), or with CR where there is no LF at all.
#[derive(Clone, Debug)]
pub(super) struct Lines<'t> {
    rest: &'t str,
    number: usize,
    line_break: char,
    last_is_open: bool,
}

impl<'t> Lines<'t> {
    /// The lines of a text.
    pub fn of(text: &'t str) -> Self {
        // Trailing tabs stay: they are empty fields of the last row.
        let rest = text.trim_end_matches(['\n', '\r', ' ']);
        Self {
            rest,
            number: 0,
            last_is_open: !text[rest.len()..].contains(['\n', '\r']),
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
                    open: rest.is_empty() && self.last_is_open,
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
        assert_eq!(decode(b"Z\x92/\xb5Ohm"), "Z’/µOhm");
        assert_eq!(decode(&utf16(u16::to_le_bytes, [b'f', 0])[..]), "fZ/Ω");
        assert_eq!(decode(&utf16(u16::to_be_bytes, [0, b'f'])[..]), "fZ/Ω");
    }

    #[test]
    fn nothing_that_steers_a_terminal_is_shown() {
        assert_eq!(shown("a\tb\u{9b}2J\u{1b}[m".to_owned()), "a b\\u{9b}2J\\u{1b}[m");
    }

    #[test]
    fn only_a_last_line_without_an_end_is_open() {
        let open = |text| Lines::of(text).map(|line| line.open).collect::<Vec<bool>>();
        for text in ["a\nb\n", "a\rb\r", "a\r\nb\r", "a\nb\n  ", "a\nb  \n"] {
            assert_eq!(open(text), [false, false], "{text:?}");
        }
        assert_eq!(open("a\nb"), [false, true]);
        assert_eq!(open("a\nb  "), [false, true]);
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
