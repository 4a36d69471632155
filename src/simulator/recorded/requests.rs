//! Bytes from a client to requests: what an instrument answers as one.

/// The longest request that is taken for one; what is longer is cut off there and will not be found.
const LONGEST_BYTES: usize = 1 << 20;

/// How an instrument takes what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// Lines, and scripts that end with an empty line.
    MethodScript,
    /// Lines.
    Lines,
}

impl Speech {
    /// Whether a request starts a script.
    pub fn is_script(self, request: &[u8]) -> bool {
        self == Self::MethodScript && (request.starts_with(b"e\n") || request.starts_with(b"l\n"))
    }

    /// Whether a request changes what a running script does.
    pub fn interferes(self, request: &[u8]) -> bool {
        self == Self::MethodScript && matches!(request, b"Z" | b"Y" | b"h" | b"H" | b"R")
    }

    /// Whether a request only asks, so that the place in the recording stays where it is.
    pub fn is_question(self, request: &[u8]) -> bool {
        self == Self::MethodScript && !self.is_script(request) && !self.interferes(request) && request != b"r"
    }

    /// What the instrument says to a request that it does not know; nothing where it is silent.
    pub fn refusal(self, request: &[u8]) -> Vec<u8> {
        match (self, request.first()) {
            (Self::Lines, _) => Vec::new(),
            // An empty command is answered by an empty line.
            (Self::MethodScript, None) => b"\n".to_vec(),
            (Self::MethodScript, Some(letter)) => [&[*letter], b"!0003\n".as_slice()].concat(),
        }
    }
}

/// Cuts what a client sends into requests. What is incomplete is kept, so bytes may come in any pieces.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    speech: Speech,
    line: Vec<u8>,
    script: Option<Vec<u8>>,
}

impl Requests {
    pub fn new(speech: Speech) -> Self {
        Self {
            speech,
            line: Vec::new(),
            script: None,
        }
    }

    /// Takes bytes and gives back the requests that they complete, without their line ends.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' => found.extend(self.end_line()),
                b'\r' if self.speech == Speech::Lines => found.extend(self.end_line()),
                // Flow control and other control characters are no part of a request.
                0..=0x08 | 0x0B..=0x1F | 0x7F => {}
                _ if self.line.len() < LONGEST_BYTES => self.line.push(byte),
                _ => {}
            }
        }
        found
    }

    /// Forgets what is incomplete, as after the line was lost.
    pub fn reset(&mut self) {
        *self = Self::new(self.speech);
    }

    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        if self.speech == Speech::Lines {
            let text = line.trim_ascii();
            return (!text.is_empty()).then(|| text.to_vec());
        }
        match &mut self.script {
            Some(script) => {
                if script.len() + line.len() < LONGEST_BYTES {
                    script.extend_from_slice(&line);
                    script.push(b'\n');
                }
                if line.is_empty() { self.script.take() } else { None }
            }
            None if line == b"e" || line == b"l" => {
                self.script = Some([line.as_slice(), b"\n"].concat());
                None
            }
            None => Some(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_one_request_and_a_line_is_one_in_any_pieces() {
        let sent = b"\nt\x11\ne\nvar p\ncell_off\n\ni\n";
        let wanted: [&[u8]; 4] = [b"", b"t", b"e\nvar p\ncell_off\n\n", b"i"];
        for cut in 0..=sent.len() {
            let mut requests = Requests::new(Speech::MethodScript);
            let mut found = requests.feed(&sent[..cut]);
            found.extend(requests.feed(&sent[cut..]));
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn lines_are_told_apart_whatever_ends_them_and_empty_ones_mean_nothing() {
        let mut requests = Requests::new(Speech::Lines);
        let found = requests.feed(b"*IDN?\r\n\r\n FREQ 1\rFETCH?\nrest");
        assert_eq!(found, [&b"*IDN?"[..], b"FREQ 1", b"FETCH?"]);
    }

    #[test]
    fn a_flood_without_an_end_takes_no_more_room_than_the_longest_request() {
        let mut requests = Requests::new(Speech::MethodScript);
        for _ in 0..3000 {
            assert!(requests.feed(&[b'x'; 1000]).is_empty());
        }
        assert_eq!(requests.line.len(), LONGEST_BYTES);
        assert_eq!(requests.feed(b"\n").len(), 1);
    }
}
