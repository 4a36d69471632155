//! Bytes on the line as printable text and back, without loss.

/// Bytes as text: printable ASCII as it is, a backslash as `\\`, everything else as `\xNN`.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02X}")),
        }
    }
    text
}

/// The bytes that [`escape`] wrote; none where the text is not of its making.
#[must_use]
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                bytes.push(b'\\');
                tail
            }
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                tail
            }
            (b' '..=b'[' | b']'..=b'~', tail) => {
                bytes.push(*first);
                tail
            }
            _ => return None,
        };
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_printable_becomes_hexadecimal_and_a_backslash_is_doubled() {
        assert_eq!(escape(b"e\nP\\ \x11"), "e\\x0AP\\\\ \\x11");
    }

    #[test]
    fn text_that_was_not_escaped_here_is_refused() {
        assert_eq!(unescape("\\q"), None);
        assert_eq!(unescape("\\x1"), None);
        assert_eq!(unescape("\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(unescape(&escape(&bytes)), Some(bytes));
        }
    }
}
