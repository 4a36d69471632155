//! Bytes on their way out: paced line by line where the device needs it, held back after an error.

use std::collections::VecDeque;

/// What is still to be sent, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    pieces: VecDeque<Piece>,
    not_before_s: f64,
}

#[derive(Clone, Debug)]
struct Piece {
    bytes: Vec<u8>,
    pause_s: f64,
}

impl Outbox {
    /// Sends a command as soon as possible.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pieces.push_back(Piece {
            bytes: bytes.to_vec(),
            pause_s: 0.0,
        });
    }

    /// Sends lines with a pause after each; all at once where there is no pause.
    pub fn push_lines(&mut self, lines: Vec<Vec<u8>>, pause_s: f64) {
        if pause_s > 0.0 {
            self.pieces
                .extend(lines.into_iter().map(|bytes| Piece { bytes, pause_s }));
        } else {
            self.push(&lines.concat());
        }
    }

    /// Sends nothing before this time.
    pub fn hold_until(&mut self, time_s: f64) {
        self.not_before_s = self.not_before_s.max(time_s);
    }

    /// Forgets what was not sent.
    pub fn clear(&mut self) {
        self.pieces.clear();
    }

    /// The next bytes that may go now.
    pub fn take_due(&mut self, now_s: f64) -> Option<Vec<u8>> {
        if now_s < self.not_before_s {
            return None;
        }
        let piece = self.pieces.pop_front()?;
        self.not_before_s = now_s + piece.pause_s;
        Some(piece.bytes)
    }

    /// When something is due.
    pub fn deadline_s(&self) -> Option<f64> {
        (!self.pieces.is_empty()).then_some(self.not_before_s)
    }

    /// When everything will have been sent.
    pub fn empty_at_s(&self, now_s: f64) -> f64 {
        let pauses: f64 = self.pieces.iter().map(|piece| piece.pause_s).sum();
        if self.pieces.is_empty() {
            now_s
        } else {
            self.not_before_s.max(now_s) + pauses
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paced_lines_go_one_by_one_and_unpaced_ones_at_once() {
        let lines = || vec![b"e\n".to_vec(), b"x\n".to_vec(), b"\n".to_vec()];
        let mut paced = Outbox::default();
        paced.push_lines(lines(), 0.5);
        assert_eq!(paced.take_due(10.0).as_deref(), Some(&b"e\n"[..]));
        assert_eq!(paced.take_due(10.4), None);
        assert_eq!(paced.deadline_s(), Some(10.5));
        assert!((paced.empty_at_s(10.0) - 11.5).abs() < 1e-12);
        assert_eq!(paced.take_due(10.5).as_deref(), Some(&b"x\n"[..]));
        let mut burst = Outbox::default();
        burst.push_lines(lines(), 0.0);
        assert_eq!(burst.take_due(0.0).as_deref(), Some(&b"e\nx\n\n"[..]));
        assert_eq!(burst.deadline_s(), None);
    }

    #[test]
    fn nothing_goes_while_held_back() {
        let mut outbox = Outbox::default();
        outbox.hold_until(5.1);
        outbox.push(b"t\n");
        assert_eq!(outbox.take_due(5.0), None);
        assert_eq!(outbox.deadline_s(), Some(5.1));
        assert!(outbox.take_due(5.1).is_some());
    }
}
