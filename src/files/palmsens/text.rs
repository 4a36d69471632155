//! The text of a session, and where a character of it stands in the file.

/// A decoded text.
pub(super) struct Text {
    text: String,
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf16LittleEndian,
    Utf16BigEndian,
    Utf8,
}

impl Text {
    /// Decodes a text by its byte order mark; without one it must begin with a brace and be UTF-8. What cannot be
    /// decoded becomes U+FFFD.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (encoding, content) = match bytes {
            [0xff, 0xfe, content @ ..] => (Encoding::Utf16LittleEndian, content),
            [0xfe, 0xff, content @ ..] => (Encoding::Utf16BigEndian, content),
            [0xef, 0xbb, 0xbf, content @ ..] => (Encoding::Utf8, content),
            [b'{', ..] => (Encoding::Utf8, bytes),
            _ => return None,
        };
        let text = match encoding {
            Encoding::Utf16LittleEndian => utf16(content, u16::from_le_bytes),
            Encoding::Utf16BigEndian => utf16(content, u16::from_be_bytes),
            Encoding::Utf8 => String::from_utf8_lossy(content).into_owned(),
        };
        Some(Self { text, encoding })
    }

    /// The text without its byte order mark.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The byte in the file of a place in the text; lines and their bytes count from 1.
    pub(super) fn offset_in_file(&self, line: usize, column: usize) -> usize {
        let lines = self.text.split_inclusive('\n').take(line.saturating_sub(1));
        let at = lines.map(str::len).sum::<usize>() + column;
        let at = at.min(self.text.len());
        match self.encoding {
            Encoding::Utf8 => at,
            Encoding::Utf16LittleEndian | Encoding::Utf16BigEndian => {
                let before = self.text.char_indices().take_while(|&(place, _)| place < at);
                2 + 2 * before.map(|(_, character)| character.len_utf16()).sum::<usize>()
            }
        }
    }
}

fn utf16(content: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = content.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut text = String::with_capacity(content.len() / 2);
    text.extend(char::decode_utf16(units).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_encodings_give_the_same_text() {
        let text = "{\"µ\": \"𝛺\"}";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(units.iter().flat_map(|unit| unit.to_le_bytes()))
            .collect();
        let big: Vec<u8> = [0xfe, 0xff]
            .into_iter()
            .chain(units.iter().flat_map(|unit| unit.to_be_bytes()))
            .collect();
        for bytes in [little.as_slice(), &big, text.as_bytes()] {
            assert_eq!(Text::decode(bytes).unwrap().as_str(), text);
        }
        assert!(Text::decode(b"f,z").is_none());
    }

    #[test]
    fn places_in_the_text_are_bytes_of_the_file() {
        let text = "{\n\"µ𝛺x";
        let little: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let decoded = Text::decode(&little).unwrap();
        // Column 8 ends after the x: a quote, 2 bytes, 4 bytes, x.
        assert_eq!(decoded.offset_in_file(2, 8), little.len());
        assert_eq!(decoded.offset_in_file(2, 7), little.len() - 2);
        assert_eq!(decoded.offset_in_file(1, 1), 4);
        assert_eq!(decoded.offset_in_file(99, 99), little.len());
        assert_eq!(Text::decode(b"{\nab").unwrap().offset_in_file(2, 1), 3);
    }
}
